-- A directory of a test file's own, removed at the end.
--
--   local dir = workdir.new("relay")         -- under build/, mode 700
--   dir:write("policies/init.lua", text)     -- folders are made
--   dir:path("data")                         -- absolute
--   dir:before_removal(function() … end)     -- what has to go first
--   dir:remove()
local unistd = require("posix.unistd")

local workdir = {}
local directory = {}
directory.__index = directory
local serial = 0

function workdir.new(name)
  serial = serial + 1
  local root = ("%s/%s/e2e/%s-%d-%d"):format(unistd.getcwd(), os.getenv("B") or "build", name, unistd.getpid(), serial)
  os.execute(("rm -rf '%s' && mkdir -p -m 700 '%s'"):format(root, root))
  return setmetatable({ root = root, first = {} }, directory)
end

function directory:path(name)
  return self.root .. "/" .. name
end

function directory:write(name, text)
  local path = self:path(name)
  os.execute(("mkdir -p '%s'"):format(path:match("^(.*)/")))
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

function directory:read(name)
  local file = io.open(self:path(name), "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

function directory:copy(from, to)
  os.execute(("mkdir -p '%s' && cp -R '%s/.' '%s'"):format(self:path(to), from, self:path(to)))
end

function directory:before_removal(act)
  self.first[#self.first + 1] = act
end

function directory:remove()
  for _, act in ipairs(self.first) do act() end
  os.execute(("rm -rf '%s'"):format(self.root))
end

return workdir
