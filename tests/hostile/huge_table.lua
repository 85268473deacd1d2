-- A table of a billion.
-- stops: memory
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for i = 1, 1e9 do t[i] = i end
  end,
}
