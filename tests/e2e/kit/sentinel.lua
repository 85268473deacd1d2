-- A Redis with a replica and a Sentinel of a test's own: who is the master is the Sentinel's to say.
--
--   local db = sentinel.start()
--   db.url                             -- for moongate.lua: redis+sentinel://127.0.0.1:…/fleet
--   db:ask("HGETALL", "name")          -- of who is master now; nil when nobody is
--   db:fail_over()                     -- the master is killed; until the replica is master, and the other its replica
--   db:stop()
local socket = require("socket")
local daemon = require("tests.e2e.kit.daemon")
local expect = require("tests.e2e.kit.expect")
local redis = require("tests.e2e.kit.redis")

local sentinel = {}
local running = {}
running.__index = running
local watcher = daemon.class()

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

function watcher:ask(...)
  return daemon.said { "redis-cli", "-p", tostring(self.port), ... }
end

function watcher:is_up() return self:ask("PING") == "PONG" end

local function start_watcher(master_port)
  local self = daemon.new(watcher, "redis")
  self.port = free_port()
  local path = self.dir .. "/sentinel.conf"
  local file = assert(io.open(path, "w"))
  file:write(([[
port %d
bind 127.0.0.1
dir %s
sentinel monitor fleet 127.0.0.1 %d 1
sentinel down-after-milliseconds fleet 500
sentinel failover-timeout fleet 3000
]]):format(self.port, self.dir, master_port))
  file:close()
  self.settings = { "sentinel", path }
  self:run()
  return self
end

local function start_server(port, ...)
  return redis.start { "--port", tostring(port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0", ... }
end

function sentinel.start()
  local first, second = free_port(), free_port()
  local self = setmetatable({ ports = { first, second } }, running)
  self.servers = { [first] = start_server(first), [second] = start_server(second, "--replicaof", "127.0.0.1 " .. first) }
  self.watcher = start_watcher(first)
  self.url = ("redis+sentinel://127.0.0.1:%d/fleet"):format(self.watcher.port)
  self:followed()
  return self
end

function running:master()
  local said = self.watcher:ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "fleet")
  return self.servers[tonumber((said or ""):match("(%d+)$"))]
end

function running:ask(...)
  local master = self:master()
  return master and master:ask(...)
end

-- Until the master has its replica, which has all of it.
function running:followed()
  expect.eventually(function()
    local said = self:ask("INFO", "replication")
    return said and said:find("role:master", 1, true) and said:find("state=online", 1, true)
      and (self.watcher:ask("SENTINEL", "REPLICAS", "fleet") or ""):find("slave%-priority")
  end, 60, "a master with its replica")
end

function running:fail_over()
  local old = self:master()
  old:kill()
  expect.eventually(function()
    local new = self:master()
    return new and new ~= old and (new:ask("ROLE") or ""):find("^master")
  end, 60, "another master")
  old:run() -- a master still, and empty, until the Sentinel has made it a replica
  self:followed()
end

function running:stop()
  self.watcher:stop()
  for _, server in pairs(self.servers) do server:stop() end
end

return sentinel
