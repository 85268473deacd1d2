-- policy { … }: free form. Rules with every action, and on_request.
local core, use = ...
local policies = use "policies"
local chain = use "chain"

local free = {}

function free.compile(spec, policy)
  policies.check(spec, {})
  policies.compile(spec, policy, policies.all_actions)
  policy.run = chain.run_all
end

return free
