-- Somebody wants to be somebody else.
-- stops: read-only
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    ctx.identity.department = "board"
  end,
}
