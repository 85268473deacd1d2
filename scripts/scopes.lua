-- Whom a limit or a budget counts for: each user, an app and a model together, one department.
--
--   local parts = scopes.by({ "app", "model" }, path)             -- each app with each model counts for itself
--   local parts = scopes.constants(row, path, known)              -- the fields of a row: department = "sales"
--   local key, values = scopes.key(parts, f)                      -- "app=x,model=y", { app = "x", model = "y" }
--
-- Whoever has no such field counts under none of its values, together with all others who have none:
-- nobody slips through. A key has the values as they are, but for what separates in it: "%", "=", ",", ";", "/" and "+"
-- are %xx in a value. Those that count together stand with a "+" between them: "team=a+b" is of the teams a and b,
-- "team=a%2bb" of the team a+b.
local core, use = ...
local report = use "report"
local schema = use "schema"
local facts = use "facts"
local conditions = use "condition"
local sub = report.sub

local scopes = {}

local beside = { "model", "session" }

local function is_scope(name)
  return facts.is_identity(name) or name == "model" or name == "session"
end
scopes.is_scope = is_scope

function scopes.names()
  local names = { "user", "app", "department", "team", "tier", "region", "clearance", "env", "key_id" }
  for _, name in ipairs(beside) do names[#names + 1] = name end
  for _, name in ipairs(report.keys(facts.labels)) do names[#names + 1] = name end
  return names
end

local function field(value, path)
  if type(value) == "string" and is_scope(value) then return value end
  report.at(path, "bad_value",
    ("expected a field of the identity, a label, model or session, got %s"):format(schema.kind_of(value)),
    report.nearest(value, scopes.names()) or "a label of your keys? name it in auth.lua: labels = { … }")
end

-- "user" or { "app", "model" } → parts without a value of their own.
function scopes.by(value, path)
  local parts = {}
  for i, name in ipairs(schema.one_or_list(field)(value, path) or {}) do parts[i] = { name = name } end
  if type(value) == "table" and #value == 0 then
    report.at(path, "bad_limit", "the list is empty: name a field, or leave it out for everybody")
  end
  return parts
end

local function constant_list(value, path, name, check)
  if getmetatable(value) == "predicate" then
    report.at(path, "bad_value", "a budget is for one, or for several together; got a predicate",
      ("for each of them: each = \"%s\""):format(name))
    return {}
  end
  local list = schema.one_or_list(check)(value, path) or {}
  if type(value) == "table" and #value == 0 then report.at(path, "bad_limit", "the list is empty: nobody has it") end
  return list
end

-- So that no value can be taken for two.
local function escape(value)
  if not value:find("[%%=,;/+]") then return value end
  return (value:gsub("[%%=,;/+]", function(c) return ("%%%02x"):format(c:byte()) end))
end

-- The fields of a row that name a scope's value: department = "sales", team = { "a", "b" } (which count together).
-- text: as people read them; key: as keys have them.
function scopes.constants(row, path)
  local parts = {}
  for _, name in ipairs(report.keys(row)) do
    if is_scope(name) and name ~= "session" then
      local check = name == "model" and conditions.check_model or schema.text
      local list = constant_list(row[name], sub(path, name), name, check)
      local set, escaped = {}, {}
      for _, value in ipairs(list) do set[value] = true end
      local sorted = report.keys(set) -- in whatever order they were written
      for i, value in ipairs(sorted) do escaped[i] = escape(value) end
      parts[#parts + 1] = { name = name, set = set, text = table.concat(sorted, "+"), key = table.concat(escaped, "+") }
    end
  end
  return parts
end

-- Does a request fall under the constants? A session that is none has nothing to count.
function scopes.applies(parts, f)
  for i = 1, #parts do
    local part = parts[i]
    if part.set and not part.set[f[part.name]] then return false end
    if part.name == "session" and not f.session then return false end
  end
  return true
end

-- Callers choose them, and what they are counted under is kept: one that is too long goes by its hash, "%#1f…".
local function caller_value(value)
  if #value <= 128 and not value:find("[\128-\255]") then return escape(value) end
  local name, hash = core.counted_name(value)
  return hash and "%#" .. hash or escape(name)
end

function scopes.key(parts, f)
  local values, words = {}, {}
  for i = 1, #parts do
    local part = parts[i]
    local value = part.text or f[part.name] or ""
    values[part.name] = value
    words[i] = part.name .. "=" .. (part.key or caller_value(value))
  end
  return table.concat(words, ","), values
end

-- "user ana, model x" with names, "ana, x" without; for everybody what `nobody` says.
function scopes.spell(parts, f, with_names, nobody)
  local words = {}
  for i = 1, #parts do
    local part = parts[i]
    local value = part.text or f[part.name]
    if not value then words[i] = "no " .. part.name
    else words[i] = with_names and part.name .. " " .. value or value end
  end
  return #words > 0 and table.concat(words, ", ") or nobody
end

-- The same as who does something in a sentence: "no user is over 10 requests" would say that nobody is.
function scopes.spell_subject(parts, f, with_names, nobody)
  local has, lacks = {}, {}
  for i = 1, #parts do
    local part = parts[i]
    local value = part.text or f[part.name]
    if not value then lacks[#lacks + 1] = "no " .. part.name:gsub("_", " ")
    else has[#has + 1] = with_names and part.name .. " " .. value or value end
  end
  local who, missing = table.concat(has, ", "), table.concat(lacks, " and ")
  if #lacks == 0 then return #has > 0 and who or nobody end
  return #has > 0 and who .. " with " .. missing or "whoever has " .. missing
end

local function identity_of(part) return part.key and part.name .. "=" .. part.key or part.name end

-- The same scope, whoever asks?
function scopes.same(a, b)
  if #a ~= #b then return false end
  local seen = {}
  for _, part in ipairs(a) do seen[identity_of(part)] = true end
  for _, part in ipairs(b) do
    if not seen[identity_of(part)] then return false end
  end
  return true
end

-- The same text for the same scope.
function scopes.identity(parts)
  local words = {}
  for i, part in ipairs(parts) do words[i] = identity_of(part) end
  table.sort(words)
  return table.concat(words, "\n")
end

-- Of each row the rows of the same scope that may leave it nothing to do: may_shadow(row) says which do at all.
function scopes.rivals(rows, may_shadow)
  local groups, rivals = {}, {}
  for _, row in ipairs(rows) do
    local identity = scopes.identity(row.parts)
    groups[identity] = groups[identity] or {}
    rivals[row] = groups[identity]
    if may_shadow(row) then table.insert(groups[identity], row) end
  end
  return rivals
end

-- A warning for constants that no request can bear: apps that apps.lua does not have.
function scopes.check_constants(parts, path)
  for _, part in ipairs(parts) do
    if part.name == "app" and part.set and facts.apps then
      for _, value in ipairs(report.keys(part.set)) do
        if not facts.apps[value] then
          report.warn(sub(path, "app"), "never_acts",
            ("never acts: app '%s' is not in policies/apps.lua"):format(value),
            report.nearest(value, report.keys(facts.apps)))
        end
      end
    end
  end
end

return scopes
