#!lua flags=allow-oom
-- A session begins, and says that it lives. Whoever does not for as long as its lease may be fenced by any other.
-- KEYS: R, H of the session, S, O of the source, Z
-- ARGV: session, lease (ms), "new", "late" (new, where others have counted before) or "", its billing zone or ""
-- Reply: {1, memory, epoch or "", ms, how many holds it has, how many sessions live, 1 or 0: another session has told
--   the same source's sums since this one's last beat, then up to three sessions whose lease is over};
--   {-3}: it was fenced, begin another; {-5, zone or ""}: those who count here have other periods, or nobody has yet
--   said which; {-1, memory or "", epoch or ""}: nothing is known of it, Redis has lost it
-- The memory's name is made with the first key in an empty Redis; it becomes the epoch when sums are in (seed.lua).
--with redis clock wide losing
local BACK_MS = 5000 -- masters that take each other's place may differ by so much
local now_ms = now_s * 1000 + floor(now_ns / 1000000)
-- The clock was set back: leases would last, and what is used up of tokens, until it is there again.
if (call("HGET", KEYS[1], "_t") or 0) - now_ms > BACK_MS then lose_all() end
local periods, left = call("HGET", KEYS[1], "_p"), {}
for start, stop in each_period(periods) do
  local is_there = call("HEXISTS", KEYS[1]:sub(1, -2) .. "B:" .. start, "m") == 1
  if is_there then left[#left + 1] = start .. ":" .. stop .. " "
  elseif stop + 0 > now_s then lose() end
end
if periods and #table.concat(left) < #periods then call("HSET", KEYS[1], "_p", table.concat(left)) end
local session = call("HMGET", KEYS[2], "\0lease", "\0dead")
local names = call("HMGET", KEYS[1], "_i", "_e")
if session[2] then return { -3 } end
if not session[1] and ARGV[3] == "" then
  lose_session(ARGV[1])
  return { -1, names[1] or "", names[2] or "" }
end
if ARGV[4] ~= "" then
  local zone = call("GET", KEYS[5])
  if zone and zone ~= ARGV[4] or not zone and ARGV[3] == "late" then return { -5, zone or "" } end
  call("SET", KEYS[5], ARGV[4], "PX", ARGV[2])
end
local until_ms = ("%.0f"):format(now_ms + ARGV[2])
local memory = names[1] or ("%.0f"):format(now_s * 1000000 + time[2])
if not names[1] then call("HSET", KEYS[1], "_i", memory) end
widen(KEYS[1])
call("HSET", KEYS[1], "_t", ("%.0f"):format(now_ms))
call("HSET", KEYS[2], "\0lease", until_ms)
call("ZADD", KEYS[3], until_ms, ARGV[1])
local teller = call("GET", KEYS[4])
call("SET", KEYS[4], ARGV[1], "PX", ARGV[2])
local is_shared = ARGV[3] == "" and teller and teller ~= ARGV[1]
local over_count = call("ZCOUNT", KEYS[3], "-inf", now_ms)
local from = over_count > 3 and time[2] % (over_count - 2) or 0 -- some may be there that nobody can clear away
local over = call("ZRANGEBYSCORE", KEYS[3], "-inf", now_ms, "LIMIT", from, 3)
local holds, living = call("HLEN", KEYS[2]) - 1, call("ZCOUNT", KEYS[3], ("(%.0f"):format(now_ms), "+inf")
return { 1, memory, names[2] or "", ("%.0f"):format(now_ms), holds, living, is_shared and 1 or 0, unpack(over) }
