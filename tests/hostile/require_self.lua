-- A file that needs itself.
-- refused: in a circle
local x = require "hostile"
return policy { x }
