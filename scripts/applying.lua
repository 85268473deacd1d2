-- Every limit and budget that a caller's request falls under, in the order in which they refuse: `moongate limits`.
--
--   use "applying" { flags = { as = { "sales/ana" }, model = "small" } }      -- flags as scripts/explain/question.lua
--     → JSON { zone, notes, verdict, request, limits = { … } }, 0
--
-- limit: { policy, rule, at, mode, scope, allows, brief, least } and the item of scripts/counters.lua that it is
-- counted by, but for its scope; least: what the request costs with the shortest answer, where its budget shrinks
-- answers; narrowed { { from, cost }, … }: what it costs with what thresholds leave from so much on; topup { nano,
-- ends_at, count }: what is added to its budget now. The decision is the engine's own; what it collects is watched from
-- outside.
local core, use = ...
local loaded = use "load"
local json = use "json"
local calendar = use "calendar"
local clock = use "clock"
local scopes = use "scopes"
local units = use "units"
local prices = use "prices"
local thresholds = use "thresholds"
local question = use "explain/question"
local walk = use "explain/walk"

local watched -- what the evaluation under way collects

-- raised: what is said of a top-up.
local function spell_money(row, item, raised)
  local all = ("%s %s"):format(units.dollars_exactly(item.whole), row.period and calendar.words[row.period]
    or "a session")
  if raised then all = ("%s (%s)"):format(all, raised) end
  return item.limit and all or all .. ", refuses nothing"
end

-- "60 requests a minute, 10 at once", "5 requests at a time", "$5,000 this month"
local function spell(row, item)
  if item.kind == "concurrent" then return units.many(item.limit, "requests") .. " at a time" end
  if item.kind == "money" then return spell_money(row, item, item.raised and item.raised.text) end
  local all = ("%s %s"):format(units.many(item.limit, item.kind), units.per(row.per_text))
  if not item.burst or item.burst >= item.limit then return all end
  return ("%s, %s at once"):format(all, units.count(item.burst))
end

local brief_kinds = { requests = "req", tokens = "tok" }
local brief_times = { ["1s"] = "s", ["1m"] = "min", ["1h"] = "h", ["1d"] = "d" }

local function short(number)
  if number >= 10000 and number % 1000 == 0 then return ("%.0fk"):format(number / 1000) end
  return units.count(number)
end

-- "600 req/min, 100 at once", "$5,100 this month (+$100)": the same where there is little room
local function brief(row, item)
  if item.raised then return spell_money(row, item, "+" .. units.dollars_exactly(item.raised.nano)) end
  if not item.window then return spell(row, item) end
  local all = ("%s %s/%s"):format(short(item.limit), brief_kinds[item.kind] or item.kind,
    brief_times[row.per_text] or tostring(row.per_text))
  return item.burst and item.burst < item.limit and ("%s, %s at once"):format(all, short(item.burst)) or all
end

local function topup_of(item)
  local raised = item.raised
  return raised and { nano = raised.nano, ends_at = raised.ends_at, count = raised.count } or nil
end

local function narrowed_of(f, entry)
  if entry.item.kind ~= "money" or f.known_cost_nano then return nil end
  local list = thresholds.narrowed(f, entry, function() return prices.held(f, f._slice) end)
  return #list > 0 and list or nil
end

local function view(f, entry)
  local policy, row, item = entry.policy, entry.row, entry.item
  return { policy = policy.name, rule = row.name, at = ("%s:%d"):format(policy.file, row.line), mode = row.mode,
    scope = scopes.spell(row.parts, f, true, "everybody"), allows = spell(row, item), brief = brief(row, item),
    kind = item.kind, key = item.key,
    amount = item.amount or 1, limit = item.limit, budget = item.whole, topup = topup_of(item),
    least = item.kind == "money" and policy.shrinks and prices.held(f, 1) or nil,
    narrowed = narrowed_of(f, entry),
    window = item.window, burst = item.burst, start = item.start, stop = item.stop, idle = item.idle }
end

-- Policies that limit: what they collect for a request is seen before anybody counts it.
for _, policy in ipairs(loaded.policies) do
  local collect = policy.collect
  if collect then
    function policy.collect(f, self, list)
      local before = #list
      collect(f, self, list)
      if not watched or f._quiet then return end
      for i = before + 1, #list do
        if list[i].item then watched[#watched + 1] = view(f, list[i]) end
      end
    end
  end
end

local function list_or_none(list) return #list > 0 and list or json.raw "[]" end

local function verdict_of(outcome)
  if outcome.kind == "deny" then
    return { kind = "deny", status = outcome.status, code = outcome.code, reason = outcome.reason,
      policy = outcome.policy, rule = outcome.rule }
  end
  return { kind = outcome.kind, reason = outcome.fault }
end

return function(q)
  local t, notes = question.read(q)
  watched = {}
  local seen, why = walk.decide(t)
  local list = watched
  watched = nil
  if not seen then error(why, 0) end
  return json.encode { zone = clock.default_zone or "UTC", notes = list_or_none(notes),
    verdict = verdict_of(seen.outcome), limits = list_or_none(list) }, 0
end
