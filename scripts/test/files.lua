-- The policy files that specs name: from the disk, or from the bundle that is about to go live.
--
--   files.read("policies/access.lua") → its text; raises when there is none
--   files.folder("policies")          → { ["access.lua"] = text, ["lib/dates.lua"] = text, … }, but for specs/
--   files.path_of(text)               → where a text was read
local engine = ...

local files = {}

local paths = {}

local function normal(path) return (path:gsub("^%./", ""):gsub("/+$", "")) end

local function from_disk(path)
  local file, why = io.open(path, "rb")
  if not file then error(why, 0) end
  local text = file:read("*a")
  file:close()
  return text
end

-- engine.bundle: { folder = "policies", files = { ["access.lua"] = text } } stands in the place of that folder.
local function from_bundle(path)
  local bundle = engine.bundle
  local prefix = bundle and bundle.folder .. "/"
  if not bundle or path:sub(1, #prefix) ~= prefix or path:find("^specs/", #prefix + 1) then return nil end
  return bundle.files[path:sub(#prefix + 1)] or error(path .. ": No such file or directory", 0)
end

function files.read(path)
  path = normal(path)
  local text = from_bundle(path) or from_disk(path)
  paths[text] = path
  return text
end

local function is_file(path) return require("lfs").attributes(path, "mode") == "file" end

-- The same files as core/lua/bundle.c takes.
local function collect(path, prefix, found)
  for name in require("lfs").dir(path) do
    local below = path .. "/" .. name
    if name:find("^[a-z0-9_]+%.lua$") or name:find("^[a-z0-9_]+%.json$") then
      if is_file(below) then found[prefix .. name] = files.read(below) end
    elseif name:find("^[a-z0-9_]+$") and not (prefix == "" and name == "specs") and not is_file(below) then
      collect(below, prefix .. name .. "/", found)
    end
  end
  return found
end

function files.folder(path)
  path = normal(path)
  local bundle = engine.bundle
  if not bundle or bundle.folder ~= path then return collect(path, "", {}) end
  local found = {}
  for name, text in pairs(bundle.files) do found[name] = text end
  return found
end

function files.path_of(text) return paths[text] end

return files
