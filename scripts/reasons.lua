-- Reasons for people, with facts in braces: "{department} may not use {model}". Compiled at load.
local core, use = ...
local report = use "report"
local facts = use "facts"

local reasons = {}

local function show(f, name)
  local value = f[name]
  if value == false or value == nil then return "no " .. name:gsub("_", " ") end
  if type(value) == "number" then return ("%.14g"):format(value) end
  return tostring(value)
end

-- A text, or a function(f) when it names facts.
function reasons.compile(text, path)
  if type(text) ~= "string" then
    report.at(path, "bad_reason", "a reason is a text")
    return nil
  end
  local parts, at = {}, 1
  for before, name, after in text:gmatch("()({[^{}]*})()") do
    local fact = name:sub(2, -2)
    if not facts.compute[fact] and fact ~= "model" then
      report.at(path, "bad_reason", ("{%s} is no field of a request"):format(fact), report.nearest(fact, facts.names()))
    end
    parts[#parts + 1] = text:sub(at, before - 1)
    parts[#parts + 1] = { fact }
    at = after
  end
  if #parts == 0 then return text end
  parts[#parts + 1] = text:sub(at)
  return function(f)
    local out = {}
    for i, part in ipairs(parts) do out[i] = type(part) == "table" and show(f, part[1]) or part end
    return table.concat(out)
  end
end

-- The reason's text for this request.
function reasons.text(reason, f)
  if type(reason) == "function" then return reason(f) end
  return reason
end

return reasons
