-- Many clients at once in one process: each a coroutine, all on one poll().
--
--   crowd.run(function(crowd)
--     for i = 1, 200 do crowd.add(function() local c = client.connect(port) … end) end
--   end, 60)
--   crowd.statuses(50, 60, function(i) return g:ask { … } end)      -- { [200] = 50 }: 50 at once, 60 s at most
--
-- An error in one is raised after the others have ended. As many as there are descriptors.
local ffi = require("ffi")
local socket = require("socket")
local client = require("tests.e2e.kit.client")

ffi.cdef [[
struct crowd_pollfd { int fd; short events, revents; };
int poll(struct crowd_pollfd *fds, unsigned long count, int timeout_ms);
]]
local POLLIN, POLLOUT = 1, 4

local crowd = {}

local function resume(member, ...)
  local ok, what, mode, deadline = coroutine.resume(member.thread, ...)
  if not ok then
    member.done, member.error = true, debug.traceback(member.thread, tostring(what))
  elseif coroutine.status(member.thread) == "dead" then
    member.done = true
  else
    member.sock, member.mode, member.deadline = what, mode, deadline
  end
end

-- Waits for the first socket or deadline among the members, then lets those go on.
local function turn(members)
  local fds, waiting, first = ffi.new("struct crowd_pollfd[?]", #members), {}, math.huge
  for _, m in ipairs(members) do
    if m.sock then
      local at = fds[#waiting]
      at.fd, at.events = m.sock:getfd(), m.mode == "read" and POLLIN or POLLOUT
      waiting[#waiting + 1] = m
    end
    first = math.min(first, m.deadline)
  end
  local left = math.max(0, math.min(first - socket.gettime(), 1))
  ffi.C.poll(fds, #waiting, math.ceil(left * 1000))
  local ready = {}
  for i, m in ipairs(waiting) do ready[m] = fds[i - 1].revents ~= 0 end
  local now = socket.gettime()
  for _, m in ipairs(members) do
    if ready[m] then resume(m, true) elseif now >= m.deadline then resume(m, false) end
  end
end

local function living(members)
  local left = {}
  for _, m in ipairs(members) do
    if not m.done then left[#left + 1] = m end
  end
  return left
end

function crowd.run(setup, seconds)
  local wait, sleep, all = client.wait, client.sleep, {}
  local ends = socket.gettime() + (seconds or 60)
  client.wait = function(sock, mode, deadline) return coroutine.yield(sock, mode, math.min(deadline, ends)) end
  client.sleep = function(time) coroutine.yield(nil, nil, socket.gettime() + time) end
  setup { add = function(work)
    local member = { thread = coroutine.create(work), deadline = 0 }
    all[#all + 1] = member
    resume(member)
    return member
  end }
  local left = living(all)
  while #left > 0 and socket.gettime() < ends + 1 do
    turn(left)
    left = living(all)
  end
  client.wait, client.sleep = wait, sleep
  for _, m in ipairs(all) do
    if m.error then error(m.error, 0) end
  end
  if #left > 0 then error(#left .. " of " .. #all .. " were not done in time", 2) end
end

function crowd.statuses(count, seconds, ask)
  local statuses = {}
  crowd.run(function(all)
    for i = 1, count do
      all.add(function()
        local r = ask(i)
        statuses[r.status] = (statuses[r.status] or 0) + 1
      end)
    end
  end, seconds)
  return statuses
end

return crowd
