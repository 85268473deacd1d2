-- Where limits and budgets are counted: what is asked of the counters, and what they answer. Amounts are integers:
-- requests, tokens, nano-dollars. Keys name what is counted ("user=ana;60"); limits travel with each question, so that
-- a changed policy acts at once and nothing of it is stored.
--
--   local reply, why = counters.admit { item, … }       -- all of a request at once: all of them or none
--   local reply, why = counters.peek({ item, … }, who)  -- the same without taking; who asks, where that cannot wait
--   counters.notify { key =, period =, at =, to = { … }, text =, … }    -- tells somebody, once for each threshold
--   counters.notify { …, from =, whole =, who =, what =, stop =, idle = }  -- … when so much of it is spent
--   counters.notify { …, from =, …, uncounted = true }   -- … by requests of which the counters have not heard
--
-- They answer at once or put the evaluation aside until they have: nobody here can tell.
-- store/counters/counters.h is the same in C.
--
-- item: { kind, key, scope = { [field] = value }, rule, on_loss, observe } and by its kind
--   "requests", "tokens"  amount, limit, window (s), burst     so many in a window, evenly, with so many at once
--   "concurrent"          limit                                at the same time
--   "money"               amount, limit (none: it never blocks), start and stop of the period, or idle (s) of a
--                         session; who, again, words: how the core refuses what there is no room for later on
-- An observed item is counted and never refused. on_loss says what to do while shared counters are out of reach: "open"
-- lets it pass, "closed" refuses, "local" counts on this machine alone, with its part of the limit.
--
-- reply: { ok, failed = index of the item that refused, retry_after (s), is_contended (only what is held stands in the
--   way), is_too_large (can never pass), is_closed (refused unseen, or by the part alone that is counted here),
--   is_unspent (of counters of which nothing was ever taken: what they say of the past is nothing),
--   states = { { spent, held, is_over, lost, part }, … } }; lost is what was done when shared counters were out of
--   reach, part how much of a limit, but of money, is let through here meanwhile.
-- nil and why not when no answer came at all. What was taken is given back or settled with what it really was when the
-- request ends, whatever its end; policies have no part in that. In a rehearsal an admission only peeks.
local core, use = ...

local counters = {}

local function ask(operation, items, who)
  core.counters_start(operation, items, who)
  return core.counters_take()
end

function counters.admit(items) return ask("admit", items, "a limit") end
function counters.peek(items, who) return ask("peek", items, who) end
function counters.notify(notice) core.notify(notice) end

return counters
