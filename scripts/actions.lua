-- What rules and hooks do: each verb's effect on the request, and the run of one policy's rules and of its on_request.
--
--   local outcome = actions.run_all(f, policy)      -- "over" when it has denied, "pass" when it skipped its own rest
local core, use = ...
local reasons = use "reasons"
local verbs = use "verbs"
local targets = use "targets"
local notes = use "notes"
local recording = use "recording"
local note = notes.note

local actions = {}

local apply = {}

function apply.deny(f, policy, rule, action, reason)
  if rule.called then
    note(f, policy, rule.name, "deny", "what it may call is narrowed", rule.mode, rule.line)
    if rule.mode == "observe" then return nil end
    local filters = f._filters
    filters[#filters + 1] = { policy = policy, rule = rule.name, set = rule.called, keep = false, deny = action,
      reason = reason or action.code, line = rule.line, mode = rule.mode }
    return nil
  end
  return notes.deny(f, policy, rule.name, action, reason, rule.mode, rule.line)
end

local function narrow(keep)
  return function(f, policy, rule, action, reason)
    reason = reason or action.verb .. " " .. (action.spelt or "")
    note(f, policy, rule.name, action.verb, reason, rule.mode, rule.line)
    if rule.mode == "observe" then return nil end
    local filters = f._filters
    filters[#filters + 1] = { policy = policy, rule = rule.name, set = action.set, keep = keep, reason = reason,
      line = rule.line }
  end
end

apply.only = narrow(true)
apply.drop = narrow(false)

function apply.route(f, policy, rule, action, reason)
  f._proposals = f._proposals or {}
  table.insert(f._proposals, { policy, rule.name, action.targets, reason, rule.mode, rule.line })
  targets.propose(f, policy, rule.name, action.targets, reason, rule.mode, rule.line)
end

function apply.pass(f, policy, rule, _, reason)
  note(f, policy, rule.name, "pass", reason, rule.mode, rule.line)
  return rule.mode ~= "observe" and "pass" or nil
end

function apply.annotate(f, policy, rule, action, reason)
  note(f, policy, rule.name, "annotate", reason, rule.mode, rule.line)
  if rule.mode == "observe" or f._quiet then return nil end
  for _, pair in ipairs(action.list) do core.annotate(pair[1], pair[2]) end
end

function apply.warn(f, policy, rule, action, reason)
  local text = reasons.text(action.warning, f)
  note(f, policy, rule.name, "warn", reason or text, rule.mode, rule.line)
  if rule.mode == "observe" or f._quiet then return nil end
  core.warn(action.code and action.code .. ": " .. text or text)
end

function apply.record(f, policy, rule, action, reason)
  note(f, policy, rule.name, "record", reason, rule.mode, rule.line)
  if rule.mode ~= "observe" and not f._quiet then recording.apply(action.wish) end
end

local function act(f, policy, rule)
  local action, reason = rule.action, rule.reason
  if type(reason) == "function" then reason = reason(f) end
  return apply[action.verb](f, policy, rule, action, reason)
end

-- Every rule that applies acts, in order; "over" or "pass" ends them.
local function run_rules(f, policy) return policy.each_rule(f, policy, act) end

-- on_request, and what it returned.
local function run_hook(f, policy)
  local hook = policy.on_request
  if not hook then return nil end
  local returned = hook(f.ctx)
  if returned == nil and not f._made then return core.trust() end -- nearly always
  local decision = verbs.returned(f, returned, "on_request")
  if not decision then return nil end
  local rule = { name = "on_request", mode = policy.mode, line = decision.line or policy.hook_line }
  return apply[decision.verb](f, policy, rule, decision, decision.reason)
end

actions.run_rules, actions.run_hook = run_rules, run_hook

function actions.run_all(f, policy)
  if policy.rules[1] then
    local outcome = run_rules(f, policy)
    if outcome then return outcome end
  end
  if policy.on_request then return run_hook(f, policy) end
end

return actions
