-- What other languages, and a later Lua, write otherwise: from the line that Lua could not read to what was meant.
--
--   foreign.cure("if a != b then", "'then' expected near '!'")   → "not equal is ~="
--   foreign.name("null")                                         → "nothing is nil"
--   foreign.number("50k")                                        → 50000
--   foreign.comparison(">50000")                                 → "gt(50000)"
local foreign = {}

-- The line without its texts and comments: what is left is code.
local function code_of(line)
  return (line:gsub("\\.", ""):gsub("\"[^\"]*\"", "\"\""):gsub("'[^']*'", "''"):gsub("%-%-.*", ""))
end

-- { what stands in the code, what Lua says of it or nil, what was meant }, the first that fits counts.
local spellings = {
  { "<const>", nil, "this is Lua 5.1: write `local x = …`, without <const>" },
  { "<close>", nil, "this is Lua 5.1: write `local x = …`, without <close>" },
  { "^%s*//", nil, "a comment begins with --" },
  { "^%s*#", "unexpected symbol", "a comment begins with --" },
  { "/%*", nil, "a comment is written -- to the end of the line, or --[[ … ]]" },
  { "!=", nil, "not equal is ~=" },
  { "<>", nil, "not equal is ~=" },
  { "===", nil, "equal is ==" },
  { "&&", nil, "write `and`" },
  { "||", nil, "write `or`" },
  { "%+%+", "expected near '%+'", "write x = x + 1" },
  { "([%a_][%w_%.]*)%s*([%+%-%*/%.]+)=", nil, "write %1 = %1 %2 …" },
  { "=>", nil, "a function is written function(x) return … end" },
  { "%->", nil, "a function is written function(x) return … end" },
  { "//", nil, "this is Lua 5.1: write math.floor(a / b)" },
  { ">>", nil, "this is Lua 5.1: bits are bit.rshift(a, b)" },
  { "<<", nil, "this is Lua 5.1: bits are bit.lshift(a, b)" },
  { "[%w_%)%]]%s*&%s*", "near '&'", "this is Lua 5.1: bits are bit.band(a, b); for conditions write `and`" },
  { "[%w_%)%]]%s*|%s*", "near '|'", "this is Lua 5.1: bits are bit.bor(a, b); for conditions write `or`" },
  { "!", "near '!'", "write `not x`" },
  { "%?", "near '%?'", "write a and b or c" },
  { "`", nil, "a text stands in \"…\" or '…'" },
  { "%f[%w_]elsif%f[^%w_]", nil, "write `elseif`" },
  { "%f[%w_]elif%f[^%w_]", nil, "write `elseif`" },
  { "^%s*const%s", nil, "write `local`" }, { "^%s*let%s", nil, "write `local`" }, { "^%s*var%s", nil, "write `local`" },
  { "^%s*import%s", nil, "write local x = require \"lib.x\"" },
  { "^%s*from%s", nil, "write local x = require \"lib.x\"" },
  { "^%s*switch%f[^%w_]", nil, "there is no switch: write if … elseif … end" },
  { "^%s*match%s", nil, "there is no match: write if … elseif … end" },
  { "^%s*def%s", nil, "a function is written local function name(x) … end" },
  { "%f[%w_]continue%f[^%w_]", "expected near", "there is no continue: put what follows into an if" },
  { "%f[%w_]goto%s+([%a_][%w_]*)", "undefined label",
    "the label ::%1:: is not there: it stands at the end of the loop's body" },
  { "function[^%(]*%b()%s*{", nil, "a function's body has no braces: function(x) … end" },
  { "^%s*if.*{%s*$", nil, "write if … then … end, without braces" },
  { "^%s*if.*{.*}", "'then' expected", "write if … then … end, without braces" },
  { "%d%.%.%d", "malformed number", "numbers from 1 to 3 are: for i = 1, 3 do" },
  { "=%s*%[[^=%[]", "near '%['", "a list stands in braces: { 1, 2 }" },
  { "[%({,]%s*%[[^%]=]*%]?%s*[,%)}]", "near '%['", "a list stands in braces: { 1, 2 }" },
  { "([%a_][%w_]*)%s*:%s*[%w\"'{%[%-]", "expected near", "a field is written %1 = …" },
  { "\"\"%s*:", "expected near", "a field is written name = … or [\"name\"] = …" },
  { "%f[%w_]if%f[^%w_].-%sdo%f[^%w_]", "'then' expected near 'do'", "write `then`" },
  { "[^=~<>]=[^=]", "'then' expected near '='", "equal is ==" },
  { "\"\"%s*=[^=]", "expected near '='", "a name that is no word stands in brackets: [\"name\"] = …" },
  { "[%a_][%w_]*%-[%w%-]*%s*=", "malformed number", "a name that is no word stands in brackets: [\"name\"] = …" },
  { "[%a_][%w_]*%-[%w%-]*%s*=[^=]", "expected near '='", "a name that is no word stands in brackets: [\"name\"] = …" },
  { "function%s+([%a_][%w_]*)%s*%(", "'%(' expected", "in a table: %1 = function(ctx) … end" },
  { "([%a_][%w_]*)%s*%b()%s*=", "'}' expected near '='", "in a table: %1 = function(ctx) … end" },
  { "(%a+)%s*%(%s*[%a_]+%s*=", "'%)' expected near '='", "a table stands in braces: %1 { … }" },
  { "[{,]%s*if%s*=", "near 'if'", "conditions stand in `when`, exceptions in `unless`" },
  { "}", "'<eof>' expected near '}'", "there is one '}' too many before it" },
  { "%s%.%s", "unexpected symbol near '%.'", "texts are joined with .." },
}

function foreign.cure(line, said)
  local code = code_of(line)
  for _, one in ipairs(spellings) do
    local from, _, first, second = code:find(one[1])
    if from and (not one[2] or said:find(one[2])) then
      return (one[3]:gsub("%%([12])", { ["1"] = first, ["2"] = second }))
    end
  end
end

-- `else if` opens an if of its own, whose end is then missing: the line of the last one.
function foreign.else_if(text)
  local line, found = 0, nil
  for one in (text .. "\n"):gmatch("([^\n]*)\n") do
    line = line + 1
    if code_of(one):find("%f[%w_]else%s+if%f[^%w_]") then found = line end
  end
  return found
end

local names = { null = "nothing is nil", None = "nothing is nil", NULL = "nothing is nil", undefined = "nothing is nil",
  Nil = "nothing is nil", True = "write true", False = "write false", TRUE = "write true", FALSE = "write false",
  try = "a policy that fails denies, or is skipped with on_error = \"skip\"", throw = "return deny(…)",
  raise = "return deny(…)", console = "use log.info(…)", printf = "use log.info(…)", echo = "use log.info(…)",
  len = "the length of x is #x",
  math_floor = "math.floor", datetime = "the time is ctx.time", Date = "the time is ctx.time",
  now = "the time is ctx.time", self = "a hook gets ctx: function(ctx) … end",
  this = "a hook gets ctx: function(ctx) … end", regex = "use string.find, or like \"…\"",
  usd_per_1k = "prices are per million tokens: usd_per_million { … }, 1000 times the price of a thousand",
  usd_per_thousand = "prices are per million tokens: usd_per_million { … }, 1000 times the price of a thousand",
  usd_per_token = "prices are per million tokens: usd_per_million { … }",
  usd_per_1m = "write usd_per_million { … }", allowed = "to say nothing is to have no objection",
  eq = "equal is written without a word: app = \"x\"",
  ne = "write isnt \"x\"", is_not = "write isnt \"x\"",
  one_of = "several are a list: app = { \"a\", \"b\" }", any_of = "several are a list: app = { \"a\", \"b\" }",
  ["in"] = "several are a list: app = { \"a\", \"b\" }" }

function foreign.name(name) return names[name] end

local parts = { k = 1000, m = 1000000 }

-- "50,000" and "5.000,00" have commas of two kinds: before each three digits of many, or before the cents.
local function without_commas(digits)
  local whole, cents = digits:match("^([%d%.]+),(%d+)$")
  local is_decimal = whole and (whole:find("%.%d%d%d$") or #cents ~= 3 and not whole:find(".", 1, true))
  if is_decimal then return whole:gsub("%.", "") .. "." .. cents end
  return (digits:gsub(",", ""))
end

-- "50k", "50,000", "50_000", "50000", "12,50", nil for what is no number.
function foreign.number(text)
  local digits, unit = tostring(text):match("^%s*(%d[%d_,%.]*)%s*([kKmM]?)%s*$")
  local value = digits and tonumber(without_commas((digits:gsub("_", ""))))
  return value and value * (parts[unit:lower()] or 1) or nil
end

local predicates = { [">"] = "gt", [">="] = "ge", ["<"] = "lt", ["<="] = "le" }

-- What a text says of numbers: ">50000" → "gt(50000)", "10-20" → "between(10, 20)", "50k" → "50000".
function foreign.comparison(text)
  if type(text) ~= "string" then return nil end
  local sign, rest = text:match("^%s*([<>]=?)%s*(.-)%s*$")
  local number = foreign.number(rest or text)
  if number then return sign and ("%s(%.14g)"):format(predicates[sign], number) or ("%.14g"):format(number) end
  local low, high = text:match("^%s*(%w+)%s*%-%s*(%w+)%s*$")
  low, high = low and foreign.number(low), high and foreign.number(high)
  return low and high and ("between(%.14g, %.14g)"):format(low, high) or nil
end

-- What a text of a condition says that is no name: "!sales" → isnt "sales", "sa*" → like "sa*", "a|b" → { "a", "b" }.
function foreign.condition(text)
  if text == "any" then return "any, without quotes" end
  local other = text:match("^%s*[!~]=?%s*(.-)%s*$") or text:match("^not%s+(.-)$")
  if other then return ("isnt %q"):format(other) end
  if text:find("|", 1, true) then
    local list = {}
    for one in text:gmatch("[^|%s]+") do list[#list + 1] = ("%q"):format(one) end
    return "{ " .. table.concat(list, ", ") .. " }"
  end
  if text:find("*", 1, true) then return ("like %q"):format(text) end
end

-- "$5,000", "5000 USD" → 5000
function foreign.amount(text)
  if type(text) ~= "string" then return nil end
  return foreign.number((text:gsub("%$", ""):gsub("%s*[uU][sS][dD]%s*", "")))
end

local times = { { "s", "sec", "secs", "second", "seconds" }, { "m", "min", "mins", "minute", "minutes" },
  { "h", "hr", "hrs", "hour", "hours", "hourly" }, { "d", "day", "days", "daily" } }
local days = { w = 7, week = 7, weeks = 7, weekly = 7, month = 30, months = 30, monthly = 30, y = 365, year = 365,
  years = 365 }
local letters = {}
for _, words in ipairs(times) do
  for _, word in ipairs(words) do letters[word] = words[1] end
end

-- 60 → "60s", "1min" → "1m", "hour" → "1h", "2 weeks" → "14d"; nil for anything else, also for milliseconds.
function foreign.duration(value)
  if type(value) == "number" then return value % 1 == 0 and ("%.0fs"):format(value) or nil end
  local count, word = tostring(value):lower():match("^%s*(%d*)%s*(%a+)%s*$")
  count = count == "" and 1 or tonumber(count)
  if letters[word] then return ("%.0f%s"):format(count, letters[word]) end
  return days[word] and ("%.0fd"):format(count * days[word]) or nil
end

-- 80, 0.8, "80 %", "80" → "80%"
function foreign.percent(value)
  local number = tonumber((tostring(value):gsub("[%%%s]", "")))
  if not number then return nil end
  local is_part = number <= 1 and not tostring(value):find("%", 1, true)
  return ("%.4g%%"):format(is_part and number * 100 or number)
end

-- What others call the fields of limits and budgets, and whom they count for.
local fields = { dept = "department", division = "department", organization = "department", org = "department",
  key = "key_id", apikey = "key_id", api_key = "key_id", keys = "key_id", application = "app", service = "app",
  client = "app", username = "user", person = "user", group = "team", project = "team",
  window = "per", interval = "per", period = "per", every = "per", reset = "per", duration = "per",
  concurrency = "concurrent", parallel = "concurrent", max_concurrent = "concurrent", max_parallel = "concurrent",
  amount = "limit", max = "limit", cap = "limit", budget = "limit", usd = "limit", max_budget = "limit",
  alerts = "thresholds", alert = "thresholds", on_loss = "on_store_loss", timezone = "zone", tz = "zone" }

-- "dept" → "department", where that is one of the names.
function foreign.field(name, known_names)
  for _, known in ipairs(fields[name] and known_names or {}) do
    if known == fields[name] then return known end
  end
end

-- "8am-6pm" → "08:00-18:00", "9-17" → "09:00-17:00"
function foreign.hours(text)
  local out = {}
  for hour, minute, half in tostring(text):lower():gmatch("(%d+):?(%d*)%s*([ap]?)m?") do
    hour = tonumber(hour) % 12 + (half == "p" and 12 or 0) + (half == "" and math.floor(tonumber(hour) / 12) * 12 or 0)
    out[#out + 1] = ("%02d:%02d"):format(hour, tonumber(minute) or 0)
  end
  return #out == 2 and ("write \"%s-%s\""):format(out[1], out[2]) or nil
end

-- app > 5 beside a field: which predicate says it.
function foreign.beside(line, name)
  local code = line:gsub("%-%-.*", "")
  if code:find("%f[%w_]if%f[^%w_]") or code:find("%f[%w_]return%s+[%w_]+%s*[<>~=]")
    or code:find("%f[%w_]while%f[^%w_]") then
    return nil
  end
  local sign, value = code:match("%f[%w_]" .. name .. "%s*([<>~=!]=?)%s*([%w%.\"'_]+)")
  if not sign then return nil end
  if predicates[sign] then return ("write %s = %s(%s)"):format(name, predicates[sign], value) end
  if sign == "~=" or sign == "!=" then return ("write %s = isnt %s"):format(name, value) end
  if sign == "==" then return ("write %s = %s"):format(name, value) end
end

return foreign
