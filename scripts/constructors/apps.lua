-- apps { ["support-bot"] = { department = "support", owner = "…", defaults = { data = "internal", task = "chat" } } }
-- session = { headers = { "x-session-id" }, idle = "2h" } says what a session of it is, for limits and budgets.
-- on_client_disconnect = drain { … } says what becomes of an answer whose client has gone (scripts/disconnect.lua).
-- Which applications there are, and what holds for their requests when nobody says otherwise. Gives the map.
local core, use = ...
local report = use "report"
local schema = use "schema"
local units = use "units"
local disconnect = use "disconnect"

local apps = {}

local defaults = schema.record({ data = schema.class, task = schema.text, quality = schema.text,
  max_latency_ms = schema.number, label = schema.one_or_list(schema.text) }, nil, "default")

local secret = { authorization = true, ["proxy-authorization"] = true, cookie = true, ["x-api-key"] = true, ["api-key"] = true,
  ["x-goog-api-key"] = true }

-- Names are compared as HTTP does, without regard to case.
local function header(value, path)
  if type(value) == "string" and secret[value:lower()] then
    report.at(path, "bad_value", ("expected a header that holds no secret, got '%s'"):format(value))
    return nil
  end
  if type(value) == "string" and value:find("^[%w_%-]+$") then return value:lower() end
  report.at(path, "bad_value", "expected the name of a header, such as \"x-session-id\", got " .. schema.kind_of(value))
end

local session = schema.record({ headers = schema.one_or_list(header), idle = units.duration }, nil, "field of a session")

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
