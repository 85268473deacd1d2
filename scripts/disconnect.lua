-- What becomes of an answer whose client has gone:
--
--   on_client_disconnect = cancel                                        -- the provider is told to stop (the default)
--   on_client_disconnect = drain { max_seconds = 30, max_tokens = 4000 } -- read on, so that its own numbers are billed
--
-- In an app's row, or in a policy file for all requests of its chain. An app's word counts before a policy's; of
-- several policies the last in the chain has it.
local core, use = ...
local report = use "report"
local schema = use "schema"
local raise = use "raise"

local disconnect = { words = {} }

local Word = { __metatable = "disconnect", __newindex = function() error("cancel and drain cannot be changed", 2) end }
local parts = setmetatable({}, { __mode = "k" })

local SECONDS_MAX, TOKENS_MAX = 3600, 10000000
local limits = { max_seconds = SECONDS_MAX, max_tokens = TOKENS_MAX }

local function make(part)
  local word = setmetatable({}, Word)
  parts[word] = part
  return word
end

local function check(name, value)
  local most = limits[name]
  if not most then
    local near = report.nearest(tostring(name), report.keys(limits))
    raise.error("undefined_name", ("drain { … } has no field '%s'%s"):format(tostring(name),
      near and " (" .. near .. ")" or ""), 0)
  end
  if type(value) ~= "number" or value < 1 or value > most or value % 1 ~= 0 then
    raise.error("bad_value", ("drain: %s is a whole number from 1 to %d, got %s"):format(name, most,
      schema.kind_of(value)), 0)
  end
end

disconnect.words.cancel = make { is_cancel = true }

function disconnect.words.drain(given)
  if type(given) ~= "table" or getmetatable(given) then
    error("drain wants its bounds: drain { max_seconds = 30, max_tokens = 4000 }", 0)
  end
  for _, name in ipairs(report.keys(given)) do check(name, given[name]) end
  for _, name in ipairs { "max_seconds", "max_tokens" } do
    if given[name] == nil then
      raise.error("missing_field",
        ("drain: %s is missing: drain { max_seconds = 30, max_tokens = 4000 }"):format(name), 0)
    end
  end
  return make { max_seconds = given.max_seconds, max_tokens = given.max_tokens }
end

-- { is_cancel } or { max_seconds, max_tokens }
disconnect.shape = schema.shape({ kind = "mg.disconnect" }, function(value, path)
  local part = parts[value]
  if part then return part end
  report.at(path, "bad_value",
    "expected cancel, or drain { max_seconds = 30, max_tokens = 4000 }; got " .. schema.kind_of(value),
    value == "cancel" and "cancel is a word of its own, without quotes" or nil)
end)

-- The word of the policies at work: the last one's.
function disconnect.of(policies)
  local last
  for _, policy in ipairs(policies) do
    if policy.mode ~= "observe" then last = policy.on_client_disconnect or last end
  end
  return last
end

function disconnect.is_said_by(apps)
  for _, app in pairs(apps or {}) do
    if app.on_client_disconnect then return true end
  end
  return false
end

-- Tells the core, for one request that is let through.
function disconnect.apply(app, of_policies)
  local word = app and app.on_client_disconnect or of_policies
  if word and not word.is_cancel then core.drain(word.max_seconds, word.max_tokens) end
end

return disconnect
