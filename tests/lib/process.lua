-- Child processes for tests, demo and bench: started with a group of their own, read line by line, never left behind.
--
--   local process = dofile("tests/lib/process.lua")
--   local mock = process.start { "build/moongate-mock", "--listen", "127.0.0.1:0" }
--   local line = mock:line(5)            -- next line of its output within 5 s, or nil
--   mock:stop()                          -- TERM, then KILL after 5 s; the status of process.wait
--   local out, status = process.run { "luajit", "-v" }
--
-- A child gets TERM when its parent dies. Beside the words: env = {NAME = "value"}, cwd = "dir", output = "read"
-- (the default: stdout and stderr in a pipe), "inherit", or a file's path; group = false: stay in our group;
-- input = true: child:write() is its stdin (otherwise ours).
local ffi = require("ffi")
local fcntl = require("posix.fcntl")
local poll = require("posix.poll")
local signal = require("posix.signal")
local stdlib = require("posix.stdlib")
local time = require("posix.time")
local unistd = require("posix.unistd")
local wait = require("posix.sys.wait")

ffi.cdef [[int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);]]
local PR_SET_PDEATHSIG = 1

local process = {}
local child = {}
child.__index = child

function process.now()
  local t = time.clock_gettime(time.CLOCK_MONOTONIC)
  return t.tv_sec + t.tv_nsec / 1e9
end

function process.sleep(seconds)
  local whole = math.floor(seconds)
  time.nanosleep { tv_sec = whole, tv_nsec = math.floor((seconds - whole) * 1e9) }
end

-- The child's side of fork: never returns.
local function become(words, out, input)
  if input then unistd.dup2(input, 0) end
  ffi.C.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
  if words.group ~= false then unistd.setpid("p", 0, 0) end
  if out then
    unistd.dup2(out, 1)
    unistd.dup2(out, 2)
  end
  for name, value in pairs(words.env or {}) do stdlib.setenv(name, value) end
  if words.cwd then unistd.chdir(words.cwd) end
  signal.signal(signal.SIGINT, signal.SIG_DFL)
  signal.signal(signal.SIGTERM, signal.SIG_DFL)
  local rest = {}
  for i = 2, #words do rest[#rest + 1] = tostring(words[i]) end
  local _, why = unistd.execp(words[1], rest)
  io.stderr:write("cannot run ", tostring(why), "\n")
  unistd._exit(127)
end

function process.start(words)
  local how, reader, out = words.output or "read", nil, nil
  local input, writer
  if words.input then
    input, writer = unistd.pipe()
    fcntl.fcntl(writer, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  end
  if how == "read" then
    reader, out = unistd.pipe()
    fcntl.fcntl(reader, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  elseif how ~= "inherit" then
    out = assert(fcntl.open(how, fcntl.O_CREAT + fcntl.O_WRONLY + fcntl.O_APPEND, tonumber("644", 8)))
  end
  io.stdout:flush()
  io.stderr:flush()
  local pid = assert(unistd.fork())
  if pid == 0 then become(words, out, input) end
  if out then unistd.close(out) end
  if input then unistd.close(input) end
  return setmetatable({ pid = pid, fd = reader, writer = writer, text = "", group = words.group ~= false }, child)
end

function child:write(text)
  while text ~= "" do
    local wrote = assert(unistd.write(self.writer, text))
    text = text:sub(wrote + 1)
  end
end

-- The next line without its end, or nil: nothing within `seconds`, or (second value "eof") no more to come.
function child:line(seconds)
  local deadline = process.now() + (seconds or 1e9)
  while true do
    local line, rest = self.text:match("^([^\n]*)\n(.*)$")
    if line then
      self.text = rest
      return line
    end
    local left = deadline - process.now()
    if not self.fd then return nil, "timeout" end
    if poll.rpoll(self.fd, math.max(0, math.min(math.ceil(left * 1000), 200))) == 1 then
      local more = unistd.read(self.fd, 65536)
      if not more or more == "" then
        local last = self.text
        self.text = ""
        if last ~= "" then return last end
        return nil, "eof"
      end
      self.text = self.text .. more
    elseif left < 0 then
      return nil, "timeout"
    end
    if process.interrupted then return nil, "interrupted" end
  end
end

-- Waits for the first line that matches; returns its captures. Raises with what was said when it does not come.
function child:expect(pattern, seconds)
  local seen = {}
  local deadline = process.now() + (seconds or 10)
  while true do
    local line = self:line(deadline - process.now())
    if not line then error("no line like " .. pattern .. " in:\n" .. table.concat(seen, "\n"), 2) end
    seen[#seen + 1] = line
    if line:find(pattern) then return line:match(pattern) end
  end
end

function child:signal(number)
  if self.status then return end
  if self.group then signal.kill(-self.pid, number) else signal.kill(self.pid, number) end
end

-- "exited", code or "killed", signal; nil when still running after `seconds`.
function child:wait(seconds)
  local deadline = process.now() + (seconds or 1e9)
  while not self.status do
    local pid, how, code = wait.wait(self.pid, wait.WNOHANG)
    if pid == self.pid then
      self.status, self.code = how, code
      if self.fd then unistd.close(self.fd) end
      if self.writer then unistd.close(self.writer) end
      self.fd, self.writer = nil, nil
    elseif pid == nil then
      self.status, self.code = "exited", 127
    elseif process.now() > deadline then
      return nil
    else
      process.sleep(0.005)
    end
  end
  return self.status, self.code
end

-- Asks the child itself to end, waits, then kills what is left of its group.
function child:stop(seconds)
  if not self.status then
    signal.kill(self.pid, signal.SIGTERM)
    signal.kill(self.pid, signal.SIGCONT)
  end
  if not self:wait(seconds or 5) then
    self:signal(signal.SIGKILL)
    self:wait()
  elseif self.group then
    signal.kill(-self.pid, signal.SIGKILL)
  end
  return self.status, self.code
end

-- When its output has ended: the exit code (128 + signal when killed, 124 after `seconds`, one at least), and no more of
-- its group.
function child:code_within(seconds)
  local how, code = self:wait(math.max(seconds, 1))
  if not how then
    self:signal(signal.SIGKILL)
    self:wait()
    return 124
  end
  if self.group then signal.kill(-self.pid, signal.SIGKILL) end
  return how == "exited" and code or 128 + code
end

-- Runs to the end: all output, then the exit code (128 + signal when killed, 124 after words.seconds).
function process.run(words)
  local p = process.start(words)
  local out, deadline = {}, process.now() + (words.seconds or 600)
  while true do
    local line, why = p:line(deadline - process.now())
    if line then
      out[#out + 1] = line
      if words.on_line then words.on_line(line) end
    elseif why == "eof" then
      break
    else
      p:signal(signal.SIGKILL)
      p:wait()
      return table.concat(out, "\n"), why == "timeout" and 124 or 130
    end
  end
  return table.concat(out, "\n"), p:code_within(deadline - process.now())
end

-- Until one of these children says something or has no more to say, `seconds` at most.
function process.wait_for_words(children, seconds)
  local fds = {}
  for _, p in ipairs(children) do fds[p.fd] = { events = { IN = true } } end
  poll.poll(fds, math.ceil(seconds * 1000))
end

-- From here on Ctrl-C and TERM set process.interrupted instead of ending this program.
function process.catch_signals()
  local function note(number) process.interrupted = number end
  signal.signal(signal.SIGINT, note)
  signal.signal(signal.SIGTERM, note)
end

return process
