-- The same by pairs: a loop without a round.
-- stops: CPU time
local emptied = {}
for i = 1, 1e5 do emptied[i * 3] = true end
for i = 1, 1e5 do emptied[i * 3] = nil end
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for _ = 1, 1e9 do
      for _ in pairs(emptied) do end
    end
  end,
}
