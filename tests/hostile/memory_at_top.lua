-- All the memory there is, while the file is read.
-- refused: stopped
local t = {}
for i = 1, 1e9 do t[i] = { i } end
return policy {}
