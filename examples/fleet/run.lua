-- `make -C examples/fleet demo` and `check`: a Redis, a mock provider, and two gateways that share the Redis.
--
--   B=build luajit examples/fleet/run.lua demo|check
--
-- FLEET_REDIS_URL names a Redis that is there already. All that is started here ends with this program, and its
-- data, build/fleet, is removed.
local cjson = require("cjson")
local stdlib = require("posix.stdlib")
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

local LIMIT = 10 -- policies/ratelimit.lua
local data = gateway.build .. "/fleet"
local redis_folder -- the names of sockets are short
local started = {}

local function stop_all()
  for i = #started, 1, -1 do started[i]:stop() end
  for _, folder in ipairs { data, redis_folder } do os.execute("rm -rf '" .. folder .. "'") end
end

local function give_up(why)
  io.stderr:write(why, "\n")
  stop_all()
  os.exit(1)
end

-- The package redis-tools has the server in it, under another name (tests/lib/redis).
local function start_redis()
  local url = os.getenv("FLEET_REDIS_URL")
  if url then return url end
  if os.execute("command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null") ~= 0 then
    give_up("There is no Redis here: apt-get install redis-tools, or FLEET_REDIS_URL=redis://HOST:6379")
  end
  redis_folder = stdlib.mkdtemp("/tmp/moongate-fleet-XXXXXX")
  started[#started + 1] = process.start { "tests/lib/redis", redis_folder, output = redis_folder .. "/said" }
  return "unix://" .. redis_folder .. "/redis.sock"
end

local function start_gateway(number, redis_url, mock)
  local g, why = gateway.start { config = "examples/fleet/moongate.lua", data = data .. "/" .. number,
    env = { FLEET_REDIS_URL = redis_url, FLEET_PROVIDER_URL = mock.url .. "/v1" } }
  if not g then give_up("The gateway did not start:\n" .. why) end
  started[#started + 1] = g
  g.api_key = g:key { app = "sales-copilot", department = "sales", user = "ann" }
  return g
end

local function wait_for_redis(g)
  for _ = 1, 300 do
    local _, said = gateway.get(g.admin_port, "/readyz?verbose")
    if said and said:find("[+]redis ok", 1, true) then return end
    process.sleep(0.1)
  end
  give_up("The gateway has no Redis:\n" .. tostring(select(2, gateway.get(g.admin_port, "/readyz?verbose"))))
end

local QUESTION = cjson.encode { model = "gpt-4o-mini", max_tokens = 9, messages = { { role = "user", content = "Hello!" } } }

local function ask(g)
  local answer = gateway.ask(g.port, ("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"
    .. "Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(g.api_key, #QUESTION, QUESTION))
  return tonumber((answer or ""):match("^HTTP/1.1 (%d+)"))
end

local modes = {}

-- One after the other, each gateway in turn: alone, each would let all of its half pass.
function modes.check(gateways)
  local passed, refused = 0, 0
  for i = 1, 2 * LIMIT do
    local status = ask(gateways[i % 2 + 1])
    if status == 200 then passed = passed + 1 end
    if status == 429 then refused = refused + 1 end
  end
  print(("%d requests at two gateways, a limit of %d: %d passed, %d refused"):format(2 * LIMIT, LIMIT, passed, refused))
  return passed == LIMIT and refused == LIMIT and 0 or 1
end

function modes.demo(gateways, mock)
  print("Two gateways are up; they count in one Redis. A mock provider answers; nothing leaves this machine.\n")
  for i, g in ipairs(gateways) do
    print(("  gateway %d   %s/v1   key %s"):format(i, g.url, g.api_key))
  end
  print(("\nTen an hour for each app, wherever it asks. Six at each, and two of the twelve are refused:\n"))
  for _, g in ipairs(gateways) do
    print(([[  for i in 1 2 3 4 5 6; do curl -so /dev/null -w '%%{http_code}\n' %s/v1/chat/completions -H "Authorization: Bearer %s" -d '%s'; done]])
      :format(g.url, g.api_key, QUESTION))
  end
  print("\nWhat is left, as either gateway sees it:\n")
  for i, g in ipairs(gateways) do
    print(("  MOONGATE_DATA_DIR=%s FLEET_REDIS_URL=%s FLEET_PROVIDER_URL=%s %s/moongate limits -c %s --app sales-copilot"):format(
      data .. "/" .. i, g.env.FLEET_REDIS_URL, g.env.FLEET_PROVIDER_URL, gateway.build, g.config))
  end
  print("\nCtrl-C ends it.")
  io.stdout:flush()
  while not process.interrupted do
    for _, one in ipairs(started) do
      if (one.process or one):wait(0) then return 1 end
    end
    mock.process:line(0.2)
  end
  return 0
end

local mode = modes[arg[1]] or error("demo or check?")
process.catch_signals()
os.execute(("rm -rf '%s' && mkdir -p -m 700 '%s'"):format(data, data))
local redis_url = start_redis()
local mock = gateway.mock {}
started[#started + 1] = mock.process
local gateways = { start_gateway(1, redis_url, mock), start_gateway(2, redis_url, mock) }
for _, g in ipairs(gateways) do wait_for_redis(g) end
local status = mode(gateways, mock)
stop_all()
if status == 0 and arg[1] == "demo" then print("\nThe fleet has ended; nothing is left running.") end
os.exit(status)
