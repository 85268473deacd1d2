#!lua
-- Takes all that a request needs, or nothing. Without a hold's id it only looks. Either way a clock that stepped back
-- must not close a key for as long as it stepped.
-- KEYS: R, H of the session, then B of each period that the items name
-- ARGV: hold or "", owner, epoch, numbers, each item's field, then of each budget its amount and limit ("-1": none)
--   numbers: eight little-endian doubles an item: unit, 1 where it is only observed, and
--     a rate         part of the window, burst, most (ns), 1 where it is larger than the limit, amount, 0
--     at a time      limit, 0, 0, 0, 0, 0
--     a budget       number of its B in KEYS, from when until when its period may be asked for, its end (s), where 0
--                    is a session
-- Reply: {1 or 0, number of the item that refused or -1, s, us, and of each item as it was before: its cell, or its
--   count, or spent and held}; {2, …} held already, nothing was taken; {-1} not seeded; {-2, s} by the clock of Redis
--   the period is another; {-3} the session is over
local id, owner, epoch, numbers = ARGV[1], ARGV[2], ARGV[3], doubles(ARGV[4])
local NUMBERS, FIELDS = 8, 4
local count = #numbers / NUMBERS
local is_held = false

if id ~= "" then
  local session = call("HMGET", KEYS[2], LEASE, DEAD, id)
  if not session[1] or session[2] or session[1] * 1000000 < now_s * 1000000000 + now_ns then return { FENCED } end
  is_held = session[3]
end

-- One read of R, one of each B.
local rates, budgets, at = { "_e" }, {}, {}
for i = 1, count do
  local unit, key, field = numbers[NUMBERS * i - 7], numbers[NUMBERS * i - 5], ARGV[FIELDS + i]
  if unit == MONEY then
    local fields = budgets[key] or {}
    budgets[key] = fields
    local last = #fields
    at[i] = last + 1
    fields[last + 1], fields[last + 2], fields[last + 3] = "s" .. field, "h" .. field, "u" .. field
  else
    at[i] = #rates + 1
    rates[at[i]] = field
  end
end
rates = call("HMGET", KEYS[1], unpack(rates))
if not rates[1] or rates[1] ~= epoch then return { NOT_SEEDED } end
for key, fields in pairs(budgets) do budgets[key] = call("HMGET", KEYS[key], unpack(fields)) end

local reply = { OK, -1, now_s, time[2] }
local after, is_over, is_new, turned_back, money = {}, {}, {}, {}, FIELDS + count + 1
for i = 1, count do
  local first = NUMBERS * i - 7
  local unit, refuses = numbers[first], numbers[first + 1] == 0
  if unit == MONEY then
    if now_s < numbers[first + 3] or now_s >= numbers[first + 4] then return { CLOCK, now_s } end
    local values, v = budgets[numbers[first + 2]], at[i]
    local spent, held = values[v] or "0", values[v + 1] or "0"
    -- A session begins anew after its silence, if nothing of it is under way.
    if numbers[first + 5] == 0 and spent ~= "0" and held == "0" and (values[v + 2] or 0) + 0 <= now_s then
      spent, is_new[i] = "0", true
    end
    local amount, limit = ARGV[money], ARGV[money + 1]
    money = money + 2
    if limit == "-1" then
      is_over[i] = false
    elseif limit + 0 < EXACT then -- rounding what is larger cannot change that
      is_over[i] = spent + held + amount > limit + 0
    else
      is_over[i] = is_more(total(total(spent, held), amount), limit)
    end
    after[i] = amount
    reply[#reply + 1] = spent
    reply[#reply + 1] = held
  else
    local value = rates[at[i]]
    reply[#reply + 1] = value or ""
    if unit == CONCURRENT then
      is_over[i] = (value or 0) + 0 >= numbers[first + 2]
    else
      local part, most = numbers[first + 2], numbers[first + 4]
      local ahead = value and ahead_of(value) or 0
      if ahead > most then -- the clock stepped back, or a limit is another now: it goes on from here
        ahead = most
        turned_back[#turned_back + 1], turned_back[#turned_back + 2] = ARGV[FIELDS + i], cell_of(most)
        reply[#reply] = turned_back[#turned_back]
      end
      ahead = math.max(ahead, 0)
      is_over[i] = ahead + part > numbers[first + 3]
      -- Tokens: whoever was idle may ask for up to the whole limit.
      if unit == TOKENS then is_over[i] = numbers[first + 5] == 1 or (is_over[i] and ahead > 0) end
      after[i] = ahead + part
    end
  end
  if is_over[i] and refuses and reply[1] == OK then reply[1], reply[2] = REFUSED, i - 1 end
end
write_fields(KEYS[1], turned_back)
if is_held then
  reply[1], reply[2] = 2, -1
  return reply
end
if id == "" or reply[1] == REFUSED then return reply end

-- From here on everything is taken. A key that stands twice counts twice.
local hold, cells, running, sums = { OPEN, owner }, {}, {}, {}
local function keep(unit, i, key, amount, part)
  local n = #hold
  hold[n + 1], hold[n + 2], hold[n + 3], hold[n + 4], hold[n + 5], hold[n + 6] =
    unit, i - 1, ARGV[FIELDS + i], key, amount, part
end
local function put(list, field, value) list[#list + 1], list[#list + 2] = field, value end

for i = 1, count do
  local first, field = NUMBERS * i - 7, ARGV[FIELDS + i]
  local unit = numbers[first]
  if unit == MONEY then
    local key, v = numbers[first + 2], at[i]
    local list, values = sums[key] or { held = {} }, budgets[key]
    sums[key] = list
    local held = list.held[field] or values[v + 1] or "0"
    local sum = plus(held, after[i])
    list.held[field] = sum
    keep(unit, i, KEYS[key], sum == MOST and minus(sum, held) or after[i], 0)
    put(list, "h" .. field, list.held[field])
    if is_new[i] then put(list, "s" .. field, "0") end
    if not values[v + 1] and numbers[first + 5] > 0 then list.stop = math.max(list.stop or 0, numbers[first + 5]) end
  elseif unit == CONCURRENT then
    running[field] = (running[field] or rates[at[i]] or 0) + 1
    keep(unit, i, "", 1, 0)
    put(cells, field, format("%d", running[field]))
  elseif not is_over[i] then
    put(cells, field, cell_of(after[i]))
    if unit == TOKENS then keep(unit, i, "", numbers[first + 6], numbers[first + 2]) end
  end
end
if #cells > 0 then call("HSET", KEYS[1], unpack(cells)) end
for key, list in pairs(sums) do
  call("HSET", KEYS[key], unpack(list))
  if list.stop then keep_until(KEYS[key], list.stop) end
end
call("HSET", KEYS[2], id, cmsgpack.pack(hold))
return reply
