-- Clients that spend random amounts at random gateways, as a process of their own, and write down each answer that came
-- to its end: a line "req_… STATUS TOKENS BEYOND SECONDS" in OUTPUT when the answer's last byte is there.
--
--   luajit tests/e2e/kit/spenders.lua OUTPUT SEED LANES PAUSE WRONG TOKENS LISTEN_JSON KEY [LISTEN_JSON KEY …]
--
-- Whole answers, streams, and streams whose client leaves in the middle, of TOKENS at most. A lane waits PAUSE seconds
-- after each. Of WRONG in a hundred answers the provider says that they were longer than they might be: BEYOND is by how
-- many tokens.
-- LISTEN_JSON is read again whenever nobody is there: that gateway may have been started anew. Says "in" when it begins;
-- ends at TERM, after the answers under way.
local cjson = require("cjson")
local signal = require("posix.signal")
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")

local output, seed, lanes, pause, wrong = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5])
local tokens_max = tonumber(arg[6])
local gateways = {}
for i = 7, #arg, 2 do gateways[#gateways + 1] = { listen_json = arg[i], key = arg[i + 1] } end
local log = assert(io.open(output, "a"))
log:setvbuf("line")
local random = expect.random(seed)

local is_over = false
signal.signal(signal.SIGTERM, function() is_over = true end)

local function find_port(g)
  local file = io.open(g.listen_json)
  local ok, listen = pcall(cjson.decode, file and file:read("*a") or "")
  if file then file:close() end
  g.port = ok and tonumber(tostring(listen.listen):match(":(%d+)$")) or nil
  return g.port
end

local function question(tokens, is_stream, beyond)
  local most = tokens + random(20) - 1
  local claimed = beyond > 0 and most + beyond or tokens
  return { model = "dear", max_tokens = most, stream = is_stream or nil, messages = { { role = "user", content = "go" } },
    metadata = { mock = ("tokens=%d&usage_tokens=%d&delay_ms=%d"):format(tokens, claimed, random(4) - 1) } }, claimed
end

local function is_complete(answer, is_stream)
  if answer.ending ~= "end" then return false end
  return answer.status ~= 200 or not is_stream or answer.body:find("data: [DONE]", 1, true) ~= nil
end

local function leave(g, json)
  local c = client.connect(g.port, { seconds = 40 })
  c:send(client.request { key = g.key, json = json })
  if c:head() then c:event() end
  c:close()
end

local function ask(g)
  local tokens, how = random(tokens_max), random(5)
  local beyond = wrong > 0 and how < 5 and random(100) <= wrong and random(20) or 0
  local json, claimed = question(tokens, how > 2, beyond)
  if how == 5 then return leave(g, json) end
  local began = socket.gettime()
  local answer = client.ask(g.port, { key = g.key, json = json, seconds = 40, close = true })
  local id = answer.status and answer:get("x-moongate-request-id")
  if not id then error("nobody took it") end
  if not is_complete(answer, how > 2) then return end
  local is_ok = answer.status == 200
  log:write(("%s %d %d %d %.4f\n"):format(id, answer.status, is_ok and claimed or 0, is_ok and beyond or 0,
    socket.gettime() - began))
end

local function go_on()
  while not is_over do
    local g = gateways[random(#gateways)]
    if not (g.port or find_port(g)) or not pcall(ask, g) then
      client.sleep(0.02)
      find_port(g)
    end
    client.sleep(pause)
  end
end

print("in")
io.stdout:flush()
crowd.run(function(all)
  for _ = 1, lanes do all.add(go_on) end
end, 3600)
log:close()
