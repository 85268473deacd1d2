-- Limits and budgets of a fleet: gateways that share one Redis let through what fits, whatever comes at once and
-- wherever, and nobody is refused who is under it. The mock's journal says what was called.
local signal = require("posix.signal")
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")

local DIME = fleet.DIME
local body = fleet.body

local f

after_each(function()
  if f then f:stop() end
  f = nil
end)

-- Asks that many times at once, at each gateway in turn: answers by status.
local function ask_at_once(count, of)
  local statuses, others = {}, {}
  crowd.run(function(all)
    for i = 1, count do
      all.add(function()
        local r = f[i % #f + 1]:ask { json = body(of), seconds = 60 }
        statuses[r.status] = (statuses[r.status] or 0) + 1
        if r.status ~= 200 then others[gateway.error_of(r).code] = true end
      end)
    end
  end, 90)
  return statuses, others
end

describe("of 200 that come at once to four gateways", function()
  it("as many are called as a budget pays for, and it refuses nobody who is under it", function()
    f = fleet.start { gateways = 4, policies = fleet.policies {
      budget = 'return budget { budgets = { { "app", each = "app", limit = 10, per = "month" } } }\n' } }
    f.mock:script { count = 0, head_delay_ms = 1500, tokens = 10 }
    local since = f.mock:mark()
    assert.same({ [200] = 10, [429] = 190 }, (ask_at_once(200, { tokens = 10 })))
    assert.equal(10, #f.mock:requests(since))
    f.mock:reset()
    f:agrees()
    assert.equal(100 * DIME, f:spent("app=code-assistant"))
    for _, g in ipairs(f) do
      local r = g:ask { json = body { tokens = 1 } }
      assert.equal(402, r.status, r.body)
      assert.equal("budget_exhausted", gateway.error_of(r).code)
    end
    for i = 1, 10 do -- nor is who comes one by one, up to the last cent
      local g = f[i % 4 + 1]
      g.other = g.other or g:new_key { app = "support-bot", department = "support" }
      local r = g:ask { key = g.other, json = body { tokens = 10 } }
      assert.equal(200, r.status, r.body)
    end
    f:agrees()
    assert.equal(402, f[1]:ask({ key = f[1].other or f[2].other, json = body { tokens = 1 } }).status)
  end)
end)

-- Asks that many times at once where the provider answers nobody, until all but those that it has were refused. Gives
-- the connections of these, and what the others were told.
local function ask_and_hold(count)
  local open, codes = {}, {}
  for i = 1, count do
    local g = f[i % #f + 1]
    local c = client.connect(g.port, { seconds = 60 })
    c:send(client.request { key = g.key, json = body { tokens = 10 } })
    open[c.sock] = c
  end
  local function step(seconds)
    local socks = {}
    for sock in pairs(open) do socks[#socks + 1] = sock end
    for _, sock in ipairs(socket.select(socks, nil, seconds)) do
      local r = open[sock]:answer()
      open[sock]:close()
      open[sock] = nil
      local code = r.status == 200 and "ok" or gateway.error_of(r).code
      codes[code] = (codes[code] or 0) + 1
    end
  end
  return open, codes, step
end

describe("a fleet's limit", function()
  local function start(limit)
    f = fleet.start { gateways = 4, policies = fleet.policies {
      ratelimit = "return ratelimit { limits = { " .. limit .. " } }\n" } }
    f.mock:script { count = 0, hold = true }
  end

  local function count(open)
    local n = 0
    for _ in pairs(open) do n = n + 1 end
    return n
  end

  -- All are decided: each was refused, or has arrived.
  local function decide(wanted)
    local since = f.mock:mark()
    local open, codes, step = ask_and_hold(200)
    expect.eventually(function()
      step(0.05)
      return count(open) + (codes.rate_limited or 0) == 200 and #f.mock:requests(since) >= count(open)
    end, 60, "a decision on each")
    assert.same({ rate_limited = 200 - wanted }, codes)
    assert.equal(wanted, #f.mock:requests(since))
    return open
  end

  local function close_all(open)
    for _, c in pairs(open) do c:close() end
  end

  it("of requests lets ten of them through, and not one more when these are gone", function()
    start '{ "few", by = "app", requests = 100, per = "1d", burst = 10 }'
    close_all(decide(10))
    f:agrees()
    close_all(decide(0))
  end)

  it("on what runs at the same time lets ten run, and ten more when they are gone", function()
    start '{ "few", by = "app", concurrent = 10 }'
    for _ = 1, 2 do
      local open = decide(10)
      assert.equal(10, (select(2, next(f:counted().running))))
      close_all(open)
      f:agrees()
    end
  end)
end)

describe("random costs at four gateways", function()
  local LIMIT = 400 * DIME

  it("never come to more than their budget, and the ledgers to the same as Redis, to the nano-dollar", function()
    f = fleet.start { gateways = 4, workers = 2, policies = fleet.policies {
      ratelimit = 'return ratelimit { limits = { { "at-once", by = "app", concurrent = 16 } } }\n',
      budget = 'return budget { budgets = { { "app", each = "app", limit = 40, per = "month" } } }\n' } }
    f:poll "app=code-assistant"
    local load = f:spend { lanes = 24, seed = 99 }
    expect.eventually(function() return load:count(200) > 20 end, 60, "answers")
    signal.kill(f[1]:listen().workers[1], signal.SIGKILL)
    signal.kill(f[2]:listen().ledger_pid, signal.SIGKILL)
    expect.eventually(function() return load:count(402) + load:count(429) > 100 end, 60, "a budget that is used up")
    load:stop()
    f:agrees()
    local polls, most = f:polled()
    assert.is_true(polls > 50, polls)
    assert.is_true(most <= LIMIT, most)
    assert.is_true(f:spent "app=code-assistant" > 0.9 * LIMIT, f:spent "app=code-assistant")
    load:check()
  end)
end)
