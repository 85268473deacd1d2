-- The words that a policy file returns: access { … }, routing { … }, … Each only notes what it was given; the table is
-- checked and compiled when the file has returned it (scripts/load.lua).
local core, use = ...
local modules = use "modules"
local raise = use "raise"

local constructors = {}
local Definition = { __metatable = "definition" }

local available = { "chain", "models", "apps", "auth", "access", "ratelimit", "budget", "redaction", "routing", "policy" }

constructors.words = {}
constructors.kinds = {}

for _, kind in ipairs(available) do
  constructors.kinds[kind] = true
  constructors.words[kind] = function(spec)
    spec = modules.thaw(spec)
    if type(spec) ~= "table" then raise.error("no_policy", ("%s { … } wants a table"):format(kind), 2) end
    local _, line = core.where()
    constructors.last = setmetatable({ kind = kind, spec = spec, line = line }, Definition)
    return constructors.last
  end
end

-- file "keys/login.json": one that stands in the policy folder, and is read and loaded with it.
function constructors.words.file(path)
  if type(path) ~= "string" or path == "" then raise.error("no_file", "file \"name.json\" wants the name of a file in the policy folder", 2) end
  return setmetatable({ path = path }, { __metatable = "file" })
end

-- What a file returned, or nil.
function constructors.definition(value)
  return getmetatable(value) == "definition" and value or nil
end

return constructors
