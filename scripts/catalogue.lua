-- What models.lua says, indexed: models by every name they answer to, targets by name, patterns over targets.
local core, use = ...
local report = use "report"

local catalogue = {
  models = {},        -- canonical name → { name, virtual, targets = { target … }, context }
  names = {},         -- canonical name, alias or snapshot → { model, targets }
  targets = {},       -- name → { name, provider, owner = model, base, region, labels, usable, kind, dialects }
  sorted = {},        -- models by name
  target_names = {},
  default_price = nil, -- of ["*"]
  is_rehearsal = false, -- examples are run: they speak of the policies, whatever accounts moongate.lua has
}

-- The provider is everything before the first slash.
function catalogue.split(name)
  if type(name) ~= "string" then return nil end
  return name:match("^([a-z0-9][a-z0-9_%-]*)/(%S+)$")
end

function catalogue.near_target(name)
  local near = report.nearest(tostring(name), catalogue.target_names) or report.nearest(tostring(name), function()
    return report.keys(catalogue.names)
  end)
  return near and " (" .. near .. ")" or ""
end

-- What was meant by a name that no model has: the one behind a provider's or a service's name ("openai/gpt-4o",
-- "models/gemini-2.5-flash"), in small letters. Only what the caller has written himself: others' models stay unknown.
function catalogue.meant(asked)
  local name = asked:lower()
  while name do
    if catalogue.names[name] then return catalogue.names[name], name end
    name = name:match("^[^/]*/(.+)$")
  end
end

function catalogue.hint(asked)
  local _, name = catalogue.meant(asked)
  return name and (": did you mean '%s'?"):format(name) or ""
end

local selected, by_base, by_owner = {}, nil, nil

local function file_under(index, key, target)
  index[key] = index[key] or {}
  index[key][target] = true
end

-- Made when the catalogue is whole: whoever selects comes after it.
local function index_targets()
  by_base, by_owner = {}, {}
  for _, target in pairs(catalogue.targets) do
    file_under(by_base, target.base, target)
    file_under(by_owner, target.owner, target)
  end
end

local function add_all(set, more)
  for target in pairs(more) do set[target] = true end
end

local function find_named(name, set)
  if not by_base then index_targets() end
  local model = catalogue.names[name]
  if catalogue.targets[name] then set[catalogue.targets[name]] = true end
  add_all(set, by_base[name] or {})
  add_all(set, model and by_owner[model.model] or {})
end

-- Targets that a pattern names: a target, a pattern with *, or a model's name for all of its targets.
local function matching(pattern)
  local set = selected[pattern]
  if set then return set end
  set = {}
  if pattern:find("*", 1, true) then
    for _, name in ipairs(catalogue.target_names) do
      local target = catalogue.targets[name]
      if core.glob(pattern, name) or core.glob(pattern, target.base) then set[target] = true end
    end
  end
  find_named(pattern, set)
  selected[pattern] = set
  return set
end

local fields_selected = {}

local function by_field(wanted)
  local set = {}
  for key in pairs(wanted) do
    if key ~= "region" and key ~= "label" then
      return nil, ("a filter names targets, region or label, not '%s'"):format(tostring(key)), "unknown_field"
    end
  end
  local key = tostring(wanted.region) .. "\n" .. tostring(wanted.label)
  if fields_selected[key] then return fields_selected[key] end
  fields_selected[key] = set
  for _, name in ipairs(catalogue.target_names) do
    local target = catalogue.targets[name]
    if (wanted.region == nil or target.region == wanted.region) and
      (wanted.label == nil or target.labels[wanted.label]) then set[target] = true end
  end
  return set
end

-- "a/b", { "a/*", "model" }, { region = "eu" }, { label = "self-hosted" } → set of targets; nil, why not,
-- which finding.
function catalogue.select(wanted)
  if type(wanted) == "string" then wanted = { wanted } end
  if type(wanted) ~= "table" or getmetatable(wanted) then
    return nil, "expected targets, such as { \"local/*\" }", "bad_value"
  end
  if #wanted == 0 then
    if next(wanted) == nil then return nil, "the list is empty", "bad_value" end
    local set, why, finding = by_field(wanted)
    if set and next(set) == nil then return nil, "no target in policies/models.lua is like that", "unknown_model" end
    return set, why, finding
  end
  local set = {}
  for _, pattern in ipairs(wanted) do
    if type(pattern) ~= "string" then return nil, "expected names of targets", "bad_value" end
    local found = matching(pattern)
    if next(found) == nil then
      return nil, ("no target '%s' in policies/models.lua%s"):format(pattern, catalogue.near_target(pattern)),
        "unknown_model"
    end
    add_all(set, found)
  end
  return set
end

-- As in a reason: "local/*, openai/gpt-4o-mini".
function catalogue.spell(wanted)
  if type(wanted) == "string" then return wanted end
  if #wanted > 0 then return table.concat(wanted, ", ") end
  local parts = {}
  for _, key in ipairs(report.keys(wanted)) do parts[#parts + 1] = key .. " " .. tostring(wanted[key]) end
  return table.concat(parts, ", ")
end

-- The figures of scripts/rates.lua that hold for a target: its own, its model's, those of ["*"]; and whether the last.
-- nil: it is unpriced.
function catalogue.price_of(target)
  local own = target.price or target.owner.price
  return own or catalogue.default_price, not own and catalogue.default_price ~= nil
end

-- Targets that routing may lead to: those that its rules name, or all of them once a function chooses.
local routed, routes_freely = {}, false

function catalogue.note_routed(list)
  if not list then
    routes_freely = true
    return
  end
  for _, target in ipairs(list) do routed[target.name] = true end
end

local routable
function catalogue.routable()
  if routable then return routable end
  routable = {}
  local is_all = routes_freely or next(routed) == nil
  for _, name in ipairs(catalogue.target_names) do
    if is_all or routed[name] then routable[#routable + 1] = catalogue.targets[name] end
  end
  return routable
end

function catalogue.complement(set)
  local rest = {}
  for _, target in pairs(catalogue.targets) do
    if not set[target] then rest[target] = true end
  end
  return rest
end

return catalogue
