-- redis.get(key), redis.set(key, value, ttl), redis.incr(key, ttl, by), redis.delete(key): what all gateways of a fleet
-- share beside limits and budgets, in the Redis of moongate.lua. They look like plain calls and never block: the
-- evaluation is put aside until the answer is there, and dropped with its request.
--
--   local seen, err = redis.get("blocked:" .. ctx.identity.user)
--   if err then return end                                   -- Redis is out of reach: nothing is known
--   local tries = redis.incr("tries:" .. ctx.identity.user, "10m")    -- 1, 2, 3 …; anew ten minutes after the first
--
-- Values are copied both ways: texts, numbers, booleans and tables of them. Each key ends by itself: a ttl is at most
-- 30 days, and set when the key is made. Keys are a policy's own ("mgp:" stands before them in Redis): counters of
-- limits and budgets cannot be reached. Whatever goes wrong outside is nil and a word: "timeout" "refused" "closed"
-- "limit", or what Redis said. What must be counted exactly belongs into ratelimit or budget.
local core, use = ...
local schema = use "schema"
local notes = use "notes"
local raise = use "raise"
local cache = use "services/cache"

local redis = {}

local PREFIX = "mgp:"
local TIMEOUT_MS = 50
local LARGEST, MOST = 65536, 2 ^ 53 - 1
local LONGEST_MS = 30 * 86400 * 1000
local examples = { set = "redis.set(key, value, \"5m\")", incr = "redis.incr(key, \"10m\")" }

local function bad(finding, text, ...) raise.error(finding, "redis: " .. text:format(...), 0) end

local function check_key(name, key)
  if type(key) ~= "string" or key == "" or #key > 512 then
    bad("bad_value", "%s: a key is a text of 1 to 512 bytes, got %s", name, schema.kind_of(key))
  end
end

local function check_ttl(example, ttl)
  if ttl == nil then bad("bad_value", "how long does the key stay? %s", example) end
  local ms = cache.check_ttl(ttl, example)
  if ms > LONGEST_MS then bad("bad_value", "a key stays 30 days at most: %s", example) end
  return ms
end

-- A whole number that Redis and Lua count alike.
local function check_step(by)
  if by == nil then return 1 end
  if type(by) ~= "number" or by ~= math.floor(by) or math.abs(by) > MOST then
    bad("bad_value", "incr: what is added is a whole number, got %s", schema.kind_of(by))
  end
  return by
end

local function check_place()
  if core.has_redis() == false then
    bad("service_not_listed", "moongate.lua names none: redis = { url = env \"MOONGATE_REDIS\" }")
  end
end

-- → what came, or nil and why not; nil alone: there is none.
local function ask(command, key, ...)
  check_place()
  local f = core.facts()
  local began = core.clock_ms()
  local words = core.json_encode { PREFIX .. key, ... }
  local status, err, body = core.http_start("REDIS", "redis:" .. command, {}, words, TIMEOUT_MS, false)
  if status == false then status = nil
  else status, err, body = core.http_take() end
  if status and status ~= 200 then err = status ~= 404 and body or nil end
  notes.note(f, f._policy, command .. " " .. key:sub(1, 100), "redis",
    ("%s in %d ms"):format(status and status == 200 and "answered" or err or "not there", core.clock_ms() - began),
    f._policy.mode, 0)
  if status == 200 then return body end
  return nil, err
end

-- What was set stands in a list of one; what was counted is a number.
local function value_of(text)
  if text:sub(1, 1) ~= "[" then return tonumber(text) end
  local held = core.json_decode(text)
  return held and held[1]
end

local function packed(value)
  local text = core.json_encode({ value }, true)
  if #text > LARGEST then bad("bad_value", "set: the value has %d bytes, %d are the most", #text, LARGEST) end
  return text
end

-- Raises what is wrong with the arguments, as far as they are given: for whoever tries what a file says.
function redis.try(name, key, ttl, by)
  if key ~= nil then check_key(name, key) end
  if ttl ~= nil then check_ttl(examples[name], ttl) end
  check_step(by)
end

redis.words = {
  get = function(key)
    check_key("get", key)
    local text, err = ask("get", key)
    if not text then return nil, err end
    return value_of(text)
  end,
  -- true; nil as the value takes it out.
  set = function(key, value, ttl)
    check_key("set", key)
    local text, err
    if value == nil then text, err = ask("delete", key)
    else text, err = ask("set", key, packed(value), check_ttl(examples.set, ttl)) end
    if not text then return nil, err end
    return true
  end,
  -- What it has become.
  incr = function(key, ttl, by)
    check_key("incr", key)
    local text, err = ask("incr", key, check_step(by), check_ttl(examples.incr, ttl))
    return text and tonumber(text), err
  end,
  -- Whether there was one.
  delete = function(key)
    check_key("delete", key)
    local text, err = ask("delete", key)
    if not text then return nil, err end
    return text == "1"
  end,
}

return redis
