-- apps { ["support-bot"] = { department = "support", owner = "…", defaults = { data = "internal", task = "chat" } } }
-- Which applications there are, and what holds for their requests when nobody says otherwise. Gives the map.
local core, use = ...
local schema = use "schema"

local apps = {}

local defaults = schema.record({ data = schema.class, task = schema.text, quality = schema.text,
  max_latency_ms = schema.number }, nil, "default")

local shape = schema.record {
  department = schema.text, owner = schema.text, description = schema.text, defaults = defaults,
  tags = schema.map(schema.text), disconnect = schema.choice { "cancel", "finish" }, session = schema.table,
}

function apps.compile(spec)
  local map = schema.map(shape)(spec, nil) or {}
  for _, app in pairs(map) do
    app.defaults = app.defaults or {}
  end
  return map
end

return apps
