-- Conditions on the time at which a request came: hours = "07:00-20:00", days = "mon-fri", zone = "+01:00". Hours that
-- go over midnight belong to the day on which they begin: days = "fri", hours = "22:00-06:00" ends on Saturday morning.
local core, use = ...
local report = use "report"
local schema = use "schema"
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
    report.at(path, "bad_time", ("hours are written \"07:00-20:00\", got %s"):format(schema.kind_of(value)))
    return nil
  end
  return { from = from, to = to }
end

local all_day = { { from = 0, to = 1440 } }

local function add_days(set, text, path)
  local first, last = tostring(text):match("^(%l%l%l)%-(%l%l%l)$")
  first, last = day_number[first or text], day_number[last or text]
  if not first or not last then
    report.at(path, "bad_time",
      ("days are written \"mon-fri\" or { \"sat\", \"sun\" }, got %s"):format(schema.kind_of(text)))
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
    return changes[2 * low]
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

-- A test, or nil when the table names no time.
function clock.compile(conditions, path)
  local hours, days = conditions.hours, conditions.days
  if hours == nil and days == nil then
    if conditions.zone ~= nil then
      report.at(sub(path, "zone"), "bad_time", "a zone without hours or days has no effect")
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
