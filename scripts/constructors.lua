-- The words that a policy file returns: access { … }, routing { … }, … Each only notes what it was given; the table is
-- checked and compiled when the file has returned it (scripts/load.lua).
local core, use = ...
local modules = use "modules"
local parts = use "parts"
local raise = use "raise"

local constructors = {}
local Definition = { __metatable = "definition" }

local available = { "chain", "models", "apps", "auth", "access", "ratelimit", "budget", "redaction",
  "routing", "policy", "governance" }

constructors.words = {}
constructors.kinds = {}

-- The tables of rows that may stand in several files: of models all of it, of access one field. parts: what
-- report.place() needs to know of the rows that stand elsewhere.
local function join(kind, spec)
  if kind == "models" then
    local rows, from = parts.join(spec)
    return { spec = rows, parts = { from = from } }
  end
  if kind == "access" and type(spec) == "table" and not getmetatable(spec) then
    local rows, from = parts.join(spec.models)
    spec.models = rows
    return { spec = spec, parts = { from = from, under = "models" } }
  end
  return { spec = spec }
end

for _, kind in ipairs(available) do
  constructors.kinds[kind] = true
  constructors.words[kind] = function(spec)
    local joined = join(kind, spec)
    spec = modules.thaw(joined.spec)
    if type(spec) ~= "table" then raise.error("no_policy", ("%s { … } wants a table"):format(kind), 2) end
    local _, line = core.where()
    constructors.last = setmetatable({ kind = kind, spec = spec, line = line, parts = joined.parts }, Definition)
    return constructors.last
  end
end

-- file "keys/login.json": one that stands in the policy folder, and is read and loaded with it.
function constructors.words.file(path)
  if type(path) ~= "string" or path == "" then
    raise.error("no_file", "file \"name.json\" wants the name of a file in the policy folder", 2)
  end
  return setmetatable({ path = path }, { __metatable = "file" })
end

-- What a file returned, or nil.
function constructors.definition(value)
  return getmetatable(value) == "definition" and value or nil
end

return constructors
