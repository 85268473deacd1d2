-- Nested deeper than JSON may be.
-- stops: nested more than 64 deep
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for _ = 1, 1e5 do t = { t } end
    return json.encode(t)
  end,
}
