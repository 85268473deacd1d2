-- A Redis of a test's own (tests/lib/redis), and questions to it.
--
--   local db = redis.start { "--maxmemory", "10mb" }   -- in a temporary folder, on a Unix socket; settings as redis.conf
--   db.url                                    -- for moongate.lua: unix:///…/redis.sock
--   db:ask("HGETALL", "name")                 -- as redis-cli prints it into a pipe; nil when it is down
--   db:stop_answering()  db:answer()          -- SIGSTOP, SIGCONT: there, and silent
--   db:kill()  db:run()                       -- by its process id; in the same folder again, empty unless it saved
--   db:stop()                                 -- and its folder goes
local signal = require("posix.signal")
local stdlib = require("posix.stdlib")
local expect = require("tests.e2e.kit.expect")
local process = dofile("tests/lib/process.lua")

local redis = {}
local running = {}
running.__index = running

function redis.start(settings, env)
  local self = setmetatable({ dir = stdlib.mkdtemp("/tmp/moongate-redis-XXXXXX"), settings = settings or {}, env = env }, running)
  self.socket = self.dir .. "/redis.sock"
  self.url = "unix://" .. self.socket
  self:run()
  return self
end

function running:run()
  local words = { "tests/lib/redis", self.dir, output = self.dir .. "/said", env = self.env }
  for _, setting in ipairs(self.settings) do words[#words + 1] = setting end
  self.process = process.start(words)
  expect.eventually(function() return self:ask("PING") == "PONG" end, 60, "Redis")
end

function running:ask(...)
  local words = { "redis-cli", "-s", self.socket }
  for _, word in ipairs { ... } do words[#words + 1] = tostring(word) end
  local out, status = process.run(words)
  if status ~= 0 then return nil end
  return (out:gsub("\n$", ""))
end

function running:stop_answering() self.process:signal(signal.SIGSTOP) end

function running:answer() self.process:signal(signal.SIGCONT) end

function running:kill(number)
  self.process:signal(number or signal.SIGKILL)
  self.process:wait(30)
  self.process = nil
end

function running:stop()
  if self.process then self:kill(signal.SIGKILL) end
  process.run { "rm", "-rf", self.dir }
end

return redis
