-- An error that is nothing.
-- stops: raised a nil
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    error(nil)
  end,
}
