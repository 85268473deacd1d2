-- What all kinds of policies share: name, description, mode, on_error, rules, examples, hooks.
--
--   policies.check(spec, extra)                      -- unknown fields are errors; extra: names of the kind's own
--   policies.compile(spec, policy, allowed)          -- fills mode, on_error, rules, on_request
local core, use = ...
local report = use "report"
local schema = use "schema"
local rules = use "rules"
local catalogue = use "catalogue"
local phases = use "phases"
local disconnect = use "disconnect"
local sub = report.sub

local policies = {}

local shared = { "name", "description", "mode", "on_error", "rules", "examples", "on_request", "on_attempt", "on_delta",
  "on_response", "on_done", "buffer", "keeps_state", "on_client_disconnect" }
local on_error = schema.choice { "deny", "skip" }

function policies.shared_names() return shared end

function policies.is_shared(name)
  for _, known in ipairs(shared) do
    if known == name then return true end
  end
  return false
end

policies.all_actions = { deny = true, route = true, only = true, drop = true, pass = true, annotate = true,
  warn = true, record = true }

function policies.check(spec, extra, hints)
  local names = {}
  for _, name in ipairs(shared) do names[#names + 1] = name end
  for _, name in ipairs(extra) do names[#names + 1] = name end
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  local keys = {}
  for key in pairs(spec) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    if not known[key] then
      report.at(sub(nil, key), "unknown_field", ("unknown field '%s'"):format(tostring(key)),
        hints and hints[key] or report.nearest(key, names))
    end
  end
end

function policies.compile(spec, policy, allowed)
  if spec.name ~= nil then policy.name = schema.text(spec.name, sub(nil, "name")) or policy.name end
  if spec.description ~= nil then schema.text(spec.description, sub(nil, "description")) end
  policy.mode = spec.mode ~= nil and schema.mode(spec.mode, sub(nil, "mode")) or "enforce"
  policy.on_error = spec.on_error ~= nil and on_error(spec.on_error, sub(nil, "on_error")) or "deny"
  rules.compile(spec.rules, sub(nil, "rules"), policy, allowed)
  if spec.on_request ~= nil and schema.fn(spec.on_request, sub(nil, "on_request")) then
    policy.on_request = spec.on_request
    if core.function_text(spec.on_request):find("%f[%w_]route%f[^%w_]") then catalogue.note_routed(nil) end
    policy.hook_line = core.function_line(spec.on_request)
  end
  phases.compile(spec, policy)
  policy.examples = spec.examples
  if spec.on_client_disconnect ~= nil then
    policy.on_client_disconnect = disconnect.shape(spec.on_client_disconnect, sub(nil, "on_client_disconnect"))
  end
  if spec.keeps_state ~= nil then policy.keeps_state = schema.boolean(spec.keeps_state, sub(nil, "keeps_state")) end
end

return policies
