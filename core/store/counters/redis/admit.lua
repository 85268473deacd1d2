#!lua
-- Takes all that a request needs, or nothing. Without a hold's id it only looks. Either way a clock that stepped back
-- must not close a key for as long as it stepped.
-- KEYS: R, H of the session, then B of each period that the items name
-- ARGV: hold or "", epoch, the hold's record as it is to be kept (parts/holds.lua), numbers, the fields of cells in
--   R, for each B of its sums s… and h…, of sessions u… too; then amount and limit of each item of unit 4
-- Numbers, little-endian doubles: how many items, cells, B; of each B how many fields, from when until when its period
--   may be asked for, its end (s; 0: sessions); then of each item its unit (8 more: it is only observed), which
--   cell or sum, and
--     requests     part of the window, burst, most (ns)
--     tokens       the same, burst -1 where it is larger than the limit; number of the cell in the record, 0 none
--     at a time    limit
--     a budget     amount, limit (-1: none); unit 4: their numbers in ARGV
--   Two items of one cell or sum take from it once; each has its own limit.
-- Reply: {1 or 0, number of the item that refused or -1, s, us, each cell, of each sum spent and held, as they were
--   before}; {2, …} held already, nothing was taken; {-1} not seeded; {-2, s} by the clock of Redis the period is
--   another; {-3} the session is over
--with redis clock exact
local REQUESTS, TOKENS, CONCURRENT, LARGE = 0, 1, 2, 4 -- enum counters_unit; money is 3
local HEAD, KEPT_S = 24, 40 * 86400 -- as in parts/holds.lua, parts/keeping.lua
local id, n = ARGV[1], { unpacked(("d"):rep(#ARGV[4] / 8), ARGV[4]) }
local items, cell_count, groups = n[1], n[2], n[3]
local is_held = false

if id ~= "" then
  local session = call("HMGET", KEYS[2], "\0lease", "\0dead", id)
  if not session[1] or session[2] or session[1] + 0 < now_s * 1000 + now_ns / 1000000 then return { -3 } end
  is_held = session[3]
end

local values = call("HMGET", KEYS[1], "_e", unpack(ARGV, 5, 4 + cell_count))
if values[1] ~= ARGV[2] then return { -1 } end
local reply, cells, size = { 1, -1, now_s, time[2] }, {}, 4 + cell_count
for i = 1, cell_count do -- the last three: until when it is used up then, and whether one more runs
  local value = values[i + 1]
  if value then
    local a, b, c, d, running = unpacked("<ddddd", value)
    cells[i], reply[4 + i] = { a, b, c, d, running, false, false, false }, value
  else
    cells[i], reply[4 + i] = { 0, 0, 0, 0, 0, false, false, false }, ""
  end
end

local field, sum, begun, fresh = size, 0, false, {}
for g = 1, groups do
  local at = 4 * g
  local last = field + n[at]
  if now_s < n[at + 1] or now_s >= n[at + 2] then return { -2, now_s } end
  local sums, is_period = call("HMGET", KEYS[2 + g], unpack(ARGV, field + 1, last)), n[at + 3] > 0
  for i = 1, n[at], is_period and 2 or 3 do
    local spent, held = sums[i] or "0", sums[i + 1] or "0"
    -- A session begins anew after its silence, if nothing of it is under way.
    if not is_period and spent ~= "0" and held == "0" and (sums[i + 2] or 0) + 0 <= now_s then
      spent, begun = "0", begun or {}
      begun[sum + 1] = true
    end
    if is_period and not sums[i + 1] then fresh[g] = true end
    sum = sum + 1
    reply[size + 2 * sum - 1], reply[size + 2 * sum] = spent, held
  end
  field = last
end

local turned, untaken = false, false -- cells that are too far ahead; observed tokens beyond their limit
local at, refused, after = 4 + 4 * groups, false, {}
for item = 1, items do
  local unit, i, a = n[at], n[at + 1], n[at + 2]
  local is_observed, is_over, cell = unit >= 8, false, cells[i]
  if is_observed then unit = unit - 8 end
  if unit == REQUESTS then
    local ahead, most = (cell[1] - now_s) * 1000000000 + (cell[2] - now_ns), n[at + 4]
    if ahead > most then -- the clock stepped back, or a limit is another now
      ahead, turned = most, turned or {}
      turned[#turned + 1] = { i, 1, most }
    end
    ahead = (ahead > 0 and ahead or 0) + a
    is_over = ahead > n[at + 3]
    if not is_over and (cell[6] or 0) <= ahead then cell[6] = ahead end
    at = at + 5
  elseif unit == TOKENS then
    local ahead, burst, most = (cell[3] - now_s) * 1000000000 + (cell[4] - now_ns), n[at + 3], n[at + 4]
    if ahead > most then
      ahead, turned = most, turned or {}
      turned[#turned + 1] = { i, 3, most }
    end
    if ahead < 0 then ahead = 0 end
    -- Whoever was idle may ask for up to the whole limit.
    is_over = burst < 0 or (ahead > 0 and ahead + a > burst)
    if is_over then
      untaken = untaken or {}
      untaken[#untaken + 1] = n[at + 5]
    elseif (cell[7] or 0) <= ahead + a then
      cell[7] = ahead + a
    end
    at = at + 6
  elseif unit == CONCURRENT then
    is_over = cell[5] >= a
    cell[8] = true
    at = at + 3
  else
    local spent, held, limit = reply[size + 2 * i - 1], reply[size + 2 * i], n[at + 3]
    if unit == LARGE then a, limit = ARGV[a], ARGV[limit] end
    if limit + 0 >= EXACT then
      local e = exact()
      is_over = e.is_more(e.total(e.total(spent, held), a), limit)
    elseif limit + 0 >= 0 then -- rounding what is larger cannot change that
      is_over = spent + held + a > limit + 0
    end
    if not after[i] then after[i] = a end
    at = at + 4
  end
  if is_over and not is_observed and not refused then refused, reply[1], reply[2] = true, 0, item - 1 end
end

if turned then
  for _, which in ipairs(turned) do
    local i, ns = which[1], now_ns + which[3]
    local cell, s = cells[i], floor(ns / 1000000000)
    cell[which[2]], cell[which[2] + 1] = now_s + s, ns - s * 1000000000
    reply[4 + i] = pack("<ddddd", cell[1], cell[2], cell[3], cell[4], cell[5])
    call("HSET", KEYS[1], ARGV[4 + i], reply[4 + i])
  end
end
if is_held then
  reply[1], reply[2] = 2, -1
  return reply
end
if id == "" or refused then return reply end

-- From here on everything is taken.
local list = {}
for i = 1, cell_count do
  local cell = cells[i]
  local requests, tokens = cell[6], cell[7]
  if requests then
    requests = now_ns + requests
    local s = floor(requests / 1000000000)
    cell[1], cell[2] = now_s + s, requests - s * 1000000000
  end
  if tokens then
    tokens = now_ns + tokens
    local s = floor(tokens / 1000000000)
    cell[3], cell[4] = now_s + s, tokens - s * 1000000000
  end
  list[2 * i - 1], list[2 * i] = ARGV[4 + i],
    pack("<ddddd", cell[1], cell[2], cell[3], cell[4], cell[8] and cell[5] + 1 or cell[5])
end
if cell_count > 0 then call("HSET", KEYS[1], unpack(list)) end

local record = ARGV[3]
if untaken then -- an observed item beyond its limit: there is nothing to give back of it
  for _, i in ipairs(untaken) do
    local from = HEAD + 24 * (i - 1) + 8
    if i > 0 then record = record:sub(1, from - 1) .. pack("<d", -1) .. record:sub(from + 8) end
  end
end
field, sum = size, 0
for g = 1, groups do
  local from = 4 * g
  local key, stop, put = KEYS[2 + g], n[from + 3], {}
  for i = 2, n[from], stop > 0 and 2 or 3 do
    sum = sum + 1
    local held, amount = reply[size + 2 * sum], after[sum]
    local more = held + amount
    if more >= EXACT then
      local e = exact()
      more = e.plus(held, amount)
      if more == MOST then -- there is no room for all of it
        local place, billions, rest = HEAD + 24 * record:byte(18) + 16 * (sum - 1), e.halves(e.minus(more, held))
        record = record:sub(1, place - 1) .. pack("<dd", billions, rest) .. record:sub(place + 16)
      end
    else
      more = ("%d"):format(more) -- as Redis would, and faster
    end
    put[#put + 1], put[#put + 2] = ARGV[field + i], more
    if begun and begun[sum] then put[#put + 1], put[#put + 2] = ARGV[field + i - 1], "0" end
  end
  call("HSET", key, unpack(put))
  if fresh[g] and call("EXPIREAT", key, stop + KEPT_S, "NX") == 0 then call("EXPIREAT", key, stop + KEPT_S, "GT") end
  field = field + n[from]
end
call("HSET", KEYS[2], id, record)
return reply
