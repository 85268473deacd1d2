-- Does one condition imply another? The one place that orders conditions.
--
--   implies(a, b)        -- lists of terms (scripts/condition.lua) that all must hold; nil: always
--     true: every request that fits a fits b; false: there can be one that fits a and not b; nil: that cannot be told
--   implies.never(a)     -- nothing fits it
--
-- Terms may come from another state: functions are compared by their source then.
local core, use = ...
local schema = use "schema"

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

local function is_subset(list, set)
  for _, value in ipairs(list) do
    if not set[value] then return false end
  end
  return true
end

local function is_disjoint(list, set)
  for _, value in ipairs(list) do
    if set[value] then return false end
  end
  return true
end

local function is_equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not is_equal(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function is_same(a, b)
  return a.op == b.op and a.salt == b.salt and a.fn == b.fn and a.source == b.source and is_equal(a.values, b.values)
end

-- --- numbers, as spans of them: { low, high }, both in ---

-- A bound is { number, nudge }: 1 is just above the number, -1 just below,
-- which is only asked of those that may be fractions.
local fractions = { max_latency_ms = true, time = true }
local always_there = { time = true, context_tokens = true, input_tokens = true, output_tokens = true }

local whole = {
  down = function(v) return { math.floor(v), 0 } end,
  up = function(v) return { math.ceil(v), 0 } end,
  after = function(bound) return { bound[1] + 1, 0 } end,
  before = function(bound) return { bound[1] - 1, 0 } end,
}
local fraction = {
  down = function(v) return { v, 0 } end,
  up = function(v) return { v, 0 } end,
  after = function(bound) return { bound[1], bound[2] + 1 } end,
  before = function(bound) return { bound[1], bound[2] - 1 } end,
}

local function is_below(a, b) return a[1] < b[1] or a[1] == b[1] and a[2] < b[2] end

local least, most = { 0, 0 }, { math.huge, 0 }

local spans_of = {
  gt = function(of, v) return { { of.after(of.down(v[1])), most } } end,
  ge = function(of, v) return { { of.up(v[1]), most } } end,
  lt = function(of, v) return { { least, of.before(of.up(v[1])) } } end,
  le = function(of, v) return { { least, of.down(v[1]) } } end,
  within = function(of, v) return { { of.up(v[1]), of.before(of.up(v[2])) } } end,
  between = function(of, v) return { { of.up(v[1]), of.down(v[2]) } } end,
}

function spans_of.one_of(of, values)
  local spans = {}
  for i, value in ipairs(values) do spans[i] = { of.up(value), of.down(value) } end
  return spans
end

function spans_of.none_of(of, values)
  local spans, low, sorted = {}, least, { unpack(values) }
  table.sort(sorted)
  for i, value in ipairs(sorted) do
    spans[i] = { low, of.before(of.up(value)) }
    low = of.after(of.down(value))
  end
  spans[#spans + 1] = { low, most }
  return spans
end

-- In order, those that touch as one, without empty ones: what is below zero is never there.
local function joined(spans, of)
  local sorted, out = {}, {}
  for _, span in ipairs(spans) do
    local low = is_below(span[1], least) and least or span[1]
    if not is_below(span[2], low) then sorted[#sorted + 1] = { low, span[2] } end
  end
  table.sort(sorted, function(a, b) return is_below(a[1], b[1]) end)
  for _, span in ipairs(sorted) do
    local last = out[#out]
    if last and not is_below(of.after(last[2]), span[1]) then
      if is_below(last[2], span[2]) then last[2] = span[2] end
    else out[#out + 1] = span end
  end
  return out
end

local function numbers_of(term)
  local of = fractions[term.key] and fraction or whole
  return joined(spans_of[term.op](of, term.values), of)
end

local function is_in_one(span, spans)
  for _, other in ipairs(spans) do
    if not is_below(span[1], other[1]) and not is_below(other[2], span[2]) then return true end
  end
  return false
end

local function numbers_imply(a, b)
  -- it fits where there is none
  if a.op == "none_of" and b.op ~= "none_of" and not always_there[a.key] then return false end
  local spans = numbers_of(b)
  for _, span in ipairs(numbers_of(a)) do
    if not is_in_one(span, spans) then return false end
  end
  return true
end

-- --- texts ---

local function matches_all(pattern, values)
  for _, value in ipairs(values) do
    if not core.glob(pattern, value) then return false end
  end
  return true
end

local function matches_any(pattern, values)
  for _, value in ipairs(values) do
    if core.glob(pattern, value) then return true end
  end
  return false
end

local text_implies = {
  one_of = {
    one_of = function(a, b) return is_subset(a, set_of(b)) end,
    none_of = function(a, b) return is_disjoint(a, set_of(b)) end,
    like = function(a, b) return matches_all(b[1], a) end,
  },
  none_of = { -- whatever else there may be, and what is not there
    one_of = function() return false end,
    none_of = function(a, b) return is_subset(b, set_of(a)) end,
    like = function() return false end,
  },
  like = {
    one_of = function(a, b) return not a[1]:find("*", 1, true) and is_subset(a, set_of(b)) end,
    none_of = function(a, b) return not matches_any(a[1], b) end,
    like = function(a, b)
      if a[1] == b[1] or not b[1]:find("[^*]") then return true end
      if not a[1]:find("*", 1, true) then return core.glob(b[1], a[1]) end
      return nil
    end,
  },
}

-- --- several values at once ---

-- Words in a text may lie within each other, which names of a set do not.
local overlapping = { contains = true }

local function members_imply(a, b)
  if a.op ~= b.op then return false end -- both may be there, or none
  local holds
  if a.op == "one_of" then
    holds = is_subset(a.values, set_of(b.values))
  else
    holds = is_subset(b.values, set_of(a.values))
  end
  if not holds and overlapping[a.key] then return nil end
  return holds
end

-- --- one term ---

local function classes_from(least_class)
  local list = {}
  for rank = schema.class_rank[least_class] or 1, #schema.classes do list[#list + 1] = schema.classes[rank] end
  return list
end

-- Data classes as lists of them: there is always one of the four.
local function in_classes(term)
  if term.op == "at_least" then return { key = term.key, op = "one_of", values = classes_from(term.values[1]) } end
  if term.key ~= "data" or term.op ~= "none_of" then return term end
  local refused, list = set_of(term.values), {}
  for _, class in ipairs(schema.classes) do
    if not refused[class] then list[#list + 1] = class end
  end
  return { key = "data", op = "one_of", values = list }
end

local function is_number(term) return type(term.values[1]) == "number" end

local function is_never(term)
  if term.op == "any" or term.opaque then return false end
  if term.targets then return #term.targets == 0 end
  if is_number(term) then return #numbers_of(term) == 0 end
  return term.key == "data" and #in_classes(term).values == 0
end

-- What a key says that is not there.
local function anything(key) return { key = key, op = "any", values = {} } end

local function widest(term)
  if term.key == "data" then return { key = "data", op = "one_of", values = schema.classes } end
  if always_there[term.key] then return { key = term.key, op = "ge", values = { 0 } } end
  if term.key == "stream" then return { key = "stream", op = "one_of", values = { true, false } } end
  return nil
end

local function term_implies(a, b)
  if b.op == "any" or is_same(a, b) then return true end
  if a.opaque or b.opaque then return nil end
  if a.op == "any" then a = widest(b) end
  if not a then
    if b.targets then return nil end -- it may be all there are
    return false
  end
  if a.targets then return is_subset(a.targets, set_of(b.targets)) end
  if a.many_valued then return members_imply(a, b) end
  if is_number(b) then return numbers_imply(a, b) end
  a, b = in_classes(a), in_classes(b)
  return text_implies[a.op][b.op](a.values, b.values)
end

-- --- all terms ---

-- Hours and days are one term, whichever of them it has.
local function name_of(term) return term.opaque and term.op or term.key end

local tokens = { context_tokens = true, input_tokens = true, output_tokens = true, max_tokens = true }

-- Does another term of the list speak of the same thing? Context is what goes in and what may come out.
local function is_related(list, key)
  for _, term in ipairs(list) do
    if tokens[key] and tokens[term.key] and term.key ~= key then return true end
  end
  return false
end

local function has_opaque(list)
  for _, term in ipairs(list) do
    if term.opaque then return true end
  end
  return false
end

local implies = {}

function implies.never(list)
  for _, term in ipairs(list) do
    if is_never(term) then return true end
  end
  return false
end

local function decide(a, b)
  a, b = a or {}, b or {}
  if implies.never(a) then return true end
  local known, result = {}, true
  for _, term in ipairs(a) do known[name_of(term)] = term end
  for _, term in ipairs(b) do
    local holds = term_implies(known[name_of(term)] or anything(term.key), term)
    if holds == false and (is_related(a, term.key) or has_opaque(a)) then holds = nil end
    if holds == false then return false end
    if holds == nil then result = nil end
  end
  return result
end

return setmetatable(implies, { __call = function(_, a, b) return decide(a, b) end })
