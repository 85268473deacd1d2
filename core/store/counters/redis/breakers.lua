#!lua flags=allow-oom
-- Which provider accounts' circuit breakers are open at this gateway, and which are at so many of those that live that
-- the others need not find out for themselves: a fourth of them, and two at least.
-- KEYS: S, then CB of each account
-- ARGV: session, then of each account for how long its breaker is open there (ms); 0: it is not
-- Reply: {1, of each account for how long it is open at so many (ms); 0: it is not}
--with redis clock
local now_ms = now_s * 1000 + floor(now_ns / 1000000)
local living = call("ZCOUNT", KEYS[1], ("(%.0f"):format(now_ms), "+inf")
local enough = math.max(2, math.ceil(living / 4))

local function tell(key, left_ms)
  if left_ms > 0 then call("HSET", key, ARGV[1], ("%.0f"):format(now_ms + left_ms))
  else call("HDEL", key, ARGV[1]) end
end

-- Until when at each gateway that lives, the longest first; of the others what they told goes.
local function hear(key)
  local all, untils = call("HGETALL", key), {}
  for at = 1, #all, 2 do
    local until_ms, lease_ms = all[at + 1] + 0, call("ZSCORE", KEYS[1], all[at])
    if until_ms > now_ms and lease_ms and lease_ms + 0 > now_ms then untils[#untils + 1] = until_ms
    else call("HDEL", key, all[at]) end
  end
  table.sort(untils, function(a, b) return a > b end)
  if untils[1] then call("PEXPIREAT", key, ("%.0f"):format(untils[1])) end
  return untils
end

local reply = { 1 }
for i = 2, #KEYS do
  tell(KEYS[i], ARGV[i] + 0)
  local shared = hear(KEYS[i])[enough]
  reply[i] = shared and shared - now_ms or 0
end
return reply
