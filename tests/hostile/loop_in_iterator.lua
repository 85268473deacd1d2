-- An iterator without an end.
-- stops: bytecodes
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for _ in function() return 1 end do end
  end,
}
