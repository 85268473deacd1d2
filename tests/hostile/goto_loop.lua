-- A loop made of goto.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    ::again::
    goto again
  end,
}
