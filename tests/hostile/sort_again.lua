-- Fifty thousand numbers sorted again and again.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for i = 1, 50000 do t[i] = -i end
    for _ = 1, 1e6 do table.sort(t) end
  end,
}
