-- The chain at work: each policy in its order, what verbs do, which targets are left, and the verdict.
--
--   local decide, after_fault = chain.new(policies)
--   decide(f)                      -- f: a request's fresh table of facts
--   after_fault(f, text)           -- when a policy failed: skip it, or a fault
--
-- A policy is what a constructor compiled: { name, file, kind, mode, on_error, run, … }; run(f, policy) gives "over" when
-- it has denied. Nothing here catches errors: a coroutine that fails is dropped, and after_fault goes on in another.
local core, use = ...
local facts = use "facts"
local reasons = use "reasons"
local verbs = use "verbs"
local catalogue = use "catalogue"

local chain = {}

local models_file = { name = "models", file = "policies/models.lua", mode = "enforce" }

-- --- what happened ---

local function note(f, policy, rule, verb, reason, mode, line)
  if f._quiet then return end
  core.trace(policy.name, rule, verb, reason, mode, policy.file, line)
end

-- Ends the chain, unless this is only observed.
function chain.deny(f, policy, rule, action, reason, mode, line)
  reason = reason or action.code:gsub("_", " ")
  note(f, policy, rule, "deny", reason, mode, line)
  if mode == "observe" then return nil end
  if not f._quiet then core.deny(action.status, action.code, reason, policy.name, rule, action.retry_after) end
  return "over"
end

-- --- which targets may be used ---

local unconfigured = {}

-- A filter is { policy, rule, check = function(f, target) → why, rule } or { policy, rule, set, keep, reason }.
local function rejects(filter, f, target)
  if filter.check then
    local why, rule = filter.check(f, target)
    return why and ("%s/%s: %s"):format(filter.policy.name, rule, why)
  end
  if (filter.set[target] ~= nil) == filter.keep then return nil end
  return ("%s/%s: %s"):format(filter.policy.name, filter.rule, filter.reason)
end

-- Why not, and what says so; nil when the target may be used.
local function rejection(f, target)
  if not target.usable and not catalogue.is_rehearsal then return "no account of that provider in moongate.lua", unconfigured end
  local filters = f._filters
  for i = 1, #filters do
    local why = rejects(filters[i], f, target)
    if why then return why, filters[i] end
  end
end

local function remember(f, target, why, filter)
  local rejected = f._rejected
  if not rejected then
    rejected = { by = filter }
    f._rejected = rejected
  elseif rejected.by ~= filter then
    rejected.by = nil
  end
  rejected[#rejected + 1] = ("%s (%s)"):format(target.name, why)
end

-- Those of the targets that may be used, each other one noted; false when none is left.
local function pick(f, policy, rule, targets, mode, line)
  local usable = false
  for i = 1, #targets do
    local target = targets[i]
    local why, filter = rejection(f, target)
    if why then
      remember(f, target, why, filter)
      note(f, policy, rule, "skip", ("%s (%s)"):format(target.name, why), mode, line)
    else
      usable = usable or {}
      usable[#usable + 1] = target
    end
  end
  return usable
end

-- A proposal: the first one with a target left wins.
function chain.propose(f, policy, rule, targets, reason, mode, line)
  if f._chosen then return note(f, policy, rule, "ignored", "a target was chosen before", mode, line) end
  if mode == "observe" then return note(f, policy, rule, "route", reason, mode, line) end
  f._chosen = pick(f, policy, rule, targets, mode, line)
  if f._chosen then
    f._by = { policy, rule, reason, mode, line }
    f._filter_count = #f._filters
  end
end

-- --- verbs ---

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
  return chain.deny(f, policy, rule.name, action, reason, rule.mode, rule.line)
end

local function narrow(keep)
  return function(f, policy, rule, action, reason)
    reason = reason or action.verb .. " " .. (action.spelt or "")
    note(f, policy, rule.name, action.verb, reason, rule.mode, rule.line)
    if rule.mode == "observe" then return nil end
    local filters = f._filters
    filters[#filters + 1] = { policy = policy, rule = rule.name, set = action.set, keep = keep, reason = reason }
  end
end

apply.only = narrow(true)
apply.drop = narrow(false)

function apply.route(f, policy, rule, action, reason)
  f._proposals = f._proposals or {}
  table.insert(f._proposals, { policy, rule.name, action.targets, reason, rule.mode, rule.line })
  chain.propose(f, policy, rule.name, action.targets, reason, rule.mode, rule.line)
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

-- Every rule that applies acts, in order; "over" or "pass" ends them.
function chain.run_rules(f, policy)
  local list = policy.rules
  for i = 1, #list do
    local rule = list[i]
    local matches = rule.matches
    if not matches or matches(f) then
      local action = rule.action
      local reason = rule.reason
      if type(reason) == "function" then reason = reason(f) end
      local outcome = apply[action.verb](f, policy, rule, action, reason)
      if outcome then return outcome end
    end
  end
end

-- on_request, and what it returned.
function chain.run_hook(f, policy)
  local hook = policy.on_request
  if not hook then return nil end
  local decision = verbs.returned(f, hook(f.ctx), "on_request")
  if not decision then return nil end
  local rule = { name = "on_request", mode = policy.mode, line = decision.line or policy.hook_line }
  return apply[decision.verb](f, policy, rule, decision, decision.reason)
end

function chain.run_all(f, policy)
  local outcome = chain.run_rules(f, policy)
  if outcome then return outcome end
  return chain.run_hook(f, policy)
end

-- --- one chain ---

-- is_partial: examples of one file, where nobody need choose a target.
function chain.new(policies, is_partial)
  local last_auth = 0
  for i, policy in ipairs(policies) do
    if policy.kind == "auth" then last_auth = i end
  end

  -- After auth, so that strangers learn nothing: are the hints sound, is there such a model? true when it ended here.
  local function resolve(f)
    local wrong = f._hints and facts.bad_hint()
    if wrong then
      return chain.deny(f, models_file, "hints", { status = 400, code = "invalid_hint" }, wrong, "enforce", 0)
    end
    local entry = catalogue.names[f.asked]
    if not entry then
      local text = f.asked and ("there is no model '%s'"):format(f.asked) or "the request names no model"
      return chain.deny(f, models_file, "", { status = 404, code = "model_not_found" }, text, "enforce", 0)
    end
    f.model = entry.model.name
    f._entry = entry
    core.model(entry.model.name)
  end

  local function may_use(f, model)
    local entry = catalogue.names[model.name]
    f.model, f._entry, f._filters = model.name, entry, {}
    for i = 1, #policies do
      local policy = policies[i]
      f._policy = policy
      if policy.kind == "access" and policy.run_listing(f, policy) == "over" then return false end
    end
    for _, target in ipairs(entry.targets) do
      if not rejection(f, target) then return true end
    end
    return false
  end

  -- GET /v1/models: what auth and access leave; policies of other kinds speak when a model is called.
  local function list_models(f)
    f._quiet = true
    if core.listing() == "one" then
      local asked = f.asked
      local entry = catalogue.names[asked]
      local is_there = entry and (entry.model.virtual or may_use(f, entry.model))
      f._quiet = false
      if is_there then return core.list { asked } end
      return chain.deny(f, models_file, "", { status = 404, code = "model_not_found" },
        ("there is no model '%s', or this key may not use it"):format(tostring(asked)), "enforce", 0)
    end
    local names, virtual = {}, {}
    for _, model in ipairs(catalogue.sorted) do
      if model.virtual then virtual[#virtual + 1] = model.name
      elseif may_use(f, model) then names[#names + 1] = model.name end
    end
    f._quiet = false
    if #names > 0 then
      for _, name in ipairs(virtual) do names[#names + 1] = name end
      table.sort(names)
    end
    core.list(names)
  end

  -- Filters that came after the choice may have taken its targets: choose again, in the same order.
  local function choose_again(f)
    f._chosen = false
    for _, proposal in ipairs(f._proposals or {}) do chain.propose(f, unpack(proposal)) end
    for _, policy in ipairs(policies) do
      if policy.kind == "routing" and not f._chosen then
        f._policy = policy
        policy.choose(f, policy)
      end
    end
  end

  local function deny_empty(f)
    local rejected = f._rejected
    local by = rejected and rejected.by
    if by == unconfigured then
      local text = ("no provider is configured for %s"):format(f.model)
      return chain.deny(f, models_file, f.model, { status = 503, code = "no_target" }, text, "enforce", 0)
    end
    if by and by.deny then return chain.deny(f, by.policy, by.rule, by.deny, by.reason, "enforce", by.line) end
    local text = rejected and "no target is left: " .. table.concat(rejected, "; ")
      or ("no routing rule chose a target for %s"):format(f.model)
    return chain.deny(f, models_file, f.model, { status = 403, code = "no_target_left" }, text, "enforce", 0)
  end

  local function finish(f)
    f._at = #policies + 1
    if f._chosen and f._filter_count ~= #f._filters then choose_again(f) end
    f._policy = false
    local entry = f._entry
    if not f._chosen and not entry.model.virtual then
      chain.propose(f, models_file, f.model, entry.targets, "the targets of " .. f.model, "enforce", entry.model.line)
    end
    local chosen = f._chosen
    if not chosen then
      if is_partial and not f._rejected and entry.model.virtual then return core.allow() end
      return deny_empty(f)
    end
    local by = f._by
    note(f, by[1], by[2], "route", by[3] or chosen[1].name, by[4], by[5])
    local names = {}
    for i = 1, #chosen do names[i] = chosen[i].name end
    core.allow(unpack(names))
  end

  local function go_on(f, first)
    for i = first, #policies do
      local policy = policies[i]
      if i > last_auth and not f._entry then
        f._policy = false
        if core.listing() then return list_models(f) end
        if resolve(f) then return end
      end
      f._at, f._policy = i, policy
      if policy.run(f, policy) == "over" then return end
    end
    if not f._entry then
      f._policy = false
      if core.listing() then return list_models(f) end
      if resolve(f) then return end
    end
    finish(f)
  end

  local function decide(f)
    facts.attach(f)
    return go_on(f, 1)
  end

  local function after_fault(f, text)
    local policy = f._policy
    f._made, f._quiet = false, false
    if not policy then return core.fault(text) end
    if not text:find("^policies/") then text = policy.file .. ": " .. text end
    local is_skipped = policy.on_error == "skip" or policy.mode == "observe"
    note(f, policy, "", is_skipped and "skip" or "fault", text, policy.mode, 0)
    if not is_skipped then return core.fault(text, policy.name) end
    if f._at > #policies then return deny_empty(f) end
    if core.listing() and f._at >= last_auth then return list_models(f) end
    return go_on(f, f._at + 1)
  end

  return decide, after_fault
end

return chain
