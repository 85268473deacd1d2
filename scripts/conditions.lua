-- `when` and `unless`: a table whose keys must all hold, or a function(ctx). Compiled once, at load, to tests on facts.
--
--   local condition = conditions.compile({ department = "sales", context_tokens = gt(1000) }, path)
--   if condition.test == nil or condition.test(f) then … end
--   conditions.compile(…, path, "policy/rule")   -- the name keeps shares of different rules apart
--   condition.called      -- set of targets, when the key `called` stands in it: a filter, not a test
local core, use = ...
local report = use "report"
local schema = use "schema"
local predicates = use "predicates"
local catalogue = use "catalogue"
local facts = use "facts"
local clock = use "clock"
local units = use "units"
local sub = report.sub

local conditions = {}

-- --- matchers: what a value of each kind may be compared with ---

local ordered = {
  gt = function(name, bound) return function(f) local v = f[name] return v and v > bound end end,
  ge = function(name, bound) return function(f) local v = f[name] return v and v >= bound end end,
  lt = function(name, bound) return function(f) local v = f[name] return v and v < bound end end,
  le = function(name, bound) return function(f) local v = f[name] return v and v <= bound end end,
  between = function(name, bounds)
    local low, high = bounds[1], bounds[2]
    return function(f) local v = f[name] return v and v >= low and v <= high end
  end,
}

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

local function one_of(name, list)
  if #list == 1 then
    local wanted = list[1]
    return function(f) return f[name] == wanted end
  end
  local set = set_of(list)
  return function(f) return set[f[name]] end
end

local function none_of(name, list)
  local set = set_of(list)
  return function(f) return not set[f[name]] end
end

-- The values of a constant, list or none_of, checked one by one; with the op that joins them.
local function values_of(value, path, check)
  local predicate = predicates.of(value)
  local list, op = value, "one_of"
  if predicate then list, op = predicate.value, predicate.op end
  if type(list) ~= "table" then list = { list } end
  local checked = {}
  for i, one in ipairs(list) do
    checked[i] = check(one, (predicate or type(value) ~= "table") and path or sub(path, i))
    if checked[i] == nil then return nil end
  end
  if #checked == 0 then
    report.at(path, "expected a value, a list or a predicate, got " .. schema.kind_of(value))
    return nil
  end
  return checked, op
end

local function refuse(path, op, allowed)
  report.at(path, ("%s does not fit here: %s"):format(op, allowed))
end

local function text_condition(name, check)
  return function(value, path)
    local predicate = predicates.of(value)
    if predicate and predicate.op == "like" then
      local pattern = predicate.value
      return function(f) local v = f[name] return v and core.glob(pattern, v) end
    end
    if predicate and predicate.op ~= "none_of" then
      return refuse(path, predicate.op, "a text is compared with a constant, a list, isnt, none_of, like or any")
    end
    local list, op = values_of(value, path, check or schema.text)
    if not list then return nil end
    return op == "one_of" and one_of(name, list) or none_of(name, list)
  end
end

local function number_condition(name)
  return function(value, path)
    local predicate = predicates.of(value)
    if predicate and ordered[predicate.op] then return ordered[predicate.op](name, predicate.value) end
    if predicate and predicate.op ~= "none_of" then
      return refuse(path, predicate.op, "a number is compared with a constant, gt, ge, lt, le, between or none_of")
    end
    local list, op = values_of(value, path, schema.number)
    if not list then return nil end
    return op == "one_of" and one_of(name, list) or none_of(name, list)
  end
end

-- A rank that is not there is below all: who has no clearance has none.
local function at_least(name, class)
  local rank, least = schema.class_rank, schema.class_rank[class]
  return function(f) return (rank[f[name]] or 0) >= least end
end

local function class_condition(value, path)
  local predicate = predicates.of(value)
  if predicate and predicate.op == "at_least" then return at_least("data", predicate.value) end
  if predicate and predicate.op ~= "none_of" then
    return refuse(path, predicate.op, "a data class is compared with a constant, a list, at_least or none_of")
  end
  local list, op = values_of(value, path, schema.class)
  if not list then return nil end
  return op == "one_of" and one_of("data", list) or none_of("data", list)
end

-- A text of the key, which may be one of the data classes.
local function clearance_condition(value, path)
  local predicate = predicates.of(value)
  if predicate and predicate.op == "at_least" then return at_least("clearance", predicate.value) end
  return text_condition("clearance")(value, path)
end

local function boolean_condition(name)
  return function(value, path)
    if schema.boolean(value, path) == nil then return nil end
    return function(f) return f[name] == value end
  end
end

-- A model may be named by its own name or an alias; a dated snapshot is only one of a model's faces.
local function check_model(value, path)
  local known = type(value) == "string" and catalogue.names[value]
  if not known then
    report.at(path, ("no model %s in policies/models.lua"):format(schema.kind_of(value):gsub("^the text ", "")),
      report.nearest(tostring(value), report.keys(catalogue.names)))
    return nil
  end
  if known.snapshot then
    report.at(path, ("'%s' is a snapshot: name its model, '%s'"):format(value, known.model.name))
    return nil
  end
  return known.model.name
end
conditions.check_model = check_model

local uses_bits = { tools = 1, hosted_tools = 2, remote_mcp = 4, images = 8, files = 16, audio = 32 }

local function uses_condition(value, path)
  local check = schema.choice(report.keys(uses_bits))
  local list, op = values_of(value, path, check)
  if not list then return nil end
  if op ~= "one_of" and op ~= "none_of" then return refuse(path, op, "uses is compared with a name, a list or none_of") end
  local mask = 0
  for _, name in ipairs(list) do mask = bit.bor(mask, uses_bits[name]) end
  if op == "none_of" then return function(f) return bit.band(f.uses, mask) == 0 end end
  return function(f) return bit.band(f.uses, mask) ~= 0 end
end

-- Members of a set: holds(f, name) says whether one is in it.
local function set_condition(what, holds)
  return function(value, path)
    local list, op = values_of(value, path, schema.text)
    if not list then return nil end
    if op ~= "one_of" and op ~= "none_of" then
      return refuse(path, op, ("a %s is compared with a name, a list or none_of"):format(what))
    end
    return function(f)
      for i = 1, #list do
        if holds(f, list[i]) then return op == "one_of" end
      end
      return op == "none_of"
    end
  end
end

-- contains = { "ignore previous instructions", "prj-####" }: words, phrases and masks in what did not come with the
-- application, all at once (core/wire/keywords.h).
local function contains_condition(value, path)
  local list, op = values_of(value, path, schema.text)
  if not list then return nil end
  if op ~= "one_of" and op ~= "none_of" then return refuse(path, op, "contains is compared with a text, a list or none_of") end
  local keywords, why = core.keywords(list)
  if not keywords then return report.at(path, why) end
  return function()
    local search, found = core.keyword_search(keywords), nil
    while found == nil do found = core.keyword_step(search) end
    return found == (op == "one_of")
  end
end

local sticky_facts = { user = "user", session = "session", key = "key_id" }

-- share = "10%", sticky = "user": a part of all callers, always the same ones. Who has no user, or no session, is known by
-- the key, and without a key by the request.
local function share_test(value, path, name)
  if value.share == nil then
    if value.sticky ~= nil then report.at(sub(path, "sticky"), "sticky says whose share it is: share = \"10%\" is missing") end
    return nil
  end
  local part = units.percent(value.share, sub(path, "share"))
  local sticky = value.sticky == nil and "user"
    or schema.choice { "user", "session", "key" }(value.sticky, sub(path, "sticky"))
  if part and (part == 0 or part > 10000) then
    report.at(sub(path, "share"), ("a share lies between 0%% and 100%%, got %s"):format(value.share),
      part == 0 and "mode = \"off\" takes a rule out" or nil)
  end
  if not part or not sticky then return nil end
  local fact = sticky_facts[sticky]
  return function(f) return core.share(f[fact] or f.key_id or f.id, name) < part end
end

local compilers = {
  role = set_condition("role", function(_, name) return core.has_role(name) end),
  label = set_condition("data label", function(f, name) return f.labels and f.labels[name] or false end),
  model = text_condition("model", check_model),
  api = text_condition("api", schema.choice { "chat", "completions", "embeddings" }),
  task = text_condition "task",
  quality = text_condition "quality",
  data = class_condition,
  clearance = clearance_condition,
  uses = uses_condition,
  contains = contains_condition,
  stream = boolean_condition "stream",
}
for _, name in ipairs { "department", "app", "user", "team", "tier", "region", "env", "session" } do
  compilers[name] = text_condition(name)
end
for _, name in ipairs { "context_tokens", "input_tokens", "output_tokens", "max_tokens", "max_latency_ms" } do
  compilers[name] = number_condition(name)
end

-- --- a whole table ---

local function called_set(value, path)
  local predicate = predicates.of(value)
  if predicate and predicate.op ~= "none_of" and predicate.op ~= "like" then
    return refuse(path, predicate.op, "called names models or targets: a name, a list, none_of or like")
  end
  local set, why = catalogue.select(predicate and predicate.value or value)
  if not set then
    report.at(path, why)
    return nil
  end
  if predicate and predicate.op == "none_of" then return catalogue.complement(set) end
  return set
end

-- Keys that are read together with others.
local joint_keys = { hours = true, days = true, zone = true, share = true, sticky = true }
local absent = {
  prompt = "prompts have no registry in this version",
  route = "to act on a target that a rule chooses, write called = \"…\"",
}

local function known_names()
  local names = report.keys(compilers)
  for name in pairs(facts.labels) do names[#names + 1] = name end
  for name in pairs(joint_keys) do names[#names + 1] = name end
  names[#names + 1] = "called"
  return names
end

conditions.names = known_names

local function compile_key(key, value, path)
  local compiler = compilers[key] or (facts.labels[key] and text_condition(key))
  if not compiler then
    report.at(path, ("unknown condition '%s'"):format(tostring(key)), absent[key] or report.nearest(key, known_names())
      or "a label of your keys? name it in auth.lua: labels = { … }")
    return nil
  end
  local predicate = predicates.of(value)
  if predicate and predicate.op == "any" then return nil end
  return compiler(value, path)
end

-- All of them, in order; nil when there is nothing to test.
local function join(tests)
  local a, b = tests[1], tests[2]
  if #tests <= 1 then return a end
  if #tests == 2 then return function(f) return a(f) and b(f) end end
  return function(f)
    for i = 1, #tests do
      if not tests[i](f) then return false end
    end
    return true
  end
end

-- Cheap tests before dear ones; the rest in the order of names, so that two loads do the same.
local weight = { role = 2, context_tokens = 2, input_tokens = 2, contains = 3 }

function conditions.compile(value, path, name)
  if type(value) == "function" then
    return { test = function(f) return value(f.ctx) end, is_function = true, line = core.function_line(value) }
  end
  if type(value) ~= "table" or getmetatable(value) then
    report.at(path, "expected a table of conditions or a function(ctx), got " .. schema.kind_of(value))
    return {}
  end
  local keys, tests, condition = {}, {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    local x, y = weight[a] or 1, weight[b] or 1
    if x ~= y then return x < y end
    return tostring(a) < tostring(b)
  end)
  for _, key in ipairs(keys) do
    local at = sub(path, key)
    if key == "called" then condition.called = called_set(value.called, at)
    elseif not joint_keys[key] then tests[#tests + 1] = compile_key(key, value[key], at) end
  end
  tests[#tests + 1] = share_test(value, path, name or "")
  tests[#tests + 1] = clock.compile(value, path)
  condition.test = join(tests)
  condition.is_empty = #tests == 0 and not condition.called
  return condition
end

return conditions
