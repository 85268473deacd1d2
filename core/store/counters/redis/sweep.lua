#!lua flags=allow-oom
-- Forgets what would not be missed, a piece at a time: of R keys of which nothing is used up, of B:0 sessions that are
-- over.
-- KEYS: R or B:0
-- ARGV: "rates" or "sessions", cursor, how many to look at, for how long it must have been so (s)
-- Reply: {1, cursor ("0": those were all), how many fields went}
--with redis clock
local found = call("HSCAN", KEYS[1], ARGV[2], "COUNT", ARGV[3])
local idle, gone = ARGV[4] + 0, {}

-- A cell: until when requests and tokens are used up, and how many run.
local function rate(field, value)
  if field:sub(1, 1) ~= "k" then return end
  local requests_s, _, tokens_s, _, running = unpacked("<ddddd", value)
  if running <= 0 and math.max(requests_s, tokens_s) + idle < now_s then gone[#gone + 1] = field end
end

-- What ledgers told of it goes when they cannot tell of the same session again.
local function session(field, value)
  local kind, name = field:sub(1, 1), field:sub(2)
  if kind == "g" and value:match("^%d+ (%d+)") + idle < now_s then
    local over = call("HGET", KEYS[1], "u" .. name:match("^%S+ (.*)$")) or 0
    if over + idle < now_s then gone[#gone + 1] = field end
  elseif kind == "h" or kind == "u" then
    local sums = call("HMGET", KEYS[1], "h" .. name, "u" .. name)
    if (sums[1] or "0") == "0" and (sums[2] or 0) + idle < now_s then
      for _, letter in ipairs { "s", "h", "u", "n", "l" } do gone[#gone + 1] = letter .. name end
    end
  end
end

local visit = ARGV[1] == "rates" and rate or session
for i = 1, #found[2], 2 do visit(found[2][i], found[2][i + 1]) end
local count = 0
for from = 1, #gone, 1000 do
  count = count + call("HDEL", KEYS[1], unpack(gone, from, math.min(#gone, from + 999)))
end
return { 1, found[1], count }
