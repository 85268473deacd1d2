-- A comparator that never answers: no yield is possible inside sort.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    table.sort({ 3, 2, 1 }, function() while true do end end)
  end,
}
