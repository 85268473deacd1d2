-- The chain at work: each policy in its order, then the choice of a target, and the verdict.
--
--   local decide, after_fault = chain.new(policies)
--   decide(f)                      -- f: a request's fresh table of facts
--   after_fault(f, text)           -- when a policy failed: skip it, or a fault
--
-- A policy is what a constructor compiled: { name, file, kind, mode, on_error, run, … }; run(f, policy) gives "over"
-- when it has denied. Nothing here catches errors: a coroutine that fails is dropped,
-- and after_fault goes on in another.
local core, use = ...
local facts = use "facts"
local catalogue = use "catalogue"
local targets = use "targets"
local actions = use "actions"
local listing = use "listing"
local limits = use "limits"
local notes = use "notes"
local disconnect = use "disconnect"
local effort = use "effort"
local note = notes.note

local chain = { deny = notes.deny, propose = targets.propose, run_rules = actions.run_rules,
  run_hook = actions.run_hook, run_all = actions.run_all }

local apps_file = { name = "apps", file = "policies/apps.lua", mode = "enforce" }
local models_file = { name = "models", file = "policies/models.lua", mode = "enforce" }

-- What apps.lua lets the caller's app name, though it was not made through this gateway.
local function share(f)
  local app = facts.apps and facts.apps[f.app]
  if not app or not app.shared then return end
  for _, id in ipairs(core.share_objects(app.shared)) do
    note(f, apps_file, f.app, "share", ("%s, at %s, is one of the app's objects"):format(id, app.shared[id]), "enforce")
  end
end

-- is_partial: examples of one file, where nobody need choose a target, and a policy that fails is never passed over.
function chain.new(policies, is_partial)
  local last_auth, detecting = 0, nil
  local doorkeeper -- auth, when it is enforced, and its place
  local on_disconnect, count = disconnect.of(policies), #policies
  local may_drain = on_disconnect or disconnect.is_said_by(facts.apps)
  for i, policy in ipairs(policies) do
    if policy.kind == "auth" then last_auth = i end
    if policy.kind == "auth" and policy.mode == "enforce" then doorkeeper = i end
    if policy.detector and policy.mode ~= "off" then detecting = policy end
  end
  local is_long, is_long_listing = effort.is_long(policies), effort.is_long_listing(policies)
  local detector = detecting and detecting.detector

  local maps_headers = facts.maps_headers

  -- After auth, so that strangers learn nothing: are the hints sound, is there such a model? true when it ended here.
  local function resolve(f)
    local wrong = f._hints and facts.bad_hint() or maps_headers and facts.bad_class(f)
    if wrong then
      return notes.deny(f, models_file, "hints", { status = 400, code = "invalid_hint" }, wrong, "enforce", 0)
    end
    local entry = catalogue.names[f.asked]
    if not entry then
      local text = f.asked and ("there is no model '%s'%s"):format(f.asked, catalogue.hint(f.asked))
        or "the request names no model"
      if listing.is_kept[f.api] then text = text .. listing.cure:format(f.api, f.api, f.api) end
      return notes.deny(f, models_file, "", { status = 404, code = "model_not_found" }, text, "enforce", 0)
    end
    f.model = entry.model.name
    f._entry = entry
    core.model(f.model)
    if detecting and detecting.is_classifying then detecting.scan(f, detecting) end
    facts.keep(f)
    if rawget(f, "data") == nil then facts.settle_hints(f) end -- every record has the data class
  end

  -- Filters that came after the choice may have taken its targets: choose again, in the same order.
  local function choose_again(f)
    f._chosen = false
    for _, proposal in ipairs(f._proposals or {}) do targets.propose(f, unpack(proposal)) end
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
    if by == targets.unconfigured then
      local text = ("no provider is configured for %s"):format(f.model)
      return notes.deny(f, models_file, f.model, { status = 503, code = "no_target" }, text, "enforce", 0)
    end
    if by == targets.foreign then
      local action = { status = 400, code = "dialect_mismatch" }
      return notes.deny(f, models_file, f.model, action, targets.cure(f), "enforce", 0)
    end
    if by and by.deny then return notes.deny(f, by.policy, by.rule, by.deny, by.reason, "enforce", by.line) end
    local text = rejected and "no target is left: " .. targets.spell(rejected)
      or ("no routing rule chose a target for %s"):format(f.model)
    -- One rule that took all of them away answers for it, in record, header and trace;
    -- several are named in the text alone.
    local policy, rule = by and by.policy or models_file, by and (by.rule or rejected[#rejected].rule) or f.model
    return notes.deny(f, policy, rule, { status = 403, code = "no_target_left" }, text, "enforce", by and by.line or 0)
  end

  local function finish(f)
    if f._limits and limits.admit(f) then return end
    f._at = count + 1
    if f._chosen and f._filter_count ~= #f._filters then choose_again(f) end
    f._policy = false
    local entry, chosen = f._entry, f._chosen
    if not chosen and not entry.model.virtual then
      targets.propose(f, models_file, f.model, entry.targets, "the targets of " .. f.model, "enforce", entry.model.line)
      chosen = f._chosen
    end
    if not chosen then
      if is_partial and not f._rejected and entry.model.virtual then return core.allow {} end
      return deny_empty(f)
    end
    if f.api == "files" and listing.refuse_lines(f, policies, chosen) then return end
    local by = f._by
    note(f, by[1], by[2], "route", by[3] or chosen[1].name, by[4], by[5])
    core.allow(chosen)
    share(f)
    local grant = f._granted and f._granted[chosen[1].owner.name]
    if grant and grant.id then core.granted(grant.id, grant.break_glass) end
    if may_drain then disconnect.apply(facts.apps and facts.apps[f.app], on_disconnect) end
  end

  -- Some policies in their order; true when one has ended it all.
  local function run(f, first, last)
    for i = first, last do
      local policy = policies[i]
      if f._limits and policy.run ~= limits.run and limits.admit(f) then return true end
      f._at, f._policy = i, policy
      if policy.run(f, policy) == "over" then return true end
    end
  end

  local function go_on(f, first)
    if is_long or is_long_listing and f._listing then core.distrust() end
    if first <= last_auth and run(f, first, last_auth) then return end
    if not f._entry then
      f._policy = false
      if f._listing then return listing.answer(f, policies) end
      if resolve(f) then return end
    end
    if first <= last_auth then first = last_auth + 1 end
    if run(f, first, count) then return end
    return finish(f)
  end

  if doorkeeper and not is_partial then core.refuse_strangers() end

  -- A stranger is refused before his request's body has been read: auth alone speaks, wherever it stands.
  local function decide(f)
    facts.attach(f, detector)
    if doorkeeper and not f._live then
      f._at, f._policy = doorkeeper, policies[doorkeeper]
      if f._policy.refuse(f, f._policy) == "over" then return end
    end
    return go_on(f, 1)
  end

  local function after_fault(f, text)
    local policy = f._policy
    f._made, f._quiet = false, false
    if not policy then return core.fault(text) end
    text = notes.placed(policy, policy.hook_line, text)
    local is_skipped = not is_partial and (policy.on_error == "skip" or policy.mode == "observe")
    note(f, policy, "", is_skipped and "skip" or "fault", text, policy.mode, 0)
    if not is_skipped then return core.fault(text, policy.name) end
    if f._at > count then return deny_empty(f) end
    if f._listing and f._at >= last_auth then return listing.answer(f, policies) end
    return go_on(f, f._at + 1)
  end

  return decide, after_fault
end

return chain
