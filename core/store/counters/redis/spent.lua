#!lua flags=no-writes
-- What is spent of each budget of a period, a piece at a time, or of one of them, for people to look at.
-- KEYS: R, B of the period
-- ARGV: cursor, how many fields to look at, the key of the one that is wanted, or *
-- Reply: {1, cursor ("0": those were all), key, nano-dollars, of a session when it is over (s) or "", …}; a key may
--   come more than once
--with redis
local function one_of(field)
  local nano = call("HGET", KEYS[2], field)
  return { "0", nano and { field, nano } or {} }
end
local found = ARGV[3] == "*" and call("HSCAN", KEYS[2], ARGV[1], "COUNT", ARGV[2]) or one_of("s" .. ARGV[3])
local reply, names = { 1, found[1] }, {}
for i = 1, #found[2], 2 do
  local field = found[2][i]
  if field:sub(1, 1) == "s" then
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3] = field:sub(2), found[2][i + 1], ""
    names[#names + 1] = "u" .. field:sub(2)
  end
end
if KEYS[2]:sub(-4) == ":B:0" and #names > 0 then
  for i, over in ipairs(call("HMGET", KEYS[2], unpack(names))) do reply[2 + 3 * i] = over or "0" end
end
return reply
