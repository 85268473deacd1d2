-- What stands around policies in specs: services that answer as the spec says, what they counted and logged, and
-- answers of providers.
--
--   mg:stub("POST https://moderation.internal/v1/check", function(req)
--     return { status = 200, json = { flagged = true } }
--   end)
--   mg:stub("GET https://x.internal/", function() return nil, "timeout" end)       -- or "refused" "closed" "limit"
--   mg:stub("REDIS get", function() return nil, "timeout" end)     -- set, incr, delete; else they act on a table
--   local r = mg:respond({ model = "one" }, { chunks = { "Hello ", "you" }, output_tokens = 2 })
--   mg.metrics["checks_total"]      -- { { value =, labels = { … } }, … } in the order in which they were counted
--   mg.logs                         -- { { level =, place =, text = }, … }
--
-- req: method, url, headers, body, json, timeout_ms, has_secret. A call that no stub answers fails the test. The answer
-- of mg:respond: status, text or chunks (a stream), finish_reason, input_tokens, output_tokens, cached_tokens (also
-- cache_write_, reasoning_, audio_input_, audio_output_), service_tier, outcome. It comes in the form of the API that
-- was asked: "chat", "messages", "responses". Beside
-- what mg:request gives r has outcome, delivered (the text that left) and, when a later hook refused, answer = { phase,
-- status, code, reason, policy, rule }.
local core, use = ...
local json = use "json"

local services = {}

local current -- whose request is being decided

local function reply_of(given)
  if type(given) ~= "table" then
    error("a stub gives { status =, json = or body = } or nil and a word, not a " .. type(given), 0)
  end
  local reply = { status = given.status or 200, body = given.body, headers = {} }
  for name, value in pairs(given.headers or {}) do reply.headers[name] = value end
  if given.json ~= nil then
    reply.body = json.encode(given.json)
    reply.headers["content-type"] = reply.headers["content-type"] or "application/json"
  end
  return reply
end

-- --- Redis, unless a stub answers: a table of the gateway's own ---

local redis_routes = { ["REDIS get"] = true, ["REDIS set"] = true, ["REDIS incr"] = true, ["REDIS delete"] = true }
local commands = {}

function commands.get(store, key) return store[key] and store[key].text end

function commands.set(store, key, now, text, ms)
  store[key] = { text = text, ends = now + ms / 1000 }
  return "OK"
end

function commands.incr(store, key, now, by, ms)
  local old = store[key] or { text = "0", ends = now + ms / 1000 }
  local sum = tonumber(old.text)
  if not sum then return nil, "ERR value is not an integer or out of range" end
  store[key] = { text = ("%.0f"):format(sum + by), ends = old.ends }
  return store[key].text
end

function commands.delete(store, key)
  local was = store[key] ~= nil
  store[key] = nil
  return was and "1" or "0"
end

local function in_memory(mg, call, engine)
  local words, now = engine.json(call.body), mg.now or mg.time
  local key = words[1]
  if mg.redis[key] and mg.redis[key].ends <= now then mg.redis[key] = nil end
  local text, wrong = commands[call.url:match("^redis:(.*)$")](mg.redis, key, now, words[2], words[3])
  return { status = wrong and 500 or text and 200 or 404, body = wrong or text or "", headers = {} }
end

function services.install(Gateway, engine)
  local function on_call(call)
    local route = (call.method .. " " .. call.url):gsub("^REDIS redis:", "REDIS ")
    local stub = current and (current.stubs[route] or current.stubs[route:match("^[^?]*")])
    if not stub and current and call.method == "REDIS" then return in_memory(current, call, engine) end
    if not stub then error(("no stub for %s: mg:stub(%q, function(req) … end)"):format(route, route), 0) end
    if call.body ~= "" then
      local ok, value = pcall(engine.json, call.body)
      call.json = ok and value or nil
    end
    local given, why = stub(call)
    if given == nil then return nil, why or "closed" end
    return reply_of(given)
  end

  function Gateway:stub(route, answer)
    if type(route) ~= "string" or not (route:find("^%u+ https?://") or redis_routes[route]) then
      error("mg:stub(\"POST https://host/path\", function), or \"REDIS get\" (set, incr, delete)", 2)
    end
    if type(answer) == "table" then
      local fixed = answer
      answer = function() return fixed end
    end
    self.stubs[route] = answer
  end

  -- Before a gateway decides, and after: whose stubs answer, where counts and lines go.
  function services.enter(mg)
    if current ~= mg then engine.serve_with(on_call) end
    current = mg
    engine.seen()
  end

  function services.leave(mg)
    for line in engine.seen():gmatch("[^\n]+") do
      local entry = engine.json(line)
      if entry.log then mg.logs[#mg.logs + 1] = entry.log end
      local metric = entry.metric
      if metric then
        local list = mg.metrics[metric.name] or {}
        list[#list + 1] = { value = metric.value, labels = metric.labels }
        mg.metrics[metric.name] = list
      end
    end
  end

  function services.forget(mg) mg.stubs, mg.logs, mg.metrics, mg.redis = {}, {}, {}, {} end
end

return services
