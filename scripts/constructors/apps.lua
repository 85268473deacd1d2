-- apps { ["support-bot"] = { department = "support", owner = "…", defaults = { data = "internal", task = "chat" } } }
-- session = { headers = { "x-session-id" }, idle = "2h" } says what a session of it is, for limits and budgets.
-- on_client_disconnect = drain { … } says what becomes of an answer whose client has gone (scripts/disconnect.lua).
-- Which applications there are, and what holds for their requests when nobody says otherwise. Gives the map.
local core, use = ...
local schema = use "schema"
local units = use "units"
local disconnect = use "disconnect"

local apps = {}

local defaults = schema.record({ data = schema.class, task = schema.text, quality = schema.text,
  max_latency_ms = schema.number, label = schema.one_or_list(schema.text) }, nil, "default")

local session = schema.record({ headers = schema.one_or_list(schema.header), idle = units.duration }, nil,
  "field of a session")

local shape = schema.record {
  department = schema.text, owner = schema.text, description = schema.text, defaults = defaults,
  tags = schema.map(schema.text), on_client_disconnect = disconnect.shape, session = session,
}

function apps.compile(spec)
  local map = schema.map(shape)(spec, nil) or {}
  for _, app in pairs(map) do
    app.defaults = app.defaults or {}
  end
  return map
end

return apps
