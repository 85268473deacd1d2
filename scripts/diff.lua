-- What changed between two bundles, in rules and not in lines of text: `moongate diff`.
--
--   use "diff" { old = snapshot of the other bundle, json = true, old_egress = …, new_egress = … }
--     → text, 0 the same or 1 different
--
-- Asked in the state of the new bundle. A change: { policy, what = "rule no-tools", how = "added" | "removed" |
-- "changed" | "moved", text, at, effect = "loosens" | "tightens" | "unknown" | nil }. loosens: more is let through than
-- before, and nothing less; unknown: a function, or a condition that has no order, may do either; nil: neither.
local core, use = ...
local json = use "json"
local report = use "report"
local changes = use "diff/changes"
local effects = use "diff/effects"
local egress = use "diff/egress"
local entries = use "diff/entries"
local fields = use "diff/fields"
local governance = use "diff/governance"
local rows = use "diff/rows"
local rules = use "diff/rules"
local snapshot = use "diff/snapshot"
local text = use "diff/text"
local add, place = changes.add, changes.place

local function compare_policy(old, new, bundles)
  local at = place(new.file, new.line)
  if old.kind ~= new.kind then
    add(new.name, "changed", "policy", ("%s { … } → %s { … }"):format(old.kind, new.kind), at, "unknown")
    return
  end
  if old.mode ~= new.mode then
    add(new.name, "changed", "mode", old.mode .. " → " .. new.mode, at, effects.policy_mode(old.mode, new.mode, new))
  end
  if old.on_error ~= new.on_error then
    add(new.name, "changed", "on_error", old.on_error .. " → " .. new.on_error, at,
      new.on_error == "skip" and "loosens" or "tightens")
  end
  changes.idle(not effects.settles_facts(new) and (old.mode ~= "enforce" or new.mode ~= "enforce"))
  fields.compare(old, new, bundles)
  rows.compare(old, new)
  rules.compare(old, new)
  changes.idle(false)
end

local function describe(policy)
  local count = #report.keys(policy.rows)
  return ("%s with %d rule%s%s"):format(policy.kind, #policy.rules, #policy.rules == 1 and "" or "s",
    count > 0 and (" and %d row%s"):format(count, count == 1 and "" or "s") or "")
end

-- Those that stand before a name, in a text.
local function before_name(names, name)
  local list = {}
  for _, other in ipairs(names) do
    if other == name then break end
    list[#list + 1] = other
  end
  table.sort(list)
  return table.concat(list, "\n")
end

-- The order does not say who is let through, but for those that settle what others go by.
local function compare_order(old, new, before, after)
  local a, b = changes.common_order(old.chain, after), changes.common_order(new.chain, before)
  if table.concat(a, "\n") == table.concat(b, "\n") then return end
  local effect
  for _, policy in ipairs(new.policies) do
    if effects.settles_facts(policy) and before_name(a, policy.name) ~= before_name(b, policy.name) then
      effect = "unknown"
    end
  end
  add("chain", "moved", "order", table.concat(a, ", ") .. " → " .. table.concat(b, ", "), "policies/init.lua", effect)
end

local function compare_policies(old, new)
  local before, after = changes.by_name(old.policies), changes.by_name(new.policies)
  for _, policy in ipairs(old.policies) do
    if not after[policy.name] then
      add("chain", "removed", "policy " .. policy.name, describe(policy), policy.file,
        effects.opposite[effects.whole(policy) or ""])
    end
  end
  for _, policy in ipairs(new.policies) do
    if not before[policy.name] then
      add("chain", "added", "policy " .. policy.name, describe(policy), policy.file, effects.whole(policy))
    end
  end
  compare_order(old, new, before, after)
  for _, policy in ipairs(new.policies) do
    if before[policy.name] then compare_policy(before[policy.name], policy, { old, new }) end
  end
end

local function compare(old, new, question)
  local list = changes.begin()
  compare_policies(old, new)
  entries.models(old, new)
  entries.apps(old, new)
  governance.compare(old.governance, new.governance)
  if question.old_egress then egress(question.old_egress, question.new_egress) end
  return list
end

return function(question)
  local new = snapshot(nil, true)
  local list = compare(question.old, new, question)
  local answer = { old = { name = question.old_name, digest = question.old.digest },
    new = { name = question.new_name, digest = new.digest }, changes = list }
  local code = #list > 0 and 1 or 0
  if question.json then
    if #list == 0 then answer.changes = json.raw "[]" end
    return json.encode(answer), code
  end
  return text.render(answer, question.colour), code
end
