-- Lua tables as JSON text, for the descriptions of made-up requests. Keys are sorted: pairs() has no order of its own.
local core = ...

local json = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function text(value)
  return '"' .. value:gsub('[%c"\\]', function(c) return escapes[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

local encode

local function list(value)
  local parts = {}
  for i, item in ipairs(value) do parts[i] = encode(item) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function object(value)
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = text(key) .. ":" .. encode(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- An empty table is an object; json.raw(text) stands as it is.
encode = function(value)
  local kind = type(value)
  if kind == "string" then return text(value) end
  if kind == "number" then return ("%.17g"):format(value) end
  if kind == "boolean" then return tostring(value) end
  if kind ~= "table" then error("no JSON for a " .. kind, 0) end
  if value._raw then return value._raw end
  if #value > 0 then return list(value) end
  return object(value)
end

json.encode = encode
function json.raw(value) return { _raw = value } end

return json
