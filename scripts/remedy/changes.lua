-- Changes of a request, as remedies try them.
--
--   local other = changes.apply(t, change)       -- t stays as it is
--   local both = changes.merge(a.change, b.change)
--
-- A change: { kind, fact, value, change = { set, as, remove } }.
local core, use = ...
local question = use "explain/question"

local changes = {}

function changes.copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = changes.copy(item) end
  return out
end

function changes.apply(t, change)
  local out = changes.copy(t)
  out.as = out.as or {}
  for name, value in pairs(change.change.as or {}) do out.as[name] = changes.copy(value) end
  for name, value in pairs(change.change.set or {}) do question.set(out, name, changes.copy(value)) end
  for _, name in ipairs(change.change.remove or {}) do
    question.set(out, name, nil)
    if out.headers then out.headers["x-moongate-" .. name:gsub("_", "-")] = nil end
  end
  return out
end

function changes.merge(a, b)
  local out = changes.copy(a)
  for _, part in ipairs { "as", "set" } do
    for name, value in pairs(b[part] or {}) do
      out[part] = out[part] or {}
      out[part][name] = changes.copy(value)
    end
  end
  for _, name in ipairs(b.remove or {}) do
    out.remove = out.remove or {}
    table.insert(out.remove, name)
  end
  return out
end

return changes
