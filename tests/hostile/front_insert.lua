-- A million insertions at the front: few bytecodes, much moving.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for i = 1, 1e6 do table.insert(t, 1, i) end
  end,
}
