-- A file outside of the folder.
-- refused: require wants a name
local x = require "../moongate"
return policy { x }
