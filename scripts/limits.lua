-- What limits and budgets have in common: their rows apply, everything that a request needs is taken from the counters
-- at once, and what comes of it is said in the trace.
--
--   policy.run = limits.run           -- the rules of the policy, its on_request, then its rows
--   policy.collect = function(f, policy, list) … end     -- appends an entry for each row that applies, or gives "over"
--   limits.admit(f)                   -- "over" when something refused; called by the chain before anybody else speaks
--
-- entry: { policy, row, item (scripts/counters.lua), counted(f, entry, state, reply), refused(f, entry, state, reply),
--   passed(f, entry), where it has that: it passed while nobody knew what all gateways have counted }
local core, use = ...
local catalogue = use "catalogue"
local counters = use "counters"
local actions = use "actions"
local notes = use "notes"
local schema = use "schema"
local note = notes.note

local limits = { BURST_PART = 6 } -- where a limit says nothing of its burst

limits.on_store_loss = schema.choice { "open", "closed", "local" }

-- Examples have no past: nothing of them is counted.
function limits.is_counting() return not catalogue.is_rehearsal end

-- Counting tokens takes none, nor does keeping a file: it is a request, and no more.
local function without_tokens(list)
  local left = {}
  for i = 1, #list do
    if list[i].item.kind ~= "tokens" then left[#left + 1] = list[i] end
  end
  return left
end

local free = { count_tokens = true, files = true, conversations = true }

-- Of what no provider takes tokens or money for.
function limits.is_free(f) return free[f.api] == true end

function limits.run(f, policy)
  local outcome = actions.run_all(f, policy)
  if outcome == "over" then return "over" end
  if outcome == "pass" then return nil end
  local list = {}
  if policy.collect(f, policy, list) == "over" then return "over" end
  if limits.is_free(f) then list = without_tokens(list) end
  if not limits.is_counting() then return nil end
  local waiting = f._limits or {}
  for i = 1, #list do waiting[#waiting + 1] = list[i] end
  f._limits = #waiting > 0 and waiting
end

-- Of a request that calls no model: each limit of requests takes it for one. "over" when one refused.
function limits.take_request(f, policies)
  local all = {}
  for i = 1, #policies do
    local policy = policies[i]
    if policy.kind == "ratelimit" then policy.collect(f, policy, all) end
  end
  all = without_tokens(all)
  if #all == 0 or not limits.is_counting() then return nil end
  f._limits = all
  return limits.admit(f)
end

local unavailable = { status = 503, code = "limits_unavailable", retry_after = 5 }

-- No answer at all: each row says what then. A gateway that cannot count cannot count locally either.
local function without_answer(f, list, why)
  for i = 1, #list do
    local entry = list[i]
    local row = entry.row
    if entry.policy.on_store_loss == "open" then
      note(f, entry.policy, row.name, "skip", "not counted: " .. why, row.mode, row.line)
      if entry.passed then entry.passed(f, entry) end
    elseif notes.deny(f, entry.policy, row.name, unavailable, "cannot be counted: " .. why, row.mode, row.line) then
      return "over"
    end
  end
end

-- What the counters know of one item, without taking anything; nil when they cannot say.
function limits.peek(item, who) return counters.peek({ item }, who) end

local LOST = "shared counters are out of reach"
local lost_words = { open = "let pass", ["local"] = "counted by this gateway alone" }

local function note_lost(f, entry, state)
  local words = lost_words[state.lost]
  if not words then return end
  note(f, entry.policy, entry.row.name, "lost", ("%s: %s"):format(LOST, words), entry.row.mode, entry.row.line)
end

-- Nobody knows what was counted, or this gateway alone, whose part is used up; there may be room.
local function shut(f, entry, state)
  local why = state.lost == "local" and LOST .. ", and the part that this gateway counts alone is used up" or LOST
  return notes.deny(f, entry.policy, entry.row.name, unavailable, why, entry.row.mode, entry.row.line)
end

local function counted(f, list, reply)
  for i = 1, #list do
    local entry, state = list[i], reply.states[i]
    note_lost(f, entry, state)
    if state.lost == "closed" then shut(f, entry, state) -- only observed
    elseif state.is_over then entry.refused(f, entry, state, reply) -- only observed
    elseif state.lost ~= "open" then entry.counted(f, entry, state, reply) end
    if state.lost and state.lost ~= "closed" and entry.passed then entry.passed(f, entry) end
  end
end

local function refused(f, list, reply)
  local entry, state = list[reply.failed], reply.states[reply.failed]
  if reply.is_closed then return shut(f, entry, state) end
  note_lost(f, entry, state)
  return entry.refused(f, entry, state, reply)
end

local function items_of(list)
  local items = {}
  for i = 1, #list do items[i] = list[i].item end
  return items
end

function limits.admit(f)
  local list = f._limits
  f._limits, f._policy = false, false
  local reply, why = counters.admit(items_of(list))
  if not reply then return without_answer(f, list, why or "the counters gave no answer") end
  for _ = 0, #list do
    local retry = not reply.ok and list[reply.failed].retry
    if not retry or not retry(f, list, reply) then break end
    reply, why = counters.admit(items_of(list))
    if not reply then return without_answer(f, list, why or "the counters gave no answer") end
  end
  if not reply.ok then return refused(f, list, reply) end
  counted(f, list, reply)
end

return limits
