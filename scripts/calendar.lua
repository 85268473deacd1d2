-- Days, dates and the periods that budgets are kept for: "day", "week", "month", "quarter", "year".
--
--   local start, stop = calendar.period("month", time, offset_at)   -- seconds since 1970: from start, before stop
--
-- offset_at(time) gives seconds east of Greenwich, as scripts/clock.lua reads zones.
local calendar = {}

-- Days since 1 January 1970 of a date in the proleptic calendar (Hinnant,
-- "chrono-compatible low-level date algorithms").
function calendar.days_of(year, month, day)
  local y = month <= 2 and year - 1 or year
  local era = math.floor(y / 400)
  local of_era = y - era * 400
  local of_year = math.floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year - 719468
end

-- Year, month and day: the same the other way round.
function calendar.date_of(days)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local of_era = z - era * 146097
  local y =
    math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * y + math.floor(y / 4) - math.floor(y / 100))
  local shifted = math.floor((5 * of_year + 2) / 153)
  local month = shifted < 10 and shifted + 3 or shifted - 9
  return era * 400 + y + (month <= 2 and 1 or 0), month, of_year - math.floor((153 * shifted + 2) / 5) + 1
end

-- "27 November": the day of a moment there.
function calendar.spell_day(time, offset_at)
  local _, month, day = calendar.date_of(math.floor((time + offset_at(time)) / 86400))
  return ("%d %s"):format(day, calendar.months[month])
end

-- From the first day of months counted as year * 12 + month, to the first of those after them.
local function months(first, count)
  local function day_one(n) return calendar.days_of(math.floor(n / 12), n % 12 + 1, 1) end
  return day_one(first), day_one(first + count)
end

-- Each gives the first day and the day after the last.
local periods = {
  day = function(days) return days, days + 1 end,
  week = function(days) -- weeks begin on Monday; 1 January 1970 was a Thursday
    local monday = days - (days + 3) % 7
    return monday, monday + 7
  end,
  month = function(_, year, month) return months(year * 12 + month - 1, 1) end,
  quarter = function(_, year, month) return months(year * 12 + math.floor((month - 1) / 3) * 3, 3) end,
  year = function(_, year) return months(year * 12, 12) end,
}

calendar.names = { "day", "week", "month", "quarter", "year" }
calendar.months = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December" }
calendar.words = { day = "today", week = "this week", month = "this month", quarter = "this quarter",
  year = "this year" }
-- Lengths that no such period goes beyond, for comparing them.
calendar.longest = { day = 1, week = 7, month = 31, quarter = 92, year = 366 }

-- The moment at which clocks there show so many seconds since 1970; of one that they skip, as long after their change
-- as it is after what they skip from.
function calendar.moment(there, offset_at)
  local before = there - offset_at(there)
  local again = there - offset_at(before)
  local is_shown = again + offset_at(again) == there
  return (is_shown or again > before) and again or before
end

-- Where clocks go forward at midnight, a day begins with their change.
local function midnight(days, offset_at) return calendar.moment(days * 86400, offset_at) end

function calendar.period(name, time, offset_at)
  local days = math.floor((time + offset_at(time)) / 86400)
  local first, after = periods[name](days, calendar.date_of(days))
  return midnight(first, offset_at), midnight(after, offset_at)
end

return calendar
