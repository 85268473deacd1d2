#!lua flags=allow-oom
-- A gateway has told all of its ledger's sums (spend.lua) to this memory; it answers when all have had time for that.
-- KEYS: R
-- ARGV: the memory's name, as beat.lua gave it before the sums were told; grace (ms)
-- Reply: {1, epoch}: admissions by this epoch are answered; {0, ms}: come again then; {-1}: it was lost meanwhile
--with redis clock
local names = call("HMGET", KEYS[1], "_i", "_e")
if names[1] ~= ARGV[1] then return { -1 } end
if names[2] then return { 1, names[2] } end
local rest_ms = (names[1] + ARGV[2] * 1000 - (now_s * 1000000 + time[2])) / 1000
if rest_ms > 0 then return { 0, math.ceil(rest_ms) } end
call("HSET", KEYS[1], "_e", names[1])
return { 1, names[1] }
