-- A table that holds itself.
-- stops: nested more than 64 deep
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    t.t = t
    return json.encode(t)
  end,
}
