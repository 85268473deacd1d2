-- Counters kept in a table, for specs: they answer what scripts/counters.lua asks, by the clock of the spec.
--
--   local counters = Counters.new(function() return now end)    -- seconds since 1970
--   counters:answer("admit", { hold = id, items = … })          -- what a policy asked; "peek": and takes nothing
--   counters:answer("settle", { hold = id, tokens =, nano = })  -- it came to so much; "release": to nothing
--   counters:answer("notify", notice)
--   counters:spend { department = "sales", usd = 4100 }         -- as if such requests had been made now
--   counters.is_down = true                                     -- shared counters are out of reach
--   counters.sent                                               -- the notices that went out
--
-- Rates are let through evenly (GCRA: ITU-T I.371, generic cell rate algorithm): each key has a time until which it is
-- used up; a request moves it on by its part of the window, and must not move it further than the burst reaches.
local Counters = {}
Counters.__index = Counters

-- While shared counters are out of reach: of what was left of a budget a fifth is given away, for a minute.
local LOCAL_BUDGET_SECONDS, LOCAL_BUDGET_PART = 60, 5

function Counters.new(now)
  return setmetatable({ now = now, rates = {}, running = {}, ledger = {}, held = {}, sent = {}, told = {}, holds = {},
    is_down = false, down_since = nil, lost = {} }, Counters)
end

-- --- money ---

-- Of a budget for several together, "sales+support", each is one.
local function is_one_of(together, value)
  return value == together or value and ("+" .. together .. "+"):find("+" .. value .. "+", 1, true) ~= nil
end

local function matches(entry, item)
  if entry.keys then return entry.keys[item.key] end
  if entry.budget and entry.budget ~= item.rule then return false end
  for name, value in pairs(item.scope) do
    if not is_one_of(value, entry.of[name]) then return false end
  end
  return true
end

-- A session's spending ends with it: after a silence longer than `idle` it begins again.
local function spent_in_session(ledger, item, now)
  local sum, last = 0, nil
  for _, entry in ipairs(ledger) do
    if matches(entry, item) then
      if last and entry.time - last > item.idle then sum = 0 end
      sum, last = sum + entry.nano, entry.time
    end
  end
  return last and now - last <= item.idle and sum or 0
end

-- What a request takes is charged to the period in which it was let through, whenever it ends.
local function is_in_period(entry, item)
  if entry.start then return entry.start == item.start end
  return entry.time >= item.start and entry.time < item.stop
end

local function spent_on(self, item)
  if item.idle then return spent_in_session(self.ledger, item, self.now()) end
  local sum = 0
  for _, entry in ipairs(self.ledger) do
    if is_in_period(entry, item) and matches(entry, item) then sum = sum + entry.nano end
  end
  return sum
end

local function held_on(self, item)
  local sum = 0
  for _, entry in ipairs(self.held) do
    if (item.idle or not entry.start or entry.start == item.start) and matches(entry, item) then
      sum = sum + entry.nano
    end
  end
  return sum
end

local judge = {}

function judge.money(self, item)
  local spent, held = spent_on(self, item), held_on(self, item)
  local state = { spent = spent, held = held }
  if item.limit and spent + held + item.amount > item.limit then
    state.is_over, state.is_contended = true, spent + item.amount <= item.limit
  end
  return state
end

-- --- rates ---

-- Times here count from the first question, so that fractions of a second keep their digits.
local function used_until(self, item)
  self.began = self.began or self.now()
  local now = self.now() - self.began
  local key = item.key .. item.kind
  local at = math.min(self.rates[key] or now, now + item.window * 2) -- a debt, or a clock that stepped back
  if self.rates[key] then self.rates[key] = at end
  return math.max(at, now), now
end

function judge.requests(self, item)
  local at, now = used_until(self, item)
  local step = item.window / item.limit
  local over = at + step * item.amount - (now + step * item.burst)
  return { is_over = over > 1e-6, retry_after = math.max(1, math.ceil(over - 1e-6)), at = at + step * item.amount }
end

-- Whoever has been idle may ask for anything up to the limit, and is in debt then.
function judge.tokens(self, item)
  local at, now = used_until(self, item)
  local step = item.window / item.limit
  local after = at + step * item.amount
  local over = after - (now + step * item.burst)
  if item.amount > item.limit then return { is_over = true, is_too_large = true } end
  if over <= 1e-6 or at <= now then return { at = after } end
  local wait = item.amount > item.burst and at - now or over
  return { is_over = true, retry_after = math.max(1, math.ceil(wait - 1e-6)) }
end

function judge.concurrent(self, item)
  return { is_over = (self.running[item.key] or 0) >= item.limit, retry_after = 1 }
end

-- --- questions ---

-- What may be spent and held of it: beyond what was when it was first asked for.
local function part_of(self, item, state)
  local key = ("%s@%d"):format(item.key, item.start or 0)
  self.lost[key] = self.lost[key] or state.spent + state.held
  local used = self.lost[key]
  return used + math.floor(math.max(0, item.limit - used) / LOCAL_BUDGET_PART)
end

-- Out of reach: what this item's policy wants then. Money is counted by what was known, and not for long. Specs have
-- one gateway: its part of a rate is all of it.
local function without_shared(self, item, state)
  local loss = item.on_loss
  if loss == "local" and item.kind == "money" and item.limit then
    if self.now() - self.down_since >= LOCAL_BUDGET_SECONDS then loss = "closed"
    elseif not state.is_over and not item.observe then
      state.is_closed = state.spent + state.held + item.amount > part_of(self, item, state)
    end
  end
  state.lost = loss
  if loss == "open" then state.is_over = nil end
  if loss == "closed" then state.is_closed = true end
  return state
end

local function judge_all(self, question)
  local reply = { ok = true, states = {} }
  for i, item in ipairs(question.items) do
    local state = judge[item.kind](self, item)
    if self.is_down then state = without_shared(self, item, state) end
    reply.states[i] = state
    if reply.ok and (state.is_closed or state.is_over) and not item.observe then
      reply.ok, reply.failed, reply.retry_after = false, i, state.retry_after
    end
  end
  return reply
end

-- Budgets of one scope whose periods begin together are one sum: it is taken once.
local function find_taken(taken, item)
  for _, one in ipairs(taken) do
    if one.kind == "money" and one.hold.keys[item.key] and one.hold.start == item.start then return one.hold end
  end
end

-- `taken` is what the hold must give back.
local function take_one(self, item, state, taken)
  if state.lost == "open" then return end
  if item.kind == "money" and find_taken(taken, item) then
    state.held = state.held + item.amount
  elseif item.kind == "money" then
    local hold = { keys = { [item.key] = true }, nano = item.amount, time = self.now(), start = item.start }
    self.held[#self.held + 1] = hold
    taken[#taken + 1] = { kind = "money", hold = hold }
    state.held = state.held + item.amount
  elseif item.kind == "concurrent" then
    self.running[item.key] = (self.running[item.key] or 0) + 1
    taken[#taken + 1] = { kind = "concurrent", key = item.key }
  elseif not state.is_over then
    self.rates[item.key .. item.kind] = state.at
    if item.kind == "tokens" then
      taken[#taken + 1] = { kind = "tokens", key = item.key .. item.kind, amount = item.amount,
        step = item.window / item.limit }
    end
  end
end

local answers = {}

function answers.peek(self, question) return judge_all(self, question) end

function answers.admit(self, question)
  local reply, taken = judge_all(self, question), {}
  if reply.ok then
    for i, item in ipairs(question.items) do take_one(self, item, reply.states[i], taken) end
    self.holds[question.hold] = taken
  end
  return reply
end

local function remove(list, value)
  for i, one in ipairs(list) do
    if one == value then return table.remove(list, i) end
  end
end

-- A hold that is closed is not known any more, so that closing it again changes nothing.
local function close(self, question, nano, tokens)
  for _, taken in ipairs(self.holds[question.hold] or {}) do
    if taken.kind == "concurrent" then self.running[taken.key] = self.running[taken.key] - 1
    elseif taken.kind == "tokens" then
      self.rates[taken.key] = self.rates[taken.key] + ((tokens or taken.amount) - taken.amount) * taken.step
    else
      remove(self.held, taken.hold)
      if nano > 0 then
        local hold = taken.hold
        self.ledger[#self.ledger + 1] = { keys = hold.keys, nano = nano, time = self.now(), start = hold.start }
      end
    end
  end
  self.holds[question.hold] = nil
  return {}
end

function answers.settle(self, question) return close(self, question, question.nano, question.tokens) end
function answers.release(self, question) return close(self, question, 0, 0) end

-- Once for each budget, key and period; what lies below is taken as told too.
function answers.notify(self, message)
  local key = ("%s %s@%d"):format(message.rule:match("^(.*)@"), message.key, message.period)
  if (self.told[key] or 0) >= message.at then return {} end
  self.told[key] = message.at
  self.sent[#self.sent + 1] = message
  return {}
end

function Counters:answer(operation, question)
  if not self.is_down then self.lost = {} end
  if self.is_down and not self.down_since then self.down_since = self.now() end
  return answers[operation](self, question)
end

-- --- what specs do ---

function Counters:spend(given)
  local of = {}
  for name, value in pairs(given) do
    if name ~= "usd" and name ~= "held_usd" and name ~= "budget" then of[name] = value end
  end
  local function add(list, usd)
    if usd then
      list[#list + 1] = { of = of, budget = given.budget, nano = math.floor(usd * 1000000000 + 0.5), time = self.now() }
    end
  end
  if not given.usd and not given.held_usd then error("mg:spend { …, usd = 10 }: how much?", 3) end
  add(self.ledger, given.usd)
  add(self.held, given.held_usd)
end

return Counters
