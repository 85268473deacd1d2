-- The facts of one request: a table that asks C the first time a name is read and keeps the answer. Absent is false.
--
-- The same table carries what the chain notes on its way, under names that begin with an underscore (false at first,
-- since a name that is not there would be asked of C):
--   _at        index of the policy at work            _entry    what the requested name stands for (catalogue)
--   _filters   what a target must pass                _chosen   targets that a proposal left over
--   _limits    what is to be taken from the counters
--   _made      verbs built and not yet returned       _quiet    deciding about a listing: nothing is recorded
--   _hints     whether any is given                   _listing  whether a list of models is asked for
--   _live      whether the credential is good         _issuer   of the token that was presented
--   _grants    of the caller, by model                _granted  what lets him through, by model
local core, use = ...
local report = use "report"
local schema = use "schema"
local edits = use "edits"
local withhold = use "withhold"
local raise = use "raise"
local recording = use "recording"
local grants = use "grants"

-- cost_nano, cost_nano_of and budget_of are filled by scripts/limits.lua and the budget constructor, which know them.
local facts = { apps = nil, labels = {} }

-- Facts by name: what conditions, reasons in braces and ctx can name.
local compute = {}
facts.compute = compute

local identity_fields = { "user", "app", "department", "team", "tier", "region", "clearance", "env", "key_id" }
function compute.phase() return core.phase() end
function compute.generation() return facts.generation end

-- Hints: the header, else the body, else what apps.lua says. The data class is the most sensitive that anybody names,
-- so callers can only raise it.
local nothing = {}

-- What holds for an app where a request says nothing: by the table of its defaults.
local usual = {}

-- Where nobody says a class: the operator's, else public. Headers of the house that mean a class: { name,
-- classes by value }.
local default_class, data_headers = "public", nil

function facts.classify(default, headers)
  default_class, data_headers, usual = default or "public", headers and #headers > 0 and headers or nil, {}
  return data_headers
end

-- What those headers say, or nil; second: what one of them says that nobody knows.
local function header_class(f)
  local class, rank, wrong = nil, 0, nil
  for i = 1, #data_headers do
    local header = data_headers[i]
    local value = f.ctx_headers[header.name]
    local said = value and (header.classes[value] or header.classes["*"])
    if value and not said then
      wrong = ("header %s: '%s' stands for no data class"):format(header.name, value:sub(1, 64))
    end
    if said and schema.class_rank[said] > rank then class, rank = said, schema.class_rank[said] end
  end
  return class, wrong
end

-- A value that nobody knows must not be taken for none.
function facts.bad_class(f)
  local _, wrong = header_class(f)
  return wrong
end

local function usual_of(defaults)
  local known = { task = defaults.task or false, quality = defaults.quality or false,
    max_latency_ms = defaults.max_latency_ms or false, data = defaults.data or default_class }
  usual[defaults] = known
  return known
end

local function hint(name, default)
  local header, body = core.hint(name)
  return header or body or default or false
end

local function highest(...)
  local class, rank = "public", 1
  for i = 1, select("#", ...) do
    local name = select(i, ...)
    local r = name and schema.class_rank[name]
    if r and r > rank then class, rank = name, r end
  end
  return class
end

-- What a redaction policy finds in the text raises it too, wherever that policy stands,
-- if one says so: facts.is_raised.
local function raised(class)
  local rank = facts.is_raised and core.found_rank()
  return rank and rank > schema.class_rank[class] and schema.classes[rank] or class
end

-- Sets the four at once; most requests give none.
function facts.settle_hints(f)
  local app = facts.apps and facts.apps[f.app]
  local defaults = app and app.defaults or nothing
  if not f._hints then
    local known = usual[defaults] or usual_of(defaults)
    f.task, f.quality, f.max_latency_ms, f.data = known.task, known.quality, known.max_latency_ms, known.data
    if data_headers then f.data = highest(known.data, (header_class(f))) end
    if facts.is_raised then f.data = raised(f.data) end
    return
  end
  f.task, f.quality = hint("task", defaults.task), hint("quality", defaults.quality)
  f.max_latency_ms = tonumber(hint("max_latency_ms", defaults.max_latency_ms)) or false
  local header, body = core.hint "data"
  f.data = raised(highest(defaults.data or default_class, header, body, data_headers and header_class(f)))
end

for _, name in ipairs { "task", "quality", "max_latency_ms", "data" } do
  compute[name] = function(f)
    facts.settle_hints(f)
    return f[name]
  end
end

-- Labels of the data, a set that only grows: the header x-moongate-label or metadata.moongate.label ("eu_customer,
-- minors"), and the app's defaults. false when there are none.
compute.labels = function(f)
  local app, set = facts.apps and facts.apps[f.app], nil
  for _, name in ipairs(app and app.defaults.label or nothing) do
    set = set or {}
    set[name] = true
  end
  local header, body
  if f._hints then header, body = core.hint "label" end
  for name in ((header or "") .. "," .. (body or "")):gmatch("[%w_%-%.]+") do
    set = set or {}
    set[name] = true
  end
  return set or false
end

-- What detectors find: one more label, for whatever is decided from now on.
function facts.raise_label(f, name)
  local set = f.labels or {}
  set[name] = true
  f.labels = set
end

-- Headers by which agents tell one session from another, where apps.lua names none.
local session_headers = { "x-session-id", "session_id", "session-id", "thread-id", "x-session-affinity",
  "x-claude-code-session-id" }

core.session_headers(session_headers)

compute.session = function(f)
  local app = facts.apps and facts.apps[f.app]
  local headers = f.ctx_headers
  for _, name in ipairs(app and app.session and app.session.headers or session_headers) do
    local value = headers[name]
    if value and value ~= "" then return value end
  end
  return false
end

-- What the record has also where no policy asks: labels, and the session of an app with headers of its own for it.
function facts.keep(f)
  local app = facts.apps and facts.apps[f.app]
  local _ = (f._hints or app and app.defaults.label) and f.labels
  if app and app.session then core.session(f.session or "") end
end

-- What is wrong with the hints of a request, or nil. A class that nobody knows must not be taken for none.
function facts.bad_hint()
  local function each(name, is_good, words)
    local header, body = core.hint(name)
    if header and not is_good(header) then return ("header x-moongate-%s: %s"):format(name:gsub("_", "-"), words) end
    if body and not is_good(body) then return ("metadata.moongate.%s: %s"):format(name, words) end
  end
  local function is_class(value) return schema.class_rank[value] ~= nil end
  local function is_ms(value) return value:find("^%d+$") ~= nil and #value < 10 end
  local function is_word(value) return value:find("^[%w_%-%.]+$") ~= nil and #value <= 64 end
  local function is_list(value) return value:find("^[%w_%-%., ]+$") ~= nil and #value <= 256 end
  return each("label", is_list, "labels are words of letters, digits, - and _, with commas between them")
    or each("data", is_class, "a data class is one of " .. table.concat(schema.classes, ", "))
    or each("max_latency_ms", is_ms, "a whole number of milliseconds is wanted")
    or each("task", is_word, "one word of letters, digits, - and _ is wanted")
    or each("quality", is_word, "one word of letters, digits, - and _ is wanted")
end

local meta = { __index = core.fact_reader(compute) }

-- One evaluation's, with places for what most requests ask: nothing of it moves when the answers come.
core.facts_by(function()
  return setmetatable({ nil, nil, nil, nil, -- views
    _at = 0, _policy = false, _entry = false, _filters = { nil, nil, nil, nil }, _chosen = false, _by = false,
    _filter_count = 0, _proposals = false, _rejected = false, _limits = false, _made = false, _quiet = false,
    _slice = false, _cuts = false,
    _grants = false, _granted = false,
    _hints = false, _listing = false, _live = false, _issuer = false, app = nil, department = nil, key_id = nil,
    asked = nil, model = nil, task = nil, quality = nil, max_latency_ms = nil, data = nil, context_tokens = nil,
  }, meta)
end)

-- The facts of the request under way that every chain asks for. detector: of its redaction policy, if any.
function facts.attach(f, detector)
  f.app, f.department, f.key_id, f.asked, f._hints, f._listing, f._live, f._issuer = core.begin(detector)
end

local tag_facts = {}

-- After auth settled a field of the identity: it is asked again, and what depends on it.
function facts.forget(f, name)
  f[name] = nil
  if name == "app" then
    for fact in pairs(tag_facts) do f[fact] = nil end
    f.task, f.quality, f.max_latency_ms, f.data, f.labels, f.session = nil, nil, nil, nil, nil, nil
  end
end

-- A label of keys, or a field that enrich adds, becomes a fact like the others.
function facts.declare_label(name)
  facts.labels[name] = true
  compute[name] = function() return core.identity(name) end
end

-- Facts with names of their own: one header, one tag of the caller's app. Each gives the fact's name.
facts.named = {}

function facts.declare_header(name)
  local fact = "header " .. name
  facts.named[fact] = true
  compute[fact] = function(f) return f.ctx_headers[name] or false end
  return fact
end

function facts.declare_tag(name)
  local fact = "tag " .. name
  tag_facts[fact], facts.named[fact] = true, true
  compute[fact] = function(f)
    local app = facts.apps and facts.apps[f.app]
    return app and app.tags and app.tags[name] or false
  end
  return fact
end

-- What reasons may name in braces.
local private = { labels = true, known_cost_nano = true, crosses = true, phase = true, generation = true,
  request_user = true, time = true }
local later = { "^header ", "^tag ", "^ctx", "^response_", "^usage_", "^route_" }
local function is_private(name)
  for _, pattern in ipairs(later) do
    if name:find(pattern) then return true end
  end
  return private[name]
end

function facts.names()
  local names = {}
  for name in pairs(compute) do
    if not is_private(name) then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

function facts.is_identity(name)
  if facts.labels[name] then return true end
  for _, field in ipairs(identity_fields) do
    if field == name then return true end
  end
  return false
end

-- What was called, what came back: known from a phase on, and asking earlier is an error.
local order = { request = 1, attempt = 2, delta = 3, response = 4, done = 5 }

local function since(phase, name, compute_it)
  compute[name] = function(f)
    if order[core.phase()] < order[phase] then
      error(("%s is there from on_%s on"):format(name:gsub("^ctx_", "ctx."), phase), 0)
    end
    return compute_it(f)
  end
end

for _, name in ipairs { "status", "model", "provider", "finish_reason", "latency_ms", "ttft_ms" } do
  compute["response_" .. name] = function() return core.answer(name) end
end
local usage_fields = { "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
  "audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens", "images",
  "searches", "tool_calls", "estimated", "priced" }
for _, name in ipairs(usage_fields) do
  compute["usage_" .. name] = function() return core.used(name) end
end
function compute.usage_cost_usd()
  local nano = core.used "cost_nano"
  return nano and nano / 1000000000
end
since("done", "ctx_outcome", function() return core.answer "outcome" end)
-- Of the model that is asked for: has somebody approved it for this caller, for what, and was it an emergency?
local function granted(f) return grants.first(f, f.model) end
function compute.approved(f) return f.model and (core.is_approved(f.model) or granted(f) ~= nil) or false end
function compute.grant_purpose(f)
  local grant = granted(f)
  return grant and grant.purpose_word or false
end
function compute.break_glass(f)
  local grant = granted(f)
  return grant ~= nil and grant.break_glass and not core.is_approved(f.model)
end
local prompt_fields = { "prompt", "prompt_version", "prompt_label", "prompt_sha256", "prompt_status" }
for _, name in ipairs(prompt_fields) do
  compute[name] = function() return core.prompt(name) end
end
compute.cost_usd = function(f) return facts.cost_nano(f) / 1000000000 end
function compute.route_targets() return core.targets() end
function compute.route_target() return core.target() end
function compute.route_rule() return core.route_rule() end
function compute.route_attempts() return core.attempts() end

local function answer_text(view)
  core.check_ctx(view)
  if core.phase() ~= "response" then error("ctx.response:text() is there in on_response", 0) end
  return core.answer_text()
end

-- ctx and its parts: each name says which fact answers it.
local fields = {
  ctx = { id = "id", time = "time", phase = "phase", generation = "generation", identity = "ctx_identity",
    request = "ctx_request", estimate = "ctx_estimate", route = "ctx_route", response = "ctx_response",
    usage = "ctx_usage", outcome = "ctx_outcome", budget = "ctx_budget" },
  route = { targets = "route_targets", target = "route_target", rule = "route_rule", attempts = "route_attempts" },
  response = { status = "response_status", model = "response_model", provider = "response_provider",
    finish_reason = "response_finish_reason", latency_ms = "response_latency_ms", ttft_ms = "response_ttft_ms",
    text = answer_text },
  usage = { cost_usd = "usage_cost_usd", _booleans = { estimated = true, priced = true } },
  identity = { roles = "ctx_roles", approvals = "ctx_approvals", grants = "ctx_grants" },
  request = { api = "api", model = "model", stream = "stream", max_tokens = "max_tokens", temperature = "temperature",
    task = "task", quality = "quality", max_latency_ms = "max_latency_ms", data = "data", user = "request_user",
    tools = "tools", headers = "ctx_headers", _booleans = { stream = true },
    last_user_text = core.last_user_text, contains = core.contains, text_bytes = core.text_bytes, set = edits.set },
  estimate = { input_tokens = "input_tokens", output_tokens = "output_tokens", context_tokens = "context_tokens",
    estimated = "input_estimated", cost_usd = "cost_usd", _booleans = { estimated = true } },
  grants = {}, -- filled by read_grant
  -- filled by read_budget
  budget = { department = "budget_department", team = "budget_team", app = "budget_app", user = "budget_user" },
}
for _, name in ipairs(identity_fields) do fields.identity[name] = name end
for _, name in ipairs(prompt_fields) do fields.request[name] = name end
for _, name in ipairs(usage_fields) do fields.usage[name] = "usage_" .. name end
facts.fields = fields

function fields.ctx.annotate(ctx, name, value)
  core.check_ctx(ctx)
  if type(name) ~= "string" then raise.error("bad_value", "ctx:annotate(name, value): the name is a text", 0) end
  if value == nil then raise.error("bad_value", ("ctx:annotate('%s', nil): there is no value"):format(name), 0) end
  core.annotate(name, withhold(core.facts(), tostring(value)))
end

-- ctx:record { durability = "remote", intent = true, texts = { "prompt", "answer" } }: scripts/recording.lua
function fields.ctx.record(ctx, wish)
  core.check_ctx(ctx)
  if core.phase() ~= "request" then error("ctx:record() belongs into on_request: later the request is sent", 0) end
  local f, wanted = core.facts(), recording.check(wish)
  recording.check_place(wanted)
  local policy = f._policy
  core.trace(policy.name, "on_request", "record", recording.spell(wanted), policy.mode, policy.file, 0)
  if policy.mode ~= "observe" and not f._quiet then recording.apply(wanted) end
end

function fields.ctx.warn(ctx, code, text)
  core.check_ctx(ctx)
  if type(code) ~= "string" then raise.error("bad_value", "ctx:warn(code, text): the code is a text", 0) end
  core.warn(text and code .. ": " .. tostring(text) or code)
  local f = core.facts()
  core.trace(f._policy.name, code, "warn", tostring(text or ""), f._policy.mode, f._policy.file, 0)
end

-- ctx:mask("email"), ctx:mask { "email", "phone" }: as if the redaction policy masked these kinds.
function fields.ctx.mask(ctx, kinds)
  core.check_ctx(ctx)
  if core.phase() ~= "request" then error("ctx:mask() belongs into on_request: later the request is sent", 0) end
  if type(kinds) == "string" then kinds = { kinds } end
  if type(kinds) ~= "table" or #kinds == 0 then
    error("ctx:mask(kinds) wants a kind, \"email\", or a list of them", 0)
  end
  local f = core.facts()
  local policy = f._policy
  for _, kind in ipairs(kinds) do
    if type(kind) ~= "string" or not core.is_detected(kind) then
      error(("ctx:mask: no redaction policy of this chain looks for %s"):format(schema.kind_of(kind)), 0)
    end
    local count = core.found(kind)
    if count > 0 then
      core.trace(policy.name, kind, "mask", ("%d %s"):format(count, policy.mode == "observe" and "found" or "masked"),
        policy.mode, policy.file, 0)
    end
    if policy.mode ~= "observe" then core.mask(kind) end
  end
end

-- ctx.estimate:cost_of("gpt-4o"): USD that this request may cost there; nil without a price.
function fields.estimate.cost_of(view, name)
  core.check_ctx(view)
  local nano, wrong = facts.cost_nano_of(name, core.facts())
  if wrong then error("ctx.estimate:cost_of: " .. wrong, 0) end
  return nano and nano / 1000000000
end

-- Views are not kept under their names: whoever hands one to a policy's function asks for it, so that C knows.
compute.ctx = core.viewer "ctx"
for kind, phase in pairs { route = "attempt", response = "delta", usage = "delta" } do
  local name = "ctx_view_" .. kind
  compute[name] = core.viewer(kind)
  since(phase, "ctx_" .. kind, function(f) return f[name] end)
end
for _, kind in ipairs { "identity", "request", "estimate", "headers", "roles", "approvals", "budget", "grants" } do
  compute["ctx_" .. kind] = core.viewer(kind)
end

-- ctx.budget.department: counters are asked, and may take their time, so no function of C may stand between.
local function read_budget(view, name, fact)
  core.check_ctx(view)
  local f = core.facts()
  local value = rawget(f, fact)
  if value == nil then
    value = facts.budget_of(f, name) or false
    f[fact] = value
  end
  return value or nil
end

-- ctx.identity.grants["claude-3-opus"]: { id, ends_at, purpose, break_glass }, or nil.
local function read_grant(view, name)
  core.check_ctx(view)
  local grant = grants.first(core.facts(), name)
  return grant and { id = grant.id, ends_at = grant.ends_at, purpose = grant.purpose,
    break_glass = grant.break_glass } or nil
end

-- Only the fields that a policy may name stand in a view; anything else raises, with the nearest.
function facts.make_views()
  for name in pairs(facts.labels) do fields.identity[name] = name end
  for kind, map in pairs(fields) do
    local prefix = kind == "ctx" and "ctx" or "ctx." .. kind
    local names = {}
    for name in pairs(map) do
      if name ~= "_booleans" then names[#names + 1] = name end
    end
    local function unknown(name)
      local near = report.nearest(tostring(name), names)
      local nearest = near and " (" .. near .. ")" or ""
      if kind == "identity" and nearest == "" then
        nearest = " (a label of your keys? name it in auth.lua: labels = { … })"
      end
      raise.error("undefined_name", ("%s has no field '%s'%s"):format(prefix, tostring(name), nearest), 0)
    end
    core.view_kind(kind, map, unknown, kind == "grants" and read_grant or kind == "budget" and function(view, name)
      return read_budget(view, name, map[name] or unknown(name))
    end or nil)
  end
end

return facts
