-- A coroutine that makes coroutines would crash the process: they are not there.
-- refused: undefined name 'coroutine'
local function r() return coroutine.wrap(r)() end
r()
return policy {}
