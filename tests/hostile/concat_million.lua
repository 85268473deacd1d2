-- A million pieces in one text.
-- stops: stopped
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    local t = {}
    for i = 1, 1e6 do t[i] = "piece " .. i end
    return table.concat(t)
  end,
}
