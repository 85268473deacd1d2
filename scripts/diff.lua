-- What changed between two bundles, in rules and not in lines of text: `moongate diff`.
--
--   use "diff" { old = snapshot of the other bundle, json = true } → text, 0 the same or 1 different
--
-- Asked in the state of the new bundle. A change: { policy, what = "rule no-tools", how = "added" | "removed" | "changed" |
-- "moved", text, at, effect = "loosens" | "tightens" | "unknown" | nil }. loosens: more is allowed than before; unknown: a
-- function, or a condition that has no order, may do either.
local core, use = ...
local json = use "json"
local report = use "report"
local schema = use "schema"
local snapshot = use "diff/snapshot"
local lattice = use "diff/lattice"
local text = use "diff/text"

local diff = {}

local opposite = { loosens = "tightens", tightens = "loosens", unknown = "unknown" }

local changes

local function add(policy, how, what, said, at, effect)
  changes[#changes + 1] = { policy = policy, how = how, what = what, text = said, at = at, effect = effect }
end

local function place(file, line) return line and line > 0 and ("%s:%d"):format(file, line) or file end

local function all_keys(a, b)
  local set = {}
  for key in pairs(a) do set[key] = true end
  for key in pairs(b) do set[key] = true end
  return report.keys(set)
end

-- --- values ---

local function spell(value)
  if value == nil then return "nothing" end
  if type(value) ~= "table" then return type(value) == "number" and ("%.14g"):format(value) or tostring(value) end
  if value._source then return "a function" end
  if value._op then return value._text end
  local parts = {}
  for _, item in ipairs(value) do parts[#parts + 1] = spell(item) end
  for _, key in ipairs(report.keys(value)) do parts[#parts + 1] = (tonumber(key) and "" or key .. " ") .. spell(value[key]) end
  return #parts > 0 and table.concat(parts, ", ") or "nothing"
end

-- "2.5 → 3 (+20 %)"
local function change_text(old, new)
  local a, b = tonumber(old), tonumber(new)
  local share = a and b and a > 0 and (" (%+.4g %%)"):format((b - a) / a * 100) or ""
  return spell(old) .. " → " .. spell(new) .. share
end

-- --- effects of single cells ---

local function more_allows(old, new)
  local way = lattice.compare(old, new)
  return way == "wider" and "loosens" or way == "narrower" and "tightens" or "unknown"
end

local function rank_effect(old, new)
  local a, b = schema.class_rank[old] or 0, schema.class_rank[new] or 0
  return b > a and "loosens" or "tightens"
end

local modes = { off = 0, observe = 1, enforce = 2 }

local function mode_effect(old, new)
  return (modes[new or "enforce"] or 2) > (modes[old or "enforce"] or 2) and "tightens" or "loosens"
end

local function number_effect(old, new)
  local a, b = tonumber(old), tonumber(new)
  if not a or not b then return "unknown" end
  return b > a and "loosens" or "tightens"
end

local access_cells = {
  departments = more_allows,
  data = rank_effect,
  approval = function(old, new) return old == nil and "tightens" or new == nil and "loosens" or "unknown" end,
  mode = mode_effect,
}

-- A limit that holds for more requests.
local function reach(old, new)
  local way = lattice.conditions(old, new)
  return way == "wider" and "tightens" or way == "narrower" and "loosens" or "unknown"
end

local limit_cells = { when = reach, limit = number_effect, requests = number_effect, tokens = number_effect, concurrent = number_effect,
  burst = number_effect, mode = mode_effect }

local function cell_effect(kind, cell, old, new)
  if cell == "description" then return nil end
  local of = kind == "access" and access_cells[cell] or (kind == "ratelimit" or kind == "budget") and limit_cells[cell]
  if not of then return "unknown" end
  return of(old, new)
end

-- --- rows ---

-- What a row that came or went does: with default = "allow" a row of the matrix restricts, else it opens. A budget's row
-- stands in for its default, and may allow more or less than that.
local function row_effect(policy, name)
  if policy.kind == "access" then return policy.fields.default == "allow" and "tightens" or "loosens" end
  if policy.rows.default and name ~= "default" then return "unknown" end
  return "tightens"
end

local function compare_cells(policy, what, old, new, kind, at)
  if type(old) ~= "table" or type(new) ~= "table" then
    if not lattice.is_equal(old, new) then add(policy, "changed", what, change_text(old, new), at, cell_effect(kind, "", old, new)) end
    return
  end
  for _, cell in ipairs(all_keys(old, new)) do
    if not lattice.is_equal(old[cell], new[cell]) then
      add(policy, "changed", what, cell .. " " .. change_text(old[cell], new[cell]), at, cell_effect(kind, cell, old[cell], new[cell]))
    end
  end
end

local function compare_rows(old, new)
  for _, name in ipairs(all_keys(old.rows, new.rows)) do
    local a, b = old.rows[name], new.rows[name]
    if not a then add(new.name, "added", "row " .. name, b.text, place(new.file, b.line), row_effect(new, name))
    elseif not b then add(new.name, "removed", "row " .. name, a.text, place(old.file, a.line), opposite[row_effect(old, name)])
    else compare_cells(new.name, "row " .. name, a.cells, b.cells, new.kind, place(new.file, b.line)) end
  end
end

-- --- rules ---

local restricts = { deny = true, only = true, drop = true, redact = true, mask = true }

-- What more of a rule does: more denials tighten, more passes skip what would have denied.
local function rule_effect(rule)
  if rule.mode == "off" or rule.mode == "observe" then return nil end
  if restricts[rule.verb] then return "tightens" end
  if rule.verb == "pass" then return "loosens" end
  return nil
end

local function rule_text(rule)
  local parts = { rule.action }
  if rule.when then parts[#parts + 1] = "when " .. rule.when.text end
  if rule.unless then parts[#parts + 1] = "unless " .. rule.unless.text end
  if rule.mode and rule.mode ~= "enforce" then parts[#parts + 1] = "(" .. rule.mode .. ")" end
  return table.concat(parts, " ")
end

local function reach_effect(rule, way)
  local effect = rule_effect(rule)
  if way == "same" or not effect then return nil end
  if way == "other" then return "unknown" end
  return way == "wider" and effect or opposite[effect]
end

local function condition_text(name, old, new)
  return ("%s %s → %s"):format(name, old and old.text or (name == "unless" and "never" or "always"),
    new and new.text or (name == "unless" and "never" or "always"))
end

local function is_changed_function(a, b)
  return a and b and a.is_function and b.is_function and a.is._source ~= b.is._source
end

-- way: "wider", … as lattice.conditions gives it.
local function compare_condition(policy, what, name, old, new, at, way, effect)
  if way == "same" then return end
  if is_changed_function(old, new) then
    add(policy, "changed", what, name .. ": function changed (cannot be compared)", at, effect and "unknown")
    return
  end
  add(policy, "changed", what, condition_text(name, old, new), at, effect)
end

local function selection_effect(verb, old, new)
  local way = lattice.compare(old, new)
  if way ~= "wider" and way ~= "narrower" then return "unknown" end
  if verb == "only" then return way == "wider" and "loosens" or "tightens" end
  return way == "wider" and "tightens" or "loosens"
end

local function compare_action(policy, what, old, new, at)
  if old.verb == new.verb and lattice.is_equal(old.value, new.value) then return end
  local effect
  if old.verb ~= new.verb then effect = (rule_effect(old) or rule_effect(new)) and "unknown" or nil
  elseif new.verb == "only" or new.verb == "drop" then effect = selection_effect(new.verb, old.value, new.value) end
  add(policy, "changed", what, old.action .. " → " .. new.action, at, effect)
end

local function compare_rule(policy, old, new, at)
  local what = "rule " .. new.name
  local when = lattice.conditions(old.when and old.when.is, new.when and new.when.is)
  local unless = lattice.exceptions(old.unless and old.unless.is, new.unless and new.unless.is)
  compare_condition(policy, what, "when", old.when, new.when, at, when, reach_effect(new, when))
  compare_condition(policy, what, "unless", old.unless, new.unless, at, unless, reach_effect(new, unless))
  compare_action(policy, what, old, new, at)
  if (old.mode or "enforce") ~= (new.mode or "enforce") then
    local full = { verb = new.verb }
    local effect = mode_effect(old.mode, new.mode)
    if rule_effect(full) == "loosens" then effect = opposite[effect] elseif not rule_effect(full) then effect = nil end
    add(policy, "changed", what, ("mode %s → %s"):format(old.mode or "enforce", new.mode or "enforce"), at, effect)
  end
  if old.reason ~= new.reason then add(policy, "changed", what, ("reason '%s' → '%s'"):format(spell(old.reason), spell(new.reason)), at) end
end

local function by_name(list)
  local map = {}
  for _, item in ipairs(list) do map[item.name] = item end
  return map
end

-- The names of a that are in b too, in a's order.
local function common_order(list, other)
  local names = {}
  for _, item in ipairs(list) do
    if other[item.name or item] then names[#names + 1] = item.name or item end
  end
  return names
end

local function compare_rules(old, new)
  local before, after = by_name(old.rules), by_name(new.rules)
  for _, rule in ipairs(old.rules) do
    if not after[rule.name] then
      local effect = rule_effect(rule)
      add(new.name, "removed", "rule " .. rule.name, rule_text(rule), place(old.file, rule.line), effect and opposite[effect])
    end
  end
  for _, rule in ipairs(new.rules) do
    local at = place(new.file, rule.line)
    if before[rule.name] then compare_rule(new.name, before[rule.name], rule, at)
    else add(new.name, "added", "rule " .. rule.name, rule_text(rule), at, rule_effect(rule)) end
  end
  local a, b = common_order(old.rules, after), common_order(new.rules, before)
  if table.concat(a, "\n") ~= table.concat(b, "\n") then
    add(new.name, "moved", "rules", table.concat(a, ", ") .. " → " .. table.concat(b, ", "), new.file)
  end
end

-- --- fields and hooks ---

local function list_effect(old, new, more)
  local way = lattice.compare(old or {}, new or {})
  if way == "wider" then return more end
  return way == "narrower" and opposite[more] or "unknown"
end

local field_effects = {
  access = { default = function(_, new) return new == "allow" and "loosens" or "tightens" end },
  auth = { require = function(old, new) return list_effect(old, new, "tightens") end, labels = function() return nil end,
    default_app = function(old, new) return old == nil and "loosens" or new == nil and "tightens" or nil end },
  routing = { choose_for = function() return nil end },
  redaction = { restore = function() return nil end, unscanned = function(_, new) return new == "warn" and "loosens" or "tightens" end,
    detect = function(old, new) return list_effect(old, new, "tightens") end },
}

-- What becomes of a kind that a detector finds, from least to most.
local strict = { allow = 0, observe = 1, mask = 2, deny = 3 }

local maps = {
  redaction = {
    request = function(old, new) return (strict[new] or 2) > (strict[old] or 2) and "tightens" or "loosens" end,
    response = function(old, new) return (strict[new] or 0) > (strict[old] or 0) and "tightens" or "loosens" end,
    classify = function(old, new) return opposite[rank_effect(old or "public", new or "public")] end,
  },
}

-- A table of names, one change for each of them.
local function compare_map(policy, field, old, new, at, effect)
  for _, key in ipairs(all_keys(old, new)) do
    if not lattice.is_equal(old[key], new[key]) then
      add(policy, "changed", field .. " " .. key, change_text(old[key], new[key]), at, effect(old[key], new[key]))
    end
  end
end

local function compare_fields(old, new)
  for _, name in ipairs(all_keys(old.fields, new.fields)) do
    local a, b = old.fields[name], new.fields[name]
    local map = maps[new.kind] and maps[new.kind][name]
    if map and type(a or {}) == "table" and type(b or {}) == "table" then
      compare_map(new.name, name, a or {}, b or {}, new.file, map)
    elseif not lattice.is_equal(a, b) then
      local is_function = (type(a) == "table" and a._source) or (type(b) == "table" and b._source)
      if is_function then
        local how = not a and "added" or not b and "removed" or "changed"
        local line = (b and b._line) or (a and a._line)
        add(new.name, how, name, ("function %s (cannot be compared)"):format(how), place(b and new.file or old.file, line), "unknown")
      else
        local of = field_effects[new.kind] and field_effects[new.kind][name]
        local effect = "unknown"
        if of then effect = of(a, b) end
        add(new.name, "changed", name, change_text(a, b), new.file, effect)
      end
    end
  end
end

-- --- policies, models, apps, chain ---

-- Can this policy say no?
local function may_restrict(policy)
  if policy.mode == "off" or policy.mode == "observe" then return false end
  if policy.kind ~= "policy" and policy.kind ~= "routing" then return true end
  for _, rule in ipairs(policy.rules) do
    if rule_effect(rule) == "tightens" then return true end
  end
  return nil
end

local function whole_effect(policy, effect)
  local may = may_restrict(policy)
  if may then return effect end
  return may == nil and next(policy.fields) and policy.kind == "policy" and "unknown" or nil
end

local function compare_policy(old, new)
  if old.kind ~= new.kind then
    add(new.name, "changed", "policy", ("%s { … } → %s { … }"):format(old.kind, new.kind), place(new.file, new.line), "unknown")
    return
  end
  if old.mode ~= new.mode then
    add(new.name, "changed", "mode", old.mode .. " → " .. new.mode, place(new.file, new.line), mode_effect(old.mode, new.mode))
  end
  if old.on_error ~= new.on_error then
    add(new.name, "changed", "on_error", old.on_error .. " → " .. new.on_error, place(new.file, new.line),
      new.on_error == "skip" and "loosens" or "tightens")
  end
  compare_fields(old, new)
  compare_rows(old, new)
  compare_rules(old, new)
end

local function describe(policy)
  local rows = #report.keys(policy.rows)
  return ("%s with %d rule%s%s"):format(policy.kind, #policy.rules, #policy.rules == 1 and "" or "s",
    rows > 0 and (" and %d row%s"):format(rows, rows == 1 and "" or "s") or "")
end

local function compare_policies(old, new)
  local before, after = by_name(old.policies), by_name(new.policies)
  for _, policy in ipairs(old.policies) do
    if not after[policy.name] then
      add("chain", "removed", "policy " .. policy.name, describe(policy), policy.file, whole_effect(policy, "loosens"))
    end
  end
  for _, policy in ipairs(new.policies) do
    if not before[policy.name] then
      add("chain", "added", "policy " .. policy.name, describe(policy), policy.file, whole_effect(policy, "tightens"))
    end
  end
  local a, b = common_order(old.chain, after), common_order(new.chain, before)
  if table.concat(a, "\n") ~= table.concat(b, "\n") then
    add("chain", "moved", "order", table.concat(a, ", ") .. " → " .. table.concat(b, ", "), "policies/init.lua")
  end
  for _, policy in ipairs(new.policies) do
    if before[policy.name] then compare_policy(before[policy.name], policy) end
  end
end

-- models.lua and apps.lua: entries by name, cells one level down where they are tables of names.
local function compare_named(kind, word, old, new, effects)
  local file = ("policies/%s.lua"):format(kind)
  for _, name in ipairs(all_keys(old, new)) do
    local a, b = old[name], new[name]
    local what = word .. " " .. name
    if not a then add(kind, "added", what, b.text, place(file, b.line), effects.added)
    elseif not b then add(kind, "removed", what, a.text, place(file, a.line), effects.removed)
    else effects.cells(what, a.cells, b.cells, place(file, b.line)) end
  end
end

local function nested(kind, effect_of)
  return function(what, old, new, at)
    for _, cell in ipairs(all_keys(old, new)) do
      local a, b = old[cell], new[cell]
      local is_map = type(a) == "table" and type(b) == "table" and #a == 0 and #b == 0 and not a._op and not b._op
      for _, key in ipairs(is_map and all_keys(a, b) or {}) do
        if not lattice.is_equal(a[key], b[key]) then
          add(kind, "changed", what, ("%s %s %s"):format(cell, key, change_text(a[key], b[key])), at, effect_of(cell, key, a[key], b[key]))
        end
      end
      if not is_map and not lattice.is_equal(a, b) then
        add(kind, "changed", what, cell .. " " .. change_text(a, b), at, effect_of(cell, nil, a, b))
      end
    end
  end
end

-- A default class that is raised keeps requests from models that may not see it.
local function app_effect(cell, key, old, new)
  if cell == "defaults" and key == "data" then return opposite[rank_effect(old or "public", new or "public")] end
  if cell == "department" or cell == "defaults" then return "unknown" end
end

function diff.compare(old, new)
  changes = {}
  compare_policies(old, new)
  compare_named("models", "model", old.models, new.models, { removed = "tightens", cells = nested("models", function(cell)
    if cell == "labels" or cell == "label" or cell == "region" or cell == "targets" then return "unknown" end
  end) })
  compare_named("apps", "app", old.apps, new.apps, { added = "loosens", removed = "tightens", cells = nested("apps", app_effect) })
  return changes
end

return function(question)
  local new = snapshot(nil, true)
  local list = diff.compare(question.old, new)
  local answer = { old = { name = question.old_name, digest = question.old.digest }, new = { name = question.new_name, digest = new.digest },
    changes = list }
  local code = #list > 0 and 1 or 0
  if question.json then
    if #list == 0 then answer.changes = json.raw "[]" end
    return json.encode(answer), code
  end
  return text.render(answer, question.colour), code
end
