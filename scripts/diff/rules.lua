-- Rules of two generations of one policy, by name.
local core, use = ...
local changes = use "diff/changes"
local effects = use "diff/effects"
local lattice = use "diff/lattice"
local recording = use "recording"
local add, place = changes.add, changes.place

local rules = {}

local function rule_text(rule)
  local parts = { rule.action }
  if rule.when then parts[#parts + 1] = "when " .. rule.when.text end
  if rule.unless then parts[#parts + 1] = "unless " .. rule.unless.text end
  if rule.mode and rule.mode ~= "enforce" then parts[#parts + 1] = "(" .. rule.mode .. ")" end
  return table.concat(parts, " ")
end

local function condition_text(name, old, new)
  local nothing = name == "unless" and "never" or "always"
  return ("%s %s → %s"):format(name, old and old.text or nothing, new and new.text or nothing)
end

-- way: "wider", … as diff/lattice.lua gives it, of what holds for more requests.
local function compare_condition(policy, what, name, old, new, at, way, more)
  if way == "same" then return end
  if old and new and old.is_function and new.is_function then
    add(policy, "changed", what, name .. ": function changed (cannot be compared)", at, more and "unknown")
  else add(policy, "changed", what, condition_text(name, old, new), at, effects.of_way(way, more)) end
end

local function terms_of(condition) return condition and condition.terms end

-- What must be recorded better is refused more often; what is kept of texts refuses nobody.
local function record_effect(old, new)
  local before, after = recording.rank[old.durability] or 0, recording.rank[new.durability] or 0
  local wider = after > before or new.intent and not old.intent
  local narrower = after < before or old.intent and not new.intent
  if wider and narrower then return "unknown" end
  return wider and "tightens" or narrower and "loosens" or nil
end

local function action_effect(old, new, more_old, more_new)
  if not more_old and not more_new then return nil end
  if old.verb ~= new.verb then return "unknown" end
  local narrows = new.verb == "only" and "loosens" or "tightens"
  if new.selection then return effects.of_way(lattice.conditions(old.selection, new.selection), narrows) end
  if new.verb == "record" then return record_effect(old.value, new.value) end
  if new.verb == "route" then return effects.of_way(lattice.lists(old.value, new.value), "loosens") end
end

local function compare_action(old, new, new_policy, at, more_old, more_new)
  if old.verb == new.verb and lattice.is_equal(old.value, new.value) then return end
  add(new_policy.name, "changed", "rule " .. new.name, old.action .. " → " .. new.action, at,
    action_effect(old, new, more_old, more_new))
end

local function compare_mode(old, new, new_policy, at)
  local before, after = old.mode or "enforce", new.mode or "enforce"
  if before == after then return end
  add(new_policy.name, "changed", "rule " .. new.name, ("mode %s → %s"):format(before, after), at,
    effects.mode(before, after, effects.verb(new, new_policy)))
end

local function compare_rule(old, new, old_policy, new_policy, at)
  local what, name = "rule " .. new.name, new_policy.name
  local more_old, more = effects.more(old, old_policy), effects.more(new, new_policy)
  compare_condition(name, what, "when", old.when, new.when, at,
    lattice.conditions(terms_of(old.when), terms_of(new.when)), more)
  compare_condition(name, what, "unless", old.unless, new.unless, at,
    lattice.exceptions(terms_of(old.unless), terms_of(new.unless)), more)
  compare_action(old, new, new_policy, at, more_old, more)
  compare_mode(old, new, new_policy, at)
  if old.reason ~= new.reason then
    local function spelt(reason) return reason and ("'%s'"):format(changes.spell(reason)) or "none" end
    add(name, "changed", what, ("reason %s → %s"):format(spelt(old.reason), spelt(new.reason)), at)
  end
end

local function has_pass(policy)
  for _, rule in ipairs(policy.rules) do
    if rule.verb == "pass" and effects.more(rule, policy) then return true end
  end
  return false
end

-- pass skips what stands behind it; the order of all others does not say who is let through.
local function compare_order(old, new, before, after)
  local a, b = changes.common_order(old.rules, after), changes.common_order(new.rules, before)
  if table.concat(a, "\n") == table.concat(b, "\n") then return end
  add(new.name, "moved", "rules", table.concat(a, ", ") .. " → " .. table.concat(b, ", "), new.file,
    (has_pass(old) or has_pass(new)) and "unknown" or nil)
end

function rules.compare(old, new)
  local before, after = changes.by_name(old.rules), changes.by_name(new.rules)
  for _, rule in ipairs(old.rules) do
    if not after[rule.name] then
      add(new.name, "removed", "rule " .. rule.name, rule_text(rule), place(old.file, rule.line),
        effects.opposite[effects.more(rule, old) or ""])
    end
  end
  for _, rule in ipairs(new.rules) do
    local at = place(new.file, rule.line)
    if before[rule.name] then compare_rule(before[rule.name], rule, old, new, at)
    else add(new.name, "added", "rule " .. rule.name, rule_text(rule), at, effects.more(rule, new)) end
  end
  compare_order(old, new, before, after)
end

return rules
