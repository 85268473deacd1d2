#!lua flags=allow-oom
-- What a ledger has committed: holds that are over, and what its budgets come to. A ledger gives sums of its own
-- entries, absolute and only growing; what it told last is kept beside the sum of all, so that any of it may be said
-- again, late or in another order, and a Redis that lost some or all is right again when each ledger has told its sums.
-- KEYS: R, H of the session, then B of each period that the sums name
-- ARGV: source (a ledger's name without blanks; a ledger that begins anew is another), "more" or "exact" (after a
--   repair: a sum that is less than what was told counts, too), how many holds, their ids, then of each sum: number of
--   its B in KEYS, key, nano-dollars, the period's end, and of a session (0) when it was charged last and how long it
--   stands without
-- Reply: {1, how many of the holds were known}
local source, is_exact, holds = ARGV[1], ARGV[2] == "exact", ARGV[3] + 0

local function tell_period(key, name, nano, stop)
  local sum, told = "s" .. name, "g" .. source .. " " .. name
  local seen = call("HMGET", key, sum, told)
  local before = seen[2] or "0"
  if not seen[2] or is_more(nano, before) then
    call("HSET", key, sum, plus(seen[1] or "0", minus(nano, before)), told, nano)
  elseif is_exact and nano ~= before then
    call("HSET", key, sum, minus(seen[1] or "0", minus(before, nano)), told, nano)
  end
  if not seen[1] then keep_until(key, stop) end
end

-- A session's sum begins anew in the ledger, too, when nothing was charged for so long. The last second in which it
-- goes on is that in which its silence is as long as it may be.
local function tell_session(key, name, nano, last, idle)
  local sum, told, over = "s" .. name, "g" .. source .. " " .. name, "u" .. name
  local seen = call("HMGET", key, sum, told, over, "h" .. name)
  local before, before_last = (seen[2] or "0 0"):match("^(%d+) (%d+)$")
  local spent, is_up = seen[1] or "0", (seen[3] or 0) + 0
  if last < before_last + 0 or (not seen[2] and last + idle + 1 <= now_s) then return end
  if is_up <= last and (seen[4] or "0") == "0" then spent = "0" end
  if is_exact then
    spent = plus(minus(spent, before), nano)
  else
    if last - before_last > idle or is_more(before, nano) then before = "0" end
    spent = plus(spent, minus(nano, before))
  end
  call("HSET", key, sum, spent, told, format("%s %.0f", nano, last),
    over, format("%.0f", math.max(is_up, last + idle + 1)))
end

for at = 4 + holds, #ARGV, 6 do
  local key, name, nano, stop = KEYS[ARGV[at] + 0], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3] + 0
  if stop > 0 then
    tell_period(key, name, nano, stop)
  else
    tell_session(key, name, nano, ARGV[at + 4] + 0, ARGV[at + 5] + 0)
  end
end

local known, change = {}, new_change()
for i, kept in ipairs(holds > 0 and call("HMGET", KEYS[2], unpack(ARGV, 4, 3 + holds)) or {}) do
  if kept then
    give_back(cmsgpack.unpack(kept), change, true)
    known[#known + 1] = ARGV[3 + i]
  end
end
apply(change)
if #known > 0 then call("HDEL", KEYS[2], unpack(known)) end
return { OK, #known }
