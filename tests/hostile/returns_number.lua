-- A number instead of a verb.
-- stops: on_request returned
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    return 42 + 0
  end,
}
