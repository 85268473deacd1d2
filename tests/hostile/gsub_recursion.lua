-- gsub inside its own callback.
-- stops: stack overflow
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local function again(s) return (s:gsub("x", again)) end
    again("x")
  end,
}
