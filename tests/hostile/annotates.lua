-- A million annotations.
-- stops: annotate: more than 8 KB
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for i = 1, 1e6 do ctx:annotate("k" .. i, ("v"):rep(1000)) end
  end,
}
