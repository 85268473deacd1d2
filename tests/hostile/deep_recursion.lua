-- A function that calls itself, not in the tail.
-- stops: stack overflow
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local function f(n) return 1 + f(n + 1) end
    return f(1)
  end,
}
