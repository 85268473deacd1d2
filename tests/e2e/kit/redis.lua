-- A Redis of a test's own (tests/lib/redis), and questions to it.
--
--   local db = redis.start { "--maxmemory", "10mb" }   -- in a temporary folder, on a Unix socket; settings as redis.conf
--   db.url                                    -- for moongate.lua: unix:///…/redis.sock
--   db:ask("HGETALL", "name")                 -- as redis-cli prints it into a pipe; nil when it is down
--   local c = db:connect()  c:say("CONFIG SET maxclients 1")  c:close()
--   db:stop_answering()  db:answer()          -- SIGSTOP, SIGCONT: there, and silent
--   db:kill()  db:run()                       -- by its process id; in the same folder again, empty unless it saved
--   db:cut_tail(1000)                         -- while it is down: its append-only file without the last bytes
--   db:stop()                                 -- and its folder goes
local signal = require("posix.signal")
local socket = require("posix.sys.socket")
local unistd = require("posix.unistd")
local daemon = require("tests.e2e.kit.daemon")
local process = dofile("tests/lib/process.lua")

local redis = {}
local running = daemon.class()

function redis.start(settings, env)
  local self = daemon.new(running, "redis")
  self.settings, self.env = settings, env
  self.socket = self.dir .. "/redis.sock"
  self.url = "unix://" .. self.socket
  self:run()
  return self
end

function running:ask(...)
  local words = { "redis-cli", "-s", self.socket }
  for _, word in ipairs { ... } do words[#words + 1] = tostring(word) end
  return daemon.said(words)
end

function running:is_up() return self:ask("PING") == "PONG" end

-- A connection that is there when no other is let in: say(command), the first line of what is answered; close().
function running:connect()
  local fd = assert(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0))
  assert(socket.connect(fd, { family = socket.AF_UNIX, path = self.socket }))
  local connection = {}
  function connection.say(_, command)
    assert(socket.send(fd, command .. "\r\n"))
    return assert(socket.recv(fd, 4096)):match("^[^\r\n]*")
  end
  function connection.close() unistd.close(fd) end
  return connection
end

function running:stop_answering() self.process:signal(signal.SIGSTOP) end

function running:answer() self.process:signal(signal.SIGCONT) end

function running:cut_tail(bytes)
  local out, status = process.run { "sh", "-c", 'truncate --size=-"$1" "$2"/appendonlydir/*.incr.aof', "sh", bytes, self.dir }
  if status ~= 0 then error("cut_tail: " .. out, 2) end
end

return redis
