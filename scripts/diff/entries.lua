-- models.lua and apps.lua of two generations: entries by name, cells one level down where they are tables of names.
local core, use = ...
local changes = use "diff/changes"
local effects = use "diff/effects"
local lattice = use "diff/lattice"
local add, place = changes.add, changes.place

local entries = {}

-- cell_effect(cell, key, old, new): key of a cell that is a table of names.
local function compare_cells(kind, what, old, new, at, cell_effect)
  for _, cell in ipairs(changes.keys(old, new)) do
    local a, b = old[cell], new[cell]
    local is_map = type(a) == "table" and type(b) == "table" and #a == 0 and #b == 0 and not a._op and not b._op
    for _, key in ipairs(is_map and changes.keys(a, b) or {}) do
      if not lattice.is_equal(a[key], b[key]) then
        add(kind, "changed", what, ("%s %s %s"):format(cell, key, changes.text(a[key], b[key])), at,
          cell_effect(cell, key, a[key], b[key]))
      end
    end
    if not is_map and not lattice.is_equal(a, b) then
      add(kind, "changed", what, cell .. " " .. changes.text(a, b), at, cell_effect(cell, nil, a, b))
    end
  end
end

-- about: { added =, removed =, cell = function }
local function compare(kind, word, old, new, about)
  local file = ("policies/%s.lua"):format(kind)
  for _, name in ipairs(changes.keys(old, new)) do
    local a, b, what = old[name], new[name], word .. " " .. name
    if not a then add(kind, "added", what, b.text, place(file, b.line), about.added(name))
    elseif not b then add(kind, "removed", what, a.text, place(file, a.line), about.removed(name))
    else compare_cells(kind, what, a.cells, b.cells, place(file, b.line), about.cell) end
  end
end

-- ["*"] is the price of all others.
local function unless_all(effect)
  return function(name) return name ~= "*" and effect or nil end
end

local changing = { label = true, labels = true, region = true, targets = true, virtual = true }

local function is_names(value)
  for _, item in ipairs(value) do
    if type(item) ~= "string" then return false end
  end
  return true
end

function entries.models(old, new)
  local counts_cost = effects.has_budget(old) or effects.has_budget(new)
  compare("models", "model", old.models, new.models, { added = unless_all "loosens", removed = unless_all "tightens",
    cell = function(cell, _, a, b)
      if changing[cell] then return "unknown" end
      if cell == "price" then return counts_cost and "unknown" or nil end
      if cell ~= "aliases" and cell ~= "snapshots" then return nil end
      return is_names(a or {}) and is_names(b or {}) and effects.lists(a, b, "loosens") or "unknown"
    end })
end

-- Where there is no apps.lua, every app may call.
function entries.apps(old, new)
  local is_list = old.has_apps and new.has_apps
  local function always(effect)
    return function() return is_list and effect or "unknown" end
  end
  compare("apps", "app", old.apps, new.apps,
    { added = always "loosens", removed = always "tightens", cell = function(cell, key, a, b)
    if cell == "defaults" and key == "data" then return effects.default_class(a, b, { old, new }) end
    if cell == "department" or cell == "defaults" or cell == "tags" then return "unknown" end
  end })
end

return entries
