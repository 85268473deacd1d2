-- Predicates: what a condition may hold instead of a constant. gt(100), none_of { "a", "b" }, at_least "confidential".
local core, use = ...
local schema = use "schema"
local modules = use "modules"
local raise = use "raise"
local foreign = use "foreign"

local predicates = {}
local Predicate = { __metatable = "predicate", __newindex = function() error("a predicate cannot be changed", 2) end }
local parts = setmetatable({}, { __mode = "k" })

local function bad(text) raise.error("bad_predicate", text, 0) end

local function make(op, value)
  local predicate = setmetatable({}, Predicate)
  parts[predicate] = { op = op, value = value }
  return predicate
end

-- { op =, value = } of a predicate, nil for anything else.
function predicates.of(value) return parts[value] end

local function near_number(op, bound)
  local number = type(bound) == "string" and foreign.number(bound)
  return number and (" (did you mean %s(%.14g)?)"):format(op, number) or ""
end

local function numeric(op)
  return function(bound)
    if type(bound) ~= "number" then
      bad(("%s() wants a number, got %s%s"):format(op, schema.kind_of(bound), near_number(op, bound)))
    end
    return make(op, bound)
  end
end

predicates.words = {
  gt = numeric "gt",
  ge = numeric "ge",
  lt = numeric "lt",
  le = numeric "le",
  any = make("any"),
  between = function(low, high)
    if type(low) ~= "number" or type(high) ~= "number" or low > high then
      bad("between(low, high) wants two numbers, the lower one first")
    end
    return make("between", { low, high })
  end,
  isnt = function(value)
    if value == nil or type(value) == "table" then bad("isnt() wants one value; for several use none_of { … }") end
    return make("none_of", { value })
  end,
  none_of = function(list)
    list = modules.thaw(list)
    if type(list) ~= "table" or #list == 0 then bad("none_of { … } wants a list") end
    local copy = {}
    for i, value in ipairs(list) do copy[i] = value end
    return make("none_of", copy)
  end,
  like = function(pattern)
    if type(pattern) ~= "string" or pattern == "" then bad("like wants a text, such as like \"gpt-4*\"") end
    return make("like", pattern)
  end,
  at_least = function(class)
    if not schema.class_rank[class] then
      bad(("at_least wants a data class (%s), got %s"):format(
        table.concat(schema.classes, ", "), schema.kind_of(class)))
    end
    return make("at_least", class)
  end,
}

return predicates
