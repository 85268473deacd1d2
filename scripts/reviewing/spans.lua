-- Where a value, or a field with its comma, stands in the text of a policy file.
--
--   spans.value(text, { "models", "gpt-4o", "departments" }, 'any')  → { from, to, source = 'any' }; bytes, inclusive
--   spans.field(text, { "models", "gpt-4o" })                       → { from, to, source = "" }: the whole of it
--
-- nil: no table of the file says it, code does. Whoever uses it loads what comes of it.
local core, use = ...

local spans = {}

-- Behind a comment or a string that begins at a byte; nil: none does.
local function skip_quoted(text, at)
  local dashes, level = text:match("^(%-?%-?)%[(=*)%[", at)
  if level and (dashes == "--" or dashes == "") then
    local _, last = text:find("]" .. level .. "]", at, true)
    return last and last + 1 or #text + 1
  end
  if text:find("^%-%-", at) then return (text:find("\n", at, true) or #text) + 1 end
  local quote = text:match("^[\"']", at)
  if not quote then return nil end
  local i = at + 1
  while i <= #text and text:sub(i, i) ~= quote do i = i + (text:sub(i, i) == "\\" and 2 or 1) end
  return i + 1
end

local opens, closes = { ["{"] = true, ["("] = true, ["["] = true }, { ["}"] = true, [")"] = true, ["]"] = true }

-- The last byte of the value that begins there, and the byte that ends it: a comma, a semicolon, or a brace.
local function value_end(text, at)
  local depth, last, i = 0, nil, at
  while i <= #text do
    local c, past = text:sub(i, i), skip_quoted(text, i)
    if past then
      if not text:find("^%-%-", i) then last = past - 1 end
      i = past
    else
      if depth == 0 and (c == "," or c == ";" or closes[c]) then return last, i end
      if opens[c] then depth = depth + 1 elseif closes[c] then depth = depth - 1 end
      if not c:find("%s") then last = i end
      i = i + 1
    end
  end
end

local function offset_of(text, line, column)
  local at = 1
  for _ = 2, line do at = (text:find("\n", at, true) or #text) + 1 end
  return at + column - 1
end

-- Where the field begins, and its value.
local function find(text, path)
  local name = path[#path]
  local line, column = core.locate(core.source(text), unpack(path))
  if line == 0 then return nil end
  local from = offset_of(text, line, column)
  local key = text:match("^[%a_][%w_]*", from) or text:match('^%[%s*"([^"\\]*)"%s*%]', from)
    or text:match("^%[%s*'([^'\\]*)'%s*%]", from)
  if key ~= name then return nil end
  local _, before = text:find("=%s*", from + (text:sub(from, from) == "[" and #key + 4 or #key))
  return from, before and before + 1
end

function spans.value(text, path, source)
  local _, from = find(text, path)
  local to = from and value_end(text, from)
  return to and { from = from, to = to, source = source } or nil
end

-- With what is alone on its lines: nothing is left of them.
local function widened(text, from, to)
  local line_from = from
  while line_from > 1 and text:find("^[ \t]", line_from - 1) do line_from = line_from - 1 end
  local is_first = line_from == 1 or text:sub(line_from - 1, line_from - 1) == "\n"
  local rest = text:match("^[ \t]*%-%-[^\n]*\n()", to + 1) or text:match("^[ \t]*\r?\n()", to + 1)
  if is_first and rest and not text:find("^[ \t]*%-%-%[=*%[", to + 1) then return line_from, rest - 1 end
  return from, to
end

function spans.field(text, path)
  local from, value = find(text, path)
  local last, stop = nil, nil
  if value then last, stop = value_end(text, value) end
  if not last then return nil end
  local to = text:find("^[,;]", stop) and stop or last
  from, to = widened(text, from, to)
  return { from = from, to = to, source = "" }
end

return spans
