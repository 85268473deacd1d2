-- Where errors of the file being loaded go: each with the place that its path has in the source.
--
--   report.begin(file)      -- { path = "policies/access.lua", text = …, line = of the constructor's call }
--   report.at(path, "unknown_field", "unknown field 'x'", "did you mean 'y'?")
--
-- Each says which finding it is, by its word in core/base/finding.h; what is not there is a bug and ends the process.
-- A path is a chain of keys, built with report.sub(path, key); nil is the constructor's own table.
local core, use = ...
local foreign = use "foreign"

local report = { errors = 0 }
local file = { path = "policies", text = "" }

function report.begin(new)
  local outer = file
  file = new
  return outer
end

-- Of the file that is being read.
function report.path() return file.path end

function report.sub(path, key) return { up = path, key = key } end

local function keys_of(path)
  local keys, depth = {}, 0
  local at = path
  while at do at, depth = at.up, depth + 1 end
  for i = depth, 1, -1 do
    local key = path.key
    keys[i] = (type(key) == "string" or type(key) == "number") and key or tostring(key)
    path = path.up
  end
  return keys
end

local function spell(keys)
  local text = ""
  for _, key in ipairs(keys) do
    if type(key) == "number" then text = text .. "[" .. key .. "]"
    else text = text .. (text == "" and "" or ".") .. tostring(key) end
  end
  return text
end

local function locate(within, keys)
  within.source = within.source or core.source(within.text or "")
  local line, column = core.locate(within.source, unpack(keys))
  if line == 0 then return within.line or 0, 0 end
  return line, column
end

-- For a row of another file (scripts/parts.lua): that file, and the keys in it.
local function elsewhere(keys)
  local parts = file.parts
  local depth = parts and parts.under and 2 or 1
  if not parts or parts.under and keys[1] ~= parts.under then return nil end
  local path = keys[depth] and parts.from[keys[depth]]
  if not path then return nil end
  file.others = file.others or {}
  file.others[path] = file.others[path]
    or { path = ("policies/%s.lua"):format(path), text = core.bundle_text(path .. ".lua") }
  return file.others[path], { unpack(keys, depth) }
end

-- "rules[2].when.data" → line and column in the file; the constructor's line when it was built by code or elsewhere.
function report.place(path)
  local keys = keys_of(path)
  if elsewhere(keys) then return locate(file, {}) end
  return locate(file, keys)
end

-- What finds the places of a file's values goes.
function report.forget(old)
  old.source, old.others = nil, nil
  if old == file then file = { path = "policies", text = "" } end
end

local function add(path, finding, text, hint)
  local keys = keys_of(path)
  local spelt = spell(keys)
  local other, within = elsewhere(keys)
  local line, column = locate(other or file, other and within or keys)
  core.error(finding, (other or file).path, line, column, spelt == "" and text or spelt .. ": " .. text, hint)
end

-- Findings that only repeat in other words what has been told: they are counted, not told.
local left_out

function report.leave_out(finding) left_out = finding end

function report.at(path, finding, text, hint)
  report.errors = report.errors + 1
  if finding ~= left_out then add(path, finding, text, hint) end
end

-- At a place of the file itself.
function report.warn_at(line, column, finding, text, hint)
  core.error(finding, file.path, line, column, text, hint)
end

function report.error_at(line, column, finding, text, hint)
  report.errors = report.errors + 1
  core.error(finding, file.path, line, column, text, hint)
end

function report.warn(path, finding, text, hint)
  add(path, finding, text, hint)
end

-- A line of the file.
local function source_line(wanted)
  local number = 0
  for text in ((file.text or "") .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if number == wanted then return text end
  end
  return ""
end

-- Behind the last character that is no blank.
local function file_end()
  local text = file.text:gsub("%s+$", "")
  local line = select(2, text:gsub("\n", "")) + 1
  return line, #text:match("[^\n]*$") + 1
end

-- The first column of a word in a line, 0 when it is not there.
local function column_of(text, word)
  local from = 1
  while true do
    local at = text:find(word, from, true)
    if not at then return 0 end
    local is_part = word:find("^[%w_]") and
      (text:find("^[%w_]", at + #word) or (at > 1 and text:find("^[%w_]", at - 1)))
    if not is_part then return at end
    from = at + 1
  end
end

-- What Lua's messages mean for those who wrote the line.
local cures = {
  { "'%)?}?' expected %(to close '.' at line %d+%) near '?<eof>", "something that was opened there is never closed" },
  { "'[}%)]' expected %(to close '.' at line %d+%) near",
    "is a comma missing before it, or at the end of the line above?" },
  { "'[}%)]' expected near", "is a comma missing before it, or at the end of the line above?" },
  { "'end' expected %(to close '%w+' at line (%d+)%)", "what begins in line %s has no 'end'" },
  { "'end' expected near", "an 'end' is missing before it" },
  { "'<eof>' expected near", "there is one 'end' too many above it, or 'return' is not the last statement" },
  { "unfinished string", "the quote is not closed in the same line" },
  { "unexpected symbol near '[})]'", "is a value missing before it?" },
  { "near '<eof>'", "the file ends in the middle: is a '}' or an 'end' missing?" },
  { "'=' expected near", "a statement is a call or an assignment: is it misspelt, or a 'local' or '=' missing?" },
  { "attempt to index .- %(a nil value%)", "what stands before the dot or bracket is not there" },
  { "attempt to call global 'any'", "any stands alone: departments = any; several names are a list: { \"a\", \"b\" }" },
  { "attempt to compare", "one side may be nil: ask for it before comparing" },
  { "stopped after", "an endless loop? if not: moongate.lua sets the budget, policy = { bytecodes = … }" },
}

-- The innermost block that is open where the line begins: its word and its line, nil when all are closed.
local openers = { ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }

local function unclosed(before)
  local open, number = {}, 0
  for text in (file.text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if number == before then break end
    text = text:gsub("\\.", ""):gsub("\"[^\"]*\"", ""):gsub("'[^']*'", ""):gsub("%-%-.*", "")
    for word in text:gmatch("[%a_][%w_]*") do
      if openers[word] then open[#open + 1] = { word, number }
      elseif word == "end" or word == "until" then open[#open] = nil end
    end
  end
  local last = open[#open]
  if last then return last[1], last[2] end
end

local keywords = { "return", "local", "function", "if", "then", "end", "for", "while" }

-- retrun access {}: a statement that begins with the wrong word. What Lua quotes stands behind it.
local function misspelt_keyword(text, source)
  local word = text:find("^'=' expected near") and source:match("^%s*([%a_]+)%s")
  return word and core.nearest(word, keywords) and word
end

local function cure_for(text, source, line)
  if text:find("^unexpected symbol near '[})]'") then
    local word, where = unclosed(line)
    if word then return ("the '%s' that begins in line %d has no 'end'"):format(word, where) end
  end
  local meant = foreign.cure(source, text)
  if meant then return meant end
  local misspelt = misspelt_keyword(text, source)
  if misspelt then return (report.nearest(misspelt, keywords)) end
  local else_if = (text:find("'end' expected", 1, true) or text:find("near ','", 1, true))
    and foreign.else_if(file.text)
  if else_if then return ("`else if` in line %d opens another if: write `elseif`"):format(else_if) end
  for _, cure in ipairs(cures) do
    local from, _, captured = text:find(cure[1])
    if from then return captured and cure[2]:format(captured) or cure[2] end
  end
end

-- Lua's own message, "policies/x.lua:3: …", goes to its own place, with a caret under the word that it quotes.
-- suffix: what stands behind the message, and is no part of what Lua said.
function report.message(finding, text, hint, suffix)
  report.errors = report.errors + 1
  local path, line, rest = text:match("^(policies/[^:]+):(%d+): (.*)$")
  if not path then
    core.error(finding, file.path, (report.place(nil)), 0, text, hint)
    return
  end
  local said, offered = rest:match("^(undefined name '.-') %((.*)%)$")
  if not said then said, offered = rest:match("^(%S+ has no field '.-') %((.*)%)$") end
  if not said then said, offered = rest:match("^(.* was built but not returned): (write .*)$") end
  if said then rest, hint = said, hint or offered end
  local word = rest:match("near '(.*)'$") or rest:match("^undefined name '(.-)'") or rest:match("global '(.-)'")
    or rest:match("field '(.-)'") or rest:match("local '(.-)'") or rest:match("method '(.-)'")
    or rest:match("^(%a+)%(…%) was built") or rest == "the file returns nothing" and hint:match("return (%a+)")
  line = tonumber(line)
  local source = path == file.path and source_line(line) or ""
  local column = word and column_of(source, misspelt_keyword(rest, source) or word) or 0
  local undefined = rest:match("^undefined name '([%w_]+)'")
  hint = undefined and foreign.beside(source, undefined) or hint
  if undefined and source:find("headers%.[%w_]*%-[%w_%-]*" .. undefined) then
    hint = "a name with a dash stands in brackets: headers[\"x-name\"]"
  end
  if word == "<eof>" and path == file.path then line, column = file_end() end
  core.error(finding, path, line, column, rest .. (suffix or ""), hint or cure_for(rest, source, line))
end

local HINTS_MAX = 200 -- as many errors as are shown: who has more has one that explains them all

-- "did you mean 'x'?", or nothing when no name is near.
-- names: a list, or a function that gives it where to make it takes long.
function report.nearest(word, names)
  if report.errors > HINTS_MAX then return nil end
  if type(names) == "function" then names = names() end
  local near = type(word) == "string" and (foreign.field(word, names) or #word > 2 and core.nearest(word, names))
  return near and ("did you mean '%s'?"):format(near) or nil
end

function report.keys(map)
  local list = {}
  for key in pairs(map) do
    if type(key) == "string" then list[#list + 1] = key end
  end
  table.sort(list)
  return list
end

return report
