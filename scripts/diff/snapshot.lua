-- What a bundle says, as plain tables that two generations can be compared by: the definitions, not their text.
--
--   use "diff/snapshot" ()  → { digest, chain, models, apps, policies = { { name, kind, file, fields, rules, rows, hooks } } }
--
-- Predicates become { _op, _value }, functions { _source }, and every row and rule knows its line.
local core, use = ...
local loaded = use "load"
local json = use "json"
local predicates = use "predicates"
local rates = use "rates"
local report = use "report"
local words = use "words"

-- The function's own lines, without what the file indents them by.
local function source_of(fn, file)
  local first, last = core.function_line(fn)
  local lines, number = {}, 0
  for line in (file.text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if number >= first and number <= last then lines[#lines + 1] = (line:gsub("^%s+", ""):gsub("%s+$", "")) end
  end
  return table.concat(lines, "\n"), first
end

local normal

-- A list stays one; a table with names, or with both, has text keys only.
local function table_of(value, file)
  local out, only_list = {}, true
  for key in pairs(value) do only_list = only_list and type(key) == "number" end
  for key, item in pairs(value) do out[only_list and key or tostring(key)] = normal(item, file) end
  return out
end

normal = function(value, file)
  local predicate = predicates.of(value)
  if predicate then return { _op = predicate.op, _value = normal(predicate.value, file), _text = words.value(value) } end
  if type(value) == "function" then
    local source, line = source_of(value, file)
    return { _source = source, _line = line }
  end
  if type(value) ~= "table" then return value end
  if value == rates.words.free then return "free" end
  return table_of(rates.of(value) or value, file)
end

local function line_of(...)
  local path
  for _, key in ipairs { ... } do path = report.sub(path, key) end
  return (report.place(path))
end

local function condition(value, file)
  if value == nil then return nil end
  return { is = normal(value, file), text = words.conditions(value), is_function = type(value) == "function" or nil }
end

local function rule_of(rule, i, file)
  local verb, value = words.verb(rule)
  return { name = tostring(rule[1]), line = line_of("rules", i), verb = verb, action = words.action(rule), value = normal(value, file),
    when = condition(rule.when, file), unless = condition(rule.unless, file), mode = rule.mode,
    reason = type(rule.reason) == "string" and rule.reason or nil }
end

-- Tables whose entries are rows with names: { name = { … } }, or { { "name", … } }.
local row_fields = { access = { models = true }, ratelimit = { limits = true }, budget = { budgets = true } }

local function rows_of(definition)
  local rows = {}
  for field in pairs(row_fields[definition.kind] or {}) do
    local list = definition.spec[field]
    for key, row in pairs(type(list) == "table" and not getmetatable(list) and list or {}) do
      local name = type(row) == "table" and type(key) == "number" and row[1] or key
      rows[tostring(name)] = { line = line_of(field, key), cells = normal(row, definition.file), text = words.value(row) }
    end
  end
  local rest = definition.kind == "budget" and definition.spec.default -- who has no row of its own
  if type(rest) == "table" then
    rows.default = { line = line_of("default"), cells = normal(rest, definition.file), text = words.value(rest) }
  end
  return rows
end

local own = { rules = true, examples = true, name = true, description = true, mode = true, on_error = true }

local function policy_of(definition, policy)
  report.begin(definition.file)
  local spec = definition.spec
  local out = { name = policy.name, kind = definition.kind, file = definition.file.path, line = definition.file.line,
    mode = policy.is_off and "off" or spec.mode or "enforce", on_error = spec.on_error or "deny", fields = {}, rules = {}, rows = rows_of(definition) }
  for key, value in pairs(spec) do
    local is_row = row_fields[definition.kind] and row_fields[definition.kind][key]
      or definition.kind == "budget" and key == "default" and type(value) == "table"
    if type(key) == "string" and not own[key] and not is_row then out.fields[key] = normal(value, definition.file) end
  end
  for i, rule in ipairs(type(spec.rules) == "table" and spec.rules or {}) do out.rules[i] = rule_of(rule, i, definition.file) end
  return out
end

local function named(definition)
  local out = {}
  if not definition then return out end
  report.begin(definition.file)
  for name, entry in pairs(definition.spec) do
    out[name] = { line = line_of(name), cells = normal(entry, definition.file), text = words.value(entry) }
  end
  return out
end

local function snapshot()
  local out = { digest = core.digest(), chain = {}, models = named(loaded.models), apps = named(loaded.apps), policies = {} }
  for i, definition in ipairs(loaded.definitions) do
    out.policies[i] = policy_of(definition, loaded.policies[i])
    out.chain[i] = out.policies[i].name
  end
  return out
end

-- As a script that is asked: the snapshot as JSON. In scripts: use("diff/snapshot")(nil, true).
return function(_, as_table)
  local out = snapshot()
  if as_table then return out end
  return json.encode(out), 0
end
