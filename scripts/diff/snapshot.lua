-- What a bundle says, as plain tables that two generations can be compared by: the definitions, not their text.
--
--   use "diff/snapshot" ()
--     → { digest, chain, models, apps, policies = { { name, kind, file, fields, rules, rows, … } } }
--
-- Conditions are terms (scripts/condition.lua), predicates elsewhere { _op }, functions { _source }, and every row and
-- rule knows its line. A function is its own text and what it uses of the code around it.
local core, use = ...
local loaded = use "load"
local condition = use "condition"
local governing = use "governing"
local json = use "json"
local predicates = use "predicates"
local rates = use "rates"
local report = use "report"
local words = use "words"

-- --- values ---

-- The lines of a function, without what the file indents them by.
local function own_text(fn)
  local lines = {}
  for line in (core.function_text(fn) .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = (line:gsub("^%s+", ""):gsub("%s+$", ""))
  end
  return (table.concat(lines, "\n"):gsub("\n+$", ""))
end

local DEPTH_MAX = 8

-- One text for a value that a function uses; a function that uses itself is told once.
local function spelt_out(value, seen, depth)
  value = core.thaw(value) or value
  if type(value) ~= "function" and type(value) ~= "table" then
    return type(value) == "userdata" and "userdata" or tostring(value)
  end
  if seen[value] or depth > DEPTH_MAX then return "…" end
  seen[value] = true
  local predicate, inner = predicates.of(value), rates.of(value) or value
  if predicate then return predicate.op .. " " .. spelt_out(predicate.value, seen, depth + 1) end
  local parts = {}
  if type(value) == "function" then parts[1], inner = own_text(value), core.function_upvalues(value) end
  local named = {}
  for key, item in core.safe.pairs(inner) do
    named[#named + 1] = ("%s = %s"):format(tostring(key), spelt_out(item, seen, depth + 1))
  end
  table.sort(named)
  for _, text in ipairs(named) do parts[#parts + 1] = text end
  return "{" .. table.concat(parts, "\n") .. "}"
end

local function source_of(fn) return spelt_out(fn, {}, 1) end

local normal

-- A list stays one; a table with names, or with both, has text keys only.
local function table_of(value)
  local out, only_list = {}, true
  for key in pairs(value) do only_list = only_list and type(key) == "number" end
  for key, item in pairs(value) do out[only_list and key or tostring(key)] = normal(item) end
  return out
end

normal = function(value)
  if predicates.of(value) then return { _op = predicates.of(value).op } end
  if type(value) == "function" then return { _source = source_of(value), _line = (core.function_line(value)) } end
  if type(value) ~= "table" then return value end
  if value == rates.words.free then return "free" end
  return table_of(rates.of(value) or value)
end

local function line_of(...)
  local path
  for _, key in ipairs { ... } do path = report.sub(path, key) end
  return (report.place(path))
end

-- --- rules ---

local function condition_of(read)
  if not read then return nil end
  return { terms = condition.data(read, source_of), text = words.condition(read), is_function = read.is_function }
end

-- What `only` and `drop` name, as a condition on what is called.
local function selection_of(verb, value)
  if verb ~= "only" and verb ~= "drop" then return nil end
  return condition.data({ terms = { (condition.selection(value)) } })
end

local function rule_of(rule, compiled, i)
  local verb, value = words.verb(rule)
  return { name = compiled.name, line = line_of("rules", i), verb = verb, action = words.action(rule),
    value = normal(value), selection = selection_of(verb, value), when = condition_of(compiled.when),
    unless = condition_of(compiled.unless), mode = rule.mode,
    reason = type(rule.reason) == "string" and rule.reason or nil }
end

-- --- rows ---

-- Tables whose entries are rows with names: { name = { … } }, or { { "name", … } }.
local row_fields = { access = { models = true }, ratelimit = { limits = true }, budget = { budgets = true } }

-- A column that names one value or several, or any.
local function column(key, value)
  if predicates.of(value) then return { { key = key, op = "any", values = {} } } end
  return { { key = key, op = "one_of", values = type(value) == "table" and normal(value) or { value } } }
end

-- read: the row's `when`, where it has one.
local function row_of(row, read, line)
  if type(row) ~= "table" then return { line = line, cells = normal(row), text = words.value(row) } end
  local rest = {}
  for key, value in pairs(row) do
    if key ~= "when" then rest[key] = value end
  end
  local text = words.value(rest)
  if read then text = text .. ", when " .. words.cell(read) end
  return { line = line, cells = normal(rest), text = text,
    departments = rest.departments ~= nil and column("department", rest.departments) or nil,
    when = read and { terms = condition.data(read, source_of), text = words.cell(read), is_function = read.is_function }
      or nil }
end

local function conditions_of_rows(policy)
  local by_name = {}
  for _, row in ipairs(policy.written_rows or {}) do by_name[row.name] = row.when end
  return by_name
end

local function rows_of(definition, policy)
  local rows, reads = {}, conditions_of_rows(policy)
  for field in pairs(row_fields[definition.kind] or {}) do
    local list = definition.spec[field]
    for key, row in pairs(type(list) == "table" and not getmetatable(list) and list or {}) do
      local name = tostring(type(row) == "table" and type(key) == "number" and row[1] or key)
      rows[name] = row_of(row, reads[name], line_of(field, key))
    end
  end
  local rest = definition.kind == "budget" and definition.spec.default -- who has no row of its own
  if type(rest) == "table" then rows.default = row_of(rest, reads.default, line_of("default")) end
  return rows
end

-- --- policies ---

local own = { rules = true, examples = true, name = true, description = true, mode = true, on_error = true }

local function is_row_field(kind, key, value)
  return row_fields[kind] and row_fields[kind][key] or kind == "budget" and key == "default" and type(value) == "table"
end

-- Does a hook propose targets? Then it may let through what nobody else would.
local function proposes(spec)
  return spec.on_request and core.function_text(spec.on_request):find("%f[%w_]route%f[^%w_]") ~= nil or nil
end

local function policy_of(definition, policy)
  report.begin(definition.file)
  local spec = definition.spec
  local out = { name = policy.name, kind = definition.kind, file = definition.file.path, line = definition.file.line,
    mode = policy.is_off and "off" or spec.mode or "enforce", on_error = spec.on_error or "deny",
    fields = {}, rules = {}, rows = rows_of(definition, policy), proposes = proposes(spec) }
  for key, value in pairs(spec) do
    if type(key) == "string" and not own[key] and not is_row_field(definition.kind, key, value) then
      out.fields[key] = normal(value)
    end
  end
  for i, rule in ipairs(spec.rules or {}) do out.rules[i] = rule_of(rule, policy.written_rules[i], i) end
  return out
end

local function named(definition)
  local out = {}
  if not definition then return out end
  report.begin(definition.file)
  for name, entry in pairs(definition.spec) do
    out[name] = { line = line_of(name), cells = normal(entry), text = words.value(entry) }
  end
  return out
end

-- The rules that hold, and where what the file says of them stands.
local function governance_of()
  local out, definition = { rules = governing.rules(), lines = { reviews = {} } }, loaded.governance
  if not definition then return out end
  report.begin(definition.file)
  local spec = definition.spec
  for part, names in pairs { prompts = { "review", "protected", "tests" },
    approvals = { "pending", "longest", "break_glass" }, checklist = { "require", "audit_retention" } } do
    for _, name in ipairs(names) do
      if type(spec[part]) == "table" and spec[part][name] ~= nil then out.lines[name] = line_of(part, name) end
    end
  end
  for i, plan in ipairs(spec.reviews or {}) do out.lines.reviews[plan[1]] = line_of("reviews", i) end
  return out
end

local function snapshot()
  local out = { digest = core.digest(), chain = {}, models = named(loaded.models), apps = named(loaded.apps),
    has_apps = loaded.apps ~= nil, governance = governance_of(), policies = {} }
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
