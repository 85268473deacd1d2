-- An address that takes no connection and refuses none: its queue is full, so a connect() to it waits.
--
--   local hole = blackhole.open()      -- hole.url
--   hole:close()
local fcntl = require("posix.fcntl")
local posix_socket = require("posix.sys.socket")
local unistd = require("posix.unistd")
local socket = require("socket")

local blackhole = {}
local hole = {}
hole.__index = hole

local function connects(port)
  local sock = socket.tcp4()
  sock:settimeout(0)
  fcntl.fcntl(sock:getfd(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  sock:connect("127.0.0.1", port)
  local _, writable = socket.select(nil, { sock }, 0.3)
  return #writable > 0, sock
end

function blackhole.open()
  local fd = assert(posix_socket.socket(posix_socket.AF_INET, posix_socket.SOCK_STREAM, 0))
  fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  assert(posix_socket.bind(fd, { family = posix_socket.AF_INET, addr = "127.0.0.1", port = 0 }))
  assert(posix_socket.listen(fd, 0))
  local h = setmetatable({ fd = fd, socks = {}, port = posix_socket.getsockname(fd).port }, hole)
  h.url = "http://127.0.0.1:" .. h.port .. "/v1"
  for _ = 1, 16 do
    local is_taken, sock = connects(h.port)
    h.socks[#h.socks + 1] = sock
    if not is_taken then return h end
  end
  error("the queue of a listening socket did not fill up")
end

function hole:close()
  for _, sock in ipairs(self.socks) do sock:close() end
  unistd.close(self.fd)
end

return blackhole
