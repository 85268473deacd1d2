#!lua flags=allow-oom
-- Ends of holds. Settled: it came to these totals; of tokens the rest goes back, of money it stays held, as what it
-- came to, until the ledger tells what was spent (spend.lua). Released: all of it goes back.
-- KEYS: R, H of the session
-- ARGV: how many; their ids; of each its nano-dollars, "" where it is released; of each its numbers: two doubles a
--   cell of its record, its part for so many tokens and how far ahead its key may be used up
-- Reply: {1}, of a hold that is not known, too: it was over before
--with redis clock exact holds giving

local count = ARGV[1] + 0
local records, holds, seen = call("HMGET", KEYS[2], unpack(ARGV, 2, 1 + count)), {}, {}
for i = 1, count do
  local record, id = records[i], ARGV[1 + i]
  if record and record:byte(17) == OPEN and not seen[id] then
    seen[id] = true
    local hold, cell_count, sum_count = hold_of(record)
    holds[i] = { hold, cell_count, sum_count }
    meet(hold, cell_count, sum_count)
  end
end
read_met()

-- What is taken of tokens becomes its part of so many. Of a debt that ends sooner no more is given back than was taken.
local function settle_cells(hold, cell_count, at, parts)
  for i = 1, cell_count do
    local cell, part, running = hold[at + i], hold[3 * i - 1], hold[3 * i]
    cell[5] = cell[5] > running and cell[5] - running or 0
    if part >= 0 then
      local more, most = parts[2 * i - 1] - part, parts[2 * i]
      if more > 0 then
        local ahead = (cell[3] - now_s) * 1000000000 + (cell[4] - now_ns)
        if ahead + more > most then more = most - ahead end
      end
      cell[4] = cell[4] + (more < -part and -part or more)
    end
  end
end

-- Its record is what is held of money now: that of the same sums, and of nothing else.
local function settled(record, sum_count, nano)
  local billions, rest = 0, nano
  if nano + 0 >= 1000000000 then billions, rest = exact().halves(nano) end
  local head, money = pack("<c16c1BBI4", record, "s", 0, sum_count, HEAD + 16 * sum_count), pack("<dd", billions, rest)
  return head .. (sum_count > 1 and money:rep(sum_count) or money) .. record:sub((unpacked("<I4", record, 20)))
end

local kept, over = {}, {}
for i = 1, count do
  local held, id, nano, parts = holds[i], ARGV[1 + i], ARGV[1 + count + i], ARGV[1 + 2 * count + i]
  if held and nano == "" then
    give_back(held[1], held[2], held[3])
    over[#over + 1] = id
  elseif held then
    local hold, cell_count, sum_count = held[1], held[2], held[3]
    local amount = nano + 0
    settle_cells(hold, cell_count, 3 * cell_count + 2 * sum_count,
      { unpacked(("d"):rep(#parts / 8), parts) })
    hold_money(hold, cell_count, sum_count, amount < EXACT and amount or nano)
    if sum_count > 0 then
      kept[#kept + 1], kept[#kept + 2] = id, settled(records[i], sum_count, nano)
    else
      over[#over + 1] = id
    end
  end
end
write_met()
if #kept > 0 then call("HSET", KEYS[2], unpack(kept)) end
if #over > 0 then call("HDEL", KEYS[2], unpack(over)) end
return { 1 }
