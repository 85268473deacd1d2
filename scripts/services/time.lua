-- time.hour(t, zone), minute, weekday, date, format(t, pattern, zone): of a time such as ctx.time.
--
--   time.hour(ctx.time, "Europe/Berlin")       -- 0 … 23
--   time.weekday(ctx.time)                     -- "mon" … "sun"
--   time.date(ctx.time)                        -- "2025-06-03"
--   time.format(ctx.time, "%Y-%m-%d %H:%M")    -- %Y %m %d %H %M %S %a %j %F %T %z %%
--
-- Without a zone it is UTC; zones are "UTC", "+01:00" or a name of the system's table. Now is ctx.time: when it came.
local core, use = ...
local clock = use "clock"
local schema = use "schema"
local raise = use "raise"

local time = {}

local zones = {}

-- The system's table is read the first time a zone is named.
local function offset(t, zone)
  if zone == nil then return 0 end
  local at = zones[zone]
  if at == nil then
    at = clock.offset(zone)
    if not at then
      raise.error("bad_time",
        ("time: unknown zone %s: \"UTC\", \"+01:00\" or a name such as \"Europe/Berlin\""):format(schema.kind_of(zone)),
        0)
    end
    zones[zone] = at
  end
  return at(t)
end

-- Days since 1970 → year, month, day of the proleptic calendar (Hinnant, days from civil and back).
local function civil(days)
  local z = days + 719468
  local era = math.floor(z / 146097)
  local of_era = z - era * 146097
  local of_cycle =
    math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * of_cycle + math.floor(of_cycle / 4) - math.floor(of_cycle / 100))
  local shifted = math.floor((5 * of_year + 2) / 153)
  local month = shifted < 10 and shifted + 3 or shifted - 9
  return of_cycle + era * 400 + (month <= 2 and 1 or 0), month, of_year - math.floor((153 * shifted + 2) / 5) + 1
end

local day_names = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" }

local function parts(t, zone)
  if type(t) ~= "number" or t ~= t or math.abs(t) > 1e12 then
    raise.error("bad_value",
      ("time: the first argument is a time such as ctx.time, got %s"):format(schema.kind_of(t)), 0)
  end
  local east = offset(t, zone)
  local seconds = math.floor(t) + east
  local day = math.floor(seconds / 86400)
  local rest = seconds - day * 86400
  local year, month, of_month = civil(day)
  return { day = day, year = year, month = month, of_month = of_month, hour = math.floor(rest / 3600),
    minute = math.floor(rest / 60) % 60, second = rest % 60, weekday = day_names[(day + 3) % 7 + 1], east = east }
end

local spell = {
  Y = function(p) return ("%04d"):format(p.year) end,
  m = function(p) return ("%02d"):format(p.month) end,
  d = function(p) return ("%02d"):format(p.of_month) end,
  H = function(p) return ("%02d"):format(p.hour) end,
  M = function(p) return ("%02d"):format(p.minute) end,
  S = function(p) return ("%02d"):format(p.second) end,
  a = function(p) return p.weekday end,
  F = function(p) return ("%04d-%02d-%02d"):format(p.year, p.month, p.of_month) end,
  T = function(p) return ("%02d:%02d:%02d"):format(p.hour, p.minute, p.second) end,
  z = function(p)
    local minutes = math.floor(math.abs(p.east) / 60)
    return ("%s%02d:%02d"):format(p.east < 0 and "-" or "+", math.floor(minutes / 60), minutes % 60)
  end,
  ["%"] = function() return "%" end,
}

-- Raises when there is no such zone: for whoever tries what a file says.
function time.check_zone(zone) offset(0, zone) end

time.words = {
  hour = function(t, zone) return parts(t, zone).hour end,
  minute = function(t, zone) return parts(t, zone).minute end,
  weekday = function(t, zone) return parts(t, zone).weekday end,
  date = function(t, zone) return spell.F(parts(t, zone)) end,
  format = function(t, pattern, zone)
    if type(pattern) ~= "string" then
      raise.error("bad_value", "time.format(t, pattern, zone): the pattern is a text", 0)
    end
    local p = parts(t, zone)
    return (pattern:gsub("%%(.?)", function(letter)
      if not spell[letter] then
        raise.error("unknown_field",
          ("time.format: unknown '%%%s': %%Y %%m %%d %%H %%M %%S %%a %%F %%T %%z %%%%"):format(letter), 0)
      end
      return spell[letter](p)
    end))
  end,
}

return time
