-- README.md, and that of examples/fleet, are run: what they tell people to type, and what they say people will see.
--
-- A fenced `console` block after the line `<!-- run -->` is a session: lines that begin with "$ " are commands, the lines
-- under one are what it must print. "…" stands for any text within a line, a line that is only "…" for any lines.
-- All blocks are one session in one shell. `make demo` is started in the background on free ports and ended at the end;
-- 8090, 8091 and build/demo stand for what the test uses instead, and `make -C examples/fleet` for what it would run. The
-- session runs in a copy of policies/ and examples/, so that it may edit them.
local house = dofile("tests/house/lib.lua")
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

-- {commands: {line, text, wanted = {…}}} of the marked blocks, in order.
local function sessions_of(text)
  local steps, marked, inside, step = {}, false, false, nil
  house.each_line(text, function(line, number)
    if line == "<!-- run -->" then
      marked = true
    elseif line:find("^```") then
      inside = marked and not inside and line == "```console"
      if not inside then marked = false end
      step = nil
    elseif inside then
      local command = line:match("^%$ (.*)$")
      if command then
        step = { line = number, text = command, wanted = {} }
        steps[#steps + 1] = step
      elseif step and #step.wanted == 0 and step.text:find("\\$") then
        step.text = step.text .. "\n" .. line
      elseif step then
        step.wanted[#step.wanted + 1] = line
      end
    end
  end)
  return steps
end

local function line_fits(wanted, said)
  local pattern = wanted:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("…", ".*")
  return said:find("^" .. pattern .. "%s*$") ~= nil
end

-- Whether the lines said are those wanted; a wanted "…" takes any number, also none.
local function fits(wanted, said, i, j)
  i, j = i or 1, j or 1
  if i > #wanted then return j > #said end
  if wanted[i] == "…" then return fits(wanted, said, i + 1, j) or j <= #said and fits(wanted, said, i, j + 1) end
  return j <= #said and line_fits(wanted[i], said[j]) and fits(wanted, said, i + 1, j + 1)
end

local function split(text)
  local lines = {}
  house.each_line(text, function(line) lines[#lines + 1] = line end)
  while lines[#lines] == "" do lines[#lines] = nil end
  return lines
end

house.count(fits({ "a … c", "…", "z" }, { "a b c", "x", "y", "z" }), "wildcards within and between lines")
house.count(not fits({ "a" }, { "a", "b" }), "more lines than wanted must be noticed")
house.count(not fits({ "a", "b" }, { "a" }), "fewer lines than wanted must be noticed")
house.count(not fits({ "1.5" }, { "1x5" }), "a dot is a dot")
local sample = sessions_of("<!-- run -->\n```console\n$ echo a \\\n  b\na b\n```\n```console\n$ rm -r x\n```\n")
house.count(#sample == 1 and sample[1].text == "echo a \\\n  b" and sample[1].wanted[1] == "a b",
  "only marked blocks are run, and a command goes on after a backslash")

-- A folder that looks like the checkout: policies and examples are copies, the rest is this tree's.
local function make_tree(tree)
  local here = house.lines_of("pwd")[1]
  os.execute(("rm -rf %s && mkdir -p %s && cp -R policies examples README.md %s/"):format(tree, tree, tree))
  os.execute(("ln -s %s/%s %s/build && ln -s %s/tests %s/Makefile %s/"):format(here, gateway.build, tree, here, here, tree))
end

-- One of them in the background: its process, and all it printed.
local function start(tree, ...)
  local demo = process.start { "luajit", env = { B = "build" }, cwd = tree, ... }
  local said = {}
  while true do
    local line = demo:line(20)
    if not line then break end
    said[#said + 1] = line
    if line:find("^Ctrl%-C") then break end
  end
  return demo, said
end

-- On free ports, and which these are.
local function start_demo(tree, data)
  local demo, said = start(tree, "examples/demo/run.lua", data, "0", "0")
  local text = table.concat(said, "\n")
  return demo, said, text:match("gateway%s+http://127%.0%.0%.1:(%d+)"), text:match("admin%s+http://127%.0%.0%.1:(%d+)")
end

-- The lines that a command prints.
local function ask_shell(shell, command)
  local said = {}
  shell:write(command .. "\necho; echo end-of-step\n")
  while true do
    local line, why = shell:line(30)
    if not line then said[#said + 1] = "(" .. why .. ")" end
    if not line or line == "end-of-step" then break end
    said[#said + 1] = line
  end
  return split(table.concat(said, "\n"))
end

-- The line of examples/fleet/Makefile, without the build.
local function fleet_command(target)
  local said = table.concat(house.lines_of("make -n -C examples/fleet " .. target), "\n")
  house.count(said:find("luajit examples/fleet/run.lua " .. target, 1, true), "make -C examples/fleet runs " .. said)
  return "B=build luajit examples/fleet/run.lua " .. target
end

local function run_all(file, steps, tree)
  local data = "build/readme-demo"
  local demo, fleet, port, admin_port
  local function here(text)
    text = text:gsub("8090", port or "8090"):gsub("8091", admin_port or "8091"):gsub("build/demo", data)
    return (text:gsub("^make %-C examples/fleet (%l+)", fleet_command))
  end
  local shell = process.start { "sh", "-s", input = true, cwd = tree }
  for _, step in ipairs(steps) do
    local said
    if step.text == "make demo" then
      demo, said, port, admin_port = start_demo(tree, data)
    elseif step.text == "make -C examples/fleet demo" then
      fleet, said = start(tree, "examples/fleet/run.lua", "demo")
    else
      said = ask_shell(shell, here(step.text))
    end
    local wanted = split(here(table.concat(step.wanted, "\n")))
    -- The record of an answer is written when the client has the answer.
    for _ = 1, step.text:find("^tail ") and 50 or 0 do
      if fits(wanted, said) then break end
      said = ask_shell(shell, "sleep 0.1; " .. here(step.text))
    end
    house.count(fits(wanted, said), ("%s:%d: $ %s\n  printed\n    %s"):format(file, step.line, step.text,
      table.concat(said, "\n    ")))
  end
  shell:stop()
  if fleet then
    house.count(fleet:stop(20) == "exited" and not io.open(tree .. "/build/fleet"), "the fleet ends, and removes its data")
  end
  if demo then
    demo:stop(10)
    house.count(not io.open(tree .. "/" .. data .. "/key"), "the demo removes its data")
  end
end

local function run_file(file, least)
  local steps = sessions_of(gateway.read_file(file) or "")
  house.count(#steps >= least, ("%s has fewer than %d commands that are run"):format(file, least))
  local tree = gateway.build .. "/readme"
  make_tree(tree)
  run_all(file, steps, tree)
  os.execute("rm -rf " .. tree)
end

run_file("README.md", 5)
run_file("examples/fleet/README.md", 2)

-- The reference of moongate.lua is what its rows say now.
local printed = process.run { gateway.build .. "/moongate", "help", "config", "--markdown" }
house.count(printed .. "\n" == gateway.read_file("examples/moongate.lua.md"),
  "examples/moongate.lua.md is not what `moongate help config` says: make reference")

os.exit(house.close("house/readme"))
