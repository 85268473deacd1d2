-- Times as people write them, from seconds since 1970: the other way round than request.seconds_of.
local calendar = {}

local days = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }

-- "2025-06-03T12:00:00Z", "Tuesday". Days of the proleptic calendar (Hinnant).
function calendar.spell(seconds)
  local day = math.floor(seconds / 86400)
  local rest = math.floor(seconds - day * 86400)
  local shifted = day + 719468
  local era = math.floor(shifted / 146097)
  local of_era = shifted - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  local of_month = of_year - math.floor((153 * month + 2) / 5) + 1
  month = month < 10 and month + 3 or month - 9
  year = year + era * 400 + (month <= 2 and 1 or 0)
  return ("%04d-%02d-%02dT%02d:%02d:%02dZ"):format(year, month, of_month, math.floor(rest / 3600),
    math.floor(rest / 60) % 60, rest % 60), days[(day + 3) % 7 + 1]
end

return calendar
