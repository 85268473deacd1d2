-- A ctx kept for the next request.
-- stops: belongs to a request that is over
local kept
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    kept = kept or ctx
    if kept ~= ctx then return kept.identity.user end
    if kept.request.headers["x-again"] then return end
  end,
}
