-- Budgets while answers stream, and whatever an answer's end: what the mock generated is what was charged, to the
-- nano-dollar, and nothing stays held.
local cjson = require("cjson")
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local DIME = dimes.DIME
local budget, body = dimes.budget, dimes.body

local m, g

setup(function() m = mock.start {} end)
teardown(function() m:stop() end)
before_each(function() m:reset() end)
after_each(gateway.stop_all)

-- files: name → text of a policy, in the order of `chain`.
local function start(chain, files, config, workers)
  g = gateway.start { mock = m, name = "streams", policies = dimes.policies(files, chain), config = config, workers = workers or 2 }
  return g
end

local function ask(of) return g:ask { json = body(of) } end

local function charged() return dimes.charged(g) end

-- What the mock has generated since, by its journal.
local function generated(since)
  local sum = 0
  for _, entry in ipairs(m:entries("end", since)) do sum = sum + (entry.tokens or 0) end
  return sum
end

-- Nothing is held: all that is left may be asked for, and no token more.
local function assert_free(limit)
  expect.eventually(function() return dimes.is_left(limit - charged(), ask) end, 10, "all that is left")
end

local function said(answer)
  local words = {}
  for _, event in ipairs(client.events(answer.body)) do
    local ok, data = pcall(cjson.decode, event.data or "")
    local choice = ok and data.choices and data.choices[1]
    if choice and choice.delta and choice.delta.content and choice.delta.content ~= "" then
      words[#words + 1] = choice.delta.content
    end
  end
  return #words
end

describe("a stream in slices", function()
  it("holds one and not all that it may become, and is charged for what came", function()
    start({ "budget" }, { budget = budget(10, "stream = { slice = 16 }") })
    assert.equal(402, ask({ tokens = 1000 }).status) -- whole answers may be as long as that
    local since = m:mark()
    local r = ask { tokens = 1000, stream = true, script = "tokens=70" }
    assert.equal(200, r.status, r.body)
    assert.equal("[DONE]", client.last_event(r).data)
    expect.eventually(function() return charged() == 70 end, 10, "70 dimes")
    assert.equal(70, generated(since))
    assert_free(100)
  end)

  it("goes on where its budget has no more, is charged for all of it, and says so in its record", function()
    start({ "budget" }, { budget = budget(3, "stream = { slice = 16 }") })
    local r = ask { tokens = 100, stream = true, script = "tokens=50" }
    assert.equal(50, said(r))
    assert.equal("[DONE]", client.last_event(r).data)
    expect.eventually(function() return charged() == 50 end, 10, "50 dimes")
    local record, over = g:record(r:get("x-moongate-request-id")), 0
    assert.equal("ok", record.outcome)
    for _, entry in ipairs(record.trace) do
      if entry.verb == "over" then
        over = over + 1
        assert.equal("budget", entry.policy)
        assert.truthy(entry.reason:find("^code%-assistant has used %$%d+%.%d%d of %$3 this month, this request holds %$%d+%.%d%d, and more of the answer may cost %$%d+%.%d%d; again on "), entry.reason)
      end
    end
    assert.equal(1, over)
    assert.equal(1, g:metrics():value("moongate_budget_overruns_total", { ["end"] = "finish" }))
    assert.equal(402, ask({ tokens = 1 }).status)
  end)

  it("is cut where the policy says so: all that was held is used, and the end is an error in the client's dialect", function()
    start({ "ratelimit", "budget" }, { budget = budget(3, 'stream = { slice = 16, on_exhausted = "cut" }'),
      ratelimit = 'return ratelimit { limits = { { "once", by = "app", concurrent = 1 } } }\n' })
    local since = m:mark()
    local r = ask { tokens = 1000, stream = true, script = "tokens=400&rate=200" }
    assert.equal(200, r.status)
    local last = cjson.decode(client.last_event(r).data)
    assert.equal("budget_cut", last.error.code)
    assert.equal("budget", last.error.policy)
    assert.truthy(last.error.message:find("has used %$%d+%.%d%d of %$3 this month, this request holds %$%d+%.%d%d, and "), last.error.message)
    assert.is_nil(r.body:find("[DONE]", 1, true))
    assert.is_nil(r.body:find('"finish_reason":"', 1, true))
    assert.is_true(said(r) >= 20 and said(r) <= 32, said(r)) -- some words are two tokens
    assert.equal("client_abort", m:ended(m:requests(since)[1]).how)
    local record = g:record(r:get("x-moongate-request-id"))
    assert.equal("denied", record.outcome)
    assert.equal("budget_cut", record.decision.code)
    assert.equal(record.cost.nano_usd, charged() * DIME)
    assert.is_true(charged() >= 26 and charged() <= 32, charged())
    local refused = ask { tokens = 5 }
    assert.equal(402, refused.status, refused.body) -- not 429: its place is free
  end)

  local function crowded(streams, of, script)
    local ends = { open = 0 }
    script.count, script.head_delay_ms = 0, 4000 -- all are admitted before the first has a token
    m:script(script)
    crowd.run(function(every)
      for _ = 1, streams do
        every.add(function()
          local r = g:ask { json = body(of) }
          assert.equal(200, r.status, r.body)
          local data = client.last_event(r).data
          local code = data == "[DONE]" and "done" or cjson.decode(data).error.code
          ends[code] = (ends[code] or 0) + 1
        end)
      end
    end, 90)
    expect.eventually(function() return #g:records() == streams end, 20, "the ledger")
    ends.open = nil
    return ends
  end

  it("of which many are open at once use up their budget together, to the last token", function()
    local STREAMS, TOKENS = 1000, 40
    start({ "budget" }, { budget = budget(STREAMS * TOKENS / 10, "stream = { slice = 16 }") }, nil, 4)
    local since = m:mark()
    assert.same({ done = STREAMS }, crowded(STREAMS, { tokens = 500, stream = true }, { tokens = TOKENS }))
    assert.equal(STREAMS * TOKENS, charged())
    assert.equal(STREAMS * TOKENS, generated(since))
    assert.equal(402, ask({ tokens = 1 }).status)
  end)

  it("is refused like any other where its cut comes before anything left", function()
    start({ "budget", "held" }, { budget = budget(3, 'stream = { slice = 16, on_exhausted = "cut" }'),
      held = "return policy { buffer = true, on_response = function() end }\n" })
    local r = ask { tokens = 1000, stream = true, script = "tokens=400&rate=200" }
    assert.equal(402, r.status, r.body)
    assert.equal("budget_cut", gateway.error_of(r).code)
    expect.eventually(function() return charged() >= 26 end, 10, "what was read of it")
    assert.equal(402, ask({ tokens = 5 }).status)
  end)

  it("of several answers is counted over all of them", function()
    start({ "budget" }, { budget = budget(10, "stream = { slice = 16 }") })
    local since = m:mark()
    assert.equal(200, ask({ tokens = 300, n = 3, stream = true, script = "tokens=20" }).status)
    expect.eventually(function() return charged() == 60 end, 10, "60 dimes")
    assert.equal(60, generated(since))
    assert_free(100)
  end)

  it("whose client has gone and that is read on is held, and cut, as if it were there", function()
    start({ "budget" }, { budget = budget(4, 'stream = { slice = 16, on_exhausted = "cut" }'),
      apps = 'return apps { ["code-assistant"] = { department = "engineering", owner = "tests", '
        .. "on_client_disconnect = drain { max_seconds = 30, max_tokens = 1000 } } }\n" })
    local since = m:mark()
    local c = client.connect(g.port)
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key,
      json = body { tokens = 1000, stream = true, script = "tokens=400&rate=100" } })
    c:head()
    c:close()
    assert.equal("client_abort", m:ended(m:requests(since)[1]).how)
    expect.eventually(function() return charged() >= 36 end, 10, "all of it")
    assert.is_true(charged() <= 42, charged())
    assert.equal(402, ask({ tokens = 5 }).status)
  end)

  it("of a worker that is killed is given back when the ledger knows", function()
    start({ "budget" }, { budget = budget(10, "stream = { slice = 16 }") })
    local since = m:mark()
    local c = client.connect(g.port)
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key,
      json = body { tokens = 90, stream = true, script = "tokens=90&rate=100" } })
    expect.eventually(function() return (m:state().open[1] or {}).tokens and m:state().open[1].tokens > 50 end, 10, "50")
    for _, pid in ipairs(g:listen().workers) do signal.kill(pid, signal.SIGKILL) end
    m:ended(m:requests(since)[1])
    c:close()
    expect.eventually(function()
      local ok, r = pcall(ask, { tokens = 100, script = "tokens=1" })
      return ok and r.status == 200
    end, 20, "all of the budget")
  end)

  it("of which many are cut have used their budget up, and hardly more", function()
    local STREAMS, TOKENS = 200, 64
    local all = STREAMS * TOKENS
    start({ "budget" }, { budget = budget(all / 10, 'stream = { slice = 16, on_exhausted = "cut" }') }, nil, 4)
    assert.same({ budget_cut = STREAMS },
      crowded(STREAMS, { tokens = 500, stream = true }, { tokens = 3 * TOKENS, rate = 20 }))
    assert.is_true(charged() >= 0.99 * all and charged() <= 1.02 * all, charged() .. " of " .. all)
    assert.equal(402, ask({ tokens = math.ceil(0.01 * all) + 1 }).status)
  end)
end)

describe("a budget", function()
  it("shortens an answer to what is left where the policy says so", function()
    start({ "budget" }, { budget = budget(10, 'on_low_budget = "shrink"') })
    local since = m:mark()
    local r = ask { tokens = 400, script = "tokens=100" }
    assert.equal(200, r.status, r.body)
    assert.equal("100; lowered by budget: what is left of the budget", r:get("x-moongate-max-tokens"))
    assert.equal(100, cjson.decode(m:requests(since)[1].body).max_tokens)
    expect.eventually(function() return charged() == 100 end, 10, "100 dimes")
    assert.equal(402, ask({ tokens = 400 }).status)
  end)

  it("shortens each of several answers", function()
    start({ "budget" }, { budget = budget(10, 'on_low_budget = "shrink"') })
    local since = m:mark()
    assert.equal(200, ask({ tokens = 400, n = 3, script = "tokens=33" }).status)
    assert.equal(33, cjson.decode(m:requests(since)[1].body).max_tokens)
    assert.equal(402, ask({ tokens = 4, n = 3 }).status) -- one dime is left
  end)

  it("is charged for more than was held when more came", function()
    start({ "budget" }, { budget = budget(10) })
    assert.equal(200, ask({ tokens = 10, script = "usage_tokens=250" }).status)
    expect.eventually(function() return charged() == 250 end, 10, "250 dimes")
    local r = ask { tokens = 1 }
    assert.equal(402, r.status)
    assert.truthy(gateway.error_of(r).message:find("has used $25.00 of $10 this month", 1, true))
  end)

  it("keeps what a later policy makes of max_tokens within what is held", function()
    start({ "budget", "generous" }, { budget = budget(3),
      generous = 'return policy { on_attempt = function(ctx) ctx.request:set("max_tokens", 40) end }\n' })
    local since = m:mark()
    local r = ask { tokens = 10 }
    assert.equal(200, r.status, r.body)
    assert.equal(10, cjson.decode(m:requests(since)[1].body).max_tokens)
    expect.eventually(function() return charged() == 10 end, 10, "10 dimes")
  end)

  -- Nothing of an answer that a policy wants whole has left before its end, so that another may be tried.
  local HELD = "return policy { buffer = true, on_response = function() end }\n"

  it("refuses another attempt in its own words", function()
    start({ "budget", "held" }, { budget = budget("3.5"), held = HELD })
    m:script { { match = '"model":"read"', cut = "fin", cut_event = 12 }, { match = '"model":"again"', tokens = 10 } }
    local r = ask { model = "read", tokens = 20, stream = true }
    local e = gateway.error_of(r)
    assert.equal(402, r.status, r.body)
    assert.equal("budget_exhausted", e.code)
    assert.truthy(e.message:find("^code%-assistant has used %$%d+%.%d%d of %$3.50 this month, this request holds %$%d+%.%d%d, "
      .. "and another attempt may cost %$%d+%.%d%d; again on %d+ %a+$"), e.message)
    local record = g:record(r:get("x-moongate-request-id"))
    local last = record.trace[#record.trace]
    assert.same({ "budget", "app@100%", "deny", e.message }, { last.policy, last.rule, last.verb, last.reason })
    assert.truthy(last.at:find("budget.lua:1", 1, true), last.at)
    assert.equal(1, #record.attempts)
    assert.is_true(record.cost.nano_usd > 0)
    expect.eventually(function() return charged() * DIME == record.cost.nano_usd end, 10, "what the first one cost")
    assert_free(35)
  end)

  it("has room for a cheaper target where the dear one would be too much", function()
    start({ "budget", "held" }, { budget = budget("3.5"), held = HELD })
    m:script { { match = '"model":"one"', cut = "fin", cut_event = 12 }, { match = '"model":"cheap"', tokens = 10 } }
    local r = ask { model = "two", tokens = 20, stream = true }
    assert.equal(200, r.status, r.body)
    assert.equal(2, #g:record(r:get("x-moongate-request-id")).attempts)
  end)
end)

describe("what a request holds is free again", function()
  local ONCE = 'return ratelimit { limits = { { "once", by = "app", concurrent = 1 } } }\n'
  local HOOKS = [[
local function fail(ctx, phase)
  if ctx.request.headers["x-end"] == phase .. " fails" then error("it does") end
end
local function word(ctx, phase)
  fail(ctx, phase)
  if ctx.request.headers["x-end"] == phase .. " denies" then return deny(403, "no", "no") end
end
return policy {
  rules = { { "announced", when = { task = "announced" }, record = { intent = true } },
    { "usual", when = { task = "none" }, record = { durability = "async" } } },
  on_request = function(ctx) return word(ctx, "request") end,
  on_attempt = function(ctx) return word(ctx, "attempt") end,
  on_delta = function(ctx) return word(ctx, "delta") end,
  on_response = function(ctx) fail(ctx, "response") end,
  on_done = function(ctx) fail(ctx, "done") end,
}
]]
  local CHAIN, LIMIT = { "ratelimit", "budget", "hooks" }, 1000

  local function begin(config)
    local slices = budget(LIMIT / 10, "stream = { slice = 16 }")
    return start(CHAIN, { ratelimit = ONCE, budget = slices, hooks = HOOKS }, config)
  end

  local function is_free() return ask({ tokens = 1, script = "tokens=1" }).status == 200 end

  local function send(of)
    local c = client.connect(g.port)
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key, json = body(of) })
    return c
  end

  it("at once where its client has an answer, whoever gave it", function()
    begin()
    for _, phase in ipairs { "request", "attempt", "delta", "response", "done" } do
      for _, what in ipairs { "denies", "fails" } do
        for _, stream in ipairs { false, true } do
          local wish = phase .. " " .. what
          local r = g:ask { json = body { tokens = 100, stream = stream, script = "tokens=3" },
            headers = { ["x-end"] = wish } }
          assert.truthy(r.status, wish)
          assert.is_true(is_free(), wish)
        end
      end
    end
    for _, script in ipairs { { status = 500 }, { status = 401 }, { status = 400 }, { cut = "rst", cut_event = -1 },
      { accept = "rst" }, { cut = "fin", cut_event = 2 }, { error_event = 2 } } do
      for _, stream in ipairs { false, true } do
        m:script(script)
        ask { tokens = 100, stream = stream }
        m:reset()
        assert.is_true(is_free(), cjson.encode(script))
      end
    end
    assert_free(LIMIT)
  end)

  it("when its client goes, whenever that is", function()
    begin()
    for _, script in ipairs { { hold = true }, { head_delay_ms = 60000 }, { tokens = 200, rate = 20 },
      { cut = "stall", cut_event = 3 } } do
      local since = m:mark()
      m:script(script)
      local c = send { tokens = 400, stream = true }
      expect.eventually(function() return #m:requests(since) == 1 end, 10, "the call")
      assert.equal(429, ask({ tokens = 1 }).status, cjson.encode(script))
      c:close()
      expect.eventually(is_free, 10, "a free place after " .. cjson.encode(script))
    end
    assert_free(LIMIT)
  end)

  it("after a reload in the middle, and at the end of a drain", function()
    begin { drain = { grace = "1s" } }
    m:script { tokens = 60, rate = 60 }
    local since = m:mark()
    local c = send { tokens = 400, stream = true }
    expect.eventually(function() return #m:requests(since) == 1 end, 10, "the call")
    g:write_policies { ["budget.lua"] = budget(LIMIT / 10 + 1, "stream = { slice = 32 }") }
    g:reload()
    assert.equal(429, ask({ tokens = 1 }).status)
    assert.truthy(c:answer().body:find("[DONE]", 1, true))
    assert.is_true(is_free())
    assert_free(LIMIT + 10)
    local before = charged()
    m:script { tokens = 100, rate = 10 }
    c = send { tokens = 400, stream = true }
    c:head()
    g:signal(signal.SIGTERM)
    assert.is_nil((c:rest(20) or ""):find("[DONE]", 1, true))
    g.process:wait(20)
    g:run()
    local now = charged()
    assert.is_true(now > before and now < before + 60, before .. " and " .. now)
    assert.is_true(is_free())
    assert_free(LIMIT + 10)
  end)

  it("where nothing may be called before it is written, and while an answer's end waits for its record", function()
    begin { timeouts = { record = "4s" } }
    local ledger, since = g:listen().ledger_pid, m:mark()
    signal.kill(ledger, signal.SIGSTOP)
    local ok, why = pcall(function()
      local c = send({ tokens = 100, stream = true, script = "tokens=2" })
      expect.eventually(function() return #m:requests(since) == 1 and m:ended(m:requests(since)[1]) end, 10, "the call")
      local d
      expect.eventually(function() -- its end is not out, and its place is free
        d = send({ tokens = 100, stream = true, script = "tokens=2", task = "none" })
        return d:head().status == 200
      end, 10, "a free place")
      c:head()
      repeat local event = c:event() until event.data:find('"finish_reason":"', 1, true)
      assert.is_true(c:is_silent(0.05))
      c:close()
      d:close()
      local called = #m:requests(since)
      local r = g:ask { json = body { tokens = 100, task = "announced" } }
      assert.equal(503, r.status, r.body)
      assert.equal(called, #m:requests(since))
    end)
    signal.kill(ledger, signal.SIGCONT)
    assert(ok, why)
    expect.eventually(is_free, 10, "a free place")
    assert_free(LIMIT)
  end)
end)
