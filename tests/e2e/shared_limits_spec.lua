-- Limits and budgets of a gateway whose counters are in Redis: what it is asked, and what holds while it cannot be.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local redis = require("tests.e2e.kit.redis")

local DIME = dimes.DIME
local budget = dimes.budget

local m, db, g, app, under_way
local apps = 0

-- One Redis, and one gateway as long as it may be the same: a new one counts alone until its grace is over.
setup(function()
  m = mock.start {}
  db = redis.start()
end)
teardown(function()
  gateway.stop_all()
  db:stop()
  m:stop()
end)
before_each(function() m:reset() end)
after_each(function() -- also of a test that failed
  if db.process then db:answer() else db:run() end
end)

local function rate(limits, more)
  return ("return ratelimit { limits = { %s }, %s }\n"):format(limits, more or "")
end

local function is_shared() return g:health().body:find("[+]redis ok", 1, true) ~= nil end

local function shared() expect.eventually(is_shared, 30, "a place in Redis") end

local function run(policies, of)
  gateway.stop_all()
  g = gateway.start { mock = m, name = "shared", policies = policies, workers = of.workers or 2,
    config = { redis = { url = db.url, timeout = "500ms", -- a loaded machine needs more than a fleet's
      gateways = of.gateways }, billing = of.zone and { timezone = of.zone } } }
end

-- files: name → text of a policy, in the order of `chain`; of: workers, gateways as moongate.lua says of redis, zone, is_lost:
-- its Redis. Each test asks for an app of its own.
local function start(chain, files, of)
  of = of or {}
  local policies, kind = dimes.policies(files, chain), cjson.encode { of.workers or 2, of.gateways or 0, of.zone or "", of.is_lost or false }
  if kind == under_way then
    g:write_policies(policies)
    g:reload()
  else
    run(policies, of)
    under_way = kind
  end
  apps = apps + 1
  app = "app" .. apps
  g.key = g:new_key { app = app, department = "engineering" }
  if not of.is_lost then shared() end
end

local function body(of)
  of.tokens = of.tokens or 1
  return dimes.body(of)
end

local function once(of) return g:ask { json = body(of), key = of.key } end

-- Of who refuses what Redis has not answered in time: on a loaded machine that may happen at any time.
local function ask(of)
  local r
  expect.eventually(function()
    r = once(of)
    return r.status ~= 503
  end, 30, "an answer of Redis")
  return r
end

local function charged() return dimes.charged(g, "app=" .. app) end

-- Nothing is held: all that is left may be asked for, and no token more.
local function assert_free(limit)
  expect.eventually(function() return dimes.is_left(limit - charged(), once) end, 20, "all that is left")
end

local function lines_of(answer, verb)
  local found = {}
  for _, line in ipairs(g:record(answer.id).trace) do
    if line.verb == verb then found[#found + 1] = line end
  end
  return found
end

local CLOSED = 'on_store_loss = "closed"'

describe("counters in Redis", function()
  it("are asked, and their answers told", function()
    start({ "ratelimit", "budget" }, { budget = budget(10, CLOSED),
      ratelimit = rate('{ "many", by = "app", requests = 6000, per = "1h" }', CLOSED) })
    for _ = 1, 10 do
      local r = ask { tokens = 10 }
      assert.equal(200, r.status, r.body)
      assert.equal("6000", r:get("x-ratelimit-limit-requests"))
      assert.is_true(tonumber(r:get("x-ratelimit-remaining-requests")) < 1000)
    end
    local r -- while the last of them is held by its budget still: 429
    expect.eventually(function()
      r = ask { tokens = 1 }
      return r.status ~= 429
    end, 20, "100 dimes are spent")
    assert.equal(100, charged())
    assert.equal(402, r.status, r.body)
    assert.equal("budget_exhausted", gateway.error_of(r).code)
    assert.equal("6000", r:get("x-ratelimit-limit-requests"))
    local counted = g:record(r.id).asked.counters[1]
    assert.equal("admit", counted["do"])
    assert.is_nil(counted.items[1].lost)
    assert.is_true(g:metrics():value("moongate_shared_counters_questions_total", { outcome = "answered" }) >= 11)
  end)

  it("hold a stream a slice at a time, and let it finish", function()
    start({ "budget" }, { budget = budget(10, "stream = { slice = 16 }, " .. CLOSED) })
    assert.equal(402, ask({ tokens = 1000 }).status)
    local r = ask { tokens = 1000, stream = true, script = "tokens=70&rate=100" }
    assert.equal("[DONE]", client.last_event(r).data)
    expect.eventually(function() return charged() == 70 end, 20, "70 dimes")
    assert_free(100)
  end)

  it("let a stream finish where there is no more room, and say so", function()
    start({ "budget" }, { budget = budget(3, "stream = { slice = 16 }, " .. CLOSED) })
    local r = ask { tokens = 100, stream = true, script = "tokens=50&rate=100" }
    assert.equal("[DONE]", client.last_event(r).data)
    expect.eventually(function() return charged() == 50 end, 20, "50 dimes")
    local over = lines_of(r, "over")
    assert.equal(1, #over)
    assert.truthy(over[1].reason:find("^" .. app .. " has used %$0%.00 of %$3 this month, this request holds %$[%d.]+, and more of the answer may cost %$[%d.]+; again on "), over[1].reason)
    assert.equal(402, ask({ tokens = 1 }).status)
  end)

  it("cut a stream where the policy says so", function()
    start({ "budget" }, { budget = budget(3, 'stream = { slice = 16, on_exhausted = "cut" }, ' .. CLOSED) })
    local r = ask { tokens = 1000, stream = true, script = "tokens=400&rate=100" }
    local last = cjson.decode(client.last_event(r).data)
    assert.equal("budget_cut", last.error.code)
    local text = last.error.message -- on a loaded machine it may be that Redis is not asked in time how it stands
    assert.truthy(text:find("has used %$0%.00 of %$3 this month, this request holds %$[%d.]+, and ")
      or text:find("has no room for more in %$3 this month"), text)
    expect.eventually(function() return charged() > 0 end, 20, "what came")
    assert.is_true(charged() >= 24 and charged() <= 40, charged())
    expect.eventually(function() return ask({ tokens = 30 }).status == 402 end, 20, "nothing to be held any more")
  end)

  it("are asked again before another target, and refuse it or not", function()
    local held = "return policy { buffer = true, on_response = function() end }\n"
    start({ "budget", "held" }, { budget = budget("3.5", CLOSED), held = held })
    m:script { { match = '"model":"one"', cut = "fin", cut_event = 12 }, { match = '"model":"cheap"', tokens = 10 },
      { match = '"model":"read"', cut = "fin", cut_event = 2 }, { match = '"model":"again"', tokens = 10 } }
    local r = ask { model = "two", tokens = 20, stream = true }
    assert.equal(200, r.status, r.body)
    assert.equal(2, #g:record(r.id).attempts)
    expect.eventually(function() return charged() > 0 end, 20, "what it cost")
    r = ask { model = "read", tokens = math.floor(35 - charged()) - 9, stream = true }
    assert.equal(402, r.status, r.body)
    assert.truthy(gateway.error_of(r).message:find("this request holds %$[%d.]+, and another attempt may cost %$[%d.]+; again on %d+ %a+$"), r.body)
    assert.equal(1, #g:record(r.id).attempts)
  end)

  it("have nothing of who goes away while they are waited for", function()
    start({ "ratelimit", "budget" }, { budget = budget(10, CLOSED),
      ratelimit = rate('{ "once", by = "app", concurrent = 1 }', CLOSED) })
    assert.equal(200, ask({}).status)
    local since = m:mark()
    for _ = 1, 3 do
      db:ask("FLUSHALL") -- the place that the gateway has is gone: who comes now waits for another
      for _ = 1, 10 do
        local c = client.connect(g.port)
        c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key, json = body { tokens = 9 } })
        c:close()
      end
      shared()
      expect.eventually(function() return once({}).status == 200 end, 20, "a free place")
    end
    expect.eventually(function() return g:metrics():value("moongate_exchanges_open") == 0 end, 10, "all to end")
    assert.is_true(#m:requests(since) >= 3)
  end)

  it("are there for policies that look", function()
    start({ "budget", "look" }, { budget = budget(10, CLOSED), look = [[
return policy { on_request = function(ctx)
  local b = ctx.budget.app
  if not b then return deny(403, "no_budget", "nobody knows") end
  if ctx.request.max_tokens == 7 then return deny(403, "looked", ("%.1f"):format(b.remaining)) end
end }
]] })
    assert.equal(200, ask({ tokens = 40, script = "tokens=40" }).status)
    expect.eventually(function() return charged() == 40 end, 20, "40 dimes")
    expect.eventually(function()
      local r = once { tokens = 7 }
      return r.status == 403 and gateway.error_of(r).message:find("5.3", 1, true)
    end, 20, "all of it but 4 dollars, and what is held for this one")
  end)
end)

describe("while Redis is out of reach", function()
  local function each_loss(name, test)
    it(name .. ", when it stands still", function() test(function() db:stop_answering() end, function() db:answer() end) end)
    it(name .. ", when it is killed", function() test(function() db:kill() end, function() db:run() end) end)
  end

  local function is_back()
    shared()
    expect.eventually(function()
      local r = once {}
      return r.status == 200 and #lines_of(r, "lost") == 0
    end, 30, "an answer of Redis")
  end

  each_loss("open lets pass", function(lose, find)
    start({ "budget" }, { budget = budget(1, 'on_store_loss = "open"') })
    lose()
    local r = once { tokens = 100, script = "tokens=100" }
    assert.equal(200, r.status, r.body)
    assert.equal("shared counters are out of reach: let pass", lines_of(r, "lost")[1].reason)
    expect.eventually(function() return charged() == 100 end, 20, "all of it to be charged")
    find()
    shared()
    expect.eventually(function() return once({ tokens = 1 }).status == 402 end, 30, "Redis to know of it")
  end)

  each_loss("closed refuses", function(lose, find)
    start({ "ratelimit" }, { ratelimit = rate('{ "x", by = "app", requests = 6000, per = "1h" }', CLOSED) })
    lose()
    local r = once {}
    assert.equal(503, r.status, r.body)
    assert.equal("5", r:get("retry-after"))
    assert.equal("limits_unavailable", gateway.error_of(r).code)
    assert.equal("shared counters are out of reach", gateway.error_of(r).message)
    assert.is_nil(r:get("x-ratelimit-limit-requests"))
    find()
    is_back()
  end)

  each_loss("local counts this gateway's part of a limit", function(lose, find)
    start({ "ratelimit" }, { ratelimit = rate('{ "x", by = "app", concurrent = 6 }') }, { gateways = 3 })
    lose()
    m:script { count = 0, hold = true }
    local open, since = {}, m:mark()
    for i = 1, 3 do
      open[i] = client.connect(g.port)
      open[i]:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key, json = body {} })
    end
    expect.eventually(function() return #m:requests(since) == 2 end, 20, "two calls")
    local r = once {}
    assert.equal(429, r.status, r.body)
    assert.equal("shared counters are out of reach: counted by this gateway alone", lines_of(r, "lost")[1].reason)
    assert.equal(2, #m:requests(since))
    for i = 1, 3 do open[i]:close() end
    m:reset()
    expect.eventually(function() return once({}).status == 200 end, 20, "a free place")
    find()
    is_back()
    assert.is_true(g:metrics():value("moongate_shared_counters_lost_total", { on_store_loss = "local" }) >= 3)
  end)

  -- Which worker has heard of it is chance: there is one.
  each_loss("local gives a fifth of what was left of a budget away", function(lose, find)
    start({ "budget" }, { budget = budget(11) }, { workers = 1 })
    expect.eventually(function() return #lines_of(once { tokens = 10 }, "lost") == 0 end, 30, "an answer of Redis")
    local before = charged()
    local limit, heard = 110, before
    expect.eventually(function() -- all is charged, and the worker has heard of it
      heard = charged()
      local r = once { tokens = 1 }
      local held = g:record(r.id).asked.counters[1].items[1]
      return r.status == 200 and not held.lost and (held.spent or 0) / DIME == heard and (held.held or 0) / DIME == 1
    end, 30, "it all to be heard")
    local left = math.floor((limit - heard - 1) / 5)
    lose()
    local r = once { tokens = left + 1 }
    assert.equal(503, r.status, r.body)
    assert.equal("shared counters are out of reach, and the part that this gateway counts alone is used up",
      gateway.error_of(r).message)
    assert.equal(402, once({ tokens = 1000 }).status)
    r = once { tokens = left, script = "tokens=1" }
    assert.equal(200, r.status, r.body)
    assert.truthy(g:record(r.id).holds[1].id:find("^req_.*/local$"))
    find()
    is_back()
    assert_free(110)
  end)

  -- Of connections that nothing was asked by yet: the ledger process asks once a second.
  local function cut_workers_off(connection)
    local count = 0
    local list = db:ask("CLIENT", "LIST")
    assert.equal("+OK", connection:say "CONFIG SET maxclients 1")
    for line in list:gmatch("[^\n]+") do
      local id, command = line:match("id=(%d+)"), line:match(" cmd=(%S+)")
      if command ~= "evalsha" and command ~= "client|list" and command ~= "echo" and connection:say("CLIENT KILL ID " .. id) == ":1" then
        count = count + 1
      end
    end
    return count
  end

  it("for workers alone, it is said what they see, and what the ledger process sees", function()
    start({ "budget" }, { budget = budget(10, CLOSED) })
    local function health() return client.ask(g.admin_port, { path = "/readyz?verbose" }) end
    local connection = db:connect()
    connection:say "ECHO here"
    assert.is_true(cut_workers_off(connection) >= 2)
    expect.eventually(function()
      local said = health()
      return said.status == 200 and said.body:find(
        "[!]redis: the ledger process reaches it, where 1 gateways count together; 2 of 2 workers do not", 1, true)
        and said.body:find("%[!%]worker 0: redis: .-maxclients") and said.body:find("%[!%]worker 1: redis: ")
    end, 30, "what each sees")
    assert.equal(503, once({}).status)
    connection:say "CONFIG SET maxclients 1000"
    connection:close()
    shared()
    assert.is_nil(health().body:find("worker 0: redis", 1, true))
    is_back()
  end)

  it("because others there have another billing zone, both zones are named, and nothing is counted with them", function()
    gateway.stop_all()
    db:ask("SET", "mg1:{p0}:Z", "Europe/Berlin", "PX", 600000)
    start({ "budget" }, { budget = budget(10, CLOSED) }, { zone = "Asia/Tokyo", workers = 1, is_lost = true })
    local why = "billing.timezone is Asia/Tokyo here and Europe/Berlin in the gateways that count together"
    expect.eventually(function()
      return g:health().body:find("[!]redis: limits and budgets are not shared: " .. why, 1, true)
    end, 30, "both zones")
    assert.equal(1, g:metrics():value "moongate_redis_zone_differs")
    assert.truthy(g:said():find('"level":"error"[^\n]*"event":"billing_zone_differs"'))
    assert.equal(503, once({}).status)
    db:ask("DEL", "mg1:{p0}:Z")
    shared()
    assert.equal(0, g:metrics():value "moongate_redis_zone_differs")
    assert.equal("Asia/Tokyo", db:ask("GET", "mg1:{p0}:Z"))
    is_back()
    gateway.stop_all()
    db:ask("DEL", "mg1:{p0}:Z")
  end)

  it("when the gateway starts, it starts all the same", function()
    db:kill()
    start({ "ratelimit", "budget" }, { ratelimit = rate('{ "x", by = "app", requests = 6000, per = "1h" }'),
      budget = budget(10, 'on_store_loss = "open"') }, { is_lost = true })
    local r = once {}
    assert.equal(200, r.status, r.body)
    local lost = lines_of(r, "lost")
    assert.equal("shared counters are out of reach: counted by this gateway alone", lost[1].reason)
    assert.equal("shared counters are out of reach: let pass", lost[2].reason)
    assert.equal("6000", r:get("x-ratelimit-limit-requests"))
    g:write_policies { ["budget.lua"] = budget(10) }
    g:reload()
    r = once {} -- a budget of which nothing was ever heard
    assert.equal(503, r.status, r.body)
    assert.equal("shared counters are out of reach", gateway.error_of(r).message)
    db:run()
    is_back()
  end)

  it("streams go on, and policies are reloaded", function()
    start({ "budget" }, { budget = budget(100, 'stream = { slice = 16, on_exhausted = "cut" }') })
    local c = client.connect(g.port)
    expect.eventually(function() return #lines_of(once {}, "lost") == 0 end, 30, "an answer of Redis")
    local since = m:mark()
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key,
      json = body { tokens = 200, stream = true, script = "tokens=100&rate=50" } })
    expect.eventually(function() return #m:requests(since) == 1 end, 20, "the call")
    db:stop_answering()
    g:write_policies { ["budget.lua"] = budget(200, CLOSED) }
    g:reload()
    assert.equal(503, once({}).status)
    assert.truthy(c:answer().body:find("[DONE]", 1, true))
    db:answer()
    is_back()
    expect.eventually(function() return charged() >= 100 end, 20, "what the stream came to")
    assert_free(2000)
  end)
end)
