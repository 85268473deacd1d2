-- Four hundred thousand small tables that stay, and garbage with each request: the heap is large, and no room is made.
-- passes: the collector goes on between slices
local kept = {}
return policy {
  keeps_state = true,
  on_request = function(ctx)
    if ctx.request.model ~= "bomb" then return end
    for i = 1, 2e4 do kept[#kept + 1] = { i } end
  end,
}
