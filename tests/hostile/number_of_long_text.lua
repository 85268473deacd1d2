-- A long text read as a number, by arithmetic: no function is called, and each bytecode takes milliseconds.
-- stops: CPU time
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = "0x" .. ("1"):rep(1e6)
    for _ = 1, 1e9 do local _ = text + 1 end
  end,
}
