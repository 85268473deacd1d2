-- A PostgreSQL of a test's own (tests/lib/postgres), and questions to it.
--
--   local db = postgres.start()               -- a cluster in a temporary folder, on a Unix socket
--   db.url                                    -- for moongate.lua, as the owner of one database
--   db:ask("SELECT 1, 2")                     -- "1|2": rows as lines, as who may do all; nil when it is down
--   db:kill()  db:run()                       -- by its process id; the same cluster again
--   db:stop()                                 -- and its folder goes
local signal = require("posix.signal")
local unistd = require("posix.unistd")
local daemon = require("tests.e2e.kit.daemon")

local postgres = {}
local running = daemon.class()

local DEBIAN = "/usr/lib/postgresql/15/bin/psql"
local psql = unistd.access(DEBIAN, "x") and DEBIAN or "psql"

function postgres.start()
  local self = daemon.new(running, "postgres")
  self.url = ("postgresql://moongate:secret@/moongate?host=%s"):format(self.dir)
  self:run()
  return self
end

function running:ask(sql)
  return daemon.said { psql, "-XAtq", "-h", self.dir, "-U", "postgres", "-d", "moongate", "-c", sql }
end

function running:is_up() return self:ask("SELECT 1") ~= nil end

function running:stop() daemon.stop(self, signal.SIGINT) end

return postgres
