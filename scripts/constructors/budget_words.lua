-- How a budget is spoken of: what is used of it, what it refuses with, when to come again.
--
--   words.usage(f, entry, spent, used)       → "sales has used 82% of its $5,000 this month"; what is held by requests
--                                              under way is said as held: "… has used 80% and holds 2% of its …"
--   words.refusal(f, entry, state, reply)    → "sales has used $4,998.20 of $5,000 this month, and this request may …"
--   words.again(policy, row, stop)           → "again on 1 December"
--   words.of_row(policy, row, item)          → by which the core refuses later on (store/counters/counters.h)
--
-- item.whole is the limit, with what top-ups add to it (scripts/topups.lua), item.limit what is let through.
local core, use = ...
local calendar = use "calendar"
local scopes = use "scopes"
local units = use "units"

local words = {}

local function period(row) return row.period and calendar.words[row.period] or "in its session" end

function words.scope(f, row) return scopes.spell_subject(row.parts, f, false, row.name) end

local function spell_limit(row, nano) return ("%s %s"):format(units.dollars_exactly(nano), period(row)) end

-- "$5,000 this month", once for each row: every request says it.
function words.of_limit(row) return spell_limit(row, row.limit) end

-- Once for each sum of top-ups: "$5,100 this month ($100 of it a top-up until 27 November)".
function words.of_raised(row, raised) return ("%s (%s)"):format(spell_limit(row, raised.whole), raised.text) end

function words.whole(row, item) return item.raised and item.raised.spelt or row.spelt end

local function percent(used, limit) return math.floor(used / limit * 100 + 1e-9) end

function words.usage(f, entry, spent, used)
  local row, item = entry.row, entry.item
  local has = percent(spent, item.whole)
  local held = percent(used or spent, item.whole) - has
  return ("%s has used %d%%%s of its %s"):format(words.scope(f, row), has,
    held > 0 and (" and holds %d%%"):format(held) or "", words.whole(row, item))
end

-- "$5,000 this month"; where not 100% denies, "$6,000 this month (120% of $5,000)".
local function spell_bound(row, item)
  if item.limit == item.whole then return words.whole(row, item) end
  local text = ("%s (%s of %s"):format(spell_limit(row, item.limit), row.blocking.text,
    units.dollars_exactly(item.whole))
  return item.raised and ("%s, %s)"):format(text, item.raised.text) or text .. ")"
end

-- "again on 1 December"; of a session nobody knows when it ends. Kept with the row: many requests have the same.
function words.again(policy, row, stop)
  if not stop then return "again in another session" end
  if row.again_at ~= stop then
    row.again_at, row.again = stop, "again on " .. calendar.spell_day(stop, policy.offset_at)
  end
  return row.again
end

-- Whose budget it is, what was spent and held of how much, what this request wanted, and when to come again.
function words.refusal(f, entry, state, reply)
  local row, item = entry.row, entry.item
  local others = item.observe and state.held - item.amount or state.held -- one that only observes has taken it
  local held = others > 0 and (" and holds %s"):format(units.dollars(others)) or ""
  local text = ("%s has used %s%s of %s, and this request may cost %s"):format(words.scope(f, row),
    units.dollars(state.spent), held, spell_bound(row, item), units.dollars(item.amount))
  if item.amount > item.limit then return text .. ": more than all of it" end
  if reply.is_contended then return text .. "; again when requests under way have ended" end
  return ("%s; %s"):format(text, words.again(entry.policy, row, item.stop))
end

local UNPRICED = "it has no price, so it cannot be kept within a budget: give it a price in policies/models.lua, or "
  .. "say unpriced = \"allow\" in %s"
local LACKING = "its price names no rate for such a request, so it cannot be kept within a budget: it wants %s in "
  .. "policies/models.lua, or unpriced = \"allow\" in %s"
local BATCH = "no policy sees what a batch's requests will cost, so it cannot be kept within a budget: make them one "
  .. "by one, or say unpriced = \"allow\" in %s"

-- Why what nobody can reckon is refused; lacks: what its price would have to name, where it has one.
function words.unpriced(policy, api, lacks)
  if api == "batches" then return BATCH:format(policy.file) end
  return lacks and LACKING:format(lacks, policy.file) or UNPRICED:format(policy.file)
end

function words.of_row(policy, row, item)
  local one = row.blocking
  return { policy = policy.name, rule = ("%s@%s"):format(row.name, one.text), file = policy.file, line = row.line,
    what = spell_bound(row, item), code = one.deny.code, status = one.deny.status }
end

return words
