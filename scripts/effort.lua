-- How much of our own code a decision may have to run. What is short is over before anybody could complain, and goes
-- uncounted; what is not is counted and takes turns like the policies' own code. How much it is, their tables say: a
-- few rules can be as much work as many, when they test long lists, or lead to long lists of targets.
--
--   effort.is_long(policies)             -- deciding about a request
--   effort.is_long_listing(policies)     -- the list of models
local core, use = ...
local catalogue = use "catalogue"

local effort = {}

-- In steps of a rule that is tested, or a target that is held against a filter: some tens of bytecodes each.
local STEPS_MAX = 200
local TARGET_STEPS_MAX = 4000
local LISTING_STEPS_MAX = 50000

-- Lists that are walked; other lists are sets.
local walked = { role = true, label = true, uses = true }

local function steps_of_term(term)
  if term.op == "clock" then return #(term.values.hours or {}) end
  return walked[term.key] and #term.values or 0
end

local function steps_of_condition(condition)
  local steps = 0
  for _, term in ipairs(condition and condition.terms or {}) do steps = steps + steps_of_term(term) end
  return steps
end

local function steps_of_rule(rule)
  local list = rule.action and rule.action.list
  return 1 + steps_of_condition(rule.when) + steps_of_condition(rule.unless) + (list and #list or 0)
end

-- rows: of limits and budgets; those of access go by name, and are looked up.
local function steps_of_rules(policy)
  local steps = 0
  for _, rule in ipairs(policy.rules or {}) do steps = steps + steps_of_rule(rule) end
  for _, row in ipairs(policy.rows or {}) do steps = steps + 1 + steps_of_condition(row.when) end
  return steps
end

local function filters_of(policy)
  local count = policy.kind == "access" and 1 or 0
  for _, rule in ipairs(policy.rules or {}) do
    local action = rule.action
    if rule.called or action.verb == "only" or action.verb == "drop" then count = count + 1 end
  end
  return count
end

-- Of the catalogue, which is whole when a chain is made: how many targets all models have, and one at most.
local known = { models = 0, targets = 0, most = 0 }
local function counts()
  if known.models == #catalogue.sorted then return known end
  known = { models = #catalogue.sorted, targets = 0, most = 0 }
  for _, model in ipairs(catalogue.sorted) do
    local count = #(model.targets or {})
    known.targets, known.most = known.targets + count, math.max(known.most, count)
  end
  return known
end

-- How many targets may be proposed, one list after the other.
local function targets_of(policies)
  local proposed = 0
  for _, policy in ipairs(policies) do
    for _, rule in ipairs(policy.rules or {}) do
      if rule.action.verb == "route" then proposed = proposed + #rule.action.targets end
    end
  end
  return proposed + counts().most
end

local function sum(policies, fn)
  local all = 0
  for _, policy in ipairs(policies) do all = all + fn(policy) end
  return all
end

function effort.is_long(policies)
  if sum(policies, steps_of_rules) > STEPS_MAX then return true end
  return targets_of(policies) * (1 + sum(policies, filters_of)) > TARGET_STEPS_MAX
end

-- Of each model what access says, and of its targets until one may be used.
function effort.is_long_listing(policies)
  local per_model, per_target, all = 1, 1, counts()
  for _, policy in ipairs(policies) do
    if policy.kind == "access" then
      per_model, per_target = per_model + 1 + steps_of_rules(policy), per_target + filters_of(policy)
    end
  end
  return all.models * per_model + all.targets * per_target > LISTING_STEPS_MAX
end

return effort
