-- gmatch over a text that never matches.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = ("a"):rep(1e5)
    for _ in text:gmatch("a-a-a-b") do return end
  end,
}
