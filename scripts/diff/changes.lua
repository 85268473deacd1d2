-- The list of changes under way, and how old and new values are said.
--
--   local list = changes.begin()
--   changes.add(policy, how, what, text, at, effect)      -- how: "added" | "removed" | "changed" | "moved"
local core, use = ...
local report = use "report"

local changes = {}

local list, is_idle

function changes.begin()
  list, is_idle = {}, false
  return list
end

-- What comes now is about a policy that enforces nothing before or after: the change of its mode, if any, says all.
function changes.idle(value) is_idle = value end

function changes.add(policy, how, what, text, at, effect)
  list[#list + 1] = { policy = policy, how = how, what = what, text = text, at = at,
    effect = not is_idle and effect or nil }
end

function changes.place(file, line) return line and line > 0 and ("%s:%d"):format(file, line) or file end

-- The keys of both, in the order of names.
function changes.keys(a, b)
  local set = {}
  for key in pairs(a) do set[key] = true end
  for key in pairs(b) do set[key] = true end
  return report.keys(set)
end

function changes.by_name(items)
  local map = {}
  for _, item in ipairs(items) do map[item.name] = item end
  return map
end

-- The names of a list that are in the other too, in the list's order.
function changes.common_order(items, other)
  local names = {}
  for _, item in ipairs(items) do
    if other[item.name or item] then names[#names + 1] = item.name or item end
  end
  return names
end

local function spell(value)
  if value == nil then return "nothing" end
  if type(value) ~= "table" then return type(value) == "number" and ("%.14g"):format(value) or tostring(value) end
  if value._source then return "a function" end
  if value._op then return value._op end
  local parts = {}
  for _, item in ipairs(value) do parts[#parts + 1] = spell(item) end
  for _, key in ipairs(report.keys(value)) do
    parts[#parts + 1] = (tonumber(key) and "" or key .. " ") .. spell(value[key])
  end
  return #parts > 0 and table.concat(parts, ", ") or "nothing"
end
changes.spell = spell

-- "2.5 → 3 (+20 %)"
function changes.text(old, new)
  local a, b = tonumber(old), tonumber(new)
  local share = a and b and a > 0 and (" (%+.4g %%)"):format((b - a) / a * 100) or ""
  return spell(old) .. " → " .. spell(new) .. share
end

return changes
