-- What the house tests share: the tree's files, a way to complain with file and line, a closing line.
--
--   local house = dofile("tests/house/lib.lua")
--   house.rule("no tabs", house.files("core", "%.c$"), function(path, text, complain) ... complain(line, "why") end)
--   house.must_fail("no tabs", "int\tx;\n")      -- the same rule, on a sample that breaks it: proof that it can fail
--   os.exit(house.close("style"))
--
-- A rule passes when no file made it complain; must_fail passes when the sample did.
local house = { passed = 0, failed = 0, rules = {} }

function house.lines_of(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- Regular files under `roots` (one string, blanks between) whose path matches any of the Lua patterns.
function house.files(roots, ...)
  local list, patterns = {}, { ... }
  local find = "find " .. roots .. " -type f -not -path '*/node_modules/*' 2>/dev/null | LC_ALL=C sort"
  for _, path in ipairs(house.lines_of(find)) do
    for _, pattern in ipairs(patterns) do
      if path:find(pattern) then
        list[#list + 1] = path
        break
      end
    end
  end
  return list
end

function house.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Calls visit(line, number) for each line of a text, with or without a last newline.
function house.each_line(text, visit)
  local number = 0
  for line in (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    visit(line, number)
  end
end

function house.count(ok, what)
  if ok then
    house.passed = house.passed + 1
  else
    house.failed = house.failed + 1
    print("not ok: " .. what)
  end
end

-- Runs check(path, text, complain) over each file; complaints are printed and fail the rule.
function house.rule(name, paths, check)
  house.rules[name] = check
  local complaints = 0
  for _, path in ipairs(paths) do
    check(path, house.read(path), function(line, why)
      complaints = complaints + 1
      print(("%s:%d: %s"):format(path, line or 1, why))
    end)
  end
  house.count(complaints == 0, name)
end

-- The rule must complain about this sample, taken as the file `path` (any name when not given).
function house.must_fail(name, sample, path)
  local complaints = 0
  house.rules[name](path or "sample.c", sample, function() complaints = complaints + 1 end)
  house.count(complaints > 0, name .. " (must refuse a sample, and did not): " .. sample:sub(1, 60))
end

function house.must_pass(name, sample, path)
  house.rules[name](path or "sample.c", sample, function(_, why)
    house.count(false, name .. " (must accept a sample): " .. why)
  end)
  house.passed = house.passed + 1
end

function house.close(name)
  print(("%s: %d passed, %d failed"):format(name, house.passed, house.failed))
  return house.failed == 0
end

return house
