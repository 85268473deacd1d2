-- Another time of day for programs of a test's own (tests/e2e/preload/clock.c): it goes on from there as ours does.
--
--   local clock = clocks.start()
--   clock:set(1806530390)             -- what they say from now on, also those that run: seconds since 1970
--   clock.env                         -- the environment of those that are started
--   clock:stop()
local ffi = require("ffi")
local socket = require("socket")
local unistd = require("posix.unistd")
local workdir = require("tests.e2e.kit.workdir")

local clocks = {}
local clock = {}
clock.__index = clock

local LIBRARY = unistd.getcwd() .. "/" .. (os.getenv("B") or "build") .. "/preload/clock.so"

function clocks.start()
  local self = setmetatable({ dir = workdir.new("clock") }, clock)
  local path = self.dir:write("offset", ("\0"):rep(8))
  self.file = assert(io.open(path, "r+b"))
  self.env = { LD_PRELOAD = LIBRARY, MOONGATE_TEST_CLOCK = path,
    ASAN_OPTIONS = (os.getenv("ASAN_OPTIONS") or "") .. ":verify_asan_link_order=0" }
  return self
end

function clock:set(time)
  local offset = ffi.new("int64_t[1]", (time - socket.gettime()) * 1e9)
  self.file:seek("set", 0)
  self.file:write(ffi.string(offset, 8))
  self.file:flush()
end

function clock:stop()
  self.file:close()
  self.dir:remove()
end

return clocks
