-- Edits of declared rows and rules that would let a request through: each is compiled and decided before it is named.
--
--   edits.find(t, seen, budget)  → { { kind = "edit", text, at, source, edit = { file, path, source } } }
--
-- path: keys from the constructor's table; source: the Lua that stands there then. A function is never edited.
local core, use = ...
local catalogue = use "catalogue"
local apps = use "constructors/apps"
local condition = use "condition"
local facts = use "facts"
local loaded = use "load"
local predicates = use "predicates"
local report = use "report"
local schema = use "schema"
local tries = use "remedy/tries"
local units = use "units"
local walk = use "explain/walk"
local words = use "words"

local edits = {}

local make = predicates.words

-- --- values that a condition would need, so that it no longer applies to what was seen ---

local function is_plain(value) return type(value) == "table" and not getmetatable(value) end

local function without(list, gone)
  local rest = {}
  for _, value in ipairs(list) do
    if not gone[value] then rest[#rest + 1] = value end
  end
  return rest
end

local function set_of(seen)
  local set = {}
  for _, value in ipairs(type(seen) == "table" and seen or { seen }) do set[value] = true end
  return set
end

local beyond = { gt = "gt", ge = "gt", lt = "lt", le = "lt" }

-- The term, narrowed so that it does not hold for `now`; nil when there is nothing worth saying.
local function narrowed(term, now)
  local function other(op, values) return { key = term.key, op = op, values = values } end
  local values = term.written or term.values
  if term.op == "one_of" then
    local rest = without(values, set_of(now))
    return #rest > 0 and #rest < #values and other("one_of", rest) or nil
  end
  if beyond[term.op] and type(now) == "number" then return other(beyond[term.op], { now }) end
  if term.op == "none_of" and type(now) == "string" then
    local list = { unpack(values) }
    list[#list + 1] = now
    return other("none_of", list)
  end
  if term.op == "at_least" then
    local above = schema.classes[(schema.class_rank[now] or 9) + 1]
    return above and other("at_least", { above }) or nil
  end
end

-- --- candidates ---

local function definition_of(name)
  for i, policy in ipairs(loaded.policies) do
    if policy.name == name then return loaded.definitions[i], i end
  end
end

local function add(list, path, value, text) list[#list + 1] = { path = path, value = value, text = text } end

local function row_edits(list, definition, name, column, seen)
  local row = type(definition.spec.models) == "table" and definition.spec.models[name]
  if type(row) ~= "table" then return end
  local path = { "models", name, column }
  local department, data = seen.facts.department, seen.facts.data
  if column == "departments" and department then
    local names = is_plain(row.departments) and { unpack(row.departments) } or { row.departments }
    names[#names + 1] = department
    add(list, path, names, ("add %s to the departments of %s"):format(department, name))
  elseif column == "departments" then add(list, path, make.any, ("open %s to any caller"):format(name))
  elseif column == "data" then add(list, path, data, ("let %s see %s data"):format(name, data))
  elseif column == "approval" then add(list, path, nil, ("ask for no approval of %s"):format(name)) end
end

local function default_edit(list, definition, name, seen)
  if not catalogue.models[name] or catalogue.models[name].virtual
    or definition.spec.models and definition.spec.models[name] then
    return
  end
  local row = { departments = seen.facts.department and { seen.facts.department } or make.any, data = seen.facts.data }
  add(list, definition.spec.models and { "models", name } or { "models" },
    definition.spec.models and row or { [name] = row }, ("add a row for %s"):format(name))
end

local function auth_edits(list, definition, rule, seen)
  local given = definition.spec.require
  for _, name in ipairs(rule == "require" and is_plain(given) and given or {}) do
    if seen.facts[name] == nil then
      add(list, { "require" }, without(given, { [name] = true }), ("do not require a %s"):format(name))
    end
  end
end

local metered = { ratelimit = "limits", budget = "budgets" }
local amounts = { "limit", "requests", "tokens", "concurrent" }
local tenths = { 11, 20, 100 }

-- A row of limits or budgets by the name of its rule: "sales", "sales@100%". Row and path; nil when there is none.
local function metered_row(definition, rule)
  local name, field = rule:gsub("@.*$", ""), metered[definition.kind]
  for i, row in ipairs(field and is_plain(definition.spec[field]) and definition.spec[field] or {}) do
    if is_plain(row) and row[1] == name then return row, { field, i } end
  end
  if name == "default" and is_plain(definition.spec.default) then return definition.spec.default, { "default" } end
end

-- 60 → 66, "0.50" → "0.55"; nil of what is no amount.
local function raised(value, factor)
  local number = tonumber(value)
  if not number then return nil end
  if type(value) == "number" and value % 1 == 0 then return math.ceil(value * factor / 10) end
  local text = units.spell_usd(math.ceil(number * 100000000 * factor - 1e-6))
  return type(value) == "number" and tonumber(text) or text
end

local function metered_edits(list, definition, rule)
  local row, path = metered_row(definition, rule)
  if not row then return end
  for _, factor in ipairs(tenths) do
    for _, field in ipairs(amounts) do
      local more = raised(row[field], factor)
      if more then
        local at = { unpack(path) }
        at[#at + 1] = field
        add(list, at, more, ("raise %s of %s from %s to %s"):format(field, tostring(row[1] or "default"),
          words.value(row[field]), words.value(more)))
      end
    end
  end
end

-- What a detector found is masked instead of denied; more of a long text is looked at.
local function redaction_edits(list, definition, rule)
  local given = definition.spec.request
  if is_plain(given) and (given[rule] == "deny" or given["*"] == "deny") and rule ~= "max_scan" then
    add(list, { "request", rule }, "mask", ("mask %s instead of refusing it"):format(rule))
  elseif rule == "max_scan" then add(list, { "unscanned" }, "warn", "only warn of text that is not looked at") end
end

-- An app that apps.lua does not know.
local function app_edits(list, seen)
  local app = seen.facts.app
  if loaded.apps and app and not facts.apps[app] then
    list[#list + 1] = { definition = loaded.apps, path = { app }, value = { department = seen.facts.department },
      text = ("add the app %s"):format(app) }
  end
end

local function rule_of(policy, name)
  for i, rule in ipairs(policy.written_rules or {}) do
    if rule.name == name then return rule, i end
  end
end

local function names_department(rule)
  for _, term in ipairs(rule.when and rule.when.terms or {}) do
    if term.key == "department" then return true end
  end
  return false
end

-- The conditions first, one at a time; to observe the rule always ends its effect.
local function rule_edits(list, policy, name, seen)
  local rule, i = rule_of(policy, name)
  if not rule then return end
  for _, term in ipairs(rule.when and rule.when.terms or {}) do
    local now = seen.facts[term.key]
    local narrower = now ~= nil and not term.opaque and narrowed(term, now)
    if narrower then
      add(list, { "rules", i, "when", unpack(term.keys or { term.key }) }, condition.value(narrower),
        ("let the rule %s apply only where %s"):format(name, words.term(narrower)))
    end
  end
  local department = seen.facts.department
  if not rule.unless and department and not names_department(rule) then
    add(list, { "rules", i, "unless" }, { department = department },
      ("except %s from the rule %s"):format(department, name))
  end
  if rule.mode ~= "observe" then
    add(list, { "rules", i, "mode" }, "observe", ("only observe the rule %s"):format(name))
  end
end

-- Who spoke against the request or one of its targets: policy and rule, the verdict's own first.
local function blamed(seen)
  local list, known = {}, {}
  local function blame(policy, rule)
    local name = policy .. "/" .. rule
    if not known[name] then list[#list + 1] = { policy = policy, rule = rule } end
    known[name] = true
  end
  if seen.outcome.policy then blame(seen.outcome.policy, seen.outcome.rule or "") end
  for _, entry in ipairs(seen.log) do
    if entry.what == "note" and entry.mode == "enforce" then
      local one = entry.dropped
      if one and one.by then blame(one.by, one.rule) end
      if entry.verb == "deny" or entry.verb == "only" or entry.verb == "drop" then blame(entry.policy, entry.rule) end
    end
  end
  return list
end

-- Models that stand behind the targets which were refused, for rows that are missing.
local function models_behind(seen)
  local names = { seen.facts.model }
  for _, entry in ipairs(seen.log) do
    if entry.dropped then names[#names + 1] = catalogue.targets[entry.dropped.target].owner.name end
  end
  return names
end

local function candidates(seen, blame)
  local definition, place = definition_of(blame.policy)
  local list = {}
  if not definition then return list end
  local name, column = blame.rule:match("^models%.(.*)%.(%l+)$")
  if definition.kind == "access" and name then row_edits(list, definition, name, column, seen) end
  if definition.kind == "access" and blame.rule == "default" then
    for _, model in ipairs(models_behind(seen)) do default_edit(list, definition, model, seen) end
  end
  if metered[definition.kind] then metered_edits(list, definition, blame.rule) end
  if definition.kind == "redaction" then redaction_edits(list, definition, blame.rule) end
  if definition.kind == "auth" then auth_edits(list, definition, blame.rule, seen) end
  rule_edits(list, loaded.policies[place], blame.rule, seen)
  for _, edit in ipairs(list) do edit.definition = definition end
  if definition.kind == "auth" and blame.rule == "apps" then app_edits(list, seen) end
  return list
end

-- --- trying one ---

-- The definition with another value at a path; what is not on the way is shared.
local function with(spec, path, at, value)
  local copy = {}
  for key, item in pairs(spec) do copy[key] = item end
  local key = path[at]
  if at == #path then copy[key] = value
  else copy[key] = with(is_plain(spec[key]) and spec[key] or {}, path, at + 1, value) end
  return copy
end

local function edited(list, definition)
  local spec = definition.spec
  for _, edit in ipairs(list) do
    if edit.definition == definition then spec = with(spec, edit.path, 1, edit.value) end
  end
  return spec ~= definition.spec and setmetatable({ spec = spec }, { __index = definition }) or definition
end

-- The policies and apps with these edits made; nil when they do not compile.
local function compiled(list)
  local policies, known, before = {}, facts.apps, report.errors
  if loaded.apps and edited(list, loaded.apps) ~= loaded.apps then
    report.begin(loaded.apps.file)
    known = apps.compile(edited(list, loaded.apps).spec)
  end
  for i, definition in ipairs(loaded.definitions) do
    local now = edited(list, definition)
    policies[i] = now == definition and loaded.policies[i]
      or walk.watch(loaded.compile(now, loaded.policies[i].is_off), now)
  end
  local is_good = report.errors == before
  report.errors = before
  return is_good and policies or nil, known
end

-- --- the answer ---

local function finished(edit)
  report.begin(edit.definition.file)
  local path = nil
  for _, key in ipairs(edit.path) do path = report.sub(path, key) end
  local line = (report.place(path))
  local last = edit.path[#edit.path]
  local source = edit.value ~= nil and words.source(edit.value) or nil
  local shown = type(last) == "string" and not last:find("^[%a_][%w_]*$") and ("[%q]"):format(last) or tostring(last)
  return { kind = "edit", text = edit.text, at = ("%s:%d"):format(edit.definition.file.path, line),
    source = source and ("%s = %s,"):format(shown, source) or ("without %s"):format(shown),
    edit = { file = edit.definition.file.path, line = line, path = edit.path, source = source } }
end

local function joined(list)
  if #list == 1 then return finished(list[1]) end
  local out = finished(list[1])
  out.also = {}
  for i = 2, #list do
    out.also[#out.also + 1] = finished(list[i])
  end
  return out
end

local DEPTH_MAX = 5

local function try(t, list, budget)
  if not tries.take(budget) then return nil end
  local policies, known = compiled(list)
  local now = facts.apps
  facts.apps = known
  local seen = policies and walk.decide(t, policies) or nil
  facts.apps = now
  return seen
end

local function extended(chosen, edit)
  local list = { unpack(chosen) }
  list[#list + 1] = edit
  return list
end

-- What stands against a request: the rule that denied, and for each target that was refused the rule that did.
local function obstacles(seen)
  local names = { tostring(seen.outcome.policy) .. "/" .. tostring(seen.outcome.rule) }
  for _, entry in ipairs(seen.log) do
    local one = entry.dropped
    if one then names[#names + 1] = ("%s %s/%s"):format(one.target, one.by or "", one.rule or "") end
  end
  return table.concat(names, " ")
end

-- One edit after another: after each, what speaks against the request next. The first edit that gets further is kept.
local function search(t, seen, budget)
  local chosen, now, met = {}, seen, { [obstacles(seen)] = true }
  for _ = 1, DEPTH_MAX do
    local step, after
    for _, blame in ipairs(blamed(now)) do
      for _, edit in ipairs(candidates(now, blame)) do
        local tried = try(t, extended(chosen, edit), budget)
        if tried and tried.outcome.kind == "allow" then return extended(chosen, edit) end
        if not step and tried and tried.outcome.kind == "deny" and not met[obstacles(tried)] then
          step, after = edit, tried
        end
      end
    end
    if not step then return nil end
    chosen, now = extended(chosen, step), after
    met[obstacles(now)] = true
  end
end

function edits.find(t, seen, budget)
  if not seen or seen.outcome.kind ~= "deny" or not seen.facts then return {} end
  local list = search(t, seen, budget)
  return list and { joined(list) } or {}
end

return edits
