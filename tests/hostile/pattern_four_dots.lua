-- Four lazy repetitions and no match.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = ("a"):rep(1e5)
    return text:find(".-.-.-.-b")
  end,
}
