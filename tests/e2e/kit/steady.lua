-- Clients that ask without a pause, as a process of their own, and write down each answer that came to its end
-- (tests/e2e/crash_spec.lua): a line "req_… STATUS" in OUTPUT, written when the answer's last byte is there.
--
--   luajit tests/e2e/kit/steady.lua LISTEN_JSON KEY LANES OUTPUT
--
-- Whole answers, streams and denials in turn. LISTEN_JSON is read again whenever nobody is there: the gateway may have
-- been started anew. Ends at TERM, after the answers under way.
local cjson = require("cjson")
local signal = require("posix.signal")
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")

local listen_json, key, lanes, output = arg[1], arg[2], tonumber(arg[3]), arg[4]
local log = assert(io.open(output, "a"))
log:setvbuf("line")

local is_over = false
signal.signal(signal.SIGTERM, function() is_over = true end)

local function find_port()
  local file = io.open(listen_json)
  local ok, listen = pcall(cjson.decode, file and file:read("*a") or "")
  if file then file:close() end
  return ok and tonumber(tostring(listen.listen):match(":(%d+)$")) or nil
end

local HELLO = { { role = "user", content = "one two three" } }
local questions = {
  { model = "gpt-4o", messages = HELLO, metadata = { mock = "fast=1&tokens=5" } },
  { model = "gpt-4o", stream = true, messages = HELLO, metadata = { mock = "fast=1&tokens=20" } },
  { model = "gpt-4o", stream = true, messages = HELLO, metadata = { mock = "tokens=10" } },
  { model = "claude-3-opus", messages = HELLO },
}

-- Complete as an SDK would take it: a whole body, and of a stream its end marker.
local function is_complete(answer, question)
  if answer.ending ~= "end" then return false end
  return answer.status ~= 200 or not question.stream or answer.body:find("data: [DONE]", 1, true) ~= nil
end

-- One question; false when nobody took it.
local function ask(port, question)
  local ok, answer = pcall(client.ask, port, { key = key, json = question, seconds = 40, close = true })
  if not ok or not answer.status then return false end
  local id = answer:get("x-moongate-request-id")
  -- 503 is all that is told when nothing can be recorded.
  if id and answer.status ~= 503 and is_complete(answer, question) then log:write(id, " ", answer.status, "\n") end
  return true
end

local function go_on(lane)
  local port, turn = find_port(), lane
  while not is_over do
    turn = turn + 1
    if not port or not ask(port, questions[turn % #questions + 1]) then
      client.sleep(0.02)
      port = find_port()
    end
  end
end

print("in")
io.stdout:flush()
local deadline = socket.gettime() + 1800
crowd.run(function(all)
  for lane = 1, lanes do all.add(function() go_on(lane) end) end
end, deadline - socket.gettime())
log:close()
