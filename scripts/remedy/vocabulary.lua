-- Which values the policies of this generation speak of, fact by fact: what a remedy can try.
--
--   local values = vocabulary.values()          -- { department = { "sales", … }, context_tokens = { 100000, 100001 }, … }
local core, use = ...
local loaded = use "load"
local facts = use "facts"
local predicates = use "predicates"
local report = use "report"

local vocabulary = {}

local plural = { departments = "department", roles = "role", apps = "app", teams = "team", users = "user" }
local numeric = { context_tokens = true, input_tokens = true, output_tokens = true, max_tokens = true, max_latency_ms = true }

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

local function add_condition(values, fact, value)
  local predicate = predicates.of(value)
  local list = value
  if predicate then list = predicate.value end
  if predicate and predicate.op == "like" then
    add(values, fact, (list:gsub("%*", "x")))
    return
  end
  if type(list) ~= "table" then list = { list } end
  for _, item in ipairs(list) do
    if type(item) == "number" then add_bound(values, fact, item) else add(values, fact, item) end
  end
end

local function is_fact(key)
  return key == "role" or key == "label" or key == "prompt" or (type(key) == "string" and facts.compute[key] ~= nil)
end

-- Everything in a definition that stands under the name of a fact.
local function visit(values, spec, depth)
  if type(spec) ~= "table" or getmetatable(spec) or depth > 12 then return end
  for key, value in pairs(spec) do
    local fact = plural[key] or key
    if key ~= "examples" and is_fact(fact) then add_condition(values, fact, value) end
    if key ~= "examples" then visit(values, value, depth + 1) end
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
  for _, definition in ipairs(loaded.definitions) do visit(values, definition.spec, 0) end
  for name, app in pairs(facts.apps or {}) do
    add(values, "app", name)
    if app.department then add(values, "department", app.department) end
  end
  local out = {}
  for _, fact in ipairs(report.keys(values)) do out[fact] = sorted(values[fact]) end
  return out
end

return vocabulary
