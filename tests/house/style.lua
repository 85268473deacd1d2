-- How the code is written: sizes, openings, names that stay out of the core, no globals in Lua.
local house = dofile("tests/house/lib.lua")

local FUNCTION_LINES_MAX, FILE_LINES_MAX = 60, 500

local c_files = house.files("core tests", "%.[ch]$")
local lua_files = house.files("core scripts policies examples tests", "%.lua$")
local both = {}
for _, list in ipairs { c_files, lua_files } do
  for _, path in ipairs(list) do both[#both + 1] = path end
end

-- In C a function is what stands between a `{` and a `}` in the first column; a table inside it does not count.
local function measure_c(text, found)
  local began, length, in_table
  house.each_line(text, function(line, number)
    if line == "{" then
      began, length, in_table = number, 0, false
    elseif began and line:find("^}") then
      found(began, length)
      began = nil
    elseif began then
      if line:find("^    [^ ].*= {$") then in_table = true elseif line:find("^    }") then in_table = false end
      if not in_table then length = length + 1 end
    end
  end)
end

-- In Lua: from a line that ends with a parameter list to the `end` that stands as far in, without the functions inside.
local function measure_lua(text, found)
  local open = {}
  house.each_line(text, function(line, number)
    local top = open[#open]
    if line:find("%f[%w]function[%w_.: ]*%b()$") then
      open[#open + 1] = { began = number, length = 0, indent = line:match("^ *") }
    elseif top and line:find("^" .. top.indent .. "end%f[^%w]") then
      found(top.began, top.length)
      open[#open] = nil
    elseif top then
      top.length = top.length + 1
    end
  end)
end

house.rule("functions are short", both, function(path, text, complain)
  local measure = path:find("%.lua$") and measure_lua or measure_c
  if path:find("_spec%.lua$") then return end -- describe() is a heading, not a function
  measure(text, function(line, length)
    if length > FUNCTION_LINES_MAX then
      complain(line, ("a function of %d lines, %d are the limit"):format(length, FUNCTION_LINES_MAX))
    end
  end)
end)
house.must_fail("functions are short", "int f(void)\n{\n" .. ("    x();\n"):rep(61) .. "}\n")
house.must_fail("functions are short", "local function f()\n" .. ("  x()\n"):rep(61) .. "end\n", "a.lua")
house.must_fail("functions are short", "  m.f = function(a, b)\n" .. ("    x()\n"):rep(61) .. "  end,\n", "a.lua")
house.must_pass("functions are short", "int f(void)\n{\n" .. ("    x();\n"):rep(60) .. "}\n")

house.rule("files are short", both, function(_, text, complain)
  local _, lines = text:gsub("\n", "")
  if lines > FILE_LINES_MAX then complain(1, ("%d lines, %d are the limit"):format(lines, FILE_LINES_MAX)) end
end)
house.must_fail("files are short", ("\n"):rep(501))

house.rule("headers open with their job", house.files("core tests", "%.h$"), function(_, text, complain)
  local opening = text:match("^/%*(.-)%*/")
  local sentence = opening and opening:gsub("\n %*", "\n"):match("^%s*(%S.-%.)%s")
  if not sentence or not sentence:find("%w+%s+%w+%s+%w+") then
    complain(1, "a header opens with one sentence on the room's job")
  end
  if not text:find("#ifndef MOONGATE_[%w_]+_H\n#define MOONGATE_[%w_]+_H\n") then
    complain(1, "no include guard MOONGATE_…_H")
  end
end)
local guard = "#ifndef MOONGATE_X_H\n#define MOONGATE_X_H\n#endif\n"
house.must_fail("headers open with their job", guard, "x.h")
house.must_fail("headers open with their job", "/* x */\n" .. guard, "x.h")
house.must_fail("headers open with their job", "/*\n * One piece of work.\n */\n", "x.h")
house.must_pass("headers open with their job", "/*\n * One piece of work.\n */\n" .. guard, "x.h")

house.rule("structs have no typedef", c_files, function(_, text, complain)
  house.each_line(text, function(line, number)
    if line:find("^%s*typedef%s+struct") or line:find("^%s*typedef%s+union") then
      complain(number, "struct room, no typedef")
    end
  end)
end)
house.must_fail("structs have no typedef", "typedef struct x x;\n")

-- The words are put together here so that this file may hold them.
local UNFINISHED = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X", "HA" .. "CK" }
local written = house.files("core scripts policies examples tests Makefile README.md .ci",
  "%.[chS]$", "%.lua$", "%.md$", "Makefile$", "%.m?js$", "%.py$", "^%.ci/", "/run$")
house.rule("nothing is left for later", written, function(_, text, complain)
  house.each_line(text, function(line, number)
    for _, word in ipairs(UNFINISHED) do
      if line:find("%f[%w]" .. word .. "%f[%W]") then complain(number, word) end
    end
  end)
end)
house.must_fail("nothing is left for later", "/* " .. UNFINISHED[1] .. ": later */\n")

-- The core holds mechanism only: which models exist and what they cost stands in policies and catalogues.
local MODELS = { "gpt%-[%do]", "claude%-", "gemini%-%d", "text%-embedding", "%f[%w]o[134]%-mini", "[Ll]lama%-?%d",
  "mistral%-", "%$%d+%.%d" }
house.rule("no model and no price in the core", house.files("core", "%.[ch]$"), function(_, text, complain)
  house.each_line(text, function(line, number)
    for _, pattern in ipairs(MODELS) do
      if line:find(pattern) then complain(number, "names a model or a price: " .. line:match(pattern)) end
    end
  end)
end)
house.must_fail("no model and no price in the core", 'if (slice_equal(model, SLICE("gpt-4o")))\n')
house.must_fail("no model and no price in the core", "/* costs $2.50 a million */\n")
house.must_pass("no model and no price in the core", '"WHERE gw = $1 AND epoch = $2"\n')

house.rule("lines have an end and no tail", both, function(path, text, complain)
  if text ~= "" and text:sub(-1) ~= "\n" then complain(1, "no newline at the end") end
  house.each_line(text, function(line, number)
    if line:find("[ \t\r]$") then complain(number, "blanks at the end of the line") end
    if line:find("\t") and not path:find("Makefile") then complain(number, "a tab") end
  end)
end)
house.must_fail("lines have an end and no tail", "int x; \n")
house.must_fail("lines have an end and no tail", "int x;")

-- Characters, not bytes; a table's row of what is printed stands as it is printed.
local LINE_CHARACTERS_MAX = 120
house.rule("lines are short", house.files("core scripts", "%.[ch]$", "%.lua$"), function(_, text, complain)
  house.each_line(text, function(line, number)
    local characters = #line:gsub("[\128-\191]", "")
    local is_printed_row = line:find('^%s*".*\\n",?$')
    if characters > LINE_CHARACTERS_MAX and not is_printed_row then
      complain(number, ("a line of %d characters, %d are the limit"):format(characters, LINE_CHARACTERS_MAX))
    end
  end)
end)
house.must_fail("lines are short", ("x"):rep(121) .. "\n")
house.must_fail("lines are short", "  say(\"" .. ("x"):rep(121) .. "\\n\")\n", "a.lua")
house.must_pass("lines are short", ("…"):rep(120) .. "\n")
house.must_pass("lines are short", "     \"" .. ("x"):rep(121) .. "\\n\"\n")

-- The byte code says which globals are written: GSET. A policy file may not, nor may anything else.
local function global_writes(path)
  local writes = {}
  for _, line in ipairs(house.lines_of("luajit -bl " .. path .. " 2>&1")) do
    local name = line:match("%sGSET%s.-;%s*\"(.-)\"")
    if name then writes[#writes + 1] = name end
  end
  return writes
end
house.rule("no globals are written", lua_files, function(path, _, complain)
  for _, name in ipairs(global_writes(path)) do complain(1, "writes the global " .. name) end
end)
local sample = os.tmpname()
local file = assert(io.open(sample, "w"))
file:write("local a = 1\nfunction leak() b = a end\n")
file:close()
house.count(#global_writes(sample) == 2, "both globals of a sample must be found")
os.remove(sample)

-- What git keeps, where there is one: nothing beside these.
local top = { core = true, scripts = true, policies = true, tests = true, examples = true, Makefile = true, LICENSE = true,
  ["README.md"] = true }
local function stray(paths)
  for _, path in ipairs(paths) do
    local name = path:match("^[^/]+")
    if not top[name] and not name:find("^%.") then return path end
  end
end
local kept = stray(house.lines_of("git ls-files 2>/dev/null"))
house.count(not kept, "the top level is fixed, and this is not of it: " .. tostring(kept))
house.count(stray { "core/main.c", ".ci/run", "work/a.lua" } == "work/a.lua", "a stray file of a sample must be found")

if #house.lines_of("command -v luacheck") > 0 then
  local said = house.lines_of("luacheck --no-color -q --codes core scripts policies examples tests 2>&1; echo status $?")
  local status = table.remove(said)
  house.count(status == "status 0", "luacheck:\n" .. table.concat(said, "\n"))
end

os.exit(house.close("house/style"))
