-- What a target costs, as models.lua says it: the word usd_per_million { … }, its check, and the figures that C takes.
--
--   price = usd_per_million { input = "2.50", cached_input = "1.25", output = "10.00" }
--   price = { usd_per_million { … }, usd_per_million { effective = "2026-03-01", … } }
--   price = free
--
--   local figures = rates.price(value, path)      -- reports what is wrong; nil when it cannot be used
--     -- { { from = seconds or nil, is_correction =, path =,
--     --     tiers = { { name = "", rates = { input = … }, longs = { … } } } } }
--
-- Rates are whole pico-dollars for one of each part, below 2^53, made from digits and never from fractions.
local core, use = ...
local report = use "report"
local schema = use "schema"
local calendar = use "calendar"
local modules = use "modules"
local raise = use "raise"
local sub = report.sub

local rates = { words = {} }

local Price = { __metatable = "price", __newindex = function() error("a price cannot be changed", 2) end }
local parts = setmetatable({}, { __mode = "k" })

-- The fields of a price as they were written, nil for anything else.
function rates.of(value) return parts[value] end

function rates.words.usd_per_million(spec)
  spec = modules.thaw(spec)
  if type(spec) ~= "table" or getmetatable(spec) then
    raise.error("bad_amount", "usd_per_million { input = \"2.50\", output = \"10.00\" } wants a table", 2)
  end
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  local price = setmetatable({}, Price)
  parts[price] = copy
  return price
end

-- All of it at nothing, at every tier.
local nothing = {}
rates.words.free = setmetatable({}, Price)
parts[rates.words.free] = { correction = true, batch = nothing, fast = nothing, flex = nothing, priority = nothing,
  provisioned_throughput = nothing, ultrafast = nothing, us = nothing }

-- --- amounts ---

-- Digits of "2.50" as a whole number of the unit 10^-decimals; nil when it is no such number. A number is taken when
-- its digits are all there is to it: 0.1 + 0.2 is not 0.3.
local function read_digits(value, whole_max, decimals)
  local text = value
  if type(value) == "number" then
    text = ("%.12f"):format(value):gsub("%.?0+$", "")
    if tonumber(text) ~= value then return nil end
    if text == "" then text = "0" end
  end
  local whole, part = tostring(text):match("^(%d+)%.?(%d*)$")
  if type(text) ~= "string" or not whole or #whole > whole_max or #part > decimals then return nil end
  return tonumber(whole) * 10 ^ decimals + tonumber((part .. ("0"):rep(decimals)):sub(1, decimals))
end

-- Catalogues of thousands have a few amounts.
local read = {}

local function digits(value, whole_max, decimals)
  if type(value) ~= "string" then return read_digits(value, whole_max, decimals) end
  local known = read[decimals] or {}
  read[decimals] = known
  if known[value] == nil then known[value] = read_digits(value, whole_max, decimals) or false end
  return known[value] or nil
end

-- USD per million tokens: "2.50" is 2,500,000 pico-dollars a token.
local per_million = schema.shape({ kind = "string|number" }, function(value, path)
  local pico = digits(value, 6, 6)
  if pico then return pico end
  report.at(path, "bad_amount", "a price is USD per million tokens with at most six decimals, such as \"2.50\"; got "
    .. schema.kind_of(value))
end)

-- USD for one request, one picture.
local per_piece = schema.shape({ kind = "string|number" }, function(value, path)
  local pico = digits(value, 3, 12)
  if pico then return pico end
  report.at(path, "bad_amount",
    "a price for one is USD with at most twelve decimals, below 1000, such as \"0.04\"; got "
    .. schema.kind_of(value))
end)

local rate_fields = { input = per_million, cached_input = per_million, cache_write = per_million,
  cache_write_1h = per_million, audio_input = per_million, image_input = per_million, output = per_million,
  reasoning = per_million, audio_output = per_million, image_output = per_million, per_request = per_piece,
  per_image = per_piece, per_search = per_piece, per_tool_call = per_piece,
  per_second = per_piece, per_character = per_piece }
local rate_names = report.keys(rate_fields)
for _, name in ipairs(rate_names) do
  nothing[name], parts[rates.words.free][name] = "0", "0"
end

local function with(more)
  local fields = {}
  for name, shape in pairs(rate_fields) do fields[name] = shape end
  for name, shape in pairs(more) do fields[name] = shape end
  return fields
end

local function threshold(value, path)
  if type(value) == "number" and value % 1 == 0 and value >= 1 and value <= 1e12 then return value end
  report.at(path, "bad_amount", "a threshold is a whole number of input tokens; got " .. schema.kind_of(value))
end
threshold = schema.shape({ kind = "integer" }, threshold)

-- --- long context ---

local long_shape = schema.record(with { above = threshold, from = threshold }, { "input", "output" }, "price")
local LONGS_MAX = 4

-- Explicit defaults: tokens from a cache cost what others do, reasoning what the answer does, a request nothing beside
-- its tokens. Nothing else is taken from another part: what has no rate is flagged where it turns up.
local function filled(given)
  local out = {}
  for _, name in ipairs(rate_names) do out[name] = given[name] end
  out.cached_input = out.cached_input or out.input
  out.reasoning = out.reasoning or out.output
  out.per_request = out.per_request or 0
  return out
end

-- Tiers inherit nothing: what the usual rates name, they name too.
local function check_same(given, usual, path, what)
  for _, name in ipairs(rate_names) do
    if usual[name] and given[name] == nil and name ~= "input" and name ~= "output" then
      report.at(path, "missing_field",
        ("'%s' is missing: the usual rates name it, and %s inherits nothing"):format(name, what))
    end
  end
end

-- Prices of the wrong unit, within one list of rates.
local function check_plausible(given, path)
  local input, output = given.input, given.output
  if input and output and output > 0 and output * 1000 <= input then
    report.warn(sub(path, "output"), "odd_price", "is a thousandth of input or less: is it USD per million tokens?")
  elseif input and output and input > 0 and input * 1000 <= output then
    report.warn(sub(path, "output"), "odd_price", "is 1,000 times input or more: is it USD per million tokens?")
  end
  if input and given.cached_input and given.cached_input > input then
    report.warn(sub(path, "cached_input"), "odd_price",
      "tokens from a cache cost more than others: are the two the right way round?")
  end
end

local function one_long(value, path, usual)
  local given = long_shape(value, path)
  if not given then return nil end
  if (value.above == nil) == (value.from == nil) then
    report.at(path, "bad_amount",
      "a long-context tier says where it begins: above = 272000 (not at it) or from = 200001 (also at it)")
  end
  check_same(given, usual, path, "a long-context tier")
  check_plausible(given, path)
  return { input_tokens = given.above or given.from or 1, is_inclusive = given.above == nil, rates = filled(given),
    path = path }
end

local function first_of(long) return long.is_inclusive and long.input_tokens or long.input_tokens + 1 end

local function longs_of(value, path, usual)
  local longs = {}
  if value == nil then return longs end
  if type(value) ~= "table" or getmetatable(value) then
    report.at(path, "bad_value",
      "long = { above = 272000, input = …, output = … }, or a list of such; got " .. schema.kind_of(value))
    return longs
  end
  local list = #value > 0 and value or { value }
  for i, one in ipairs(list) do longs[#longs + 1] = one_long(one, list == value and sub(path, i) or path, usual) end
  if #longs > LONGS_MAX then
    report.at(path, "bad_amount", ("a price has at most %d long-context tiers"):format(LONGS_MAX))
  end
  table.sort(longs, function(a, b) return first_of(a) < first_of(b) end)
  for i = 2, #longs do
    if first_of(longs[i]) == first_of(longs[i - 1]) then
      report.at(longs[i].path, "bad_amount", ("two long-context tiers begin at %.0f tokens"):format(first_of(longs[i])))
    end
  end
  return longs
end

-- --- one price ---

-- Read by longs_of, which gives a list: here they are only let through.
local function any(value) return value end
local long_any = schema.shape({ kind = "any_of", of = { long_shape, schema.list(long_shape) } }, any)

local tier_fields = with { long = long_any }
local tier_shape = schema.record(tier_fields, { "input", "output" }, "price")
-- As providers ask for them and report them; provisioned throughput is paid for by the hour, its tokens may be "0".
local tier_names = { "batch", "fast", "flex", "priority", "provisioned_throughput", "ultrafast", "us" }

-- "2026-03-01": midnight UTC; or a whole time.
local date = schema.shape({ kind = "string" }, function(value, path)
  local year, month, day, rest = tostring(value):match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
  local hour, minute, second = 0, 0, 0
  if rest and rest ~= "" then hour, minute, second = rest:match("^T(%d%d):(%d%d):(%d%d)Z$") end
  local days = type(value) == "string" and year and hour and calendar.days_of(year + 0, month + 0, day + 0)
  if days then
    local y, m, d = calendar.date_of(days)
    if y == year + 0 and m == month + 0 and d == day + 0 and hour + 0 < 24 and minute + 0 < 60 and second + 0 < 60 then
      return days * 86400 + hour * 3600 + minute * 60 + second
    end
  end
  report.at(path, "bad_value",
    ("a date is written \"2026-03-01\" or \"2026-03-01T12:00:00Z\", in UTC; got %s"):format(schema.kind_of(value)))
end)

local price_fields = with { long = long_any, effective = date, correction = schema.boolean }
for _, name in ipairs(tier_names) do price_fields[name] = tier_shape end
rates.spec = schema.record(price_fields, { "input", "output" }, "price")

local function tier_of(name, written, given, path, usual)
  if usual then check_same(given, usual, path, ("the tier '%s'"):format(name)) end
  check_plausible(given, path)
  return { name = name, rates = filled(given), longs = longs_of(written.long, sub(path, "long"), given), path = path }
end

local function period_of(written, path)
  local given = rates.spec(written, path)
  if not given or written.effective ~= nil and not given.effective then return nil end
  local tiers = { tier_of("", written, given, path) }
  for _, name in ipairs(tier_names) do
    if type(given[name]) == "table" then
      tiers[#tiers + 1] = tier_of(name, written[name], given[name], sub(path, name), given)
    end
  end
  return { from = given.effective, is_correction = given.correction, tiers = tiers, path = path }
end

-- --- a price and its predecessor ---

local JUMP = 1000

local function jump_of(old, new)
  if not old or not new or old == 0 then return nil end
  if new == 0 then return "a price is 0, and its predecessor is not" end
  if new >= old * JUMP then return ("a price is %.0f times its predecessor"):format(math.floor(new / old)) end
  if old >= new * JUMP then return ("a price is a %.0fth of its predecessor"):format(math.floor(old / new)) end
end

-- Those first that others are derived from, so that each is told where it is written.
local by_importance = { "input", "output" }
for _, name in ipairs(rate_names) do
  if name ~= "input" and name ~= "output" then by_importance[#by_importance + 1] = name end
end

local function jump_in(old, new, path, tell)
  for _, name in ipairs(by_importance) do
    local jump = jump_of(old.rates[name], new.rates[name])
    if jump then
      tell(sub(path, name), jump)
      return true
    end
  end
end

local function find_tier(period, name)
  for _, tier in ipairs(period.tiers) do
    if tier.name == name then return tier end
  end
end

-- tell(path, text) for the first rate of each tier that is so far from its predecessor.
function rates.each_jump(old, new, tell)
  for _, tier in ipairs(new.tiers) do
    local before = find_tier(old, tier.name)
    if before and not jump_in(before, tier, tier.path, tell) then
      for i, long in ipairs(tier.longs) do
        if before.longs[i] then jump_in(before.longs[i], long, long.path, tell) end
      end
    end
  end
end

rates.jump_cure = "of the wrong unit? if it is meant, say so in the price: correction = true, or price = free"

local function check_periods(periods)
  table.sort(periods, function(a, b) return (a.from or -math.huge) < (b.from or -math.huge) end)
  for i = 2, #periods do
    local old, new = periods[i - 1], periods[i]
    if old.from == new.from then
      report.at(new.path, "bad_amount", new.from and "two prices take effect at the same time"
        or "two prices have no date: the later one says effective = \"2026-03-01\"")
    elseif not new.is_correction then
      rates.each_jump(old, new, function(path, text) report.at(path, "bad_amount", text, rates.jump_cure) end)
    end
  end
end

local function check_begun(periods, path)
  local first = periods[1] and periods[1].from
  if not first or first <= core.seconds() then return end
  report.warn(path, "no_price",
    ("has no price before %04d-%02d-%02d: until then what it costs will not be known"):format(
    calendar.date_of(math.floor(first / 86400))), "a price without effective holds from ever")
end

-- --- the field `price` ---

local PERIODS_MAX = 64
local UNIT = "price = usd_per_million { input = \"2.50\", output = \"10.00\" }"

local function complain(value, path)
  local fields = type(value) == "table" and not getmetatable(value) and report.keys(value) or {}
  local around = {}
  for i, name in ipairs(fields) do
    local one = value[name]
    around[i] = (type(one) == "string" or type(one) == "number") and ("%s = %q"):format(name, tostring(one)) or nil
  end
  report.at(path, "bad_amount", "a price says its unit; got " .. schema.kind_of(value),
    #around > 0 and #around == #fields
      and ("price = usd_per_million { %s }"):format(table.concat(around, ", ")) or UNIT)
end

local function is_list(value)
  return type(value) == "table" and not getmetatable(value) and #value > 0 and #report.keys(value) == 0
end

rates.price = schema.shape({ kind = "mg.price|mg.price[]" }, function(value, path)
  value = modules.thaw(value)
  local written = parts[value]
  if written then
    local one = period_of(written, path)
    check_begun({ one }, path)
    return one and { one }
  end
  if not is_list(value) then
    complain(value, path)
    return nil
  end
  local periods = {}
  for i, one in ipairs(value) do
    if parts[one] then periods[#periods + 1] = period_of(parts[one], sub(path, i)) else complain(one, sub(path, i)) end
  end
  if #periods > PERIODS_MAX then report.at(path, "bad_amount", ("a price has at most %d dates"):format(PERIODS_MAX)) end
  check_periods(periods)
  check_begun(periods, path)
  return periods
end)

-- The period of a price that is in force at a time; nil before the first.
function rates.period_at(periods, time)
  local found
  for _, period in ipairs(periods) do
    if not period.from or period.from <= time then found = period end
  end
  return found
end

return rates
