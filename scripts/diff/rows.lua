-- Rows of two generations of one policy, cell by cell: of the access matrix, of limits and budgets.
local core, use = ...
local changes = use "diff/changes"
local effects = use "diff/effects"
local governance = use "diff/governance"
local lattice = use "diff/lattice"
local limits = use "limits"
local add, place = changes.add, changes.place

local rows = {}

local function restricting_mode(old, new) return effects.mode(old, new, "tightens") end

local access_cells = {
  data = effects.class,
  approval = governance.approval,
  mode = restricting_mode,
}

local limit_cells = { limit = effects.number, requests = effects.number, tokens = effects.number,
  concurrent = effects.number, burst = effects.number, mode = restricting_mode }

local cells_of = { access = access_cells, ratelimit = limit_cells, budget = limit_cells }

local function cell_effect(kind, cell, old, new)
  if cell == "description" then return nil end
  local of = cells_of[kind] and cells_of[kind][cell]
  if not of then return "unknown" end
  return of(old, new)
end

local function is_at_work(cells) return type(cells) ~= "table" or effects.is_enforced(cells.mode) end

-- Where nothing is said of a burst it is a part of the limit.
local function burst_of(cells)
  local count = tonumber(cells.requests or cells.tokens)
  return cells.burst or count and math.ceil(count / limits.BURST_PART)
end

-- A budget on trial leaves its callers to the default, which may allow more or less. What enforces nothing before and
-- after changes nothing.
local function row_cell_effect(policy, name, cell, a, b)
  if cell == "mode" and policy.kind == "budget" and policy.rows.default and name ~= "default" then
    return effects.mode(a.mode, b.mode, "tightens") and "unknown"
  end
  if cell ~= "mode" and not is_at_work(a) and not is_at_work(b) then return nil end
  if cell == "burst" then return burst_of(a) ~= burst_of(b) and effects.number(burst_of(a), burst_of(b)) or nil end
  return cell_effect(policy.kind, cell, a[cell], b[cell])
end

-- Columns that are conditions: more departments allow more, a limit that holds for more requests allows less.
local function compare_columns(policy, what, old, new, at)
  if not lattice.is_equal(old.departments, new.departments) then
    add(policy, "changed", what, "departments " .. changes.text(old.cells.departments, new.cells.departments), at,
      effects.of_way(lattice.conditions(old.departments, new.departments), "loosens"))
  end
  local before, after = old.when and old.when.terms, new.when and new.when.terms
  local way = lattice.conditions(before, after)
  if way ~= "same" then
    add(policy, "changed", what, ("when %s → %s"):format(old.when and old.when.text or "nothing",
      new.when and new.when.text or "nothing"), at, effects.of_way(way, "tightens"))
  end
end

local function compare_row(policy, name, old, new, at)
  local a, b, what = old.cells, new.cells, "row " .. name
  if type(a) ~= "table" or type(b) ~= "table" then
    if not lattice.is_equal(a, b) then
      add(policy.name, "changed", what, changes.text(a, b), at, cell_effect(policy.kind, "", a, b))
    end
    return
  end
  for _, cell in ipairs(changes.keys(a, b)) do
    if cell ~= "departments" and not lattice.is_equal(a[cell], b[cell]) then
      add(policy.name, "changed", what, cell .. " " .. changes.text(a[cell], b[cell]), at,
        row_cell_effect(policy, name, cell, a, b))
    end
  end
  compare_columns(policy.name, what, old, new, at)
end

-- What a row that came does: with default = "allow" a row of the matrix restricts, else it opens. A budget's row stands
-- in for its default, and may allow more or less than that.
local function row_effect(policy, name, row)
  if not is_at_work(row.cells) then return nil end
  if policy.kind == "access" then return policy.fields.default == "allow" and "tightens" or "loosens" end
  if policy.rows.default and name ~= "default" then return "unknown" end
  return "tightens"
end

function rows.compare(old, new)
  for _, name in ipairs(changes.keys(old.rows, new.rows)) do
    local a, b = old.rows[name], new.rows[name]
    if not a then add(new.name, "added", "row " .. name, b.text, place(new.file, b.line), row_effect(new, name, b))
    elseif not b then
      local was = row_effect(old, name, a)
      add(new.name, "removed", "row " .. name, a.text, place(old.file, a.line), was and effects.opposite[was])
    else compare_row(new, name, a, b, place(new.file, b.line)) end
  end
end

return rows
