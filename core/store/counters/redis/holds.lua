#!lua flags=no-writes
-- Which holds a session has, and whose they are, a piece at a time.
-- KEYS: R, H of the session
-- ARGV: cursor, how many to look at
-- Reply: {1, cursor ("0": those were all), of each its id and its owner …}
--with redis
local found = call("HSCAN", KEYS[2], ARGV[1], "COUNT", ARGV[2])
local reply = { 1, found[1] }
for i = 1, #found[2], 2 do
  local id = found[2][i]
  if id:byte() ~= 0 then reply[#reply + 1], reply[#reply + 2] = id, found[2][i + 1]:sub(1, 16) end
end
return reply
