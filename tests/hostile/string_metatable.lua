-- Through the metatable of texts.
-- refused: getmetatable
local mt = getmetatable("")
mt.__index = nil
return policy {}
