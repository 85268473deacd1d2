-- A client that wants more of a limit than it gives: it asks at the moments that are worst for one, and of what came
-- through it is reckoned whether any window had more than there may be.
--
--   local a = adversary.new(m, gateways, { { limit = 20, burst = 4, key = key_of, body = body }, … })
--   adversary.attack { a, b }          -- key(g): whose; body(text): one that says it. All limits are for 1 s
--   a:calls(1)                         -- of that limit, what the provider saw: { from =, to =, amount = }, each
--   adversary.worst(calls, 20, 4)      -- by how much the fullest window has more than that; below 0: none has
--
-- The moment of an admission is known by two readings of one clock: it is behind the first byte that its client sent
-- and before its request was at the provider. What was sent in a window and was there in it was admitted in it: of
-- that there is never more than burst + rate * window. A slow machine makes the readings lie further apart, and never
-- makes a window too full.
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")

local adversary = {}
local running = {}
running.__index = running

local LANES = 12         -- of each limit: so many ask at the same moment
local CLOCK_WRONG = 5e-4 -- a clock that is being corrected is fast or slow by no more than this

-- When they ask, in seconds: a burst at once; just before and at each moment at which one more fits, for longer than a
-- window; at the end of a window and at the beginning of the next, with all of a burst saved up: of the calendar's, and
-- of one that began with the first request.
local function moments(of, began)
  local list, part = { 0, 0.0005 }, 1 / math.min(of.limit, 20)
  local calendar = 2 + (0.5 - began) % 1
  for i = 1, math.ceil(1.2 / part) do
    list[#list + 1] = i * part - 0.0005
    list[#list + 1] = i * part
  end
  for _, window in ipairs { 2, calendar + 0.5, 3.8 } do
    for _, near in ipairs { -0.004, -0.0005, 0, 0.0005, part - 0.0005, part } do list[#list + 1] = window + near end
  end
  table.sort(list)
  return list
end

function adversary.new(m, gateways, limits)
  return setmetatable({ mock = m, gateways = gateways, limits = limits, sent = {} }, running)
end

-- Kept open: a connection takes time, and gives the gateway time.
local function lane(self, number, of, began, i)
  local g = self.gateways[i % #self.gateways + 1]
  local c = client.connect(g.port, { seconds = 40 })
  for step, at in ipairs(moments(of, began)) do
    client.sleep(began + at - socket.gettime())
    local text = ("a-%d-%d-%d"):format(number, i, step)
    self.sent[text] = { limit = number, from = socket.gettime() }
    c:send(client.request { key = of.key(g), json = of.body(text) })
    local answer = c:answer()
    self.sent[text].status = answer.status
    if not answer.status then error(text .. ": " .. tostring(answer.ending)) end
  end
  c:close()
end

local function ready(self)
  self.since = self.mock:mark()
  for _, of in ipairs(self.limits) do
    for _, g in ipairs(self.gateways) do of.key(g) end -- made now, and not while they are awaited
  end
end

local function join(self, all, began)
  for number, of in ipairs(self.limits) do
    for i = 1, LANES do
      all.add(function() lane(self, number, of, began, i) end)
    end
  end
end

-- All of them at once, each at its own gateways.
function adversary.attack(list)
  for _, a in ipairs(list) do ready(a) end
  crowd.run(function(all)
    local began = socket.gettime() + 0.2
    for _, a in ipairs(list) do join(a, all, began) end
  end, 90)
end

-- In the order of their arrival.
function running:calls(number)
  local calls = {}
  for _, entry in ipairs(self.mock:requests(self.since)) do
    local text = entry.body:match('"(a%-%d+%-%d+%-%d+)"')
    local sent = self.sent[text]
    if sent.limit == number then
      local of = self.limits[number]
      calls[#calls + 1] = { from = sent.from, to = entry.time_us / 1e6, amount = of.amount and of.amount(text) or 1 }
    end
  end
  return calls
end

-- All windows that begin with a call and end with one.
function adversary.worst(calls, rate, burst)
  local worst = -math.huge
  table.sort(calls, function(a, b) return a.to < b.to end)
  for _, first in ipairs(calls) do
    local sum = 0
    for _, call in ipairs(calls) do
      if call.from >= first.from then
        sum = sum + call.amount
        worst = math.max(worst, sum - burst - rate * (call.to - first.from) * (1 + CLOCK_WRONG))
      end
    end
  end
  return worst
end

-- The most of any window of so many seconds.
function adversary.most(calls, seconds)
  local most = 0
  for _, first in ipairs(calls) do
    local sum = 0
    for _, call in ipairs(calls) do
      if call.from >= first.from and call.to <= first.from + seconds then sum = sum + call.amount end
    end
    most = math.max(most, sum)
  end
  return most
end

return adversary
