-- A text instead of a verb.
-- stops: on_request returned
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    return tostring "deny"
  end,
}
