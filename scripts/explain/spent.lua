-- What if budgets and limits had been used already: `moongate explain --spent sales=4900`.
--
--   spent.suppose({ "sales=4900", "per-user=60" })   -- from here on; of none: nothing is
--   spent.at(f)                                      -- at the beginning of each decision
--   local names = spent.settle()                     -- after the first: those that it does not fall under
--
-- "4900" or "95%" is of every budget that the request falls under; with a name in front, of that budget or limit: of a
-- limit so many requests or tokens that came just now, or so many under way. It is used by whom the first decision was
-- about, in the periods of that time: whoever asks as somebody else, or next month, finds what they left. Counted as in
-- specs.
local core, use = ...
local loaded = use "load"
local report = use "report"
local counters = use "counters"
local foreign = use "foreign"
local Counters = use "test/counters"

local spent = {}

local admit, peek, notify = counters.admit, counters.peek, counters.notify

local supposed -- name, of every budget "" → { amount } or { percent }; nil: nothing is
local used     -- by the items of the first decision: identity → amount, or false
local is_first, began, now

-- --- what was said ---

local function bad(text, ...) error(text:format(...), 0) end

-- The rows of limits and budgets, by name.
local function rows()
  local list = {}
  for _, policy in ipairs(loaded.policies) do
    if policy.kind == "ratelimit" or policy.kind == "budget" then
      for _, row in ipairs(policy.written_rows) do list[row.name] = row end
    end
  end
  return list
end

local function read_one(text)
  local name, amount = text:match("^(.-)=([^=]*)$")
  name, amount = name or "", amount or text
  local known = rows()
  if name ~= "" and not known[name] then
    bad("no limit and no budget is called '%s'%s", name,
      (report.nearest(name, report.keys(known)) or ""):gsub("^(.+)$", ": %1"))
  end
  local percent = amount:match("^%s*(%d+%.?%d*)%s*%%%s*$")
  local number = not percent and (tonumber(amount) or foreign.amount(amount))
  if not (percent or number and number >= 0 and number <= 1e12) then
    bad("--spent is written 4900, 95%% or NAME=4900, got '%s'", text)
  end
  return name, { percent = tonumber(percent), amount = number }
end

-- --- at work ---

local function identity(item) return ("%s %s %.0f"):format(item.kind, item.key, item.start or 0) end

local function amount_of(item, one)
  local unit = item.kind == "money" and 1000000000 or 1
  if one.percent then
    local whole = item.kind == "money" and item.whole or item.limit
    return math.ceil(whole * (one.percent / 100))
  end
  return math.floor(one.amount * unit + 0.5)
end

local function used_of(item)
  local id = identity(item)
  if used[id] == nil and is_first then
    local one = supposed[item.rule] or item.kind == "money" and supposed[""]
    used[id] = one and amount_of(item, one) or false
    if one then one.is_met = true end
  end
  return used[id] or nil
end

-- Puts what is used into counters of which nothing was taken.
local function fill(to, item, seen)
  local amount, id = used_of(item), identity(item)
  if not amount or seen[id] then return end
  seen[id] = true
  if item.kind == "money" then
    to.ledger[#to.ledger + 1] = { keys = { [item.key] = true }, nano = amount, time = now, start = item.start }
  elseif item.kind == "concurrent" then to.running[item.key] = amount
  else
    to.began = now
    to.rates[item.key .. item.kind] = math.max(0, amount * item.window / item.limit - (now - began))
  end
end

local function ask(operation, items)
  local to, seen = Counters.new(function() return now end), {}
  for _, item in ipairs(items) do fill(to, item, seen) end
  local reply = to:answer(operation, { hold = "explain", items = items })
  for i, item in ipairs(items) do reply.states[i].is_unspent = not used_of(item) end
  return reply
end

function spent.suppose(list)
  supposed, used, is_first, began = nil, {}, true, nil
  counters.admit, counters.peek, counters.notify = admit, peek, notify
  for _, text in ipairs(list or {}) do
    supposed = supposed or {}
    local name, one = read_one(text)
    supposed[name] = one
  end
  if not supposed then return end
  function counters.admit(items) return ask("admit", items) end
  function counters.peek(items) return ask("peek", items) end
  function counters.notify() end
end

function spent.at(f)
  if not supposed then return end
  now = f.time
  began = began or now
end

function spent.settle()
  local names = {}
  is_first = false
  for _, name in ipairs(report.keys(supposed or {})) do
    if not supposed[name].is_met then names[#names + 1] = name end
  end
  return names
end

return spent
