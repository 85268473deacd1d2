-- A million things for the cache.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for i = 1, 1e6 do cache.set("k" .. i, ("v"):rep(1000), 60) end
  end,
}
