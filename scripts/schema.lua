-- Shapes that tables of policy files must have. A shape is a function (value, path) that reports what is wrong and
-- gives back the value, or nil when it cannot be used.
--
--   local row = schema.record { data = schema.class, departments = schema.list(schema.text), data_required = true }
local core, use = ...
local report = use "report"
local foreign = use "foreign"
local sub = report.sub

local schema = {}

local function kind_of(value)
  local kind = type(value)
  if kind == "string" then return ("the text '%s'"):format(value) end
  if kind == "number" or kind == "boolean" then return tostring(value) end
  if getmetatable(value) == "predicate" then return "a predicate" end
  return (kind == "nil" and "nothing") or ("a " .. kind)
end
schema.kind_of = kind_of

-- What each shape takes, for scripts/describe.lua: shapes say it to schema.tracer when they meet a probe. Otherwise
-- nothing is kept of it.
schema.about = {}

local function shape(about, fn)
  if not core.describing then return fn end
  local traced = function(value, path)
    if getmetatable(value) == "probe" then
      if schema.tracer then schema.tracer(path, about) end
      return nil
    end
    return fn(value, path)
  end
  schema.about[traced] = about
  return traced
end

-- A shape of somebody else's own: about says what editors are told of it.
schema.shape = shape

local function basic(kind, words)
  return shape({ kind = kind }, function(value, path)
    if type(value) == kind then return value end
    local near = kind == "boolean" and (value == "true" or value == "false")
      and "write " .. value .. ", without quotes" or nil
    report.at(path, "bad_value", ("expected %s, got %s"):format(words, kind_of(value)), near)
  end)
end

schema.boolean = basic("boolean", "true or false")
schema.fn = basic("function", "a function")
schema.table = basic("table", "a table")

schema.text = shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and value ~= "" then return value end
  report.at(path, "bad_value", "expected a text, got " .. (value == "" and "an empty one" or kind_of(value)),
    value == false and "`not \"x\"` is false: write isnt \"x\"" or nil)
end)

-- What a text that should be a number says.
function schema.near_number(value)
  local near = foreign.comparison(value)
  return near and ("write %s"):format(near) or nil
end

schema.number = shape({ kind = "number" }, function(value, path)
  if type(value) == "number" and value == value and value >= 0 then return value end
  report.at(path, "bad_value", "expected a number of 0 or more, got " .. kind_of(value), schema.near_number(value))
end)

function schema.choice(words)
  return shape({ kind = "choice", words = words }, function(value, path)
    for _, word in ipairs(words) do
      if value == word then return value end
    end
    report.at(path, "bad_value", ("expected one of %s, got %s"):format(table.concat(words, ", "), kind_of(value)),
      report.nearest(value, words))
  end)
end

-- A text that stands in a list twice says nothing the second time: another is missing, or was meant.
function schema.check_twice(list, path)
  local seen = #list > 8 and {} or nil
  for i = 2, #list do
    local value, is_twice = list[i], false
    if type(value) ~= "string" then value = nil
    elseif seen then
      seen[list[i - 1]] = true
      is_twice = seen[value]
    else
      for j = 1, i - 1 do is_twice = is_twice or list[j] == value end
    end
    if is_twice then
      report.at(sub(path, i), "said_twice", ("'%s' stands in this list twice"):format(value), "take one of them out")
    end
  end
end

-- One value of the shape, or a list of them; always gives a list.
function schema.one_or_list(of)
  return shape({ kind = "one_or_list", of = of }, function(value, path)
    if type(value) ~= "table" or getmetatable(value) then
      local one = of(value, path)
      return one ~= nil and { one } or nil
    end
    return schema.list(of)(value, path)
  end)
end

function schema.list(of)
  return shape({ kind = "list", of = of }, function(value, path)
    if type(value) ~= "table" or getmetatable(value) then
      report.at(path, "bad_value", "expected a list, got " .. kind_of(value))
      return nil
    end
    local list, count = {}, 0
    for key in pairs(value) do
      count = count + 1
      if type(key) ~= "number" then
        report.at(sub(path, key), "bad_list",
          ("a list has no named fields, but this one has '%s'"):format(tostring(key)))
        return nil
      end
    end
    for i = 1, count do
      if value[i] == nil then
        report.at(path, "bad_list", ("the list has a hole at %d"):format(i), "a nil in the middle: is a name misspelt?")
        return nil
      end
      list[#list + 1] = of(value[i], sub(path, i))
    end
    schema.check_twice(value, path)
    return list
  end)
end

-- { [name] = shape }; visits in the order of names, so that errors come in one order.
function schema.map(of)
  return shape({ kind = "map", of = of }, function(value, path)
    if type(value) ~= "table" or getmetatable(value) then
      report.at(path, "bad_value", "expected a table of names, got " .. kind_of(value))
      return nil
    end
    local map = {}
    for key in pairs(value) do
      if type(key) ~= "string" then
        report.at(sub(path, key), "bad_list", ("expected name = …, got an entry without a name"):format())
      end
    end
    for _, name in ipairs(report.keys(value)) do map[name] = of(value[name], sub(path, name)) end
    return map
  end)
end

-- fields: name → shape; required: list of names. Unknown keys are errors.
local function by_text(a, b) return tostring(a) < tostring(b) end

local function unknown_keys(value, fields)
  local list = {}
  for key in pairs(value) do
    if not fields[key] then list[#list + 1] = key end
  end
  table.sort(list, by_text)
  return list
end

-- hint(key, value): what is meant by a key that it does not have, where the nearest name would be another.
function schema.record(fields, required, what, hint)
  local names, known = report.keys(fields), {}
  for key in pairs(fields) do known[#known + 1] = key end
  table.sort(known, by_text)
  return shape({ kind = "record", fields = fields, required = required }, function(value, path)
    if type(value) ~= "table" or getmetatable(value) then
      report.at(path, "bad_value", ("expected a table, got %s"):format(kind_of(value)))
      return nil
    end
    local out, found = {}, 0
    for i = 1, #known do
      local key = known[i]
      local member = value[key]
      if member ~= nil then
        found = found + 1
        out[key] = fields[key](member, sub(path, key))
      end
    end
    for _ in next, value do found = found - 1 end
    for _, key in ipairs(found < 0 and unknown_keys(value, fields) or {}) do
      report.at(sub(path, key), "unknown_field", ("unknown %s '%s'"):format(what or "field", tostring(key)),
        hint and hint(key, value[key]) or report.nearest(key, names))
    end
    for _, name in ipairs(required or {}) do
      if value[name] == nil then report.at(path, "missing_field", ("'%s' is missing"):format(name)) end
    end
    return out
  end)
end

-- Credentials are in nobody's reach.
schema.secret_headers = { authorization = true, ["proxy-authorization"] = true, cookie = true, ["x-api-key"] = true,
  ["api-key"] = true, ["x-goog-api-key"] = true }

-- Names are compared as HTTP does, without regard to case.
schema.header = shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and schema.secret_headers[value:lower()] then
    report.at(path, "bad_value", ("expected a header that holds no secret, got '%s'"):format(value))
    return nil
  end
  if type(value) == "string" and value:find("^[%w_%-]+$") then return value:lower() end
  report.at(path, "bad_value", "expected the name of a header, such as \"x-session-id\", got " .. kind_of(value))
end)

schema.classes = { "public", "internal", "confidential", "restricted" }
schema.class_rank = {}
for rank, name in ipairs(schema.classes) do schema.class_rank[name] = rank end

schema.class = shape({ kind = "choice", words = schema.classes }, function(value, path)
  if schema.class_rank[value] then return value end
  report.at(path, "bad_predicate", ("unknown data class %s (%s)"):format(
    type(value) == "string" and "'" .. value .. "'" or kind_of(value), table.concat(schema.classes, ", ")),
    type(value) == "string" and value:find("^%s*>") and ("write at_least %q"):format(value:match("(%a*)%s*$"))
      or report.nearest(value, schema.classes))
end)

schema.mode = schema.choice { "enforce", "observe", "off" }

-- What clients switch on: lower case, digits, underscores.
schema.code = shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and value:find("^[a-z][a-z0-9_]*$") and #value <= 64 then return value end
  report.at(path, "bad_decision",
    "a code is made of a-z, 0-9 and _, such as 'department_not_authorized'; got " .. kind_of(value))
end)

-- Statuses that RFC 9110 and its registry know; clients do not understand others.
local statuses = {}
for _, status in ipairs { 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422,
  423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 508, 511 } do statuses[status] = true end
schema.statuses = statuses

schema.status = shape({ kind = "integer" }, function(value, path)
  if statuses[value] then return value end
  local number = type(value) == "string" and statuses[tonumber(value)] and ("write %s, without quotes"):format(value)
  report.at(path, "bad_decision", "not a standard HTTP status from 400 on: " .. kind_of(value),
    number or "403 forbids, 429 asks to come back later")
end)

return schema
