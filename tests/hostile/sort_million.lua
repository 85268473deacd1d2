-- More than may be sorted.
-- stops: more than 50000 elements
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for i = 1, 60000 do t[i] = -i end
    table.sort(t)
  end,
}
