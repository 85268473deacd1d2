-- Findings carry their code where they are made: each call site names one of core/base/finding.h, and none stands there
-- that nobody names. Severity belongs to the finding: MG03xx are warnings, and are told by report.warn.
local house = dofile("tests/house/lib.lua")

local LIST = "core/base/finding.h"
local code_of, names = {}, {}
for name, word, code in house.read(LIST):gmatch("\n    X%(([%u_]+), \"([%l_]+)\", \"(MG%d+)\"") do
  code_of[word] = code
  names[#names + 1] = { name, word }
end
house.count(#names > 40, LIST .. " cannot be read")

-- Where the finding stands among the arguments, and whether it must be a warning.
local calls = {
  ["report.at"] = { 2, false }, ["report.warn"] = { 2, true }, ["report.warn_at"] = { 3, true }, ["report.error_at"] = { 3, false },
  ["report.message"] = { 1, false }, ["raise.error"] = { 1, false },
}

-- The arguments of a call as they are written; `at` is behind its parenthesis.
local function arguments(text, at)
  local list, depth, from = {}, 0, at
  while at <= #text do
    local c = text:sub(at, at)
    if c == '"' then at = text:find('[^\\]"', at) + 1
    elseif c:find("[({%[]") then depth = depth + 1
    elseif c:find("[)}%]]") then
      if depth == 0 then break end
      depth = depth - 1
    elseif c == "," and depth == 0 then
      list[#list + 1] = text:sub(from, at - 1)
      from = at + 1
    end
    at = at + 1
  end
  list[#list + 1] = text:sub(from, at - 1)
  return list
end

local RULE = "each call site names a finding of the list"
house.rule(RULE, house.files("scripts", "%.lua$"), function(_, text, complain)
  for callee, at in text:gmatch("%f[%w]([%w]+%.[%w_]+)%(()") do
    local call = calls[callee]
    local before = text:sub(1, at - 1)
    if call and not before:find("%-%-[^\n]*$") and not before:find("function [^\n]*$") then
      local said = (arguments(text, at)[call[1]] or ""):match("^%s*(.-)%s*$")
      local word = said:match("^\"([^\"]*)\"$")
      local line = select(2, before:gsub("\n", "")) + 1
      if said:find("\"", 1, true) and not word then complain(line, callee .. " begins with a text: " .. said)
      elseif said == "" or word and not code_of[word] then complain(line, ("%s: no finding is called \"%s\""):format(callee, word or ""))
      elseif word and (code_of[word]:sub(4, 4) == "3") ~= call[2] then
        complain(line, ("%s: %s is %s"):format(callee, word, call[2] and "no warning" or "a warning"))
      end
    end
  end
end)
house.must_pass(RULE, 'report.at(sub(path, "a, b"), "unknown_model", ("no %s"):format(x))\n', "scripts/a.lua")
house.must_pass(RULE, 'report.warn(nil, "no_effect", "x")\nreport.message(raise.finding_of(text), text)\n', "scripts/a.lua")
house.must_fail(RULE, 'report.at(path, "no such model")\n', "scripts/a.lua")
house.must_fail(RULE, 'report.at(path, ("no %s"):format(x))\n', "scripts/a.lua")
house.must_fail(RULE, 'report.at(path, "unknown_modle", "no such model")\n', "scripts/a.lua")
house.must_fail(RULE, 'report.at(path)\n', "scripts/a.lua")
house.must_fail(RULE, 'report.warn(path, "unknown_model", "no such model")\n', "scripts/a.lua")
house.must_fail(RULE, 'x()\n  raise.error("never_reached", "x", 0)\n', "scripts/a.lua")

-- What is written in moongate.lua and in policies has a code of its own: nobody is told "an error" of it.
local NARROW = "what an author wrote is told by a narrow code"
local function check_narrow(_, text, complain)
  local at = text:find("FINDING_OTHER_[%u]+") or text:find("[%a]+%(\"other_[%l]+\"")
  if at then complain(select(2, text:sub(1, at):gsub("\n", "")) + 1, "MG0499 and MG0399 say nothing") end
end
house.rule(NARROW, house.files("scripts", "%.lua$"), check_narrow)
house.rule(NARROW, house.files("core/server", "/config[%l_]*%.c$"), check_narrow)
house.rule(NARROW, { "core/lua/configfile.c" }, check_narrow)
house.must_fail(NARROW, 'bad("other_error", "x")\n', "scripts/a.lua")
house.must_pass(NARROW, 'local last = { finding = "other_error" }\n', "scripts/a.lua")

-- No code is guessed by what a text says, but for Lua's own words (core/lua/raised.c).
local GUESS = "a finding is named, and not guessed by a text"
house.rule(GUESS, house.files("core", "%.[ch]$"), function(path, text, complain)
  if path:find("core/lua/raised") then return end
  for at in text:gmatch("()config_bad%(%s*r, path, [^F]") do complain(select(2, text:sub(1, at):gsub("\n", "")) + 1, "which finding?") end
  local at = text:find("finding_guess", 1, true)
  if at then complain(select(2, text:sub(1, at):gsub("\n", "")) + 1, "say what it is") end
end)
house.must_fail(GUESS, 'finding_guess(text);\n', "core/a.c")
house.must_fail(GUESS, 'config_bad(r, path, NULL, "x");\n', "core/a.c")
house.must_pass(GUESS, 'config_bad(r, path, FINDING_BAD_VALUE, NULL, "x");\n', "core/a.c")

local said = {}
for _, path in ipairs(house.files("core", "%.c$")) do
  for name in house.read(path):gmatch("FINDING_([%u_]+)") do said[name] = true end
end
for _, path in ipairs(house.files("scripts", "%.lua$")) do
  for word in house.read(path):gmatch("\"([%l_]+)\"") do said[word] = true end
end
for _, name in ipairs(names) do
  house.count(said[name[1]] or said[name[2]], ("%s: nothing is ever %s"):format(LIST, name[2]))
end

os.exit(house.close("house/findings"))
