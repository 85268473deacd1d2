-- cache.get(key), cache.set(key, value, ttl): what one worker keeps for later requests, also over reloads.
--
--   local rates = cache.get "rates"
--   if not rates then
--     rates = …
--     cache.set("rates", rates, "5m")
--   end
--
-- Values are copied both ways: texts, numbers, booleans and tables of them. Each worker has its own; what must be
-- counted exactly belongs into ratelimit or budget.
local core, use = ...
local schema = use "schema"
local raise = use "raise"

local cache = {}

local units = { ms = 1, s = 1000, m = 60 * 1000, h = 3600 * 1000, d = 24 * 3600 * 1000 }

local function milliseconds(value, call)
  if type(value) == "number" and value > 0 and value <= 30 * 86400 then return math.floor(value * 1000) end
  local count, unit = tostring(value):match("^(%d+)(%l+)$")
  if type(value) ~= "string" or not count or not units[unit] or #count > 6 then
    raise.error("bad_value",
      ("%s: the ttl is written \"30s\", \"5m\" or \"1h\", got %s"):format(call or "cache.set(key, value, ttl)",
        schema.kind_of(value)), 0)
  end
  return count * units[unit]
end

local function check_key(key)
  if type(key) ~= "string" or key == "" or #key > 512 then
    raise.error("bad_value", "cache: a key is a text of 1 to 512 bytes", 0)
  end
end

-- Raises when it is none: for whoever tries what a file says.
cache.check_ttl = milliseconds

cache.words = {
  get = function(key)
    check_key(key)
    local text = core.cache_get(key)
    if not text then return nil end
    local held = core.json_decode(text)
    return held and held[1]
  end,
  -- Whether it was kept; nil as the value takes it out.
  set = function(key, value, ttl)
    check_key(key)
    if value == nil then return core.cache_set(key, "", 0) end
    return core.cache_set(key, core.json_encode({ value }, true), milliseconds(ttl))
  end,
}

return cache
