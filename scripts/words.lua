-- Conditions, actions and values of policies as people read them, and as Lua source.
--
--   words.term(term)               -- "department is sales or support": of scripts/condition.lua
--   words.condition(when)          -- "department is sales and context_tokens is more than 5"
--   words.action(rule)             -- "deny 403 tools_not_allowed"
--   words.source(none_of { "a" })  -- 'none_of { "a" }'
local core, use = ...
local condition = use "condition"
local clock = use "clock"
local predicates = use "predicates"
local rates = use "rates"
local report = use "report"

local words = {}

local function is_plain(value) return type(value) == "table" and not getmetatable(value) end

local function plain(value)
  if type(value) == "number" then return ("%.14g"):format(value) end
  if type(value) == "function" then return "a function" end
  return tostring(value)
end

-- "a", "a or b", "a, b or c"
local function joined(list, last)
  local parts = {}
  for i, value in ipairs(list) do parts[i] = plain(value) end
  if #parts < 2 then return parts[1] or "nothing" end
  return table.concat(parts, ", ", 1, #parts - 1) .. " " .. last .. " " .. parts[#parts]
end
words.joined = joined

-- --- conditions ---

local spelt = {
  one_of = function(v) return "is " .. joined(v, "or") end,
  gt = function(v) return "is more than " .. plain(v[1]) end,
  ge = function(v) return "is at least " .. plain(v[1]) end,
  lt = function(v) return "is less than " .. plain(v[1]) end,
  le = function(v) return "is at most " .. plain(v[1]) end,
  between = function(v) return ("is from %s to %s"):format(plain(v[1]), plain(v[2])) end,
  none_of = function(v) return "is not " .. joined(v, "or") end,
  within = function(v)
    local parts = {}
    if v[1] > 0 then parts[1] = "from " .. clock.spell(v[1]) .. " on" end
    if v[2] < clock.TIME_MAX then parts[#parts + 1] = "before " .. clock.spell(v[2]) end
    return "is " .. table.concat(parts, " and ")
  end,
  like = function(v) return "is like " .. plain(v[1]) end,
  at_least = function(v) return "is at least " .. plain(v[1]) end,
  any = function() return "is anything" end,
}

-- Each key of those that are one condition together: word(key, values) joined by commas.
local function joint(term, word)
  local parts = {}
  for _, key in ipairs(condition.joint[term.op]) do
    if term.values[key] then parts[#parts + 1] = word(key, term.values[key]) end
  end
  return table.concat(parts, ", ")
end

local function joint_words(key, values)
  local verb = (key == "share" or key == "sticky") and " is " or " "
  return key .. verb .. joined(values, "or")
end

local WORDS_MAX = 3

function words.term(term)
  if term.op == "function" then return ("a function at line %d"):format(term.line) end
  if condition.joint[term.op] then return joint(term, joint_words) end
  local values = term.written or term.values
  local is = spelt[term.op](values)
  if term.key == "called" then return "what is called " .. is end
  if term.op ~= "one_of" then return term.key .. " " .. is end
  if term.key == "contains" and #values > WORDS_MAX then return ("contains one of %d words"):format(#values) end
  if term.key == "contains" or term.key == "uses" then return term.key .. is:gsub("^is", "") end
  return term.key .. " " .. is
end

-- when or unless as one line; read: what scripts/condition.lua gives.
function words.condition(read)
  local texts = {}
  for i, term in ipairs(read.terms) do texts[i] = words.term(term) end
  return #texts > 0 and table.concat(texts, " and ") or "always"
end

local function short(term)
  if term.op == "function" then return "a function" end
  if condition.joint[term.op] then
    return joint(term, function(key, values) return key .. " " .. table.concat(values, ", ") end)
  end
  local values = term.written or term.values
  if term.op == "any" then return term.key .. " any" end
  if term.op ~= "one_of" then return term.key .. " " .. spelt[term.op](values) end
  local parts = {}
  for i, value in ipairs(values) do parts[i] = plain(value) end
  return term.key .. " " .. table.concat(parts, ", ")
end

-- The same as a cell of a row: "app a, b, context_tokens is more than 5".
function words.cell(read)
  local texts = {}
  for i, term in ipairs(read.terms) do texts[i] = short(term) end
  return #texts > 0 and table.concat(texts, ", ") or "nothing"
end

-- --- other values ---

-- A selection of targets: text, list or { region =, label = }.
function words.selection(value)
  if not is_plain(value) then return plain(value) end
  if #value > 0 then return joined(value, "or") end
  local parts = {}
  for _, key in ipairs(report.keys(value)) do parts[#parts + 1] = key .. " " .. words.value(value[key]) end
  return table.concat(parts, ", ")
end

-- Any value of a definition in a few words.
function words.value(value)
  if predicates.of(value) then return predicates.of(value).op end
  if value == rates.words.free then return "free" end
  value = rates.of(value) or value
  if not is_plain(value) then return plain(value) end
  local parts = {}
  for i, item in ipairs(value) do parts[i] = words.value(item) end
  for _, key in ipairs(report.keys(value)) do parts[#parts + 1] = key .. " " .. words.value(value[key]) end
  return #parts > 0 and table.concat(parts, ", ") or "nothing"
end

local shared = { when = true, unless = true, reason = true, mode = true }

-- The verb of a rule's definition, and its value.
function words.verb(rule)
  for _, key in ipairs(report.keys(rule)) do
    if not shared[key] then return key, rule[key] end
  end
end

function words.action(rule)
  local verb, value = words.verb(rule)
  if not verb then return "nothing" end
  if verb == "deny" and is_plain(value) then
    return ("deny %s %s"):format(plain(value[1] or value.status or 403), plain(value[2] or value.code))
  end
  if verb == "only" or verb == "drop" or verb == "route" then return verb .. " " .. words.selection(value) end
  if value == true then return verb end
  return verb .. " " .. words.value(value)
end

-- --- as source ---

local function key_source(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return key end
  return "[" .. words.source(key) .. "]"
end

-- Lua that gives this value; nil for what has a function in it.
function words.source(value)
  local predicate = predicates.of(value)
  if predicate then
    if predicate.op == "any" then return "any" end
    if predicate.op == "between" then
      return ("between(%s, %s)"):format(plain(predicate.value[1]), plain(predicate.value[2]))
    end
    if type(predicate.value) == "number" then return ("%s(%s)"):format(predicate.op, plain(predicate.value)) end
    local inner = words.source(predicate.value)
    return inner and predicate.op .. " " .. inner
  end
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) == "function" then return nil end
  if value == rates.words.free then return "free" end
  if rates.of(value) then return "usd_per_million " .. words.source(rates.of(value)) end
  if not is_plain(value) then return plain(value) end
  local parts = {}
  for i, item in ipairs(value) do parts[i] = words.source(item) or "…" end
  for _, key in ipairs(report.keys(value)) do
    parts[#parts + 1] = key_source(key) .. " = " .. (words.source(value[key]) or "…")
  end
  return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or "{}"
end

return words
