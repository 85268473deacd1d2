-- What becomes of the keys of many holds: each is read once, changed by one hold after the other, and written once.
-- cells: what it holds by field; sums: what is held of it, by key and field.
local cells, fields, sums, keys = {}, {}, {}, {}

local function meet(hold, cell_count, sum_count)
  local at = 3 * cell_count + 2 * sum_count
  for i = at + 1, at + cell_count do
    local field = hold[i]
    if not cells[field] then
      cells[field] = true
      fields[#fields + 1] = field
    end
  end
  at = at + cell_count
  for i = at + 1, at + 2 * sum_count, 2 do
    local key = hold[i]
    local known = sums[key]
    if not known then
      known = {}
      sums[key] = known
      keys[#keys + 1] = key
    end
    known[hold[i + 1]] = 0
  end
end

local function each_piece(list, visit)
  for from = 1, #list, 1000 do visit(from, math.min(#list, from + 999)) end
end

local function names_of(known)
  local names = {}
  for name in pairs(known) do names[#names + 1] = "h" .. name end
  table.sort(names)
  return names
end

local function read_met()
  each_piece(fields, function(from, to)
    for i, value in ipairs(call("HMGET", KEYS[1], unpack(fields, from, to))) do
      cells[fields[from + i - 1]] = value and { unpacked("<ddddd", value) } or { 0, 0, 0, 0, 0 }
    end
  end)
  for _, key in ipairs(keys) do
    local known = sums[key]
    local names = names_of(known)
    known[0] = names
    each_piece(names, function(from, to)
      for i, value in ipairs(call("HMGET", key, unpack(names, from, to))) do
        local held = (value or 0) + 0
        known[names[from + i - 1]:sub(2)] = held < EXACT and held or value
      end
    end)
  end
end

-- Numbers where they are exact, else text.
local function moved(held, less, more)
  if type(held) == "number" and type(less) == "number" and type(more) == "number" then
    local rest = held > less and held - less or 0
    if rest + more < EXACT then return rest + more end
  end
  local e = exact()
  local sum = e.plus(e.minus(held, less), more)
  return sum + 0 < EXACT and sum + 0 or sum
end

-- The money of a hold becomes so much, each of its sums'.
local function hold_money(hold, cell_count, sum_count, more)
  local amounts = 3 * cell_count
  local names = amounts + 2 * sum_count + cell_count
  for i = 1, 2 * sum_count, 2 do
    local known, name = sums[hold[names + i]], hold[names + i + 1]
    known[name] = moved(known[name], amount_of(hold[amounts + i], hold[amounts + i + 1]), more)
  end
end

-- All that it has goes back. `is_used`: what it took of tokens is taken for what it used.
local function give_back(hold, cell_count, sum_count, is_used)
  local names = 3 * cell_count + 2 * sum_count
  for i = 1, cell_count do
    local cell, part, running = cells[hold[names + i]], hold[3 * i - 1], hold[3 * i]
    cell[5] = cell[5] > running and cell[5] - running or 0
    if part > 0 and not is_used then cell[4] = cell[4] - part end
  end
  hold_money(hold, cell_count, sum_count, 0)
end

local function write_met()
  local list = {}
  for i, field in ipairs(fields) do
    local cell = cells[field]
    local s = floor(cell[4] / 1000000000)
    list[2 * i - 1] = field
    list[2 * i] = pack("<ddddd", cell[1], cell[2], cell[3] + s, cell[4] - s * 1000000000, cell[5])
  end
  each_piece(list, function(from, to) call("HSET", KEYS[1], unpack(list, from, to)) end)
  for _, key in ipairs(keys) do
    local known = sums[key]
    list = {}
    for i, name in ipairs(known[0]) do list[2 * i - 1], list[2 * i] = name, known[name:sub(2)] end
    each_piece(list, function(from, to) call("HSET", key, unpack(list, from, to)) end)
  end
end
