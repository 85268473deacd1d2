-- A server of a test's own in a temporary folder, started by a script of tests/lib and ended by its process id: what
-- redis.lua and postgres.lua have in common.
--
--   local d = daemon.new(class, "redis")       -- class: what it can besides, with is_up() among it; d.dir
--   d.settings = { "--port", "0" }  d.env      -- further words of tests/lib/redis, and its environment
--   d:run()  d:kill()  d:run()                 -- in the same folder again
--   d:stop()                                   -- and its folder goes
local signal = require("posix.signal")
local stdlib = require("posix.stdlib")
local expect = require("tests.e2e.kit.expect")
local process = dofile("tests/lib/process.lua")

local daemon = {}
daemon.__index = daemon

-- For a class to inherit from.
function daemon.class()
  local class = setmetatable({}, daemon)
  class.__index = class
  return class
end

function daemon.new(class, name)
  return setmetatable({ name = name, dir = stdlib.mkdtemp("/tmp/moongate-" .. name .. "-XXXXXX") }, class)
end

function daemon:run()
  local words = { "tests/lib/" .. self.name, self.dir, output = self.dir .. "/said", env = self.env }
  for _, setting in ipairs(self.settings or {}) do words[#words + 1] = setting end
  self.process = process.start(words)
  expect.eventually(function() return self:is_up() end, 60, self.name)
end

-- What a client program prints, without its last line's end; nil when it could not ask.
function daemon.said(words)
  local out, status = process.run(words)
  if status ~= 0 then return nil end
  return (out:gsub("\n$", ""))
end

-- The one process; its children notice and go.
function daemon:kill(number)
  self.process:signal(number or signal.SIGKILL)
  self.process:wait(30)
  self.process = nil
end

function daemon:stop(number)
  if self.process then self:kill(number) end
  process.run { "rm", "-rf", self.dir }
end

return daemon
