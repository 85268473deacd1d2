-- More values than the stack may hold.
-- stops: unpack
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for i = 1, 8000 do t[i] = i end
    return select("#", unpack(t))
  end,
}
