-- A command of moongate, run in a folder as a person would, with no configuration of this machine's.
local assert = require("luassert")
local process = dofile("tests/lib/process.lua")

local build = os.getenv("B") or "build"

local command = { path = require("posix.unistd").getcwd() .. "/" .. build .. "/moongate" }

-- All output (stdout and stderr) and the exit code of `moongate …` in a folder.
function command.run(folder, ...)
  local words = { command.path, ... }
  words.cwd, words.seconds, words.env = folder, 30, { MOONGATE_CONFIG = "", NO_COLOR = "1" }
  return process.run(words)
end

function command.has(text, part)
  assert.truthy(text:find(part, 1, true), "no '" .. part .. "' in:\n" .. text)
end

return command
