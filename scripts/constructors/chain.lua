-- chain { "auth", "access", … }: the order in which requests meet the policies. Gives the names, in order, and the set
-- of those that are written { "name", mode = "off" }: checked and tested like the others, and not at work.
local core, use = ...
local report = use "report"
local schema = use "schema"
local sub = report.sub

local chain = {}

local entry = schema.record({ schema.text, mode = schema.choice { "enforce", "off" } }, { 1 }, "field of an entry")

-- The name in an entry, and whether it is off.
local function read_entry(value, path)
  if type(value) ~= "table" or getmetatable(value) then return value, false end
  local given = entry(value, path) or {}
  return given[1], given.mode == "off"
end

function chain.compile(spec)
  local names, off, seen, files = {}, {}, {}, {}
  for _, path in ipairs(core.bundle_paths()) do files[#files + 1] = path:match("^(.*)%.lua$") end
  for key in pairs(spec) do
    if type(key) ~= "number" then
      report.at(sub(nil, key), "bad_chain", ("a chain is a list of names, and has no field '%s'"):format(key))
    end
  end
  for i, value in ipairs(spec) do
    local path = sub(nil, i)
    local name, is_off = read_entry(value, path)
    if type(name) ~= "string" then
      report.at(path, "bad_chain", "expected the name of a policy file, such as \"access\"")
    elseif name == "init" or name == "models" or name == "apps" or name == "governance" then
      report.at(path, "bad_chain", ("'%s' is no policy: it is read in any case"):format(name))
    elseif not core.bundle_text(name .. ".lua") then
      report.at(path, "no_file", ("there is no file policies/%s.lua"):format(name), report.nearest(name, files))
    elseif seen[name] then report.at(path, "bad_chain", ("'%s' stands in the chain twice"):format(name))
    else names[#names + 1] = name end
    if name ~= nil then seen[name], off[name] = true, is_off or nil end
  end
  if #spec == 0 then report.at(nil, "bad_chain", "the chain is empty: chain { \"auth\", \"access\", … }") end
  return names, off
end

return chain
