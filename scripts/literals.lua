-- The arguments of a call as they are written: constants as what they are, everything else as literals.unknown.
--
--   literals.list({ "sign", "(", "number", "403", "sign", ",", "name", "x", "sign", ")" })    -- core.arguments
--     → { n = 2, 403, literals.unknown, begins = { [2] = { "name", "x", alone = true } } }
--
-- A table with fields that are none of it is still known by its other fields.
local literals = {}

local unknown = setmetatable({}, { __metatable = "unknown" })
literals.unknown = unknown

local constants = { ["true"] = true, ["false"] = false }
local ends = { [","] = true, [";"] = true, [")"] = true, ["}"] = true, ["]"] = true }
local opens, closes = { ["("] = true, ["{"] = true, ["["] = true }, { [")"] = true, ["}"] = true, ["]"] = true }

local function is_sign(x, at, text) return x[at] == "sign" and x[at + 1] == text end
local function is_end(x, at) return x[at] == nil or x[at] == "sign" and ends[x[at + 1]] end

-- Behind an expression that is not understood; a function's commas are its own.
local blocks = { ["function"] = 1, ["if"] = 1, ["do"] = 1, ["repeat"] = 1, ["end"] = -1, ["until"] = -1 }

local function skip(x, at)
  local depth = 0
  while x[at] do
    if depth == 0 and is_end(x, at) then return at end
    if x[at] == "sign" then depth = depth + (opens[x[at + 1]] and 1 or closes[x[at + 1]] and -1 or 0)
    elseif x[at] == "name" then depth = depth + (blocks[x[at + 1]] or 0) end
    at = at + 2
  end
  return at
end

local read_table

-- A value and what stands behind it.
local function read(x, at)
  local kind, text, next_at = x[at], x[at + 1], at + 2
  local value
  if kind == "text" and not text:find("\\", 1, true) then value = text
  elseif kind == "number" then value = tonumber(text) or unknown
  elseif is_sign(x, at, "-") and x[next_at] == "number" then
    value, next_at = -(tonumber(x[next_at + 1]) or 0), next_at + 2
  elseif kind == "name" and constants[text] ~= nil then value = constants[text]
  elseif is_sign(x, at, "{") then value, next_at = read_table(x, next_at)
  elseif kind ~= "name" or text ~= "nil" then return unknown, skip(x, at) end
  if is_end(x, next_at) then return value, next_at end
  return unknown, skip(x, next_at)
end

local function read_field(x, at, out)
  if x[at] == "name" and is_sign(x, at + 2, "=") then
    out[x[at + 1]], at = read(x, at + 4)
  elseif is_sign(x, at, "[") then
    local key = (x[at + 2] == "text" or x[at + 2] == "number") and is_sign(x, at + 4, "]") and x[at + 3]
    at = skip(x, at + 2)
    while x[at] and not is_sign(x, at, "=") do at = at + 2 end
    local value
    value, at = read(x, at + 2)
    if key then out[key] = value end
  else
    local value
    value, at = read(x, at)
    out[#out + 1] = value
  end
  return at
end

read_table = function(x, at)
  local out = {}
  while x[at] and not is_sign(x, at, "}") do
    at = read_field(x, at, out)
    if is_sign(x, at, ",") or is_sign(x, at, ";") then at = at + 2
    elseif not is_sign(x, at, "}") then return unknown, at end
  end
  return out, at + 2
end

-- The last argument may stand for several.
local open_end = { __index = function(_, key) return type(key) == "number" and unknown or nil end }

function literals.list(x)
  local out = { n = 0, begins = {} }
  if not is_sign(x, 1, "(") then
    out[1], out.n = read(x, 1), 1
    return out
  end
  local at = 3
  while x[at] and not is_sign(x, at, ")") do
    out.n = out.n + 1
    out.begins[out.n] = { x[at], x[at + 1], alone = is_end(x, at + 2), is_joined = is_sign(x, at + 2, "..") }
    out[out.n], at = read(x, at)
    if is_sign(x, at, ",") then at = at + 2 elseif not is_sign(x, at, ")") then break end
  end
  return out[out.n] == unknown and setmetatable(out, open_end) or out
end

-- Without what is not known: the fields of a table, or the value itself.
function literals.known(value, instead)
  if value == unknown then return instead end
  if type(value) ~= "table" then return value end
  local out = {}
  for key, member in pairs(value) do
    if type(key) ~= "number" and member ~= unknown then out[key] = literals.known(member) end
  end
  for _, member in ipairs(value) do
    if member ~= unknown then out[#out + 1] = literals.known(member) end
  end
  return out
end

return literals
