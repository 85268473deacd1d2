-- Tail calls for ever.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local function f() return f() end
    return f()
  end,
}
