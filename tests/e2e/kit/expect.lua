-- What a test waits for, and how it says what was wrong.
--
--   eventually(function() return g:record(id) end)                 -- its first true value, within 5 s
--   expect.equal_bytes(expected, got)                              -- names the first byte that differs
local socket = require("socket")
local process = dofile("tests/lib/process.lua")

local expect = {}

function expect.eventually(get, seconds, what)
  local deadline = socket.gettime() + (seconds or 5)
  local value
  repeat
    value = get()
    if value then return value end
    process.sleep(0.01)
  until socket.gettime() > deadline
  error((what or "what was waited for") .. " did not come within " .. (seconds or 5) .. " s", 2)
end

-- `get` goes on being true for this long.
function expect.always(get, seconds, what)
  local deadline = socket.gettime() + seconds
  repeat
    if not get() then error((what or "what had to stay true") .. " did not", 2) end
    process.sleep(0.02)
  until socket.gettime() > deadline
end

local function around(text, at)
  return ("%q"):format(text:sub(math.max(1, at - 40), at + 40))
end

function expect.equal_bytes(expected, got, what)
  if expected == got then return true end
  local at = 1
  while at <= #expected and at <= #got and expected:byte(at) == got:byte(at) do at = at + 1 end
  error(("%s: %d bytes wanted, %d came; they differ from byte %d on:\n  wanted %s\n  came   %s"):format(
    what or "bytes", #expected, #got, at, around(expected, at), around(got, at)), 2)
end

-- Deterministic pseudo-random numbers (the same on every machine): next(n) gives 1 … n.
function expect.random(seed)
  local state = seed
  return function(n)
    state = (state * 1103515245 + 12345) % 2147483648
    return math.floor(state / 65536) % n + 1
  end
end

return expect
