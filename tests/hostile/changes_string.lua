-- Another string.format for everybody.
-- refused: cannot be changed
string.format = function() return "x" end
return policy {}
