-- routing { choose_for = { "auto" }, rules = { … } }: which model answers. The first rule that applies and has a target
-- left wins; a rule whose targets are all filtered out does not match.
local core, use = ...
local report = use "report"
local schema = use "schema"
local policies = use "policies"
local chain = use "chain"
local conditions = use "condition"
local sub = report.sub

local routing = {}

local function propose(f, policy, rule)
  local reason = rule.reason
  if type(reason) == "function" then reason = reason(f) end
  chain.propose(f, policy, rule.name, rule.action.targets, reason, rule.mode, rule.line)
  return f._chosen
end

-- At the end of the chain too, when a later policy took away what was chosen.
local function choose(f, policy)
  if policy.choose_for[f.model] then policy.each_rule(f, policy, propose) end
end

local function run(f, policy)
  choose(f, policy)
  return chain.run_hook(f, policy)
end

function routing.compile(spec, policy)
  policies.check(spec, { "choose_for" })
  policies.compile(spec, policy, { route = true })
  policy.choose_for = {}
  local names = spec.choose_for == nil and { "auto" }
    or schema.one_or_list(conditions.check_model)(spec.choose_for, sub(nil, "choose_for"))
  for _, name in ipairs(names or {}) do policy.choose_for[name] = true end
  if spec.rules == nil and spec.on_request == nil then
    report.at(nil, "missing_field", "routing without rules chooses nothing",
      "rules = { { \"default\", route = { … } } }")
  end
  policy.choose, policy.run = choose, run
end

return routing
