-- Fields and hooks of two generations of one policy.
local core, use = ...
local changes = use "diff/changes"
local effects = use "diff/effects"
local lattice = use "diff/lattice"
local add, place = changes.add, changes.place

local fields = {}

local function nothing() return nil end

local field_effects = {
  access = { default = function(_, new) return new == "allow" and "loosens" or "tightens" end },
  auth = {
    require = function(old, new) return effects.lists(old, new, "tightens") end, labels = nothing,
    -- who names no app is refused where there is a list of apps, and else gets what it did not have
    default_app = function(old, new, bundles)
      if not (bundles[1].has_apps and bundles[2].has_apps) then return "unknown" end
      return old == nil and "loosens" or new == nil and "tightens" or "unknown"
    end,
  },
  routing = { choose_for = function(old, new) return effects.lists(old or "auto", new or "auto", "loosens") end },
  redaction = { restore = nothing, unscanned = function(_, new) return new == "warn" and "loosens" or "tightens" end,
    detect = function(old, new) return effects.lists(old, new, "tightens") end },
}

-- What becomes of a kind that a detector finds, from least to most.
local strict = { allow = 0, observe = 1, mask = 2, deny = 3 }

local maps = {
  redaction = {
    request = function(old, new) return (strict[new] or 2) > (strict[old] or 2) and "tightens" or "loosens" end,
    response = function(old, new) return (strict[new] or 0) > (strict[old] or 0) and "tightens" or "loosens" end,
    classify = effects.default_class,
  },
}

-- A table of names, one change for each of them.
local function compare_map(policy, field, old, new, at, bundles, effect)
  for _, key in ipairs(changes.keys(old, new)) do
    if not lattice.is_equal(old[key], new[key]) then
      add(policy, "changed", field .. " " .. key, changes.text(old[key], new[key]), at,
        effect(old[key], new[key], bundles))
    end
  end
end

local function is_function(value) return type(value) == "table" and value._source ~= nil end

local function compare_functions(old, new, name, a, b)
  local how = not a and "added" or not b and "removed" or "changed"
  local line = (b and b._line) or (a and a._line)
  add(new.name, how, name, ("function %s (cannot be compared)"):format(how),
    place(b and new.file or old.file, line), "unknown")
end

local function compare_field(old, new, name, bundles)
  local a, b = old.fields[name], new.fields[name]
  local map = maps[new.kind] and maps[new.kind][name]
  if map and type(a or {}) == "table" and type(b or {}) == "table" then
    return compare_map(new.name, name, a or {}, b or {}, new.file, bundles, map)
  end
  if lattice.is_equal(a, b) then return end
  if is_function(a) or is_function(b) then return compare_functions(old, new, name, a, b) end
  local of, effect = field_effects[new.kind] and field_effects[new.kind][name], "unknown"
  if of then effect = of(a, b, bundles) end
  add(new.name, "changed", name, changes.text(a, b), new.file, effect)
end

function fields.compare(old, new, bundles)
  for _, name in ipairs(changes.keys(old.fields, new.fields)) do compare_field(old, new, name, bundles) end
end

return fields
