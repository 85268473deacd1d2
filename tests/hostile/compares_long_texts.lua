-- Long texts that differ at their end.
-- stops: CPU time
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = ("x"):rep(1e6)
    local a, b = text .. "a", text .. "b"
    for _ = 1, 1e9 do local _ = a < b end
  end,
}
