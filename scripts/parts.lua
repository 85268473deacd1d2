-- Rows of one table that stand in several files: models { require "models.openai", ["auto"] = { … } }.
--
--   local rows, from = parts.join(value)     -- the rows by name; which file each of the others' stands in
--
-- A part is what a shared file returned, in the place of a positional entry, or all of the value.
local core, use = ...
local modules = use "modules"

local parts = {}

local function add(rows, from, part)
  local path = modules.path_of(part)
  local file = path and ("policies/%s.lua"):format(path) or "a part"
  for name, row in next, core.thaw(part) do
    if type(name) ~= "string" then
      error(("%s returns rows by name, such as { [\"gpt-4o\"] = { … } }"):format(file), 0)
    end
    if rows[name] ~= nil then error(("'%s' stands in %s, and in another part"):format(name, file), 0) end
    rows[name], from[name] = row, path
  end
end

-- What has no parts comes back as it is.
function parts.join(value)
  local rows, from = {}, {}
  if core.thaw(value) then
    add(rows, from, value)
    return rows, from
  end
  if type(value) ~= "table" or getmetatable(value) or not core.thaw(value[1]) then return value, from end
  for key, row in next, value do
    if type(key) ~= "number" or not core.thaw(row) then rows[key] = row end
  end
  for _, part in ipairs(value) do
    if core.thaw(part) then add(rows, from, part) end
  end
  return rows, from
end

return parts
