-- A PostgreSQL of a test's own (tests/lib/postgres), and questions to it.
--
--   local db = postgres.start()               -- a cluster in a temporary folder, on a Unix socket
--   db.url                                    -- for moongate.lua, as the owner of one database
--   db:ask("SELECT 1, 2")                     -- "1|2": rows as lines, as who may do all; nil when it is down
--   db:kill()  db:run()                       -- by its process id; the same cluster again
--   db:stop()                                 -- and its folder goes
local signal = require("posix.signal")
local stdlib = require("posix.stdlib")
local unistd = require("posix.unistd")
local expect = require("tests.e2e.kit.expect")
local process = dofile("tests/lib/process.lua")

local postgres = {}
local running = {}
running.__index = running

local DEBIAN = "/usr/lib/postgresql/15/bin/psql"
local psql = unistd.access(DEBIAN, "x") and DEBIAN or "psql"

function postgres.start()
  local self = setmetatable({ dir = stdlib.mkdtemp("/tmp/moongate-pg-XXXXXX") }, running)
  self.url = ("postgresql://moongate:secret@/moongate?host=%s"):format(self.dir)
  self:run()
  return self
end

function running:run()
  self.process = process.start { "tests/lib/postgres", self.dir, output = self.dir .. "/said" }
  expect.eventually(function() return self:ask("SELECT 1") end, 60, "PostgreSQL")
end

function running:ask(sql)
  local out, status = process.run { psql, "-XAtq", "-h", self.dir, "-U", "postgres", "-d", "moongate", "-c", sql }
  if status ~= 0 then return nil end
  return (out:gsub("\n$", ""))
end

-- The postmaster alone; its children notice and go.
function running:kill(number)
  self.process:signal(number or signal.SIGKILL)
  self.process:wait(30)
  self.process = nil
end

function running:stop()
  if self.process then self:kill(signal.SIGINT) end
  process.run { "rm", "-rf", self.dir }
end

return postgres
