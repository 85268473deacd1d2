-- The facts of one request: a table that asks C the first time a name is read and keeps the answer. Absent is false.
--
-- The same table carries what the chain notes on its way, under names that begin with an underscore (false at first, since
-- a name that is not there would be asked of C):
--   _at        index of the policy at work            _entry    what the requested name stands for (catalogue)
--   _filters   what a target must pass                _chosen   targets that a proposal left over
--   _made      verbs built and not yet returned       _quiet    deciding about a listing: nothing is recorded
local core, use = ...
local report = use "report"
local schema = use "schema"

local facts = { apps = nil, labels = {} }

-- Facts by name: what conditions, reasons in braces and ctx can name.
local compute = {}
facts.compute = compute

local identity_fields = { "user", "app", "department", "team", "tier", "region", "clearance", "env", "key_id" }
function compute.phase() return "request" end
function compute.generation() return facts.generation end

-- Hints: the header, else the body, else what apps.lua says. The data class is the most sensitive that anybody names, so
-- callers can only raise it.
local nothing = {}

local function hint(name, default)
  local header, body = core.hint(name)
  return header or body or default or false
end

local function highest(...)
  local class, rank = "public", 1
  for i = 1, 3 do
    local name = select(i, ...)
    local r = name and schema.class_rank[name]
    if r and r > rank then class, rank = name, r end
  end
  return class
end

-- Sets the four at once; most requests give none.
local function settle_hints(f)
  local app = facts.apps and facts.apps[f.app]
  local defaults = app and app.defaults or nothing
  if not f._hints then
    f.task, f.quality = defaults.task or false, defaults.quality or false
    f.max_latency_ms, f.data = defaults.max_latency_ms or false, defaults.data or "public"
    return
  end
  f.task, f.quality = hint("task", defaults.task), hint("quality", defaults.quality)
  f.max_latency_ms = tonumber(hint("max_latency_ms", defaults.max_latency_ms)) or false
  f.data = highest(defaults.data, core.hint "data")
end

for _, name in ipairs { "task", "quality", "max_latency_ms", "data" } do
  compute[name] = function(f)
    settle_hints(f)
    return f[name]
  end
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
  return each("data", is_class, "a data class is one of " .. table.concat(schema.classes, ", "))
    or each("max_latency_ms", is_ms, "a whole number of milliseconds is wanted")
    or each("task", is_word, "one word of letters, digits, - and _ is wanted")
    or each("quality", is_word, "one word of letters, digits, - and _ is wanted")
end

local meta = { __index = core.fact_reader(compute) }

function facts.attach(f)
  f._filters, f._hints = {}, core.has_hints()
  f._at, f._policy, f._entry, f._chosen, f._proposals, f._rejected, f._made, f._quiet = 0, false, false, false, false,
    false, false, false
  return setmetatable(f, meta)
end

-- After auth settled a field of the identity: it is asked again, and what depends on it.
function facts.forget(f, name)
  f[name] = nil
  if name == "app" then f.task, f.quality, f.max_latency_ms, f.data = nil, nil, nil, nil end
end

-- A label of keys, or a field that enrich adds, becomes a fact like the others.
function facts.declare_label(name)
  facts.labels[name] = true
  compute[name] = function() return core.identity(name) end
end

-- What reasons may name in braces.
local private = { phase = true, generation = true, request_user = true, time = true }
function facts.names()
  local names = {}
  for name in pairs(compute) do
    if not private[name] and not name:find("^ctx") then names[#names + 1] = name end
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

-- ctx and its parts: each name says which fact answers it.
local fields = {
  ctx = { id = "id", time = "time", phase = "phase", generation = "generation", identity = "ctx_identity",
    request = "ctx_request", estimate = "ctx_estimate" },
  identity = { roles = "ctx_roles", approvals = "ctx_approvals" },
  request = { api = "api", model = "model", stream = "stream", max_tokens = "max_tokens", temperature = "temperature",
    task = "task", quality = "quality", max_latency_ms = "max_latency_ms", data = "data", user = "request_user",
    tools = "tools", headers = "ctx_headers", _booleans = { stream = true },
    last_user_text = core.last_user_text, contains = core.contains, text_bytes = core.text_bytes },
  estimate = { input_tokens = "input_tokens", output_tokens = "output_tokens", context_tokens = "context_tokens" },
}
for _, name in ipairs(identity_fields) do fields.identity[name] = name end

function fields.ctx.annotate(ctx, name, value)
  core.check_ctx(ctx)
  if type(name) ~= "string" then error("ctx:annotate(name, value): the name is a text", 0) end
  if value == nil then error(("ctx:annotate('%s', nil): there is no value"):format(name), 0) end
  core.annotate(name, tostring(value))
end

function fields.ctx.warn(ctx, code, text)
  core.check_ctx(ctx)
  if type(code) ~= "string" then error("ctx:warn(code, text): the code is a text", 0) end
  core.warn(text and code .. ": " .. tostring(text) or code)
  local f = core.facts()
  core.trace(f._policy.name, code, "warn", tostring(text or ""), f._policy.mode, f._policy.file, 0)
end

compute.ctx = function() return core.view "ctx" end
for _, kind in ipairs { "identity", "request", "estimate", "headers", "roles", "approvals" } do
  compute["ctx_" .. kind] = function() return core.view(kind) end
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
    core.view_kind(kind, map, function(name)
      local near = report.nearest(tostring(name), names)
      local nearest = near and " (" .. near .. ")" or ""
      if kind == "identity" and nearest == "" then nearest = " (a label of your keys? name it in auth.lua: labels = { … })" end
      error(("%s has no field '%s'%s"):format(prefix, tostring(name), nearest), 0)
    end)
  end
end

return facts
