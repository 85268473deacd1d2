-- A repetition in a group over a megabyte.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = ("a"):rep(1e6)
    return text:match("(.-)*$") and text:match("(.-)%*$")
  end,
}
