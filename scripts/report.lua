-- Where errors of the file being loaded go: each with the place that its path has in the source.
--
--   report.begin(file)                     -- { path = "policies/access.lua", text = …, line = of the constructor's call }
--   report.at(path, "unknown field 'x'", "did you mean 'y'?")
--
-- A path is a chain of keys, built with report.sub(path, key); nil is the constructor's own table.
local core = ...

local report = { errors = 0 }
local file = { path = "policies", text = "" }

function report.begin(new)
  local outer = file
  file = new
  return outer
end

function report.sub(path, key) return { up = path, key = key } end

local function keys_of(path)
  local keys = {}
  while path do
    local key = path.key
    table.insert(keys, 1, (type(key) == "string" or type(key) == "number") and key or tostring(key))
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

-- "rules[2].when.data" → line and column; the constructor's line when it was built by code.
function report.place(path)
  local line, column = core.locate(file.text or "", unpack(keys_of(path)))
  if line == 0 then return file.line or 0, 0 end
  return line, column
end

local function add(path, text, hint, is_warning)
  local line, column = report.place(path)
  local spelt = spell(keys_of(path))
  core.error(file.path, line, column, spelt == "" and text or spelt .. ": " .. text, hint, is_warning)
end

function report.at(path, text, hint)
  report.errors = report.errors + 1
  add(path, text, hint, false)
end

function report.warn(path, text, hint) add(path, text, hint, true) end

-- Lua's own message, "policies/x.lua:3: …", goes to its own place.
function report.message(text, hint)
  report.errors = report.errors + 1
  local path, line, rest = text:match("^(policies/[^:]+):(%d+): (.*)$")
  if path then core.error(path, tonumber(line), 0, rest, hint)
  else core.error(file.path, (report.place(nil)), 0, text, hint) end
end

-- "did you mean 'x'?", or nothing when no name is near.
function report.nearest(word, names)
  local near = type(word) == "string" and #word > 2 and core.nearest(word, names)
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
