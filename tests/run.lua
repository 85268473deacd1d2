-- Runs the parts of the suite and adds up what they say.
--
--   B=build JOBS=2 luajit tests/run.lua house clients unit spec e2e tokens
--
-- A part is a list of test files; each runs as a process of its own and closes with `name: N passed, N failed`
-- (`, N skipped` may follow). A file that dies, hangs or says nothing counts as one failure. Every part runs, whatever
-- happened before. The last line is `N passed, N failed`; the exit status is 1 when any failed.
--
-- JOBS files run at a time: each has ports, folders and servers of its own, and much of what it does is to wait. What a
-- file says is printed when it has ended.
local signal = require("posix.signal")
local process = dofile("tests/lib/process.lua")

-- Compiled, a loop that has run for minutes has given a C function of lua-posix arguments that nobody passed.
jit.off()

local build = os.getenv("B") or "build"
local FILE_SECONDS = 900
local JOBS = tonumber(os.getenv("JOBS")) or 1
local LONGEST = 10 -- of which the time is told

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

-- Each part gives its files, in order: {name =, words =}.
local parts = {}

function parts.house()
  local list = {}
  for _, path in ipairs(find("tests/house -maxdepth 1 -name '*.lua' ! -name lib.lua")) do
    list[#list + 1] = { name = path, words = { "luajit", path } }
  end
  return list
end

function parts.unit()
  local list = {}
  for _, source in ipairs(find("tests/unit -name 'test_*.c'")) do
    local program = source:gsub("^tests/", build .. "/"):gsub("%.c$", "")
    list[#list + 1] = { name = source, words = { program } }
  end
  return list
end

local function specs(folder)
  local list = {}
  for _, path in ipairs(find(folder .. " -name '*_spec.lua'")) do list[#list + 1] = { name = path, words = busted(path) } end
  return list
end

-- `moongate test`: busted with the policy engine inside, which `require "moongate.test"` needs.
function parts.spec()
  local list = specs("tests/spec policies/specs")
  for _, file in ipairs(list) do file.words[1], file.words[2] = build .. "/moongate", "test" end
  return list
end

function parts.e2e() return specs("tests/e2e") end

function parts.tokens() return { { name = "tests/tokens/run.lua", words = { "luajit", "tests/tokens/run.lua" } } } end

function parts.clients() return { { name = "tests/clients/run.lua", words = { "luajit", "tests/clients/run.lua" } } } end

local total = { passed = 0, failed = 0, skipped = 0 }
local broken, longest, running = {}, {}, {}

local function begin(file)
  file.words.env = { B = build }
  file.child, file.began = process.start(file.words), process.now()
  file.said, file.seen, file.failed = {}, 0, 0
  running[#running + 1] = file
end

local function hear(file, line)
  file.said[#file.said + 1] = line
  local passed, failed, rest = line:match("^[^:]+: (%d+) passed, (%d+) failed(.*)$")
  if not passed then return end
  file.seen, file.failed = file.seen + 1, file.failed + failed
  total.passed = total.passed + passed
  total.failed = total.failed + failed
  total.skipped = total.skipped + (tonumber(rest:match("^, (%d+) skipped")) or 0)
end

local function complaint_of(file, code)
  if code == 124 then return "still running after " .. FILE_SECONDS .. " s" end
  if file.seen == 0 then return "ended (" .. code .. ") without a result" end
  if code ~= 0 and file.failed == 0 then return "ended with " .. code .. " though nothing failed" end
end

local function finish(file, code)
  for i, other in ipairs(running) do
    if other == file then table.remove(running, i) end
  end
  local why = complaint_of(file, code)
  if why then
    hear(file, file.name .. ": " .. why)
    total.failed = total.failed + 1
  end
  if why or file.failed > 0 then broken[#broken + 1] = file.name end
  for _, line in ipairs(file.said) do print("  " .. line) end
  io.stdout:flush()
  longest[#longest + 1] = { seconds = process.now() - file.began, name = file.name }
end

-- Takes what was said, and ends who has no more to say or takes too long.
local function attend(file)
  local left = file.began + FILE_SECONDS - process.now()
  local line, why = file.child:line(0)
  while line do
    hear(file, line)
    line, why = file.child:line(0)
  end
  if why == "eof" then
    finish(file, file.child:code_within(left))
  elseif left < 0 then
    file.child:signal(signal.SIGKILL)
    file.child:wait()
    finish(file, 124)
  end
end

local function run(files)
  local next_file = 1
  while #running > 0 or next_file <= #files do
    while #running < JOBS and next_file <= #files do
      begin(files[next_file])
      next_file = next_file + 1
    end
    local children = {}
    for i, file in ipairs(running) do children[i] = file.child end
    process.wait_for_words(children, 1)
    if process.interrupted then os.exit(130) end
    for i = #running, 1, -1 do attend(running[i]) end
  end
end

local function tell_longest()
  table.sort(longest, function(a, b) return a.seconds > b.seconds end)
  local words = {}
  for i = 1, math.min(LONGEST, #longest) do words[i] = ("%s %.0f s"):format(longest[i].name, longest[i].seconds) end
  print("longest: " .. table.concat(words, ", "))
end

process.catch_signals()
local files, began = {}, process.now()
for _, part in ipairs(arg) do
  if not parts[part] then
    io.stderr:write("tests/run.lua: no part named ", part, "\n")
    os.exit(2)
  end
  for _, file in ipairs(parts[part]()) do files[#files + 1] = file end
end
run(files)
tell_longest()
print(("%s took %.0f s"):format(table.concat(arg, " "), process.now() - began))
if #broken > 0 then print("failed in: " .. table.concat(broken, " ")) end
local skipped = total.skipped > 0 and (", %d skipped"):format(total.skipped) or ""
print(("%d passed, %d failed%s"):format(total.passed, total.failed, skipped))
os.exit(total.failed == 0 and total.passed > 0)
