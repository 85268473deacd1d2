-- What the scripts share: the build puts it behind the first line of each. They run inside of Redis, one at a time.
--
-- All keys begin with "mg1:{p0}:", one hash tag for all, so that one script may touch any of them:
--   R            _i, _e: which memory this is, and whether it is seeded (seed.lua); r<key>, t<key>: until when a
--                limit's key is used up (requests, tokens); c<key>: how many run at the same time
--   B:<start>    the budgets of a period: s<key> spent, h<key> held, g<source> <key>: what one ledger told of it.
--                Sessions are B:0: u<key> is when a session is over
--   H:<session>  LEASE (ms), DEAD; <hold> → what it has taken. A session is one life of one gateway
--   S            sessions by the end of their leases
-- Sums are decimal text, because numbers are doubles here; times are nanoseconds from now on, exact for 104 days.
local call, format, floor = redis.call, string.format, math.floor
local pack, unpacked = struct.pack, struct.unpack

local REQUESTS, TOKENS, CONCURRENT, MONEY = 0, 1, 2, 3 -- enum counters_unit
local OK, REFUSED, NOT_SEEDED, CLOCK, FENCED, NOT_HELD = 1, 0, -1, -2, -3, -4 -- what a reply begins with
local OPEN, SETTLED = 0, 1 -- of a hold
local LEASE, DEAD = "\0lease", "\0dead" -- no hold's id has that byte
local KEPT_S = 40 * 86400 -- a period's sums outlive it so long

local time = call("TIME")
local now_s, now_ns = time[1] + 0, time[2] * 1000

-- Amounts: 0 … 2^62, exact. Numbers are, below 2^53; above, the last nine digits are reckoned apart.
local EXACT, MOST, BILLION = 9007199254740992, "4611686018427387904", 1000000000

local function halves(text)
  return tonumber(text:sub(1, -10)) or 0, tonumber(text:sub(-9))
end

local function joined(high, low)
  if high == 0 then return format("%.0f", low) end
  return format("%.0f%09.0f", high, low)
end

-- a > b; where b is below 2^53, rounding a cannot change that.
local function is_more(a, b)
  if b + 0 < EXACT then return a + 0 > b + 0 end
  local high_a, low_a = halves(a)
  local high_b, low_b = halves(b)
  return high_a > high_b or (high_a == high_b and low_a > low_b)
end

local function total(a, b)
  local sum = a + b
  if sum < EXACT then return format("%d", sum) end
  local high_a, low_a = halves(a)
  local high_b, low_b = halves(b)
  local low = low_a + low_b
  local carry = low >= BILLION and 1 or 0
  return joined(high_a + high_b + carry, low - carry * BILLION)
end

-- At most MOST, as counters_sum().
local function plus(a, b)
  local sum = a + b
  if sum < EXACT then return format("%d", sum) end
  sum = total(a, b)
  return is_more(sum, MOST) and MOST or sum
end

-- At least 0.
local function minus(a, b)
  if a + 0 < EXACT then return format("%d", math.max(0, a - b)) end
  local high_a, low_a = halves(a)
  local high_b, low_b = halves(b)
  local high, low = high_a - high_b, low_a - low_b
  if low < 0 then high, low = high - 1, low + BILLION end
  return high < 0 and "0" or joined(high, low)
end

-- A time in a cell: seconds since 1970 and nanoseconds, so that doubles hold it.
local function cell_of(ahead)
  local ns = now_ns + ahead
  local s = floor(ns / BILLION)
  return pack("<dd", now_s + s, ns - s * BILLION)
end

local function ahead_of(cell)
  local s, ns = unpacked("<dd", cell)
  return (s - now_s) * BILLION + (ns - now_ns)
end

-- What struct.unpack() gives besides, where it stopped, is none of them.
local function doubles(blob)
  local list = { unpacked("<" .. ("d"):rep(#blob / 8), blob) }
  list[#list] = nil
  return list
end

-- A hold as it is kept: its state, its owner, and six of each that it has: unit, number of the item in its question,
-- field, key of the period, amount, part of the window.
local function each_taken(hold, visit)
  for at = 3, #hold, 6 do visit(at, hold[at], hold[at + 2], hold[at + 3], hold[at + 4], hold[at + 5]) end
end

-- What is to become of many keys at once: a read and a write for each hash.
local function new_change() return { back = {}, ended = {}, less = {}, more = {} } end

local function add_money(sums, key, field, amount)
  local fields = sums[key]
  if not fields then
    fields = {}
    sums[key] = fields
  end
  fields[field] = fields[field] and plus(fields[field], amount) or amount
end

local function names_of(fields)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Slices of what unpack() can take.
local function in_pieces(list, visit)
  for from = 1, #list, 1000 do visit(unpack(list, from, math.min(#list, from + 999))) end
end

local function read_fields(key, names)
  local values = {}
  in_pieces(names, function(...)
    for _, value in ipairs(call("HMGET", key, ...)) do values[#values + 1] = value end
  end)
  return values
end

local function write_fields(key, list)
  in_pieces(list, function(...) call("HSET", key, ...) end)
end

local function change_rates(change)
  local names = names_of(change.back)
  local tokens = #names
  for _, name in ipairs(names_of(change.ended)) do names[#names + 1] = name end
  if #names == 0 then return end
  local list = {}
  for i, value in ipairs(read_fields(KEYS[1], names)) do
    local name = names[i]
    list[2 * i - 1] = name
    if i > tokens then
      list[2 * i] = format("%d", math.max(0, (value or 0) - change.ended[name]))
    else
      list[2 * i] = cell_of(value and ahead_of(value) - change.back[name] or 0)
    end
  end
  write_fields(KEYS[1], list)
end

-- What is taken of tokens becomes what `parts` says of each item: its part, and how far ahead its key may be used up.
-- Of a debt that ends sooner no more is given back than was taken.
local function set_tokens(hold, parts, is_wanted)
  local names, places, list = {}, {}, {}
  each_taken(hold, function(at, unit, field, _, amount)
    if unit ~= TOKENS or not is_wanted(amount) then return end
    names[#names + 1] = field
    places[#places + 1] = at
  end)
  for i, value in ipairs(#names > 0 and read_fields(KEYS[1], names) or {}) do
    local at = places[i]
    local part, item = hold[at + 5], 2 * hold[at + 1]
    local ahead, more = value and ahead_of(value) or 0, parts[item + 1] - part
    if more > 0 then more = math.min(ahead + more, parts[item + 2]) - ahead end
    more = math.max(more, -part)
    hold[at + 5] = part + more
    list[2 * i - 1], list[2 * i] = names[i], cell_of(ahead + more)
  end
  write_fields(KEYS[1], list)
end

local function change_money(change)
  for key, fields in pairs(change.less) do
    local names, list = names_of(fields), {}
    local values = read_fields(key, names)
    for i, name in ipairs(names) do
      local more = change.more[key] and change.more[key][name] or "0"
      list[2 * i - 1], list[2 * i] = name, plus(minus(values[i] or "0", fields[name]), more)
    end
    write_fields(key, list)
  end
end

-- Everything that it still has goes back: of one that is settled that is its money alone. `is_used`: what it took of
-- tokens is taken for what it used.
local function give_back(hold, change, is_used)
  each_taken(hold, function(_, unit, field, key, amount, part)
    if unit == MONEY then
      add_money(change.less, key, "h" .. field, amount)
    elseif hold[1] == OPEN and unit == TOKENS and not is_used then
      change.back[field] = (change.back[field] or 0) + part
    elseif hold[1] == OPEN and unit == CONCURRENT then
      change.ended[field] = (change.ended[field] or 0) + 1
    end
  end)
end

local function apply(change)
  change_rates(change)
  change_money(change)
end

local function keep_until(key, stop_s)
  if call("EXPIREAT", key, stop_s + KEPT_S, "NX") == 0 then call("EXPIREAT", key, stop_s + KEPT_S, "GT") end
end
