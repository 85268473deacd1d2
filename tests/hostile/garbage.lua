-- Small tables, thrown away at once.
-- stops: memory
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for _ = 1, 1e9 do local _ = { 1, 2, 3 } end
  end,
}
