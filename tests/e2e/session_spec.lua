-- A gateway's session in the Redis that its fleet shares: that it is there, what is told in it, and what Redis may do.
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local hooks = require("tests.e2e.kit.hooks")
local mock = require("tests.e2e.kit.mock")
local redis = require("tests.e2e.kit.redis")

local POLICIES = dimes.policies { budget = dimes.budget(1000, 'on_store_loss = "open"') }

local function shared(g, count)
  local line = ("[+]redis ok: %d gateways count together"):format(count or 1)
  expect.eventually(function() return g:health().body:find(line, 1, true) end, 30, line)
end

-- Of all budgets in all periods: "s": what Redis was told that was spent, "h": what requests hold.
local function sum_of(db, letter)
  local sum = 0
  for key in (db:ask("KEYS", "mg1:{p0}:B:*") or ""):gmatch("%S+") do
    local fields = {}
    for line in (db:ask("HGETALL", key) .. "\n"):gmatch("([^\n]*)\n") do fields[#fields + 1] = line end
    for i = 1, #fields, 2 do
      if fields[i]:sub(1, 1) == letter then sum = sum + tonumber(fields[i + 1]) end
    end
  end
  return sum
end

local function told(db) return sum_of(db, "s") end

local function held(db) return sum_of(db, "h") end

describe("a gateway with a Redis", function()
  it("tells it what its requests cost, and all of it again when Redis was emptied or was away", function()
    local db, m = redis.start(), mock.start {}
    local g = gateway.start { mock = m, name = "session", workers = 2, policies = POLICIES,
      config = { redis = { url = db.url } } }
    local function spend()
      local r = g:chat(dimes.body { tokens = 10 })
      assert.equal(200, r.status, r.body)
      return g:record(r.id).cost.nano_usd
    end
    local function is_told(nano)
      expect.eventually(function() return told(db) == nano end, 30, function() return told(db) .. " is not " .. nano end)
    end
    shared(g)
    local cost = spend()
    assert(cost > 0)
    is_told(cost)
    db:ask("FLUSHALL")
    is_told(cost)
    shared(g)
    db:kill()
    expect.eventually(function() return g:health().body:find("[!]redis: ", 1, true) end, 30, "told that Redis is away")
    cost = cost + spend()
    db:run()
    is_told(cost)
    shared(g)
    assert.equal("1", db:ask("ZCARD", "mg1:{p0}:S"))
    assert.equal(1, g:metrics():value("moongate_redis_up", {}))
    g:stop()
    assert.equal("0", db:ask("ZCARD", "mg1:{p0}:S"))
    m:stop()
    db:stop()
  end)
end)

-- Whose there are.
local function sessions(db) return db:ask("ZRANGE", "mg1:{p0}:S", "0", "-1") end

local function send(g, tokens)
  local c = client.connect(g.port)
  c:send(client.request { key = g.key, json = dimes.body { tokens = tokens } })
  return c
end

describe("what is held in Redis", function()
  it("outlives the ledger process, goes back when a worker dies, and when the whole gateway was killed", function()
    local db, m = redis.start(), mock.start {}
    local g = gateway.start { mock = m, name = "killed", workers = 2, policies = POLICIES,
      config = { redis = { url = db.url } } }
    shared(g)
    local name = sessions(db)
    m:script { count = 0, head_delay_ms = 600000 }
    local c = send(g, 10)
    expect.eventually(function() return held(db) > 0 end, 20, "a hold")
    local nano = held(db)
    g:kill_ledger()
    shared(g)
    assert.equal(name, sessions(db))
    assert.equal(nano, held(db))

    for _, worker in ipairs(g:listen().workers) do signal.kill(worker, signal.SIGKILL) end
    expect.eventually(function() return held(db) == 0 end, 60, "what the dead held")
    assert.equal(name, sessions(db))
    c:close()

    expect.eventually(function() return g:is_ready() end, 20, "workers")
    c = send(g, 20)
    expect.eventually(function() return held(db) == 2 * nano end, 20, "a hold of another's")
    for _, any in ipairs(g:pids()) do signal.kill(any, signal.SIGKILL) end
    g.process:wait(20)
    c:close()
    assert.equal(2 * nano, held(db))
    g:run()
    shared(g)
    expect.eventually(function() return held(db) == 0 end, 20, "what the killed gateway held")
    assert.is_nil(sessions(db):find(name, 1, true))
    assert.equal("1", db:ask("ZCARD", "mg1:{p0}:S"))
    g:stop()
    m:stop()
    db:stop()
  end)
end)

describe("a fleet", function()
  it("gives a notice out once, whichever of its gateways crosses the threshold", function()
    local db, m, hook = redis.start(), mock.start {}, hooks.start()
    local files = dimes.policies { budget = dimes.budget(10, 'thresholds = { { at = "80%", notify = { "ops" } } }') }
    local function start(name)
      return gateway.start { mock = m, name = name, policies = files,
        config = { redis = { url = db.url }, ledger = { gateway = name },
          notify = { ops = { kind = "webhook", url = hook.url, secret = "whsec-0123456789" } } } }
    end
    local function spend(g, tokens)
      local r = g:chat(dimes.body { tokens = tokens })
      assert.equal(200, r.status, r.body)
    end
    local a, b = start("fleet-a"), start("fleet-b")
    shared(a, 2)
    shared(b, 2)
    for _ = 1, 45 do spend(a, 2) end
    for _ = 1, 2 do spend(b, 2) end
    for _, g in ipairs { a, b } do
      expect.eventually(function() return #g:entries("alert") == 1 end, 20, "an entry of each")
      g:gauge_becomes("moongate_notices_waiting", 0)
    end
    assert.equal(1, #hook:calls())
    a:stop()
    shared(b, 1)
    b:stop()
    hook:stop()
    m:stop()
    db:stop()
  end)
end)
