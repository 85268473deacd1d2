-- The first of a table that was emptied: a step through all its places.
-- stops: CPU time
local emptied = {}
for i = 1, 1e5 do emptied[i * 3] = true end
for i = 1, 1e5 do emptied[i * 3] = nil end
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for _ = 1, 1e9 do next(emptied) end
  end,
}
