-- Conditions on the time at which a request came: hours = "07:00-20:00", days = "mon-fri", zone = "+01:00". Hours that
-- go over midnight belong to the day on which they begin: days = "fri", hours = "22:00-06:00" ends on Saturday morning.
local core, use = ...
local report = use "report"
local schema = use "schema"
local calendar = use "calendar"
local foreign = use "foreign"
local sub = report.sub

-- default_zone: where no zone is named; budget.lua may set it, so that a day there and a day here are the same.
local clock = { default_zone = nil }

local day_names = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" }
local day_number = {}
for i, name in ipairs(day_names) do day_number[name] = i end

-- "07:00-20:00" → minutes; the end is not included; 24:00 is midnight. Over midnight when the end is earlier.
local function read_hours(value, path)
  local h1, m1, h2, m2 = tostring(value):match("^(%d%d):(%d%d)%-(%d%d):(%d%d)$")
  local from, to = h1 and h1 * 60 + m1, h1 and h2 * 60 + m2
  if type(value) ~= "string" or not from or from >= 1440 or to > 1440 or m1 + 0 > 59 or m2 + 0 > 59 or from == to then
    report.at(path, "bad_time", ("hours are written \"07:00-20:00\", got %s"):format(schema.kind_of(value)),
      foreign.hours(value))
    return nil
  end
  return { from = from, to = to }
end

local all_day = { { from = 0, to = 1440 } }

-- "Mon-Fri", "monday" → "mon-fri", "mon"
local function near_days(text)
  local short = tostring(text):lower():gsub("%a+", function(word) return word:sub(1, 3) end)
  for word in short:gmatch("%a+") do
    if not day_number[word] then return nil end
  end
  return short ~= text and short:find("^%l%l%l%-?%l*$") and ("write %q"):format(short) or nil
end

local function add_days(set, text, path)
  local first, last = tostring(text):match("^(%l%l%l)%-(%l%l%l)$")
  first, last = day_number[first or text], day_number[last or text]
  if not first or not last then
    report.at(path, "bad_time",
      ("days are written \"mon-fri\" or { \"sat\", \"sun\" }, got %s"):format(schema.kind_of(text)), near_days(text))
    return false
  end
  local day = first
  set[day] = true
  while day ~= last do
    day = day % 7 + 1
    set[day] = true
  end
  return true
end

local function read_days(value, path)
  local set = {}
  for _, text in ipairs(type(value) == "table" and value or { value }) do
    if not add_days(set, text, path) then return nil end
  end
  return set
end

-- Seconds east of Greenwich, as a function of the time; nil when there is no such zone.
function clock.offset(value)
  if value == nil or value == "UTC" then return function() return 0 end end
  local sign, hours, minutes = tostring(value):match("^([%+%-])(%d%d):(%d%d)$")
  if sign then
    local offset = (hours * 3600 + minutes * 60) * (sign == "-" and -1 or 1)
    return function() return offset end
  end
  local changes = type(value) == "string" and core.zone(value)
  if not changes then return nil end
  return function(time)
    local low, high = 1, #changes / 2
    while low < high do
      local middle = math.floor((low + high + 1) / 2)
      if changes[2 * middle - 1] <= time then low = middle else high = middle - 1 end
    end
    return core.zone_offset(value, time, changes[2 * low])
  end
end

-- The same, of what a file says: nil after reporting.
function clock.zone(value, path)
  local offset_at = clock.offset(value)
  if not offset_at then
    report.at(path, "bad_time", ("unknown zone '%s'"):format(tostring(value)),
      "\"UTC\", \"+01:00\" or a name such as \"Europe/Berlin\"")
  end
  return offset_at
end

-- Weekday from 1 (Monday) and minute of the day.
local function moment(time, offset_at)
  local seconds = time + offset_at(time)
  local day = math.floor(seconds / 86400)
  return (day + 3) % 7 + 1, math.floor((seconds - day * 86400) / 60) -- 1 January 1970 was a Thursday
end

-- Does a span hold at this minute of this day? The part after midnight is the day before's.
local function is_within(span, set, day, minute)
  if span.from < span.to then return (not set or set[day]) and minute >= span.from and minute < span.to end
  if minute >= span.from then return not set or set[day] end
  return minute < span.to and (not set or set[(day + 5) % 7 + 1])
end

-- --- after = "2026-01-01", before = "2026-02-01T08:00" ---

clock.TIME_MAX = 253402300800 -- the end of the year 9999

local function seconds_of(value)
  if type(value) ~= "string" then return nil end
  local year, month, day, rest = value:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
  local hour, minute, second, utc = 0, 0, 0, ""
  if not year then return nil end
  if rest ~= "" then
    hour, minute, second, utc = rest:match("^T(%d%d):(%d%d):?(%d?%d?)(Z?)$")
    second = second == "" and 0 or second
  end
  year, month, day, hour, minute, second = tonumber(year), tonumber(month), tonumber(day), tonumber(hour),
    tonumber(minute), tonumber(second)
  if not hour or not second or year < 1970 or month < 1 or month > 12 or hour > 23 or minute > 59 or second > 59 then
    return nil
  end
  local days = calendar.days_of(year, month, day)
  local y, m, d = calendar.date_of(days)
  if y ~= year or m ~= month or d ~= day then return nil end -- there is no 30 February
  return days * 86400 + hour * 3600 + minute * 60 + second, utc == "Z"
end

-- Seconds since 1970 of what a condition says, in its zone; nil after reporting, or when it says nothing.
function clock.instant(value, zone, path)
  if value == nil then return nil end
  local seconds, is_utc = seconds_of(value)
  if not seconds then
    report.at(path, "bad_time",
      ("a date is written \"2026-01-31\" or \"2026-01-31T08:00\", got %s"):format(schema.kind_of(value)))
    return nil
  end
  local offset_at = clock.offset(zone == nil and clock.default_zone or zone)
  if not offset_at then
    report.at(path, "bad_time", ("unknown zone '%s'"):format(tostring(zone)),
      "\"UTC\", \"+01:00\" or a name such as \"Europe/Berlin\"")
  end
  if is_utc or not offset_at then return seconds end
  return calendar.moment(seconds, offset_at)
end

-- "2026-01-31", with a time where it is not midnight; UTC.
function clock.spell(seconds)
  local day = math.floor(seconds / 86400)
  local rest = math.floor(seconds - day * 86400)
  local date = ("%04d-%02d-%02d"):format(calendar.date_of(day))
  if rest == 0 then return date end
  return ("%sT%02d:%02d:%02dZ"):format(date, math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60)
end

-- A test, or nil when the table names no time.
function clock.compile(conditions, path)
  local hours, days = conditions.hours, conditions.days
  if hours == nil and days == nil then
    if conditions.zone ~= nil and conditions.after == nil and conditions.before == nil then
      report.at(sub(path, "zone"), "bad_time", "a zone without hours, days, after or before has no effect")
    end
    return nil
  end
  local zone = conditions.zone == nil and clock.default_zone or conditions.zone
  local offset_at = clock.zone(zone, sub(path, "zone"))
  local spans = hours == nil and all_day or schema.one_or_list(read_hours)(hours, sub(path, "hours"))
  local set = days ~= nil and read_days(days, sub(path, "days")) or nil
  if not offset_at or not spans then return nil end
  return function(f)
    local day, minute = moment(f.time, offset_at)
    for i = 1, #spans do
      if is_within(spans[i], set, day, minute) then return true end
    end
    return false
  end
end

return clock
