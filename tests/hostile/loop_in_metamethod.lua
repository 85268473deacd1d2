-- Each index asks for the next.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = setmetatable({}, { __index = function(_, key) while true do key = key + 1 end end })
    return t[1]
  end,
}
