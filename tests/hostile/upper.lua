-- Two megabytes in capitals, a hundred thousand times: 500 bytecodes a hundred.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local text = ("x"):rep(2e6)
    for _ = 1, 1e5 do text:upper() end
  end,
}
