-- Which of two conditions holds for more requests.
--
--   lattice.compare("department", old, new) → "same", "wider", "narrower" or "other"
--   lattice.conditions(old, new)            -- whole `when` tables (diff/snapshot.lua); nil stands for always
--
-- What cannot be ordered is "other": nobody is told that a change is harmless when it is only not understood.
local core, use = ...
local schema = use "schema"
local words = use "words"

local lattice = {}

function lattice.is_equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if key ~= "_line" and not lattice.is_equal(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if key ~= "_line" and a[key] == nil then return false end
  end
  return true
end

-- --- values as sets ---

local function set_of(list)
  local set = {}
  for _, value in ipairs(type(list) == "table" and list or { list }) do set[value] = true end
  return set
end

local intervals = {
  gt = function(v) return { v, math.huge, true, true } end,
  ge = function(v) return { v, math.huge, false, true } end,
  lt = function(v) return { -math.huge, v, true, true } end,
  le = function(v) return { -math.huge, v, true, false } end,
  between = function(v) return { v[1], v[2], false, false } end,
}

-- { kind = "in" | "not" , set } or { kind = "range", range } or { kind = "all" }; nil for what has no order.
local function shape(value)
  if value == nil then return { kind = "all" } end
  if type(value) ~= "table" then return type(value) == "number" and { kind = "range", range = { value, value, false, false } }
    or { kind = "in", set = set_of(value) } end
  if value._source then return nil end
  if not value._op then return { kind = "in", set = set_of(value) } end
  if value._op == "any" then return { kind = "all" } end
  if value._op == "none_of" then return { kind = "not", set = set_of(value._value) } end
  if value._op == "at_least" then
    local set = {}
    for rank = schema.class_rank[value._value] or 1, #schema.classes do set[schema.classes[rank]] = true end
    return { kind = "in", set = set }
  end
  if intervals[value._op] then return { kind = "range", range = intervals[value._op](value._value) } end
end

local function is_subset(a, b)
  for value in pairs(a) do
    if not b[value] then return false end
  end
  return true
end

local function is_disjoint(a, b)
  for value in pairs(a) do
    if b[value] then return false end
  end
  return true
end

-- Is everything in a also in b?
local function is_within(a, b)
  if b.kind == "all" then return true end
  if a.kind == "all" then return false end
  if a.kind == "range" or b.kind == "range" then
    if a.kind ~= b.kind then return false end
    local x, y = a.range, b.range
    local low = x[1] > y[1] or x[1] == y[1] and (x[3] or not y[3])
    local high = x[2] < y[2] or x[2] == y[2] and (x[4] or not y[4])
    return low and high
  end
  if a.kind == "in" then return b.kind == "in" and is_subset(a.set, b.set) or b.kind == "not" and is_disjoint(a.set, b.set) end
  return b.kind == "not" and is_subset(b.set, a.set)
end

function lattice.compare(old, new)
  if lattice.is_equal(old, new) then return "same" end
  local a, b = shape(old), shape(new)
  if not a or not b then return (old == nil and "narrower") or (new == nil and "wider") or "other" end
  local within, around = is_within(a, b), is_within(b, a)
  if within and around then return "same" end
  return within and "wider" or around and "narrower" or "other"
end

-- --- whole conditions ---

-- Keys of which one changes what another means: one condition together.
local tied = {}
for _, group in ipairs(words.groups) do
  for _, key in ipairs(group) do tied[key] = group end
end

local function compare_group(group, old, new)
  local is_old, is_new, is_same = false, false, true
  for _, key in ipairs(group) do
    is_old, is_new = is_old or old[key] ~= nil, is_new or new[key] ~= nil
    is_same = is_same and lattice.is_equal(old[key], new[key])
  end
  if is_same then return "same" end
  return not is_old and "narrower" or not is_new and "wider" or "other"
end

local function merged(all, one)
  if one == "same" or all == one then return all end
  return all == "same" and one or "other"
end

function lattice.conditions(old, new)
  if lattice.is_equal(old, new) then return "same" end
  old, new = old or {}, new or {}
  if old._source or new._source then return next(old) == nil and "narrower" or next(new) == nil and "wider" or "other" end
  local keys, all = {}, "same"
  for key in pairs(old) do keys[key] = true end
  for key in pairs(new) do keys[key] = true end
  for key in pairs(keys) do
    all = merged(all, tied[key] and compare_group(tied[key], old, new) or lattice.compare(old[key], new[key]))
  end
  return all
end

local turned = { wider = "narrower", narrower = "wider", same = "same", other = "other" }

-- `unless`: nil stands for never.
function lattice.exceptions(old, new)
  if lattice.is_equal(old, new) then return "same" end
  if old == nil then return "narrower" end
  if new == nil then return "wider" end
  return turned[lattice.conditions(old, new)]
end

return lattice
