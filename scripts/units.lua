-- Amounts as people write them: "90s", "5m", "2h", "7d"; "80%"; 2500 or "12.50" USD. All kept as integers.
--
--   units.duration("5m", path)   → 300          seconds
--   units.percent("80%", path)   → 8000         hundredths of a percent
--   units.usd("12.50", path)     → 12500000000  nano-dollars
--   units.spell_usd(12500000000) → "12.50"
--   units.dollars(4998204713921) → "$4,998.20"  for people: to the cent, of less than a dollar three digits
--   units.dollars_exactly(500000000) → "$0.50"  as its author wrote it, to the last digit
--   units.group("4998.20") → "4,998.20"
--   units.count(200000) → "200,000"
--   units.per("1h") → "an hour", units.per("5m") → "in 5 minutes"
--   units.many(200000, "tokens") → "200,000 tokens"
local core, use = ...
local report = use "report"
local schema = use "schema"
local foreign = use "foreign"

local units = {}

local seconds = { s = 1, m = 60, h = 3600, d = 86400 }
local DURATION_MAX = 366 * 86400

local function read_duration(value)
  local count, letter = tostring(value):match("^(%d+)([smhd])$")
  local total = type(value) == "string" and count and #count < 9 and count * seconds[letter]
  return total and total > 0 and total <= DURATION_MAX and total or nil
end

function units.duration(value, path)
  local total = read_duration(value)
  if total then return total end
  local near = foreign.duration(value)
  report.at(path, "bad_time",
    ("a time is written \"30s\", \"1m\", \"1h\" or \"1d\", at most a year; got %s"):format(schema.kind_of(value)),
    near and read_duration(near) and ("did you mean \"%s\"?"):format(near) or nil)
end

local function read_percent(value)
  local whole, part = tostring(value):match("^(%d+)%.?(%d*)%%$")
  if type(value) ~= "string" or not whole or #whole > 4 or #part > 2 then return nil end
  return whole * 100 + (part .. "00"):sub(1, 2)
end

function units.percent(value, path)
  local read = read_percent(value)
  if read then return read end
  local near = foreign.percent(value)
  report.at(path, "bad_amount",
    ("a percentage is written \"80%%\", with at most two decimals; got %s"):format(schema.kind_of(value)),
    near and read_percent(near) and ("did you mean \"%s\"?"):format(near) or nil)
end

-- Amounts stay below 2^53 nano-dollars, so that sums of two are exact in a Lua number.
local USD_MAX = 4000000

local function read_usd(value)
  local text = type(value) == "number" and ("%.14g"):format(value) or value
  local whole, part = tostring(text):match("^(%d+)%.?(%d*)$")
  if type(text) ~= "string" or not whole or #whole > 7 or #part > 9 then return nil end
  local nano = whole * 1000000000 + (part .. "000000000"):sub(1, 9)
  return nano <= USD_MAX * 1000000000 and nano or nil
end

function units.usd(value, path)
  local nano = read_usd(value)
  if nano then return nano end
  local near = foreign.amount(value)
  report.at(path, "bad_amount",
    ("an amount is written 2500 or \"12.50\": USD with at most nine decimals, up to %d; got %s"):format(
    USD_MAX, schema.kind_of(value)), near and read_usd(near) and ("write %.14g"):format(near) or nil)
end

-- At least two decimals when there are any: "5000", "12.50", "0.000006".
function units.spell_usd(nano)
  local sign = nano < 0 and "-" or ""
  nano = math.abs(nano)
  local whole = math.floor(nano / 1000000000)
  local part = ("%09.0f"):format(nano - whole * 1000000000):gsub("0+$", "")
  if part == "" then return ("%s%.0f"):format(sign, whole) end
  return ("%s%.0f.%s"):format(sign, whole, #part < 2 and part .. "0" or part)
end

-- "4998.20" → "4,998.20"
function units.group(amount)
  local whole, part = amount:match("^(%d+)(.*)$")
  return whole:reverse():gsub("%d%d%d", "%0,"):reverse():gsub("^,", "") .. part
end

function units.dollars_exactly(nano) return "$" .. units.group(units.spell_usd(nano)) end

local words = { s = "second", m = "minute", h = "hour", d = "day" }

function units.per(duration)
  local count, letter = duration:match("^0*(%d+)(%a)$")
  if count == "1" then return (letter == "h" and "an " or "a ") .. words[letter] end
  return ("in %s %ss"):format(count, words[letter])
end

function units.count(number) return units.group(("%.0f"):format(number)) end

-- "1 request", "2,000 requests"
function units.many(number, things)
  return ("%s %s"):format(units.count(number), number == 1 and things:gsub("s$", "") or things)
end

function units.dollars(nano)
  if nano >= 1000000000 then nano = math.floor(nano / 10000000 + 0.5) * 10000000
  elseif nano > 0 then
    local unit = 10 ^ math.max(0, math.floor(math.log10(nano) + 1e-9) - 2)
    nano = math.floor(nano / unit + 0.5) * unit
  end
  local amount = units.spell_usd(nano)
  return "$" .. units.group(amount:find("%.") and amount or amount .. ".00")
end

return units
