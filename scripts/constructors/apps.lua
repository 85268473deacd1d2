-- apps { ["support-bot"] = { department = "support", owner = "…", defaults = { data = "internal", task = "chat" } } }
-- session = { headers = { "x-session-id" }, idle = "2h" } says what a session of it is, for limits and budgets.
-- on_client_disconnect = drain { … } says what becomes of an answer whose client has gone (scripts/disconnect.lua).
-- objects = { ["openai"] = { "vs_docs" } }: by account of moongate.lua what its provider keeps and the app may name,
-- though it was not made through this gateway: vector stores, files, skills. No path takes it for the app's own.
-- Which applications there are, and what holds for their requests when nobody says otherwise. Gives the map.
local core, use = ...
local schema = use "schema"
local units = use "units"
local disconnect = use "disconnect"
local report = use "report"
local sub = report.sub

local apps = {}

local defaults = schema.record({ data = schema.class, task = schema.text, quality = schema.text,
  max_latency_ms = schema.number, label = schema.one_or_list(schema.text) }, nil, "default")

local session = schema.record({ headers = schema.one_or_list(schema.header), idle = units.duration }, nil,
  "field of a session")

local ID_BYTES = 256 -- LIMIT_KEPT_ID_BYTES

local id = schema.shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and #value <= ID_BYTES and value:find("^[^%c ]+$") then return value end
  report.at(path, "bad_value",
    ("expected the id of an object, without blanks, of 1 to %d bytes; got %s"):format(ID_BYTES, schema.kind_of(value)))
end)

local shape = schema.record {
  department = schema.text, owner = schema.text, description = schema.text, defaults = defaults,
  tags = schema.map(schema.text), on_client_disconnect = disconnect.shape, session = session,
  objects = schema.map(schema.list(id)),
}

-- { [id] = account }; nil: nothing is shared with it.
local function compile_shared(app, path)
  if not app.objects then return nil end
  local shared = {}
  for _, account in ipairs(report.keys(app.objects)) do
    local at = sub(path, account)
    if core.provider(account) == false then
      report.warn(at, "no_account", ("moongate.lua has no provider '%s': what it keeps cannot be used"):format(account),
        report.nearest(account, core.names "provider") or "objects = { [provider] = { id, … } }")
    end
    for i, name in ipairs(app.objects[account] or {}) do
      if shared[name] then
        report.at(sub(at, i), "bad_value", ("'%s' is at %s already: one account has it"):format(name, shared[name]))
      end
      shared[name] = shared[name] or account
    end
  end
  return shared
end

function apps.compile(spec)
  local map = schema.map(shape)(spec, nil) or {}
  for _, name in ipairs(report.keys(map)) do
    local app = map[name]
    app.defaults = app.defaults or {}
    app.shared = compile_shared(app, sub(sub(nil, name), "objects"))
  end
  return map
end

return apps
