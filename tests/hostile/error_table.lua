-- An error that is a table.
-- stops: raised a table
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    error({})
  end,
}
