-- Times as people write them, from seconds since 1970: the other way round than request.seconds_of.
local core, use = ...
local calendar = use "calendar"

local moment = {}

local days = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }

-- "2025-06-03T12:00:00Z", "Tuesday"
function moment.spell(seconds)
  local day = math.floor(seconds / 86400)
  local rest = math.floor(seconds - day * 86400)
  local year, month, of_month = calendar.date_of(day)
  return ("%04d-%02d-%02dT%02d:%02d:%02dZ"):format(year, month, of_month, math.floor(rest / 3600),
    math.floor(rest / 60) % 60, rest % 60), days[(day + 3) % 7 + 1]
end

return moment
