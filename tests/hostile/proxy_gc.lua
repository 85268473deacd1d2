-- A finalizer that never ends: newproxy is not there.
-- refused: undefined name 'newproxy'
local p = newproxy(true)
return policy {}
