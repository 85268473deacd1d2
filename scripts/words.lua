-- Conditions, actions and values of policies as people read them, and as Lua source.
--
--   words.condition("department", { "sales", "support" })   -- "department is sales or support"
--   words.action(rule)                                      -- "deny 403 tools_not_allowed"
--   words.source(none_of { "a" })                           -- 'none_of { "a" }'
local core, use = ...
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

local spelt = {
  gt = function(v) return "is more than " .. plain(v) end,
  ge = function(v) return "is at least " .. plain(v) end,
  lt = function(v) return "is less than " .. plain(v) end,
  le = function(v) return "is at most " .. plain(v) end,
  between = function(v) return ("is from %s to %s"):format(plain(v[1]), plain(v[2])) end,
  none_of = function(v) return "is not " .. joined(v, "or") end,
  like = function(v) return "is like " .. plain(v) end,
  at_least = function(v) return "is at least " .. plain(v) end,
  any = function() return "is anything" end,
}

local verbs = { uses = "uses ", contains = "contains ", role = "role is ", called = "what is called is " }

-- One key of `when` or `unless`.
function words.condition(key, value)
  local predicate = predicates.of(value)
  local subject = plain(key) .. " "
  if predicate then
    local spell = spelt[predicate.op]
    if key == "called" then subject = "what is called " end
    return subject .. (spell and spell(predicate.value) or predicate.op)
  end
  if key == "hours" or key == "days" or key == "zone" then return subject .. (is_plain(value) and joined(value, "or") or plain(value)) end
  if key == "contains" and is_plain(value) and #value > 3 then value = ("one of %d words"):format(#value)
  elseif is_plain(value) then value = joined(value, "or") end
  if verbs[key] then return verbs[key] .. plain(value) end
  return subject .. "is " .. plain(value)
end

-- Keys that are one condition together.
words.groups = { { "hours", "days", "zone" }, { "share", "sticky" } }

-- A table of conditions → list of { keys = { … }, text = "…", values = { key = value } }, in the order of names.
function words.parts(conditions)
  local parts, grouped = {}, {}
  for _, group in ipairs(words.groups) do
    local texts, part = {}, { keys = {}, values = {} }
    for _, key in ipairs(group) do
      grouped[key] = true
      if conditions[key] ~= nil then
        part.keys[#part.keys + 1], part.values[key] = key, conditions[key]
        texts[#texts + 1] = words.condition(key, conditions[key])
      end
    end
    part.text = table.concat(texts, ", ")
    if #texts > 0 then parts[#parts + 1] = part end
  end
  for _, key in ipairs(report.keys(conditions)) do
    if not grouped[key] then
      parts[#parts + 1] = { keys = { key }, values = { [key] = conditions[key] }, text = words.condition(key, conditions[key]) }
    end
  end
  table.sort(parts, function(a, b) return a.keys[1] < b.keys[1] end)
  return parts
end

-- when or unless as one line.
function words.conditions(value)
  if type(value) == "function" then return ("a function at line %d"):format(core.function_line(value)) end
  local texts = {}
  for i, part in ipairs(words.parts(value)) do texts[i] = part.text end
  return #texts > 0 and table.concat(texts, " and ") or "always"
end

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
  local predicate = predicates.of(value)
  if predicate then return predicate.op == "any" and "any" or (words.condition("", value):gsub("^ ", "")) end
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
    if predicate.op == "between" then return ("between(%s, %s)"):format(plain(predicate.value[1]), plain(predicate.value[2])) end
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
