-- One text of a gigabyte.
-- stops: larger than
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local s = "x"
    return s:rep(1e9)
  end,
}
