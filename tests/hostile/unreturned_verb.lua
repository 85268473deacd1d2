-- A verdict that is built and dropped.
-- stops: was built but not returned
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local _ = deny(403, "no")
  end,
}
