-- require "lib.dates": parts that several policy files share. Only at the top of a file, only from the bundle.
--
-- What a module returns is frozen, whole: it belongs to everybody, so nobody may change it. Constructors and verbs take
-- frozen lists like their own (modules.thaw).
local core, use = ...
local report = use "report"
local raise = use "raise"

local modules = { used = {}, returned = {} } -- by path: what was asked for, and the tables behind what it got

local loaded, under_way = {}, {}
local paths = setmetatable({}, { __mode = "k" }) -- of what require gave
local is_loading = true
local environment, complaint_about

-- From scripts/sandbox.lua, which needs this file first: a file's environment, and what is wrong with its names.
function modules.open(make_environment, first_complaint)
  environment, complaint_about = make_environment, first_complaint
end
function modules.close() is_loading = false end

local function frozen(name, value, seen)
  -- predicates, verbs and definitions bear a protected metatable and cannot be changed as they are
  if type(value) ~= "table" or type(getmetatable(value)) == "string" then return value end
  if seen[value] then return seen[value] end
  local copy = {}
  local stand_in = core.freeze(name, copy)
  seen[value] = stand_in
  for key, member in next, value do copy[frozen(name, key, seen)] = frozen(name, member, seen) end
  return setmetatable(copy, getmetatable(value)) and stand_in
end

-- The file that returned this, without its ending; nil for what is no file's whole value.
function modules.path_of(value) return paths[value] end

-- A value without anything frozen in it; what is not frozen stays what it is.
function modules.thaw(value)
  local table_behind = type(value) == "userdata" and core.thaw(value)
  if not table_behind and (type(value) ~= "table" or getmetatable(value)) then return value end
  if not table_behind then
    for key, member in next, value do
      local kind = type(member)
      if kind == "table" or kind == "userdata" then
        local thawed = modules.thaw(member)
        if thawed ~= member then value[key] = thawed end
      end
    end
    return value
  end
  local copy = {}
  for key, member in next, table_behind do copy[key] = modules.thaw(member) end
  return copy
end

local function path_of(name)
  if type(name) ~= "string" or ("." .. name):find("^[%.a-z0-9_]+$") == nil or ("." .. name):find("%.%.")
    or name:sub(-1) == "." then
    raise.error("bad_value", ("require wants a name such as \"lib.dates\" for policies/lib/dates.lua, got %s"):format(
      type(name) == "string" and "\"" .. name .. "\"" or type(name)), 3)
  end
  return (name:gsub("%.", "/"))
end

local function nearest(path)
  local names = {}
  for _, file in ipairs(core.bundle_paths()) do names[#names + 1] = file:match("^(.*)%.lua$") end
  local near = report.nearest(path, names)
  return near and " (" .. near .. ")" or ""
end

local function chunk_of(path)
  local text = core.bundle_text(path .. ".lua")
  if not text then
    raise.error("no_file", ("require: there is no file policies/%s.lua%s"):format(path, nearest(path)), 3)
  end
  local file = { path = ("policies/%s.lua"):format(path), text = text }
  if text:byte(1) == 27 then
    raise.error("no_file", file.path .. ":1: compiled Lua is refused: a policy is source, for people to read", 0)
  end
  local chunk, wrong = core.load(text, "@" .. file.path, environment())
  if not chunk then raise.error("not_lua", wrong, 0) end
  local finding, complaint = complaint_about(file, chunk)
  if finding then raise.error(finding, complaint, 0) end
  return chunk
end

function modules.require(name)
  if not is_loading then error("require is for the top of the file: a request cannot load anything", 2) end
  local path = path_of(name)
  if loaded[path] ~= nil then return loaded[path] end
  for i, other in ipairs(under_way) do
    if other == path then
      error("require goes in a circle: " .. table.concat(under_way, " → ", i) .. " → " .. path, 2)
    end
  end
  under_way[#under_way + 1] = path
  modules.used[path] = true
  local value = chunk_of(path)()
  under_way[#under_way] = nil
  if value == nil then
    error(("policies/%s.lua returns nothing: a shared file ends with return { … }"):format(path), 2)
  end
  loaded[path] = frozen(path, value, {})
  if type(loaded[path]) == "userdata" then paths[loaded[path]] = path end
  modules.returned[path] = type(value) == "table" and value or nil
  return loaded[path]
end

return modules
