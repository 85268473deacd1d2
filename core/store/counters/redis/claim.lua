#!lua flags=allow-oom
-- Whose notices of budgets are: each the first ledger's that claims it, which may do so again. Claimed notices are told
-- anew to a memory that lost them before it is seeded.
-- KEYS: R, then B of each period that the notices name
-- ARGV: epoch, or "" before it is seeded, source, then of each notice: number of its B in KEYS, its id
-- Reply: {1, of each: 1 its own, 0 another's …}; {-1}: others have not told yet what they had claimed
--with redis
local SOURCE, KEPT_S = ARGV[2], 400 * 86400 -- where nothing was spent yet no other time is known
if ARGV[1] ~= "" and call("HGET", KEYS[1], "_e") ~= ARGV[1] then return { -1 } end

local reply = { 1 }
for at = 3, #ARGV, 2 do
  local key, field = KEYS[ARGV[at] + 0], "a" .. ARGV[at + 1]
  if call("HSETNX", key, field, SOURCE) == 1 and call("TTL", key) < 0 then call("EXPIRE", key, KEPT_S) end
  reply[#reply + 1] = call("HGET", key, field) == SOURCE and 1 or 0
end
return reply
