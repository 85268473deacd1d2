-- A file system of a test's own, in a folder of it. Only root may make one, and not in every container.
--
--   local why = filesystem.refused "ext4"                    -- nil, or in a few words why none can be made here
--   local fs = filesystem.tmpfs(dir, "data", "2m")           -- at that folder of a workdir, of memory, so large
--   local fs = filesystem.ext4(dir, "data", "24M")           -- on an image, the file dir/disk
--   fs:abort()                                               -- read-only from now on, whoever writes to it: as after a disk's fault
--   fs:unmount()  fs:mount()                                 -- the same one again, checked and repaired as at a boot
--   filesystem.remove_all()                                  -- for teardown, where a directory is kept for a look at it
--
-- Each is held by a process of its own that takes it away when its input ends, so also when the test is killed.
local unistd = require("posix.unistd")
local workdir = require("tests.e2e.kit.workdir")
local process = dofile("tests/lib/process.lua")

local filesystem = {}
local mounted = {}
mounted.__index = mounted
local held = {}

-- $1: the folder, the rest: words for mount. Its parent's end is told by TERM too, which it outlives. -l: whoever still has a
-- file open there keeps no one waiting, and the loop device goes with the last of them.
local HOLD = [[trap '' TERM; where=$1; shift
mount "$@" "$where" && chmod 700 "$where" || exit 1
echo held; read -r line; umount -l "$where"]]

function mounted:mount()
  if self.image then process.run { "e2fsck", "-p", self.image } end
  local words = { "sh", "-c", HOLD, "sh", self.folder, input = true }
  for _, word in ipairs(self.words) do words[#words + 1] = word end
  self.holder = process.start(words)
  local said = self.holder:line(20)
  if said == "held" then
    held[self] = true
    return self
  end
  self.holder:wait(5)
  self.holder = nil
  return nil, said or "mount said nothing"
end

function mounted:unmount()
  if not self.holder then return end
  unistd.close(self.holder.writer)
  self.holder.writer = nil
  self.holder:wait(20)
  self.holder = nil
  held[self] = nil
end

function mounted:abort()
  local out, code = process.run { "mount", "-o", "remount,abort", self.folder }
  if code ~= 0 then error("remount: " .. out, 2) end
end

local function at(dir, name, words, image)
  local folder = dir:path(name)
  os.execute(("mkdir -p '%s'"):format(folder))
  local fs = setmetatable({ folder = folder, words = words, image = image }, mounted)
  dir:before_removal(function() fs:unmount() end)
  return fs:mount()
end

function filesystem.tmpfs(dir, name, size)
  return at(dir, name, { "-t", "tmpfs", "-o", "size=" .. size, "tmpfs" })
end

function filesystem.ext4(dir, name, size)
  local image = dir:path("disk")
  local out, code = process.run { "mkfs.ext4", "-q", image, size }
  if code ~= 0 then return nil, out end
  return at(dir, name, { "-t", "ext4", "-o", "loop,errors=remount-ro", image }, image)
end

-- Tried, not guessed.
function filesystem.refused(kind)
  if unistd.geteuid() ~= 0 then return "only root may mount a " .. kind end
  local dir = workdir.new("try-" .. kind)
  local fs, why = filesystem[kind](dir, "data", "1m")
  dir:remove()
  return not fs and ("no %s can be mounted here: %s"):format(kind, (why:match("[^\n]+"))) or nil
end

function filesystem.remove_all()
  for fs in pairs(held) do fs:unmount() end
end

return filesystem
