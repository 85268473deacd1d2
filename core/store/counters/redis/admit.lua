#!lua
-- Takes all that a request needs, or nothing. Without a hold's id it only looks. Either way a clock that stepped back
-- must not close a key for as long as it stepped.
-- KEYS: R, H of the session, then B of each period that the items name
-- ARGV: hold or "", epoch, the hold's record as it is to be kept (parts/holds.lua), numbers, the fields of cells in
--   R, for each B of its sums s… and h…, of sessions u… too; then amount and limit of each item that is large
-- Numbers, little-endian: three bytes, how many cells, B, other items; then
--   of each B a byte and three doubles: how many sums, from when until when its period may be asked for, its end (s; 0:
--     sessions); and of each of its sums two doubles and a byte: amount, limit (-1: none), which item. Limit -2: it is
--     large, and the amount is its place in ARGV
--   of each cell seven doubles and four bytes: of requests part of the window, burst, most (ns); of tokens the same,
--     burst -1 where it is larger than the limit; how many may run. Part or limit -1: nobody asks. Which items these
--     are, of requests, tokens, running, 128 more where it is only observed; number of the cell in the record, 0 none
--   of each other item, for whose cell or sum one before it takes, a byte, four doubles and a byte: its unit, cell or
--     sum; then part, burst, most, or how many may run, or amount and limit; which item
-- Reply: {1 or 0, state}; {2, state} held already, nothing was taken; {-1} not seeded; {-2, s} by the clock of Redis
--   the period is another; {-3} the session is over
-- State: three doubles, the item that refused or -1, s, us; forty bytes of each cell; of each B its fields as text, a
--   blank behind each. All as they were before, but for what time has done: a session that begins anew has spent 0, and
--   who is too far ahead is as far as may be
-- Every function, table and argument is felt here: what is rare is made when it is needed.
--with redis clock exact
local HEAD, KEPT_S = 24, 40 * 86400 -- as in parts/holds.lua, parts/keeping.lua
local EMPTY = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" -- a cell
local keys, argv, concat = KEYS, ARGV, table.concat
local id, numbers, record, is_held = argv[1], argv[4], argv[3], false

if id ~= "" then
  local session = call("HMGET", keys[2], "\0lease", "\0dead", id)
  if not session[1] or session[2] or session[1] + 0 < now_s * 1000 + now_ns / 1000000 then return { -3 } end
  is_held = session[3]
end

local cell_count, groups, others = numbers:byte(1, 3)
local field = 4 + cell_count
local values = call("HMGET", keys[1], "_e", unpack(argv, 5, field))
if values[1] ~= argv[2] then return { -1 } end

-- Of an item that is over its limit, where its number stands.
local refused = 128
local function over(place)
  local item = numbers:byte(place)
  if item < refused then refused = item end
end

-- What it takes, and whether that is too much, of one whose numbers doubles do not hold.
local function judge_large(place, spent, held)
  local amount, limit, e = argv[place], argv[place + 1], exact()
  if limit + 0 >= EXACT then return amount, e.is_more(e.total(e.total(spent, held), amount), limit) end
  return amount, limit + 0 >= 0 and spent + held + amount > limit + 0 -- rounding what is larger cannot change that
end

-- There is no double for it, or no room for all of it.
local function add_large(held, amount, sum)
  local e = exact()
  local more = e.plus(held, amount)
  if more == MOST and id ~= "" then
    local place, billions, rest = HEAD + 24 * record:byte(18) + 16 * (sum - 1), e.halves(e.minus(more, held))
    record = record:sub(1, place - 1) .. pack("<dd", billions, rest) .. record:sub(place + 16)
  end
  return more
end

local text, at, sum, seen = "", 4, 0, others > 0 and {}
local puts, ends, put_counts = { 0, 0 }, { 0, 0 }, { 0, 0 } -- of each B: what is to be written, until when it is kept
for g = 1, groups do
  local count, from, till, stop = unpacked("<Bddd", numbers, at)
  if now_s < from or now_s >= till then return { -2, now_s } end
  local stride = stop > 0 and 2 or 3
  local found = call("HMGET", keys[2 + g], unpack(argv, field + 1, field + stride * count))
  local put, n, fresh = { 0, 0, 0, 0 }, 0, false
  at = at + 25
  for i = 1, stride * count, stride do
    local amount, limit = unpacked("<dd", numbers, at)
    local spent, held = found[i], found[i + 1]
    if not held then held, found[i + 1], fresh = "0", "0", true end
    if not spent then spent, found[i] = "0", "0" end
    if stride == 3 then
      -- A session begins anew after its silence, if nothing of it is under way.
      local over_s = found[i + 2] or "0"
      found[i + 2], fresh = over_s, false
      if spent ~= "0" and held == "0" and over_s + 0 <= now_s then
        local turns = "n" .. argv[field + i]:sub(2)
        spent, found[i] = "0", "0"
        put[n + 1], put[n + 2] = argv[field + i], "0"
        put[n + 3], put[n + 4], n = turns, ("%.0f"):format((call("HGET", keys[2 + g], turns) or 0) + 1), n + 4
      end
    end
    if limit == -2 then
      local is_over
      amount, is_over = judge_large(amount, spent, held)
      if is_over then over(at + 16) end
    elseif limit >= 0 and spent + held + amount > limit then
      over(at + 16)
    end
    sum, at = sum + 1, at + 17
    if seen then seen[sum] = { spent, held } end
    local more = held + amount
    put[n + 1] = argv[field + i + 1]
    put[n + 2] = more < EXACT and ("%d"):format(more) or add_large(held, amount, sum) -- as Redis would, and faster
    n = n + 2
  end
  puts[g], put_counts[g], ends[g] = put, n, fresh and stop
  text, field = text .. concat(found, " ") .. " ", field + stride * count
end

local list, untaken = { 0, 0, 0, 0, 0, 0, 0, 0 }, false -- room for four cells; observed tokens beyond their limit
for i = 1, cell_count do
  local part, burst, most, more, more_burst, more_most, limit = unpacked("<ddddddd", numbers, at)
  local value, a, b, c, d, running = values[i + 1], 0, 0, 0, 0, 0
  if value then a, b, c, d, running = unpacked("<ddddd", value) else values[i + 1] = EMPTY end
  local ahead, more_ahead = (a - now_s) * 1000000000 + (b - now_ns), (c - now_s) * 1000000000 + (d - now_ns)
  if (part >= 0 and ahead > most) or (more >= 0 and more_ahead > more_most) then
    -- The clock stepped back, or a limit is another now.
    if part >= 0 and ahead > most then
      ahead, b = most, (now_ns + most) % 1000000000
      a = now_s + (now_ns + most - b) / 1000000000
    end
    if more >= 0 and more_ahead > more_most then
      more_ahead, d = more_most, (now_ns + more_most) % 1000000000
      c = now_s + (now_ns + more_most - d) / 1000000000
    end
    values[i + 1] = pack("<ddddd", a, b, c, d, running)
    call("HSET", keys[1], argv[4 + i], values[i + 1])
  end
  if part >= 0 then
    ahead = (ahead > 0 and ahead or 0) + part
    if ahead > burst then
      over(at + 56)
    else
      local ns = now_ns + ahead
      b = ns % 1000000000
      a = now_s + (ns - b) / 1000000000
    end
  end
  if more >= 0 then
    -- Whoever was idle may ask for up to the whole limit.
    if more_burst < 0 or (more_ahead > 0 and more_ahead + more > more_burst) then
      over(at + 57)
      untaken = untaken or {}
      untaken[#untaken + 1] = numbers:byte(at + 59)
    else
      local ns = now_ns + (more_ahead > 0 and more_ahead or 0) + more
      d = ns % 1000000000
      c = now_s + (ns - d) / 1000000000
    end
  end
  if limit >= 0 then
    if running >= limit then over(at + 58) end
    running = running + 1
  end
  list[2 * i - 1], list[2 * i] = argv[4 + i], pack("<ddddd", a, b, c, d, running)
  at = at + 60
end

-- Of a cell, whose times stand at `first`: it is used up until then, if that is later than what was taken already.
local function take_until(i, first, ns)
  local cell, rest = { unpacked("<ddddd", list[2 * i]) }, ns % 1000000000
  local s = now_s + (ns - rest) / 1000000000
  if cell[first] > s or (cell[first] == s and cell[first + 1] >= rest) then return end
  cell[first], cell[first + 1] = s, rest
  list[2 * i] = pack("<ddddd", unpack(cell, 1, 5))
end

for _ = 1, others do
  local unit, place, part, burst, most = unpacked("<Bdddd", numbers, at)
  local _, is_over
  if unit == 3 then
    local before = seen[place]
    if burst == -2 then
      _, is_over = judge_large(part, before[1], before[2])
    else
      is_over = burst >= 0 and before[1] + before[2] + part > burst
    end
  else
    local cell = { unpacked("<ddddd", values[place + 1]) }
    if unit == 2 then
      is_over = cell[5] >= part
    else
      local first = 1 + 2 * unit
      local ahead = math.min((cell[first] - now_s) * 1000000000 + (cell[first + 1] - now_ns), most)
      if unit == 0 then is_over = math.max(ahead, 0) + part > burst
      else is_over = burst < 0 or (ahead > 0 and ahead + part > burst) end
      if not is_over then take_until(place, first, now_ns + math.max(ahead, 0) + part) end
    end
  end
  if is_over then over(at + 33) end
  at = at + 34
end

local is_refused = refused < 128 and not is_held
local reply = { is_held and 2 or is_refused and 0 or 1,
  pack("<ddd", is_refused and refused or -1, now_s, now_ns / 1000) .. concat(values, "", 2, 1 + cell_count) .. text }
if id == "" or is_refused or is_held then return reply end

-- From here on everything is taken.
if untaken then -- an observed item beyond its limit: there is nothing to give back of it
  for _, i in ipairs(untaken) do
    local from = HEAD + 24 * (i - 1) + 8
    if i > 0 then record = record:sub(1, from - 1) .. pack("<d", -1) .. record:sub(from + 8) end
  end
end
if cell_count > 0 then call("HSET", keys[1], unpack(list, 1, 2 * cell_count)) end
for g = 1, groups do
  local key = keys[2 + g]
  call("HSET", key, unpack(puts[g], 1, put_counts[g]))
  if ends[g] and call("EXPIREAT", key, ends[g] + KEPT_S, "NX") == 0 then
    call("EXPIREAT", key, ends[g] + KEPT_S, "GT")
  elseif ends[g] then
    -- R knows which periods anybody holds something in.
    local start, known = key:match("%d+$"), {}
    for other, its_stop in (call("HGET", keys[1], "_b") or ""):gmatch("(%d+):(%d+) ") do
      if other ~= start and its_stop + KEPT_S > now_s then known[#known + 1] = other .. ":" .. its_stop .. " " end
    end
    call("HSET", keys[1], "_b", concat(known) .. ("%s:%.0f "):format(start, ends[g]))
  end
end
call("HSET", keys[2], id, record)
return reply
