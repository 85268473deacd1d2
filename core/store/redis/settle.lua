#!lua flags=allow-oom
-- The end of a hold. Settled: it came to these totals; of tokens the rest goes back, of money it stays held, as what it
-- came to, until the ledger tells what was spent (spend.lua). Released: all of it goes back.
-- KEYS: R, H of the session
-- ARGV: hold, "settle" or "release", nano-dollars, numbers (as of extend.lua)
-- Reply: {1}, of a hold that is not known, too: it was over before
local id, nano, parts = ARGV[1], ARGV[3], doubles(ARGV[4])
local kept = call("HGET", KEYS[2], id)
local hold = kept and cmsgpack.unpack(kept)
if not hold or hold[1] ~= OPEN then return { OK } end

local change = new_change()
if ARGV[2] == "release" then
  give_back(hold, change)
  apply(change)
  call("HDEL", KEYS[2], id)
  return { OK }
end

local settled = { SETTLED, hold[2] }
set_tokens(hold, parts, function() return true end)
each_taken(hold, function(at, unit, field, key, amount)
  if unit == CONCURRENT then
    change.ended[field] = (change.ended[field] or 0) + 1
  elseif unit == MONEY then
    add_money(change.less, key, "h" .. field, amount)
    change.more[key] = change.more[key] or {}
    add_money(change.more, key, "h" .. field, nano)
    for n = 0, 5 do settled[#settled + 1] = hold[at + n] end
    settled[#settled - 1] = nano
  end
end)
apply(change)
if #settled == 2 then
  call("HDEL", KEYS[2], id)
else
  call("HSET", KEYS[2], id, cmsgpack.pack(settled))
end
return { OK }
