-- chain { "auth", "access", … }: the order in which requests meet the policies. Gives the names, in order.
local core, use = ...
local report = use "report"
local sub = report.sub

local chain = {}

function chain.compile(spec)
  local names, seen, files = {}, {}, {}
  for _, path in ipairs(core.bundle_paths()) do files[#files + 1] = path:match("^(.*)%.lua$") end
  for key in pairs(spec) do
    if type(key) ~= "number" then report.at(sub(nil, key), ("a chain is a list of names, and has no field '%s'"):format(key)) end
  end
  for i, name in ipairs(spec) do
    local path = sub(nil, i)
    if type(name) ~= "string" then report.at(path, "expected the name of a policy file, such as \"access\"")
    elseif name == "init" or name == "models" or name == "apps" then
      report.at(path, ("'%s' is no policy: it is read in any case"):format(name))
    elseif not core.bundle_text(name .. ".lua") then
      report.at(path, ("there is no file policies/%s.lua"):format(name), report.nearest(name, files))
    elseif seen[name] then report.at(path, ("'%s' stands in the chain twice"):format(name))
    else names[#names + 1] = name end
    seen[name] = true
  end
  if #spec == 0 then report.at(nil, "the chain is empty: chain { \"auth\", \"access\", … }") end
  return names
end

return chain
