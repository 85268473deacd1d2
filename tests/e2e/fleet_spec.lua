-- Limits and budgets of a fleet: gateways that share one Redis let through what fits, whatever comes at once and
-- wherever, and nobody is refused who is under it. The mock's journal says what was called.
local signal = require("posix.signal")
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")

local DIME, body, key_of = fleet.DIME, fleet.body, fleet.key_of

local f

-- A department for each test.
setup(function()
  f = fleet.start { gateways = 4, workers = 2, policies = fleet.policies({
    ratelimit = [[return ratelimit { limits = {
      { "few", by = "department", requests = 100, per = "1d", burst = 10, when = { department = "few" } },
      { "at-once", by = "department", concurrent = 10, when = { department = "at once" } },
      { "crowd", by = "department", concurrent = 16, when = { department = { "random", "wrong", "sliced", "killed" } } },
      { "tokens", by = "department", tokens = 1000000, per = "1m" } } }]],
    budget = [[return budget { budgets = {
      { "ten", department = "ten", limit = 10, per = "month" },
      { "one-by-one", department = "one by one", limit = 10, per = "month" },
      { "random", department = "random", limit = 40, per = "month" },
      { "wrong", department = "wrong", limit = 40, per = "month" },
      { "killed", department = "killed", limit = 40, per = "month" } } }]],
    sliced = [[return budget { stream = { slice = 16, on_exhausted = "cut" }, budgets = {
      { "sliced", department = "sliced", limit = 300, per = "month" } } }]] }, { "ratelimit", "budget", "sliced" }) }
end)
teardown(function() f:stop() end)
after_each(function() f.mock:reset() end)

local function ask(g, department, tokens)
  return g:ask { key = key_of(department)(g), json = body { tokens = tokens } }
end

describe("of 200 that come at once to four gateways", function()
  it("as many are called as a budget pays for", function()
    local statuses = {}
    f.mock:script { count = 0, head_delay_ms = 1500, tokens = 10 }
    local since = f.mock:mark()
    crowd.run(function(all)
      for i = 1, 200 do
        all.add(function()
          local r = ask(f[i % 4 + 1], "ten", 10)
          statuses[r.status] = (statuses[r.status] or 0) + 1
        end)
      end
    end, 90)
    assert.equal(10, statuses[200])
    assert.equal(190, (statuses[429] or 0) + (statuses[402] or 0)) -- others hold it, or have spent it
    assert.equal(10, #f.mock:requests(since))
    f.mock:reset()
    f:agrees()
    assert.equal(100 * DIME, f:spent "department=ten")
    for _, g in ipairs(f) do
      local r = ask(g, "ten", 1)
      assert.equal(402, r.status, r.body)
      assert.equal("budget_exhausted", gateway.error_of(r).code)
    end
  end)

  it("or one by one, nobody is refused up to the last cent", function()
    for i = 1, 10 do
      local r = ask(f[i % 4 + 1], "one by one", 10)
      assert.equal(200, r.status, r.body)
    end
    f:agrees()
    assert.equal(402, ask(f[1], "one by one", 1).status)
  end)
end)

describe("a fleet's limit", function()
  local function count(open)
    local n = 0
    for _ in pairs(open) do n = n + 1 end
    return n
  end

  local function ask_all(department)
    local open = {}
    for i = 1, 200 do
      local g = f[i % 4 + 1]
      local c = client.connect(g.port, { seconds = 60 })
      c:send(client.request { key = key_of(department)(g), json = body { tokens = 10 } })
      open[c.sock] = c
    end
    return open
  end

  -- Takes out of them who was answered; gives how many were refused.
  local function hear(open)
    local socks, refused = {}, 0
    for sock in pairs(open) do socks[#socks + 1] = sock end
    for _, sock in ipairs(socket.select(socks, nil, 0.05)) do
      local r = open[sock]:answer()
      assert.equal(429, r.status, r.body)
      assert.equal("rate_limited", gateway.error_of(r).code)
      open[sock]:close()
      open[sock], refused = nil, refused + 1
    end
    return refused
  end

  -- 200 at once where the provider answers nobody, until all are decided: each was refused, or has arrived.
  local function decide(department, wanted)
    f.mock:script { count = 0, hold = true }
    local since, refused = f.mock:mark(), 0
    local open = ask_all(department)
    expect.eventually(function()
      refused = refused + hear(open)
      return #f.mock:requests(since) >= count(open)
    end, 60, "a decision on each")
    assert.same({ wanted, 200 - wanted, wanted }, { count(open), refused, #f.mock:requests(since) })
    return open
  end

  local function close_all(open)
    for _, c in pairs(open) do c:close() end
    f:agrees()
  end

  it("of requests lets ten of them through, and not one more when these are gone", function()
    close_all(decide("few", 10))
    close_all(decide("few", 0))
  end)

  it("on what runs at the same time lets ten run, and ten more when they are gone", function()
    for _ = 1, 2 do
      local open = decide("at once", 10)
      assert.equal(10, (select(2, next(f:counted().running))))
      close_all(open)
    end
  end)
end)

describe("random costs at four gateways", function()
  local LIMIT, LANES = 400 * DIME, 24
  local SLICED, SLICE = 3000 * DIME, 16 -- of answers of several slices, of which those are cut that are under way at last
  local CLOCKS = 0.02 -- seconds between those of records and of Redis

  local function start(department, wrong, limit, tokens)
    local load = f:spend { lanes = LANES, seed = 99, key = key_of(department), wrong = wrong, tokens = tokens }
    load.key, load.limit = "department=" .. department, limit or LIMIT
    return load
  end

  local function begin(loads)
    local keys = {}
    for i, load in ipairs(loads) do keys[i] = load.key end
    f:poll(keys)
    for _, load in ipairs(loads) do
      expect.eventually(function() return load:count(200) > 10 end, 60, "answers")
    end
  end

  -- The budgets are used up, to the last request that fits; gives by key the most of each that was spent and held at
  -- any time.
  local function finish(loads)
    for _, load in ipairs(loads) do
      expect.eventually(function() return load:count(402) > 20 and f:spent(load.key) > 0.9 * load.limit end, 60,
        "a budget that is used up")
      load:stop()
    end
    f:agrees()
    local polls, most = f:polled()
    assert.is_true(polls > 10, polls)
    for _, load in ipairs(loads) do load:check() end
    return most
  end

  -- By the name of its hold what each came to, and between which seconds; and how many were cut.
  local function requests_of(department)
    local requests, cut = {}, 0
    for _, g in ipairs(f) do
      for _, record in ipairs(g:records()) do
        local is_of_it = (record.identity or {}).department == department
        for _, hold in ipairs(is_of_it and record.holds or {}) do
          local from = record.facts.time_ns / 1e9
          requests[hold.id] = { cost = record.cost.nano_usd, from = from, till = from + record.ms.total / 1000 }
        end
        if is_of_it and (record.decision or {}).code == "budget_cut" then cut = cut + 1 end
      end
    end
    return requests, cut
  end

  -- Began and ended while nobody looked: then as much as a slice was held of them, at least.
  local function add_unseen(requests, seen, from, till)
    local beyond = 0
    for id, request in pairs(requests) do
      if not seen[id] and request.from <= till + CLOCKS and request.till >= from - CLOCKS then
        beyond = beyond + math.max(0, request.cost - SLICE * DIME)
      end
    end
    return beyond
  end

  local function holds_in(sights)
    local seen = {}
    for _, sight in ipairs(sights) do
      for id in pairs(sight.open) do seen[id] = true end
    end
    return seen
  end

  -- By how much more than its limit was ever spent and held, less what those who were under way as it was last within
  -- it came to beyond what was held of them: the answer was longer than asked for, or Redis had not spoken yet.
  local function unheard_of(sights, requests, limit)
    local seen, under_way, held, within, most = holds_in(sights), {}, {}, sights[1].time, 0
    for _, sight in ipairs(sights) do
      if sight.all <= limit then under_way, within = {}, sight.time end
      for id, nano in pairs(sight.open) do under_way[id], held[id] = true, nano end
      local beyond = sight.all > limit and add_unseen(requests, seen, within, sight.time) or 0
      for id in pairs(under_way) do beyond = beyond + math.max(0, requests[id].cost - held[id]) end
      most = math.max(most, sight.all - limit - beyond)
    end
    return most
  end

  it("are never more than their budget with what is held, and in the end the same in ledgers and Redis, to the nano-dollar", function()
    local exact, wrong, sliced = start("random", 0), start("wrong", 20), start("sliced", 30, SLICED, 100)
    local loads = { exact, wrong, sliced }
    begin(loads)
    local most = finish(loads)
    assert.is_true(most[exact.key].all <= LIMIT, most[exact.key].all)
    assert.is_true(wrong:beyond() > 0 and most[wrong.key].all <= LIMIT + wrong:beyond() * DIME, most[wrong.key].all)
    local requests, cut = requests_of "sliced"
    local more = unheard_of(most[sliced.key].sights, requests, SLICED)
    assert.is_true(sliced:beyond() > 0 and cut > 0, cut)
    assert.equal(0, more)
  end)

  -- Until a new ledger process has looked, what was settled is held beside what was spent: less fits, never more.
  it("are never more than their budget when a worker and a ledger process are killed", function()
    local load = start("killed", 0)
    begin { load }
    signal.kill(f[1]:listen().workers[1], signal.SIGKILL)
    signal.kill(f[2]:listen().ledger_pid, signal.SIGKILL)
    local most = finish { load }
    assert.is_true(most[load.key].spent <= LIMIT, most[load.key].spent)
  end)
end)
