-- The same by tonumber.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = ("1"):rep(1e6)
    for _ = 1, 1e9 do tonumber(text) end
  end,
}
