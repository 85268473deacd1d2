-- What a budget file may say, and would not mean: rows that never act, callers that no row covers.
local core, use = ...
local report = use "report"
local schema = use "schema"
local calendar = use "calendar"
local facts = use "facts"
local scopes = use "scopes"
local units = use "units"
local thresholds = use "thresholds"
local row_checks = use "constructors/row_checks"

local checks = {}

function checks.currency(value, path)
  if value == "USD" then return value end
  report.at(path, "bad_amount",
    ("amounts are USD, as the prices in models.lua are; got %s"):format(schema.kind_of(value)))
end

local function may_shadow(row)
  return not row.is_conditional and row.mode == "enforce" and row.blocks_at and row.period
end

-- Where the first of its thresholds is.
local function acts_at(row)
  local first = row.thresholds[1]
  return first and thresholds.nano(row.limit, first.at) or math.huge
end

-- Two rows of one scope: who never lets the other come as far as its first threshold. A week may lie in two months.
local function shadows(a, b)
  if a == b or b.mode == "off" or not b.period then return false end
  if a.period == b.period then
    local is_same = a.blocks_at == b.blocks_at and acts_at(a) == acts_at(b)
    return a.blocks_at < acts_at(b) or is_same and a.line < b.line
  end
  return b.period ~= "week" and calendar.longest[a.period] > calendar.longest[b.period] and a.blocks_at <= acts_at(b)
end

local function check_names(rows)
  for _, row in ipairs(rows) do
    if row.name == "default" then
      report.at(row.path, "bad_limit", "'default' is the name of the default: give this one another")
    end
  end
  row_checks.names(rows, "budgets")
end

local function say_limit(row)
  return ("'%s' allows no more than %s"):format(row.name, units.dollars_exactly(row.blocks_at))
end

local function check_default(rows, default)
  if not default then return end
  for _, row in ipairs(rows) do
    local acts = row.mode == "enforce" or row.mode == default.mode and row.mode ~= "off"
    if scopes.same(row.parts, default.parts) and not row.is_conditional and acts then
      report.warn(default.path, "never_acts", ("never acts: '%s' is there for each of them"):format(row.name))
    end
  end
end

-- Is every request of an app under this row? Of the scope only app and department are known here.
local function covers(row, app, department)
  if row.is_conditional or row.mode == "off" then return false end
  local known = { app = app, department = department }
  for _, part in ipairs(row.parts) do
    if part.name == "session" or part.set and not part.set[known[part.name]] then return false end
  end
  return true
end

local function check_coverage(rows, default)
  if default and not default.is_conditional or not facts.apps then return end
  local said = {}
  for _, name in ipairs(report.keys(facts.apps)) do
    local department, is_covered = facts.apps[name].department, false
    for _, row in ipairs(rows) do is_covered = is_covered or covers(row, name, department) end
    local whom = department and "department " .. department or "app " .. name
    if not is_covered and not said[whom] then
      said[whom] = true
      report.warn(nil, "no_budget", ("no budget holds for %s: neither a row nor a default"):format(whom),
        "default = { each = \"department\", limit = 500, per = \"month\" }")
    end
  end
end

function checks.rows(rows, default)
  check_names(rows)
  row_checks.shadows(rows, may_shadow, shadows, say_limit)
  check_default(rows, default)
  row_checks.sessions(rows, default, "let a budget with each = \"user\" or each = \"key_id\" stand beside it")
  if #rows > 0 then check_coverage(rows, default) end
end

return checks
