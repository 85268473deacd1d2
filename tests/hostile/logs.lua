-- A million lines for the log.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for i = 1, 1e6 do log.debug("line %d", i) end
  end,
}
