-- A text that doubles.
-- stops: memory
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local s = "x"
    while true do s = s .. s end
  end,
}
