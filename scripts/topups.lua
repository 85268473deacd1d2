-- Top-ups: what is added to a budget's limit for one scope, until it ends. They stand in no policy: somebody gave them
-- (`moongate topup`), and a request has those that held when it came (store/topups.h).
--
--   if core.has_topups() then local raised = topups.find("budget/sales", "department=sales", f.time, offset_at) end
--
-- raised: { nano, text, ends_at, count }, text as people read it: "$100 of it a top-up until 27 November"; nil where
-- there is none. Budgets are named by policy and row, scopes as scripts/scopes.lua writes keys.
local core, use = ...
local calendar = use "calendar"
local units = use "units"

local topups = {}

-- The last day of those that end at midnight; of others the minute, too.
local function spell_end(ends_at, now, offset_at)
  local there = ends_at + offset_at(ends_at)
  local minute = math.floor(there % 86400 / 60)
  local last = minute == 0 and ends_at - 1 or ends_at
  local text = calendar.spell_day(last, offset_at)
  local year = calendar.date_of(math.floor((last + offset_at(last)) / 86400))
  if year ~= calendar.date_of(math.floor((now + offset_at(now)) / 86400)) then text = ("%s %d"):format(text, year) end
  return minute == 0 and text or ("%s, %02d:%02d"):format(text, math.floor(minute / 60), minute % 60)
end

local function spell(nano, ends_at, count, now, offset_at)
  local what = count == 1 and "a top-up" or ("%d top-ups, the first"):format(count)
  return ("%s of it %s until %s"):format(units.dollars_exactly(nano), what, spell_end(ends_at, now, offset_at))
end

function topups.find(budget, scope, now, offset_at)
  local nano, ends_at, count = core.topup(budget, scope)
  if not nano then return nil end
  return { nano = nano, ends_at = ends_at, count = count, text = spell(nano, ends_at, count, now, offset_at) }
end

return topups
