-- Rules: { "name", when = …, unless = …, <one action> = …, reason = "…", mode = "…" }, compiled once and run in order.
local core, use = ...
local report = use "report"
local schema = use "schema"
local condition = use "condition"
local tests = use "condition/test"
local reasons = use "reasons"
local catalogue = use "catalogue"
local recording = use "recording"
local sub = report.sub

local rules = {}

-- --- actions: each gives what chain.apply acts on ---

local actions = {}
rules.actions = actions

function actions.deny(value, path)
  if type(value) ~= "table" or getmetatable(value) then
    report.at(path, "bad_decision",
      "deny is written { 403, \"code\" } or { status = 403, code = \"…\" }, got " .. schema.kind_of(value))
    return nil
  end
  if value[1] ~= nil then
    local status, code = schema.status(value[1], sub(path, 1)), schema.code(value[2], sub(path, 2))
    for key in pairs(value) do
      if key ~= 1 and key ~= 2 then
        report.at(sub(path, key), "unknown_field", ("unknown field '%s'"):format(tostring(key)),
          "the reason stands beside deny: reason = \"…\"")
      end
    end
    return { verb = "deny", status = status, code = code }
  end
  local fields = { status = schema.status, code = schema.code, reason = schema.text, retry_after = schema.number }
  local given = schema.record(fields, { "code" })(value, path) or {}
  return { verb = "deny", status = given.status or 403, code = given.code, reason = given.reason,
    retry_after = given.retry_after }
end

function actions.route(value, path)
  local list = {}
  for i, name in ipairs(schema.one_or_list(schema.text)(value, path) or {}) do
    local target = catalogue.targets[name]
    if target then list[#list + 1] = target
    else
      local at = type(value) == "table" and sub(path, i) or path
      local is_model = catalogue.names[name]
      local first = is_model and is_model.targets[1]
      report.at(at, "unknown_model", ("no target '%s' in policies/models.lua"):format(name),
        first and ("that is a model; it runs at '%s'"):format(first.name)
          or report.nearest(name, catalogue.target_names))
    end
  end
  catalogue.note_routed(list)
  return { verb = "route", targets = list }
end

local function narrow(verb)
  return function(value, path)
    local set, why, finding = catalogue.select(value)
    if not set then
      report.at(path, finding, why)
      return nil
    end
    return { verb = verb, set = set, spelt = catalogue.spell(value) }
  end
end

actions.only = narrow "only"
actions.drop = narrow "drop"

function actions.pass(value, path)
  if value ~= true and type(value) ~= "string" then
    report.at(path, "bad_decision", "pass is written pass = true or pass = \"why\"")
  end
  return { verb = "pass", reason = type(value) == "string" and value or nil }
end

function actions.annotate(value, path)
  local list = {}
  local function one(text, at)
    local kind = type(text)
    if kind == "string" or kind == "number" or kind == "boolean" then return tostring(text) end
    report.at(at, "bad_value", "an annotation is a text or a number, got " .. schema.kind_of(text))
  end
  for name, text in pairs(schema.map(one)(value, path) or {}) do list[#list + 1] = { name, text } end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return { verb = "annotate", list = list }
end

function actions.warn(value, path)
  local text = type(value) == "table" and value[2] or value
  local code = type(value) == "table" and value[1] or nil
  if type(text) ~= "string" or (code ~= nil and type(code) ~= "string") then
    report.at(path, "bad_decision", "warn is written warn = \"text\" or warn = { \"code\", \"text\" }")
    return nil
  end
  return { verb = "warn", code = code, warning = reasons.compile(text, path) }
end

function actions.record(value, path)
  local wish = recording.read(value, path)
  return { verb = "record", wish = wish or {}, reason = wish and recording.spell(wish) }
end

-- --- one rule ---

local shared = { when = true, unless = true, reason = true, mode = true, [1] = true }

-- Names of the fields that every rule may have.
function rules.shared_fields()
  return report.keys(shared)
end

local meant = { allow = "who is not refused may: pass = true skips what follows in this file",
  name = "the name stands first: { \"name\", … }", condition = "conditions stand in when = { … }",
  action = "the action's name is the field: deny = { 403, \"code\" }", message = "write reason = \"…\"" }

local function find_action(rule, path, allowed)
  local found
  for _, key in ipairs(report.keys(rule)) do
    if allowed[key] then
      if found then
        report.at(sub(path, key), "bad_action", ("a rule has one action, and this one has '%s' already"):format(found))
      end
      found = found or key
    elseif actions[key] then
      report.at(sub(path, key), "bad_action",
        ("a rule here cannot %s: %s"):format(key, table.concat(report.keys(allowed), ", ")))
      found = found or key
    elseif not shared[key] then
      local names = report.keys(allowed)
      for name in pairs(shared) do names[#names + 1] = name end
      report.at(sub(path, key), "unknown_field", ("unknown field '%s' in a rule"):format(key),
        meant[key] or report.nearest(key, names))
    end
  end
  if not found and rule.allow == nil then
    report.at(path, "bad_action",
      ("this rule has no action: one of %s"):format(table.concat(report.keys(allowed), ", ")))
  end
  return found
end

-- What `when` or `unless` of a rule says; nil when it has none.
local function read_condition(rule, field, path, id)
  if rule[field] == nil then return nil end
  return condition.read(rule[field], sub(path, field), id)
end

local function compile_rule(rule, path, policy, allowed)
  if type(rule) ~= "table" or getmetatable(rule) then
    report.at(path, "bad_rule", "a rule is a table, { \"name\", when = …, … }, got " .. schema.kind_of(rule))
    return nil
  end
  if type(rule[1]) ~= "string" or rule[1] == "" then
    report.at(path, "bad_rule", "a rule begins with its name: { \"name\", … }")
  end
  for key in pairs(rule) do
    if type(key) == "number" and key ~= 1 then
      report.at(sub(path, key), "bad_rule", "a rule has one name, and fields after it")
    end
  end
  local action = find_action(rule, path, allowed)
  local line = report.place(path)
  local out = { name = tostring(rule[1]), line = line, mode = policy.mode }
  if rule.mode ~= nil then out.mode = schema.mode(rule.mode, sub(path, "mode")) or policy.mode end
  if policy.mode == "observe" and out.mode == "enforce" then out.mode = "observe" end
  local id = policy.name .. "/" .. out.name
  out.when, out.unless = read_condition(rule, "when", path, id), read_condition(rule, "unless", path, id)
  if out.unless and out.unless.called then
    report.at(sub(sub(path, "unless"), "called"), "bad_rule", "called stands in 'when'")
  end
  out.called = out.when and out.when.called
  if action and allowed[action] then out.action = actions[action](rule[action], sub(path, action)) end
  if rule.reason ~= nil then out.reason = reasons.compile(rule.reason, sub(path, "reason")) end
  if out.action and out.reason == nil then out.reason = out.action.reason end
  if out.called and action and action ~= "deny" then
    report.at(sub(sub(path, "when"), "called"), "bad_action",
      "called is a filter on what is called: its action is deny",
      (action == "only" or action == "drop") and action .. " names its targets itself" or nil)
  end
  return out.action and out
end

local function check_names(path, compiled)
  local seen = {}
  for i, rule in ipairs(compiled) do
    if seen[rule.name] then report.at(sub(path, i), "bad_rule", ("two rules are called '%s'"):format(rule.name)) end
    seen[rule.name] = true
  end
end

local function check_list(list, path)
  for key in pairs(list) do
    if type(key) ~= "number" then
      report.at(sub(path, key), "bad_rule", "rules are a list: { \"name\", … } and not name = { … }")
    end
  end
end

-- Those at work, and all that are written, by their place in the list. allowed: set of actions.
local function compile_list(list, path, policy, allowed)
  local active, written = {}, {}
  if list == nil then return active, written end
  if type(list) ~= "table" or getmetatable(list) then
    report.at(path, "bad_rule", "rules are a list, got " .. schema.kind_of(list))
    return active, written
  end
  check_list(list, path)
  local compiled = {}
  for i, rule in ipairs(list) do
    written[i] = compile_rule(rule, sub(path, i), policy, allowed)
    compiled[#compiled + 1] = written[i]
  end
  check_names(path, compiled)
  for _, rule in ipairs(compiled) do
    if rule.mode ~= "off" then active[#active + 1] = rule end
  end
  return active, written
end

-- Fills the policy's rules (those at work), written_rules (also those that are off) and each_rule, which runs them:
-- scripts/condition/test.lua.
function rules.compile(list, path, policy, allowed)
  policy.rules, policy.written_rules = compile_list(list, path, policy, allowed)
  policy.each_rule = tests.runner(policy.rules)
end

return rules
