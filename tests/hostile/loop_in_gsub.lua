-- A callback of gsub that never comes back.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = "abc"
    text:gsub(".", function() while true do end end)
  end,
}
