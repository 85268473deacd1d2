#!lua
-- What a hold has becomes these totals: of money within its limits, tokens may go into debt. Less changes nothing.
-- KEYS: R, H of the session. Those of budgets stand in the hold: they have the same hash tag.
-- ARGV: hold, tokens, nano-dollars, numbers (two doubles a cell, as of settle.lua), limits' places (two doubles each:
--   which sum of the record, number of the item), then those limits ("-1": nothing stands in its way)
-- Reply: {1}; {0, number of the item that refuses}; {-4}: nothing is held by that id
--with redis clock exact holds giving

local id, tokens, nano = ARGV[1], ARGV[2] + 0, ARGV[3]
local parts = { unpacked("<" .. ("d"):rep(#ARGV[4] / 8), ARGV[4]) }
local places = { unpacked("<" .. ("d"):rep(#ARGV[5] / 8), ARGV[5]) }
local session = call("HMGET", KEYS[2], id, "\0dead")
local record = session[1]
if not record or session[2] or record:byte(17) ~= OPEN then return { -4 } end
local hold, cell_count, sum_count = hold_of(record)
local amounts, names = 3 * cell_count, 3 * cell_count + 2 * sum_count
meet(hold, cell_count, sum_count)
read_met()
local e = exact()

local function amount_at(i) return amount_of(hold[amounts + 2 * i - 1], hold[amounts + 2 * i]) end

local function sum_at(i) return hold[names + cell_count + 2 * i] end

for k = 1, #ARGV - 5 do
  local i, limit = places[2 * k - 1], ARGV[5 + k]
  local amount = amount_at(i)
  if limit ~= "-1" and e.is_more(nano, amount) then
    local sum = sum_at(i)
    local spent = call("HGET", sum[3], "s" .. sum[4]) or "0"
    if e.is_more(e.total(e.total(spent, sum[1] or sum[2]), e.minus(nano, amount)), limit) then
      return { 0, places[2 * k] }
    end
  end
end

for i = 1, cell_count do
  local cell, part = hold[names + i], hold[3 * i - 1]
  if part >= 0 and tokens > hold[3 * i - 2] then
    local ahead = (cell[3] - now_s) * 1000000000 + (cell[4] - now_ns)
    local more = math.min(ahead + parts[2 * i - 1] - part, parts[2 * i]) - ahead
    if more < -part then more = -part end
    cell[4] = cell[4] + more
    hold[3 * i - 2], hold[3 * i - 1] = tokens, part + more
  end
end
for i = 1, sum_count do
  local amount = amount_at(i)
  if e.is_more(nano, amount) then
    local sum = sum_at(i)
    local others = e.minus(sum[1] or sum[2], amount)
    local held = e.plus(others, nano)
    move(sum, amount, nano)
    hold[amounts + 2 * i - 1], hold[amounts + 2 * i] = e.halves(e.minus(held, others))
  end
end
write_met()
local numbers = 3 * cell_count + 2 * sum_count
call("HSET", KEYS[2], id, record:sub(1, HEAD - 1) .. pack("<" .. ("d"):rep(numbers), unpack(hold, 1, numbers))
  .. record:sub(HEAD + 8 * numbers))
return { 1 }
