-- Limits and budgets at work on one machine: several workers, one memory. The mock's journal says what was called.
local signal = require("posix.signal")
local calls = require("tests.e2e.kit.calls")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local database = require("tests.e2e.kit.database")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local function body(of)
  of.tokens = of.tokens or 10
  return dimes.body(of)
end

local function started(name, files, workers)
  local m = mock.start {}
  local g = gateway.start { mock = m, name = name, workers = workers or 4, policies = dimes.policies(files) }
  return g, m, function()
    g:stop()
    m:stop()
  end
end

describe("a budget", function()
  local HUNDRED = dimes.budget(10)

  it("lets through what fits into it, whatever comes at once, and nobody is refused who is under it", function()
    local g, m, stop = started("overspend", { budget = HUNDRED })
    m:script { count = 0, head_delay_ms = 1500 }
    local since = m:mark()
    assert.same({ [200] = 10, [429] = 190 }, crowd.statuses(200, 60, function()
      local r = g:ask { json = body { tokens = 10 } }
      if r.status ~= 200 then assert.equal("budget_contended", gateway.error_of(r).code) end
      return r
    end))
    assert.equal(10, #m:requests(since))
    m:ask("POST", "/_mock/reset")
    -- Ten answers of ten tokens: all of it is spent, to the cent.
    expect.eventually(function() return dimes.charged(g) == 100 end, 10, "100 dimes")
    local r = g:ask { json = body { tokens = 1 } }
    assert.equal(402, r.status, r.body)
    assert.equal("budget_exhausted", gateway.error_of(r).code)
    local other = g:new_key { app = "support-bot", department = "support" }
    assert.equal(200, g:ask({ key = other, json = body { tokens = 10 } }).status)
    stop()
  end)

  it("takes a limit of nothing, which servers read as none, for none", function()
    local g, m, stop = started("nothing", { budget = dimes.budget(1) })
    for _, name in ipairs { "max_tokens", "max_completion_tokens" } do
      local asked, since = body { tokens = 10 }, m:mark()
      asked.max_tokens, asked[name] = nil, 0
      local r = g:ask { json = asked }
      assert.equal(402, r.status, r.body) -- what an answer of any length may cost is more than is left
      assert.equal(0, #m:requests(since))
    end
    assert.equal(200, g:ask({ json = body { tokens = 10 } }).status)
    stop()
  end)

  it("has what an answer did not cost back, and goes on where the ledger stands after a restart", function()
    local g, _, stop = started("settled", { budget = HUNDRED })
    for _ = 1, 5 do -- each may cost 90, and costs 2
      local r = g:ask { json = body { tokens = 90, script = "usage_tokens=2" } }
      assert.equal(200, r.status, r.body)
    end
    expect.eventually(function() return dimes.charged(g) == 10 end, 10, "10 dimes")
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    g:run()
    assert.equal(200, g:ask({ json = body { tokens = 90, script = "usage_tokens=60" } }).status)
    local r = g:ask { json = body { tokens = 40 } }
    assert.equal(402, r.status, r.body)
    assert.equal(200, g:ask({ json = body { tokens = 30, script = "usage_tokens=30" } }).status)
    expect.eventually(function() return dimes.charged(g) == 100 end, 10, "100 dimes")
    stop()
  end)

  it("of everybody has spent what each has spent, also after a restart, and says so once", function()
    local g, _, stop = started("everybody", { budget = [[return budget { budgets = { { "all", limit = 10, per = "year" } },
      thresholds = { { at = "50%", notify = "owner" }, { at = "100%", deny = { 402, "budget_exhausted" } } } }]] }, 2)
    local other = g:new_key { app = "support-bot", department = "support" }
    local function ask(tokens, key)
      return g:ask { key = key, json = body { tokens = tokens, script = "usage_tokens=" .. tokens } }
    end
    assert.equal(200, ask(60).status)
    expect.eventually(function() return dimes.charged(g, "everybody") == 60 end, 10, "60 dimes")
    expect.eventually(function() return ask(41, other).status == 402 end, 10, "more than is left")
    assert.equal(200, ask(30, other).status)
    expect.eventually(function() return dimes.charged(g, "everybody") == 90 end, 10, "90 dimes")
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    g:run()
    assert.equal(402, ask(11).status)
    assert.equal(9, g:json("budgets").budgets[1].spent_usd)
    assert.equal(1, tonumber(database.value(g.dir:path("data/ledger.db"), "SELECT count(*) FROM alerts")))
    stop()
  end)

  it("has back what a killed worker held, and what a killed ledger had not told", function()
    local g, m, stop = started("killed", { budget = HUNDRED }, 2)
    local c = client.connect(g.port)
    m:script { count = 1, hold = true }
    local since = m:mark()
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key, json = body { tokens = 100 } })
    expect.eventually(function() return #m:requests(since) == 1 end, 10, "the call")
    assert.equal(429, g:ask({ json = body { tokens = 1 } }).status)
    for _, pid in ipairs(g:listen().workers) do signal.kill(pid, signal.SIGKILL) end
    expect.eventually(function()
      local ok, r = pcall(g.ask, g, { json = body { tokens = 1, script = "usage_tokens=1" } })
      return ok and r.status == 200
    end, 20, "what they held")
    c:close()
    signal.kill(g:listen().ledger_pid, signal.SIGKILL)
    expect.eventually(function()
      local r = g:ask { json = body { tokens = 1, script = "usage_tokens=1" } }
      return r.status == 200
    end, 20, "a new ledger")
    expect.eventually(function() return g:ask({ json = body { tokens = 101 } }).status == 402 end, 10, "more than all")
    expect.eventually(function() -- nothing is held: all that is left can be asked for
      local left = 100 - dimes.charged(g)
      return g:ask({ json = body { tokens = left, script = "usage_tokens=1" } }).status == 200
    end, 10, "all that is left")
    stop()
  end)
end)

describe("a name that callers choose", function()
  it("is counted and charged as the same, however long or odd, and what is kept of it is short", function()
    local g, _, stop = started("names", { budget = [[return budget { budgets = { { "each", each = "session", limit = 1 } } }]] }, 2)
    local names = { ("a"):rep(1500), ("a"):rep(1500) .. "b", "\255\254", ("%"):rep(400), "\195\188=,;/%" }
    local function ask(name, tokens)
      return g:ask { headers = { { "X-Session-Id", name } }, json = body { tokens = tokens, script = "usage_tokens=" .. tokens } }
    end
    for _, name in ipairs(names) do assert.equal(200, ask(name, 6).status, #name) end
    local ledger = g.dir:path("data/ledger.db")
    local function kept() return tonumber(database.value(ledger, "SELECT count(*) FROM charges WHERE length(key) < 60")) end
    expect.eventually(function() return kept() == #names end, 10, "what each was charged")
    for _, name in ipairs(names) do
      assert.equal(402, ask(name, 5).status, #name)
      expect.eventually(function() return ask(name, 2).status == 200 end, 10, "what was held to be free again")
    end
    expect.eventually(function() return tonumber(database.value(ledger, "SELECT min(nano) FROM charges")) == 8e8 end, 10, "all")
    local out, code = g:command("replay", "--since", "1h")
    assert.equal(0, code, out)
    assert.truthy(out:find("same%s+12\n"), out)
    assert.truthy(out:find("not replayable%s+3 "), out) -- what is no UTF-8 is not in a record as it came
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    g:run()
    for _, name in ipairs(names) do
      local r = ask(name, 3)
      assert.equal(402, r.status, r.body)
    end
    local hashed = database.rows(ledger, "SELECT key FROM charges WHERE key LIKE 'session=%#%'")
    local hash = hashed[1].key:match("^session=(%%#%x+)$")
    assert.equal(3, #hashed)
    assert.equal(34, #hash)
    assert.truthy(g:command("budgets"):find(hash, 1, true))
    out, code = g:command("topup", "session " .. hash, "1", "--until", "1d", "--reason", "more")
    assert.equal(0, code, out)
    expect.eventually(function()
      local free = 0
      for _, name in ipairs(names) do free = free + (ask(name, 3).status == 200 and 1 or 0) end
      return free == 1
    end, 10, "the one that was topped up")
    stop()
  end)
end)

describe("a budget that is used up", function()
  local WITH_INPUT = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. "price = " .. calls.PRICE .. " } }\n"

  it("refuses on every path that calls a model, and nobody is called", function()
    local files = dimes.policies { budget = dimes.budget(10) }
    files["models.lua"] = WITH_INPUT
    local m = mock.start {}
    local g = gateway.start { mock = m, name = "doors", workers = 2, policies = files }
    local r = g:ask { json = body { tokens = 50, script = "usage_tokens=200" } }
    assert.equal(200, r.status, r.body)
    expect.eventually(function() return dimes.charged(g) >= 100 end, 10, "all of it")
    local since = m:mark()
    for _, call in ipairs(calls.all()) do
      for _, stream in ipairs { false, true } do
        r = g:ask(calls.of(call, "dear", stream))
        assert.equal(402, r.status, call.path .. ": " .. r.body)
        assert.is_truthy(r.body:find("budget_exhausted", 1, true), call.path .. ": " .. r.body)
      end
    end
    assert.equal(0, #m:requests(since))
    g:stop()
    m:stop()
  end)
end)

describe("a limit", function()
  it("holds for all workers together, says when to come again, and how many run at the same time", function()
    local g, m, stop = started("rates", { ratelimit = [[return ratelimit { limits = {
      { "per-app", by = "app", requests = 60, per = "1h", burst = 5 },
      { "at-once", by = "user", concurrent = 2 } } }]] })
    local since, statuses = m:mark(), {}
    for _ = 1, 8 do
      local r = g:ask { json = body {} }
      statuses[r.status] = (statuses[r.status] or 0) + 1
      if r.status == 429 then
        assert.equal("rate_limited", gateway.error_of(r).code)
        local after = tonumber(r:get("retry-after"))
        assert.is_true(after >= 50 and after <= 60, r:get("retry-after"))
      end
    end
    assert.same({ [200] = 5, [429] = 3 }, statuses)
    assert.equal(5, #m:requests(since))
    stop()
  end)

  it("on what runs at the same time is free again whatever the end", function()
    local g, m, stop = started("slots", { ratelimit =
      'return ratelimit { limits = { { "at-once", by = "app", concurrent = 1 } } }\n' })
    local function is_free() return g:ask({ json = body {} }).status == 200 end
    for _, script in ipairs { { hold = true }, { status = 500 }, { cut = "rst", cut_event = -1 }, { cut = "fin", cut_event = 2 } } do
      script.count = 1
      m:script(script)
      local c = client.connect(g.port)
      local since = m:mark()
      c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key, json = body { stream = true } })
      expect.eventually(function() return #m:requests(since) == 1 end, 10, "the call")
      if script.hold then assert.equal(429, g:ask({ json = body {} }).status) else c:head() end
      c:close()
      expect.eventually(is_free, 10, "a free place")
    end
    for _ = 1, 20 do assert.is_true(is_free()) end -- at once, when the last byte is here
    stop()
  end)
end)
