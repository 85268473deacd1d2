-- The hooks after the request: on_attempt, on_delta, on_response, on_done. Each runs in an evaluation of its own, over
-- the policies that define it and in the order of the chain; where none does, nothing is installed and nothing runs.
--
--   phases.install(policies)
--
-- A hook may deny, or say pass (which says nothing more here); what it means to be denied, the step that asked knows:
-- the next target, the end of a stream, a refusal. on_done's answer counts for nothing.
local core, use = ...
local report = use "report"
local schema = use "schema"
local facts = use "facts"
local verbs = use "verbs"
local notes = use "notes"
local catalogue = use "catalogue"
local raise = use "raise"
local sub = report.sub

local phases = {}

phases.hooks = { "on_attempt", "on_delta", "on_response", "on_done" }

-- --- what a hook is given beside ctx ---

local shown = {}

-- The target as on_attempt sees it: read-only, a misspelt name raises.
local function target_view(name)
  if shown[name] then return shown[name] end
  local target = catalogue.targets[name]
  local fields = { name = name, provider = target.provider, model = select(2, catalogue.split(name)),
    region = target.region or false, labels = core.proxy("target.labels", target.labels),
    context = target.context or false }
  local names = report.keys(fields)
  local view = setmetatable({}, { __index = function(_, key)
    local value = fields[key]
    if value == nil then
      local near = report.nearest(tostring(key), names)
      raise.error("undefined_name",
        ("target has no field '%s'%s"):format(tostring(key), near and " (" .. near .. ")" or ""), 2)
    end
    return value or nil
  end })
  shown[name] = core.proxy("target", view)
  return shown[name]
end

local argument = {
  on_attempt = function() return target_view(core.target()) end,
  on_delta = function() return core.delta() end,
}

-- --- running ---

local function judge(f, policy, hook, value)
  local decision = verbs.returned(f, value, hook)
  if not decision or decision.verb == "pass" then return nil end
  if decision.verb ~= "deny" then
    error(("%s may deny or pass; %s(…) belongs into on_request, before a target is called"):format(
      hook, decision.verb), 0)
  end
  if hook == "on_response" and core.is_sent() and policy.mode ~= "observe" then
    error("on_response denied a stream that the client has already: "
      .. "say buffer = true, so that it is held until then", 0)
  end
  return notes.deny(f, policy, hook, decision, decision.reason, policy.mode, decision.line or policy.lines[hook])
end

local function runner(hook, list)
  local name, given = hook:match("^on_(.*)$"), argument[hook]

  local function go_on(f, first)
    for i = first, #list do
      local policy = list[i]
      f._at, f._policy = i, policy
      local value = policy[hook](f.ctx, given and given())
      if name == "done" then f._made = false
      elseif judge(f, policy, hook, value) == "over" then return end
    end
  end

  local function run(f)
    facts.attach(f)
    f.model = core.canonical() or f.asked
    return go_on(f, 1)
  end

  local function after_fault(f, text)
    local policy = f._policy
    f._made = false
    if not policy then return core.fault(text) end
    text = notes.placed(policy, (core.function_line(policy[hook])), text)
    local is_skipped = policy.on_error == "skip" or policy.mode == "observe" or name == "done"
    notes.note(f, policy, hook, is_skipped and "skip" or "fault", text, policy.mode, 0)
    if not is_skipped then return core.fault(text, policy.name) end
    if name == "done" then core.log("error", text) end
    return go_on(f, f._at + 1)
  end

  core.install(name, run, after_fault)
end

function phases.install(policies)
  for _, hook in ipairs(phases.hooks) do
    local list = {}
    for _, policy in ipairs(policies) do
      if policy[hook] and policy.mode ~= "off" then list[#list + 1] = policy end
      if policy.buffer and policy.on_response and policy.mode ~= "off" then core.buffer_streams() end
    end
    if #list > 0 then runner(hook, list) end
  end
end

-- --- reading a policy's hooks ---

-- Does the hook's own text build a denial? Comments and texts are looked over.
local function denies(fn)
  local source = core.function_text(fn):gsub("%-%-%[%[.-%]%]", ""):gsub("%-%-[^\n]*", "")
    :gsub('"[^"\n]*"', '""'):gsub("'[^'\n]*'", "''")
  return source:find("%f[%w_]deny%s*[%({]") ~= nil
end

function phases.compile(spec, policy)
  policy.lines = {}
  for _, hook in ipairs(phases.hooks) do
    if spec[hook] ~= nil and schema.fn(spec[hook], sub(nil, hook)) then
      policy[hook] = spec[hook]
      policy.lines[hook] = core.function_line(spec[hook])
    end
  end
  if spec.buffer ~= nil then policy.buffer = schema.boolean(spec.buffer, sub(nil, "buffer")) end
  if policy.buffer and not policy.on_response then
    report.at(sub(nil, "buffer"), "too_late", "buffer holds streams for on_response, and there is none")
  end
  if policy.on_response and spec.buffer == nil and policy.mode == "enforce" and denies(policy.on_response) then
    report.at(sub(nil, "on_response"), "too_late", "on_response denies, but the text of a stream has gone out by then",
      "buffer = true holds streams until it has spoken, buffer = false lets them pass; or judge the text in on_delta")
  end
end

return phases
