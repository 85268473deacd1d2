-- A metatable that is its own index.
-- stops: loop in gettable
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    setmetatable(t, { __index = t })
    return t.x
  end,
}
