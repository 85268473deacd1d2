-- Top-ups: what is added to a budget's limit for one scope, until it ends. They stand in no policy: somebody gave them
-- (`moongate topup`), and a request has those that held when it came (store/topups.h).
--
--   if core.has_topups() then raised = topups.find("budget/sales", "department=sales", f.time, offset_at, last) end
--
-- raised: { nano, text, ends_at, count }, text as people read it: "$100 of it a top-up until 27 November"; nil where
-- there is none; `last`, what was found before for that budget, where it is the same: what is said of it is said of
-- many requests. Budgets are named by policy and row, scopes as scripts/scopes.lua writes keys.
local core, use = ...
local calendar = use "calendar"
local units = use "units"

local topups = {}

-- The year that a moment is in there, from when until when.
local function year_at(time, offset_at)
  local year = calendar.date_of(math.floor((time + offset_at(time)) / 86400))
  local function first_of(any) return calendar.moment(calendar.days_of(any, 1, 1) * 86400, offset_at) end
  return year, first_of(year), first_of(year + 1)
end

local function is_within(raised, now) return now >= raised.year_from and now < raised.year_till end

-- The last day of those that end at midnight; of others the minute, too.
local function spell_end(raised, now, offset_at)
  local there = raised.ends_at + offset_at(raised.ends_at)
  local minute, is_midnight = math.floor(there % 86400 / 60), there % 86400 == 0
  local last = is_midnight and raised.ends_at - 1 or raised.ends_at
  local text = calendar.spell_day(last, offset_at)
  local year
  year, raised.year_from, raised.year_till = year_at(last, offset_at)
  raised.is_this_year = is_within(raised, now)
  if not raised.is_this_year then text = ("%s %d"):format(text, year) end
  return is_midnight and text or ("%s, %02d:%02d"):format(text, math.floor(minute / 60), minute % 60)
end

local function spell(raised, now, offset_at)
  local what = raised.count == 1 and "a top-up" or ("%d top-ups, the first"):format(raised.count)
  return ("%s of it %s until %s"):format(units.dollars_exactly(raised.nano), what, spell_end(raised, now, offset_at))
end

local function is_same(raised, nano, ends_at, count, now)
  return raised and raised.nano == nano and raised.ends_at == ends_at and raised.count == count
    and is_within(raised, now) == raised.is_this_year
end

function topups.find(budget, scope, now, offset_at, last)
  local nano, ends_at, count = core.topup(budget, scope)
  if not nano then return nil end
  if is_same(last, nano, ends_at, count, now) then return last end
  local raised = { nano = nano, ends_at = ends_at, count = count }
  raised.text = spell(raised, now, offset_at)
  return raised
end

return topups
