-- Runs the parts of the suite and adds up what they say.
--
--   B=build luajit tests/run.lua house unit spec e2e tokens clients
--
-- A part is a list of test files; each runs as a process of its own and closes with `name: N passed, N failed`
-- (`, N skipped` may follow). A file that dies, hangs or says nothing counts as one failure. Every part runs, whatever
-- happened before. The last line is `N passed, N failed`; the exit status is 1 when any failed.
local process = dofile("tests/lib/process.lua")

local build = os.getenv("B") or "build"
local FILE_SECONDS = 900

local function lines_of(command)
  local list = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

local function find(pattern)
  return lines_of("find " .. pattern .. " 2>/dev/null | LC_ALL=C sort")
end

local function busted(path)
  return { "luajit", "/usr/bin/busted", "-o", "tests/lib/busted_lines.lua", "-m", "./?.lua", path }
end

-- Each part gives its commands, in order: {name, words}.
local parts = {}

function parts.house()
  local list = {}
  for _, path in ipairs(find("tests/house -maxdepth 1 -name '*.lua' ! -name lib.lua")) do
    list[#list + 1] = { path, { "luajit", path } }
  end
  return list
end

function parts.unit()
  local list = {}
  for _, source in ipairs(find("tests/unit -name 'test_*.c'")) do
    local program = source:gsub("^tests/", build .. "/"):gsub("%.c$", "")
    list[#list + 1] = { source, { program } }
  end
  return list
end

local function specs(folder)
  local list = {}
  for _, path in ipairs(find(folder .. " -name '*_spec.lua'")) do list[#list + 1] = { path, busted(path) } end
  return list
end

-- `moongate test`: busted with the policy engine inside, which `require "moongate.test"` needs.
function parts.spec()
  local list = specs("tests/spec policies/specs")
  for _, command in ipairs(list) do command[2][1], command[2][2] = build .. "/moongate", "test" end
  return list
end

function parts.e2e() return specs("tests/e2e") end

function parts.tokens() return { { "tests/tokens/run.lua", { "luajit", "tests/tokens/run.lua" } } } end

function parts.clients() return { { "tests/clients/run.lua", { "luajit", "tests/clients/run.lua" } } } end

local total = { passed = 0, failed = 0, skipped = 0 }
local broken = {}

local function run_file(name, words)
  local seen, failed = 0, 0
  words.seconds = FILE_SECONDS
  words.env = { B = build }
  words.on_line = function(line)
    print("  " .. line)
    io.stdout:flush()
    local passed, bad, rest = line:match("^[^:]+: (%d+) passed, (%d+) failed(.*)$")
    if not passed then return end
    seen, failed = seen + 1, failed + bad
    total.passed = total.passed + passed
    total.failed = total.failed + bad
    total.skipped = total.skipped + (tonumber(rest:match("^, (%d+) skipped")) or 0)
  end
  local _, code = process.run(words)
  if process.interrupted then os.exit(130) end
  local why
  if code == 124 then why = "still running after " .. FILE_SECONDS .. " s"
  elseif seen == 0 then why = "ended (" .. code .. ") without a result"
  elseif code ~= 0 and failed == 0 then why = "ended with " .. code .. " though nothing failed" end
  if why then
    print("  " .. name .. ": " .. why)
    total.failed = total.failed + 1
  end
  if why or failed > 0 then broken[#broken + 1] = name end
end

local function run_part(part)
  local began = process.now()
  print(part)
  for _, file in ipairs(parts[part]()) do run_file(file[1], file[2]) end
  print(("%s took %.1f s"):format(part, process.now() - began))
end

process.catch_signals()
for _, part in ipairs(arg) do
  if not parts[part] then
    io.stderr:write("tests/run.lua: no part named ", part, "\n")
    os.exit(2)
  end
end
for _, part in ipairs(arg) do run_part(part) end
if #broken > 0 then print("failed in: " .. table.concat(broken, " ")) end
local skipped = total.skipped > 0 and (", %d skipped"):format(total.skipped) or ""
print(("%d passed, %d failed%s"):format(total.passed, total.failed, skipped))
os.exit(total.failed == 0 and total.passed > 0)
