-- What limits and budgets may both say, and would not mean: two rows of one name, rows that others leave nothing to do,
-- rows that callers evade.
--
--   checks.names(rows, "limits")
--   checks.sessions(rows, nil, "let a limit by user or key_id stand beside it")
--   checks.shadows(rows, may_shadow, shadows, function(other) return "'" .. other.name .. "' is stricter" end)
local core, use = ...
local report = use "report"
local scopes = use "scopes"

local checks = {}

function checks.names(rows, what)
  local seen = {}
  for _, row in ipairs(rows) do
    if seen[row.name] then report.at(row.path, "bad_limit", ("two %s are called '%s'"):format(what, row.name)) end
    seen[row.name] = true
  end
end

local function is_about_persons(row)
  if row.is_conditional or row.mode ~= "enforce" then return false end
  for _, part in ipairs(row.parts) do
    if part.name == "user" or part.name == "key_id" then return true end
  end
  return false
end

-- default: of a row that holds where no other does, or nil. hint: what would be about persons.
function checks.sessions(rows, default, hint)
  local has_persons = default and is_about_persons(default)
  for _, row in ipairs(rows) do has_persons = has_persons or is_about_persons(row) end
  for _, row in ipairs(has_persons and {} or rows) do
    if #row.parts == 1 and row.parts[1].name == "session" then
      report.warn(row.path, "evadable_limit", "a caller can begin as many sessions as it likes", hint)
    end
  end
end

local ONE = { false }

-- may_shadow(row): could it leave another nothing to do? shadows(a, b, unit): does it leave b none, of each unit that b
-- has, if it has any? say(a): what a allows.
function checks.shadows(rows, may_shadow, shadows, say)
  local rivals = scopes.rivals(rows, may_shadow)
  for _, row in ipairs(rows) do
    for _, unit in ipairs(row.units or ONE) do
      for _, other in ipairs(rivals[row]) do
        if shadows(other, row, unit) then
          report.warn(row.path, "never_acts", ("never acts: %s for the same callers"):format(say(other)))
          break
        end
      end
    end
  end
end

return checks
