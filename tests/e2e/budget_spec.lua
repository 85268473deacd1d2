-- Limits and budgets at work on one machine: several workers, one memory. The mock's journal says what was called.
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local DIMES = 1e8

-- A token of output costs a dime, and input nothing: what a request may cost is what it asks for.
local MODELS = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
  .. 'price = usd_per_million { input = "0", output = "100000" } } }\n'
local AUTH = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n'

local function policies(files)
  local all = { ["models.lua"] = MODELS, ["auth.lua"] = AUTH }
  local chain = { '"auth"' }
  for _, name in ipairs { "ratelimit", "budget" } do
    if files[name] then
      chain[#chain + 1] = ("%q"):format(name)
      all[name .. ".lua"] = files[name]
    end
  end
  all["init.lua"] = "return chain { " .. table.concat(chain, ", ") .. " }\n"
  return all
end

local function body(of)
  return { model = "dear", max_tokens = of.tokens or 10, stream = of.stream, metadata = of.script and { mock = of.script } or nil,
    messages = { { role = "user", content = of.say or "hi" } } }
end

-- What a budget or a session came to, as the ledger sums it.
local function spent(g, key)
  local db = assert(require("luasql.sqlite3").sqlite3():connect(g.dir:path("data/ledger.db")))
  local rows = db:execute(("SELECT coalesce(sum(nano), 0) FROM charges WHERE key = '%s'"):format(key))
  local sum = tonumber((rows:fetch()))
  rows:close()
  db:close()
  return sum
end

local function started(name, files, workers)
  local m = mock.start {}
  local g = gateway.start { mock = m, name = name, workers = workers or 4, policies = policies(files) }
  return g, m, function()
    g:stop()
    m:stop()
  end
end

describe("a budget", function()
  local HUNDRED = 'return budget { budgets = { { "app", each = "app", limit = 10, per = "month" } } }\n'

  it("lets through what fits into it, whatever comes at once, and nobody is refused who is under it", function()
    local g, m, stop = started("overspend", { budget = HUNDRED })
    m:script { count = 0, head_delay_ms = 1500 }
    local since, statuses = m:mark(), {}
    crowd.run(function(all)
      for _ = 1, 200 do
        all.add(function()
          local r = g:ask { json = body { tokens = 10 } }
          statuses[r.status] = (statuses[r.status] or 0) + 1
          if r.status ~= 200 then assert.equal("budget_contended", gateway.error_of(r).code) end
        end)
      end
    end, 60)
    assert.same({ [200] = 10, [429] = 190 }, statuses)
    assert.equal(10, #m:requests(since))
    m:ask("POST", "/_mock/reset")
    -- Ten answers of ten tokens: all of it is spent, to the cent.
    expect.eventually(function() return spent(g, "app=code-assistant") == 100 * DIMES end, 10, "100 dimes")
    local r = g:ask { json = body { tokens = 1 } }
    assert.equal(402, r.status, r.body)
    assert.equal("budget_exhausted", gateway.error_of(r).code)
    local other = g:new_key { app = "support-bot", department = "support" }
    assert.equal(200, g:ask({ key = other, json = body { tokens = 10 } }).status)
    stop()
  end)

  it("has what an answer did not cost back, and goes on where the ledger stands after a restart", function()
    local g, _, stop = started("settled", { budget = HUNDRED })
    for _ = 1, 5 do -- each may cost 90, and costs 2
      local r = g:ask { json = body { tokens = 90, script = "usage_tokens=2" } }
      assert.equal(200, r.status, r.body)
    end
    expect.eventually(function() return spent(g, "app=code-assistant") == 10 * DIMES end, 10, "10 dimes")
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    g:run()
    assert.equal(200, g:ask({ json = body { tokens = 90, script = "usage_tokens=60" } }).status)
    local r = g:ask { json = body { tokens = 40 } }
    assert.equal(402, r.status, r.body)
    assert.equal(200, g:ask({ json = body { tokens = 30, script = "usage_tokens=30" } }).status)
    expect.eventually(function() return spent(g, "app=code-assistant") == 100 * DIMES end, 10, "100 dimes")
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
      local left = 100 - spent(g, "app=code-assistant") / DIMES
      return g:ask({ json = body { tokens = left, script = "usage_tokens=1" } }).status == 200
    end, 10, "all that is left")
    stop()
  end)
end)

-- The rows of the gateway's own table of paths: a new one that calls a model and is not asked here fails.
local function paths()
  local file = assert(io.open("core/exchange/api.c"))
  local text, found = file:read("*a"), {}
  file:close()
  for method, path in text:gmatch('{"[%w_]+", "[%w_]+", "(%u+)", "([^"]+)", API_CALL') do
    found[#found + 1] = { method = method, path = path }
  end
  return found
end

describe("a budget that is used up", function()
  local WITH_INPUT = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "100000", output = "100000" } } }\n'
  local ASKS = {
    ["/v1/chat/completions"] = { messages = { { role = "user", content = "hi" } }, max_tokens = 1 },
    ["/v1/completions"] = { prompt = "hi", max_tokens = 1 },
    ["/v1/embeddings"] = { input = "hi" },
    ["/v1/messages"] = { messages = { { role = "user", content = "hi" } }, max_tokens = 1 },
    ["/v1/responses"] = { input = "hi", max_output_tokens = 1 },
  }

  it("refuses on every path that calls a model, and nobody is called", function()
    local files = policies { budget = 'return budget { budgets = { { "app", each = "app", limit = 10, per = "month" } } }\n' }
    files["models.lua"] = WITH_INPUT
    local m = mock.start {}
    local g = gateway.start { mock = m, name = "doors", workers = 2, policies = files }
    local r = g:ask { json = body { tokens = 50, script = "usage_tokens=200" } }
    assert.equal(200, r.status, r.body)
    expect.eventually(function() return spent(g, "app=code-assistant") >= 100 * DIMES end, 10, "all of it")
    local since, all = m:mark(), paths()
    assert.is_true(#all >= 3)
    for _, at in ipairs(all) do
      local ask = assert(ASKS[at.path], at.path .. " has no request here")
      for _, stream in ipairs { false, true } do
        ask.model, ask.stream = "dear", stream or nil
        r = g:ask { method = at.method, path = at.path, json = ask }
        assert.equal(402, r.status, at.path .. ": " .. r.body)
        assert.is_truthy(r.body:find("budget_exhausted", 1, true), at.path .. ": " .. r.body)
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
