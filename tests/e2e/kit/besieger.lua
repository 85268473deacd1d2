-- One kind of client that does its worst, as a process of its own (tests/e2e/siege_spec.lua): says "in" when all have come.
--
--   luajit tests/e2e/kit/besieger.lua KIND PORT COUNT [KEY]
--
--   heads      a byte of a head now and then, for ever
--   bodies     no key, 32 MB announced, as much of it as is taken
--   sleepers   a key, an endless stream asked for, not a byte of it read
--   readers    the same, read as fast as it comes
--
-- Who is shown out comes again.
local errno = require("posix.errno")
local fcntl = require("posix.fcntl")
local poll = require("posix.poll")
local signal = require("posix.signal")
local socket = require("posix.sys.socket")
local time = require("posix.time")
local unistd = require("posix.unistd")

local kind, port, count, key = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]

local BODY = '{"model":"gpt-4o","stream":true,"metadata":{"mock":"fast=1&endless=1&event_bytes=4000"},'
  .. '"messages":[{"role":"user","content":"go on"}]}'

local function head(length, with_key)
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n" .. (with_key and "Authorization: Bearer " .. key .. "\r\n" or "")
    .. "Content-Type: application/json\r\nContent-Length: " .. length .. "\r\n\r\n"
end

local kinds = {
  heads = { first = "POST /v1/chat/completions HTTP/1.1\r\nX-Slow: ", more = "a" },
  bodies = { first = head(32 * 1024 * 1024, false), more = (" "):rep(65536) },
  sleepers = { first = head(#BODY, true) .. BODY, buffer = 4096 },
  readers = { first = head(#BODY, true) .. BODY, reads = true },
}
local how = assert(kinds[kind], "no such kind")

-- Not where the gateway takes nobody just now.
local function come()
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  if how.buffer then socket.setsockopt(fd, socket.SOL_SOCKET, socket.SO_RCVBUF, how.buffer) end
  if not socket.connect(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = port }) then
    unistd.close(fd)
    return nil
  end
  fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.O_NONBLOCK)
  socket.send(fd, how.first)
  return fd
end

-- False: it was shown out.
local function goes_on(fd)
  if how.more then
    local _, _, number = socket.send(fd, how.more)
    return not number or number == errno.EAGAIN
  end
  local set = { [fd] = { events = { IN = how.reads or false } } }
  poll.poll(set, 0)
  local seen = set[fd].revents or {}
  if seen.ERR or seen.HUP then return false end
  if how.reads and seen.IN then
    local bytes = socket.recv(fd, 262144)
    return bytes ~= nil and bytes ~= ""
  end
  return true
end

signal.signal(signal.SIGPIPE, signal.SIG_IGN)
local fds = {}
for i = 1, count do fds[i] = come() or false end
print("in")
io.stdout:flush()

while true do
  local again = 0
  for i = 1, count do
    if fds[i] and not goes_on(fds[i]) then
      unistd.close(fds[i])
      fds[i] = false
    end
    if not fds[i] and again < 20 then -- not so many at a time that nobody else is heard
      again = again + 1
      fds[i] = come() or false
    end
  end
  time.nanosleep { tv_sec = 0, tv_nsec = how.reads and 1000000 or 100000000 }
end
