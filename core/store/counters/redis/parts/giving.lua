-- What becomes of the keys of many holds: each is read once, changed by one hold after the other, and written once.
-- A cell is its five numbers. A sum: what is held of it as a number, or false and as text; its key, its name.
local cells, fields, sums, keys = {}, {}, {}, {}

-- In the hold, too, each stands for its name then.
local function meet(hold, cell_count, sum_count)
  local at = 3 * cell_count + 2 * sum_count
  for i = at + 1, at + cell_count do
    local field = hold[i]
    local cell = cells[field]
    if not cell then
      cell = { 0, 0, 0, 0, 0 }
      cells[field] = cell
      fields[#fields + 1] = field
    end
    hold[i] = cell
  end
  at = at + cell_count
  for i = at + 1, at + 2 * sum_count, 2 do
    local key, name = hold[i], hold[i + 1]
    local known = sums[key]
    if not known then
      known = { list = {}, names = {}, met = {} }
      sums[key] = known
      keys[#keys + 1] = key
    end
    local sum = known.met[name]
    if not sum then
      sum = { 0, false, key, name }
      known.met[name] = sum
      known.list[#known.list + 1] = sum
      known.names[#known.list] = "h" .. name
    end
    hold[i + 1] = sum
  end
end

local function each_piece(list, visit)
  for from = 1, #list, 1000 do visit(from, math.min(#list, from + 999)) end
end

local function read_met()
  each_piece(fields, function(from, to)
    local values = call("HMGET", KEYS[1], unpack(fields, from, to))
    for i = 1, #values do
      local value, cell = values[i], cells[fields[from + i - 1]]
      if value then cell[1], cell[2], cell[3], cell[4], cell[5] = unpacked("<ddddd", value) end
    end
  end)
  for _, key in ipairs(keys) do
    local known = sums[key]
    each_piece(known.names, function(from, to)
      local values = call("HMGET", key, unpack(known.names, from, to))
      for i = 1, #values do
        local sum, value = known.list[from + i - 1], values[i] or "0"
        if value + 0 < EXACT then sum[1] = value + 0 else sum[1], sum[2] = false, value end
      end
    end)
  end
end

-- less and more: numbers where they are exact, else text.
local function move(sum, less, more)
  local e = exact()
  local held = e.plus(e.minus(sum[1] or sum[2], less), more)
  if held + 0 < EXACT then sum[1], sum[2] = held + 0, false else sum[1], sum[2] = false, held end
end

-- The money of a hold becomes so much, each of its sums'.
local function hold_money(hold, cell_count, sum_count, more)
  local amounts = 3 * cell_count
  local at = amounts + 2 * sum_count + cell_count
  for i = 1, 2 * sum_count, 2 do
    local sum, billions = hold[at + i + 1], hold[amounts + i]
    local held, less = sum[1], billions * 1000000000 + hold[amounts + i + 1]
    if held and billions < 9007199 and type(more) == "number" then
      held = (held > less and held - less or 0) + more
      if held < EXACT then sum[1] = held else move(sum, less, more) end
    else
      move(sum, amount_of(billions, hold[amounts + i + 1]), more)
    end
  end
end

-- All that it has goes back. `is_used`: what it took of tokens is taken for what it used.
local function give_back(hold, cell_count, sum_count, is_used)
  local at = 3 * cell_count + 2 * sum_count
  for i = 1, cell_count do
    local cell, part, running = hold[at + i], hold[3 * i - 1], hold[3 * i]
    cell[5] = cell[5] > running and cell[5] - running or 0
    if part > 0 and not is_used then cell[4] = cell[4] - part end
  end
  hold_money(hold, cell_count, sum_count, 0)
end

local function write_met()
  local list = {}
  for i = 1, #fields do
    local field = fields[i]
    local cell = cells[field]
    local s = floor(cell[4] / 1000000000)
    list[2 * i - 1] = field
    list[2 * i] = pack("<ddddd", cell[1], cell[2], cell[3] + s, cell[4] - s * 1000000000, cell[5])
  end
  each_piece(list, function(from, to) call("HSET", KEYS[1], unpack(list, from, to)) end)
  for _, key in ipairs(keys) do
    local known = sums[key]
    list = {}
    for i, sum in ipairs(known.list) do
      list[2 * i - 1], list[2 * i] = known.names[i], sum[1] and ("%d"):format(sum[1]) or sum[2]
    end
    each_piece(list, function(from, to) call("HSET", key, unpack(list, from, to)) end)
  end
end
