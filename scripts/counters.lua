-- Where limits and budgets are counted: what is asked of the counters, and what they answer. Amounts are integers: requests,
-- tokens, nano-dollars. Keys name what is counted ("user=ana;60"); limits travel with each question, so that a changed
-- policy acts at once and nothing of it is stored.
--
--   counters.are_there                        -- false: nobody counts in this process
--   local reply, why = counters.take { time = …, items = { item, … } }     -- all of a request at once: all of them or none
--   local reply, why = counters.peek { … }    -- the same without taking
--   counters.notify { key =, period =, to = { … }, text =, … }             -- tells somebody, once for each key and period
--
-- item: { kind, key, scope = { [field] = value }, rule, on_loss, observe } and by its kind
--   "requests", "tokens"  amount, limit, window (s), burst     so many in a window, evenly, with so many at once
--   "concurrent"          limit                                at the same time
--   "money"               amount, limit (none: it never blocks), start and stop of the period, or idle (s) of a session
-- An observed item is counted and never refused. on_loss says what to do while shared counters are out of reach: "open" lets
-- it pass, "closed" refuses, "local" counts with what this process knows.
--
-- reply: { ok, failed = index of the item that refused, retry_after (s), is_contended (only what is held stands in the way),
--   is_too_large (can never pass), is_closed (refused unseen), is_lost, states = { { spent, held, is_over, lost }, … } }.
-- nil and why not when no answer came at all. What was taken is given back or settled with what it really was when the
-- request ends, whatever its end; policies have no part in that.
local core, use = ...

local counters = { are_there = core.has_counters() }

function counters.take(question) return core.counters("take", question) end
function counters.peek(question) return core.counters("peek", question) end
function counters.notify(message) return core.counters("notify", message) end

return counters
