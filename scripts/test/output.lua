-- How `moongate test` tells what happened: a line a file, each failure with its place, its text and the words that run
-- it again; or all of it as one JSON document. One of busted's output handlers; busted loads it as "moongate.output".
local _, use = ...
local json = use "json"

local output = { options = {} }

local FILE_WIDTH = 44

-- --- what happened ---

local result = { files = {}, passed = 0, failed = 0, skipped = 0 }
local file

local function open_file(name)
  file = { file = name, passed = 0, failed = 0, skipped = 0, tests = {} }
  result.files[#result.files + 1] = file
end

-- "x_spec.lua:5: text" → the text and 5, when x_spec.lua is the file at hand.
local function split_place(text)
  local prefix = file.file .. ":"
  if text:sub(1, #prefix) ~= prefix then return text end
  local line, rest = text:match("^(%d+): (.*)$", #prefix + 1)
  if line then return rest, tonumber(line) end
  return text
end

-- What busted hands over as a message: a text, or a table of luassert with one, or whatever was raised.
local function text_of(message)
  if type(message) == "table" then
    local text = message.message or (getmetatable(message) or {}).__tostring and tostring(message)
    message = text or require("pl.pretty").write(message)
  end
  return (tostring(message or "no reason given"):gsub("%s+$", ""))
end

local function note(name, status, text, line)
  local counter = status == "failed" and "failed" or status == "skipped" and "skipped" or "passed"
  file[counter], result[counter] = file[counter] + 1, result[counter] + 1
  file.tests[#file.tests + 1] = { name = name, status = status, file = file.file, line = line, message = text }
end

-- --- as text ---

local codes = { red = "\27[31m", green = "\27[32m", bold = "\27[1m", dim = "\27[2m", yellow = "\27[33m" }

local function paint(color, text)
  return output.options.is_coloured and codes[color] .. text .. "\27[0m" or text
end

local function quoted(text)
  return text:find("^[%w%._/%-]+$") and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

local function counts(of)
  local parts = {}
  if of.passed > 0 or of.failed + of.skipped == 0 then parts[1] = paint("green", of.passed .. " passed") end
  if of.failed > 0 then parts[#parts + 1] = paint("red", of.failed .. " failed") end
  if of.skipped > 0 then parts[#parts + 1] = paint("yellow", of.skipped .. " skipped") end
  return table.concat(parts, ", ")
end

local function tell_failure(test)
  local place = test.line and ("%s:%d"):format(test.file:match("[^/]*$"), test.line) or test.file
  print(("  %s %s  %s"):format(paint("red", "✗"), paint("bold", test.name), paint("dim", place)))
  print((test.message:gsub("[^\n]+", "      %0")))
  local pattern = test.name:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0")
  local filter = test.name ~= test.file and " --filter " .. quoted(pattern) or ""
  print(("      %s moongate test %s%s"):format(paint("dim", "rerun"),
    quoted((output.options.root or "") .. test.file), filter))
end

local function tell_file()
  file.is_told = true
  print(("%-" .. FILE_WIDTH .. "s  %s"):format((output.options.root or "") .. file.file, counts(file)))
  for _, test in ipairs(file.tests) do
    if test.status == "failed" then tell_failure(test) end
  end
  io.stdout:flush()
end

-- --- the handler ---

local function name_of(path) return (tostring(path or "spec"):gsub("^%./", "")) end

-- The line of a failure in its own file, from the message or from where busted was; the message without it.
local function place_of(message, trace)
  local text, line = split_place(text_of(message))
  if not line and trace and tostring(trace.short_src):gsub("^%./", "") == file.file then line = trace.currentline end
  return text, line
end

-- A file that could not be loaded has no beginning and no end of its own.
local function tell_rest()
  for _, one in ipairs(result.files) do
    file = one
    if not one.is_told then tell_file() end
  end
end

-- "policies/x.lua  91 % of 142 lines, 3 of 4 rules" and what is missing under it.
local function tell_coverage(list)
  print("")
  for _, one in ipairs(list) do
    local color = one.ran == one.lines and one.matched == one.rules and "green" or "yellow"
    local rules = one.rules > 0 and (", %d of %d rules"):format(one.matched, one.rules) or ""
    print(("%-" .. FILE_WIDTH .. "s  %s"):format((output.options.root or "") .. one.file,
      paint(color, ("%d %% of %d line%s%s"):format(one.percent, one.lines, one.lines == 1 and "" or "s", rules))))
    for _, range in ipairs(one.missed) do
      local lines = range[1] == range[2] and tostring(range[1]) or range[1] .. "-" .. range[2]
      print(("      %s:%s never ran"):format(one.file:match("[^/]*$"), lines))
    end
    for _, rule in ipairs(one.unmatched) do
      print(("      %s:%d rule %s never matched"):format(one.file:match("[^/]*$"), rule.line, rule.name))
    end
  end
end

local function totals(list)
  local lines, ran, rules, matched = 0, 0, 0, 0
  for _, one in ipairs(list) do
    lines, ran, rules, matched = lines + one.lines, ran + one.ran, rules + one.rules, matched + one.matched
  end
  return (", coverage %d %% of %d lines, %d of %d rules"):format(
    lines > 0 and math.floor(ran * 100 / lines) or 100, lines, matched, rules)
end

local function finish(seconds)
  if output.options.on_failure then return end
  local covered = output.options.has_coverage and use("test/coverage").files()
  result.coverage = covered or nil
  if output.options.is_json then
    for _, one in ipairs(result.files) do one.is_told = nil end
    result.seconds, result.ok = seconds, result.failed == 0
    print(json.encode(result))
  else
    tell_rest()
    if covered then tell_coverage(covered) end
    print(("%s%s in %.2f s"):format(counts(result), covered and totals(covered) or "", seconds))
  end
end

local function subscribe_all(busted, handler)
  local options = output.options
  local is_quiet = options.is_json or options.on_failure
  local function on(event, fn)
    busted.subscribe(event, function(...)
      fn(...)
      return nil, true
    end)
  end
  local function failure(element, parent, message, trace)
    if not file or element.descriptor == "file" and file.file ~= name_of(element.name) then
      open_file(name_of(element.name))
    end
    local shown = handler.format(element, parent, message, trace, true)
    local text, line = place_of(message, shown.trace)
    note(shown.name, "failed", text, line)
    if options.on_failure then options.on_failure(file.file, line, shown.name, text) end
  end
  on({ "file", "start" }, function(element) open_file(name_of(element.name)) end)
  on({ "file", "end" }, function()
    if not is_quiet then tell_file() end
  end)
  on({ "test", "start" }, function(element, parent)
    if options.on_test then options.on_test(handler.format(element, parent).name) end
  end)
  on({ "test", "end" }, function(element, parent, status)
    if status ~= "success" and status ~= "pending" then return end
    note(handler.format(element, parent).name, status == "success" and "passed" or "skipped")
  end)
  on({ "failure" }, failure)
  on({ "error" }, failure)
  on({ "suite", "end" }, function() finish(handler.getDuration()) end)
end

setmetatable(output, { __call = function()
  local handler = require("busted.outputHandlers.base")()
  subscribe_all(require "busted", handler)
  return handler
end })

return output
