-- A field that is not there.
-- stops: departmnt
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    if ctx.identity["departmnt"] == "sales" then return deny(403, "no") end
  end,
}
