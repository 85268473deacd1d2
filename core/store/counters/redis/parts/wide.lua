-- A hash of few and short fields is a list, which Redis looks through from its beginning at each of them; one that has
-- ever had a value of more than 64 bytes is none. This one is never read.
local WIDE = "so long that this hash is no list, in which each field is looked for"

local function widen(key) call("HSETNX", key, "w", WIDE) end
