-- Which values the policies of this generation speak of, fact by fact: what a remedy can try.
--
--   local values = vocabulary.values()      -- { department = { "sales", … }, context_tokens = { 100000, 100001 }, … }
--   for _, term in ipairs(vocabulary.terms()) do … end  -- scripts/condition.lua
--   vocabulary.without({ "a", "b" }, "a")   -- { "b" }: a fact of several values, less one of them
local core, use = ...
local loaded = use "load"
local facts = use "facts"
local report = use "report"

local vocabulary = {}

local plural = { departments = "department", roles = "role", apps = "app", teams = "team", users = "user" }
local numeric = { context_tokens = true, input_tokens = true, output_tokens = true, max_tokens = true,
  max_latency_ms = true }

local function add(values, fact, value)
  if type(value) ~= "string" and type(value) ~= "number" then return end
  if numeric[fact] ~= (type(value) == "number" or nil) then return end
  values[fact] = values[fact] or {}
  values[fact][value] = true
end

-- Both sides of each bound.
local function add_bound(values, fact, bound)
  for _, near in ipairs { bound, bound + 1, bound - 1 } do
    if near >= 0 then add(values, fact, near) end
  end
end

local function add_value(values, fact, value)
  if type(value) == "number" then add_bound(values, fact, value) else add(values, fact, value) end
end

-- --- conditions ---

local function add_terms(terms, read)
  for _, term in ipairs(read and read.terms or {}) do terms[#terms + 1] = term end
end

-- The terms of all conditions in this generation, those of rules and rows that are off too.
function vocabulary.terms()
  local terms = {}
  for _, policy in ipairs(loaded.policies) do
    for _, rule in ipairs(policy.written_rules or {}) do
      add_terms(terms, rule.when)
      add_terms(terms, rule.unless)
    end
    for _, row in ipairs(policy.written_rows or {}) do add_terms(terms, row.when) end
  end
  return terms
end

local function add_term(values, term)
  if term.opaque or term.key == "called" then return end
  for _, value in ipairs(term.values) do
    if term.op == "like" then add(values, term.key, (value:gsub("%*", "x"))) else add_value(values, term.key, value) end
  end
end

-- --- columns and fields of rows ---

local conditions = { when = true, unless = true }

local function is_fact(key)
  return key == "role" or key == "label" or (type(key) == "string" and facts.compute[key] ~= nil)
end

-- Everything in a definition that stands under the name of a fact, conditions left out.
local function visit(values, spec, depth)
  if type(spec) ~= "table" or getmetatable(spec) or depth > 12 then return end
  for key, value in pairs(spec) do
    local fact = plural[key] or key
    if key ~= "examples" and not conditions[key] then
      if is_fact(fact) and not getmetatable(value) then
        for _, item in ipairs(type(value) == "table" and value or { value }) do add_value(values, fact, item) end
      end
      visit(values, value, depth + 1)
    end
  end
end

local function sorted(set)
  local list = {}
  for value in pairs(set) do list[#list + 1] = value end
  table.sort(list)
  return list
end

function vocabulary.values()
  local values = {}
  for _, term in ipairs(vocabulary.terms()) do add_term(values, term) end
  for _, definition in ipairs(loaded.definitions) do visit(values, definition.spec, 0) end
  for name, app in pairs(facts.apps or {}) do
    add(values, "app", name)
    if app.department then add(values, "department", app.department) end
  end
  local out = {}
  for _, fact in ipairs(report.keys(values)) do out[fact] = sorted(values[fact]) end
  return out
end

function vocabulary.without(names, name)
  local rest = {}
  for _, other in ipairs(names) do
    if other ~= name then rest[#rest + 1] = other end
  end
  return rest
end

return vocabulary
