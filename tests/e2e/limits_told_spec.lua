-- `moongate budgets` and `moongate limits` beside a gateway: what they say is what it refuses by.
local cjson = require("cjson")
local signal = require("posix.signal")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

-- A token of output costs a dime, and input nothing.
local POLICIES = {
  ["models.lua"] = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "0", output = "100000" } } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["ratelimit.lua"] = [[return ratelimit { limits = {
    { "minutely", by = "app", requests = 600, per = "1m", burst = 100 },
    { "hourly", by = { "app", "user" }, requests = 60, per = "1h", burst = 6 },
    { "seen", by = "app", requests = 1, per = "1d", mode = "observe" },
    { "tokens", by = "department", tokens = 360000, per = "1h" },
    { "at-once", by = "app", concurrent = 5 } } }
]],
  ["budget.lua"] = [[return budget {
  budgets = {
    { "sales", department = "sales", limit = 10, per = "year" },
    { "each-app", each = "app", limit = 100, per = "month" },
  },
  default = { each = "department", limit = 1, per = "month" },
  zone = "Europe/Berlin",
}
]],
  ["init.lua"] = 'return chain { "auth", "ratelimit", "budget" }\n',
}

local m, g
setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "told", policies = POLICIES, workers = 2 }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function ask(key, tokens)
  return g:ask { key = key, json = { model = "dear", max_tokens = tokens, messages = { { role = "user", content = "hi" } },
    metadata = { mock = "usage_tokens=" .. tokens } } }
end

-- With its exit code: 1 says that something is used up, or would be refused.
local function told(...)
  local words = { ... }
  words[#words + 1] = "--json"
  local out, code = g:command(unpack(words))
  local ok, said = pcall(cjson.decode, out)
  assert.is_true(ok, out)
  return said, code
end

local function budget(name, scope)
  local said, code = told("budgets")
  for _, one in ipairs(said.budgets) do
    if one.budget == name and one.scope == scope then return one, code, said end
  end
  return { is_missing = true }, code, said
end

local function limit(said, rule)
  for _, one in ipairs(said.limits) do
    if one.rule == rule then return one end
  end
  error("no limit " .. rule)
end

local function limits(tokens, app)
  local who = app and { app, "support", "bo" } or { "crm", "sales", "ana" }
  return told("limits", "--app", who[1], "--department", who[2], "--user", who[3], "--model", "dear", "--max-tokens", tokens or "1")
end

describe("moongate budgets and limits", function()
  local key, other

  it("name what applies before anything was asked for, in order, with its line", function()
    key = g:new_key { app = "crm", department = "sales", user = "ana" }
    local said, code = limits()
    assert.equal(0, code)
    assert.equal("gateway", said.counted_by)
    local rules = {}
    for i, one in ipairs(said.limits) do rules[i] = one.rule end
    assert.same({ "minutely", "hourly", "seen", "tokens", "at-once", "sales", "each-app" }, rules)
    local hourly = limit(said, "hourly")
    assert.equal("policies/ratelimit.lua:3", hourly.at)
    assert.equal("app crm, user ana", hourly.scope)
    assert.equal("60 requests an hour, 6 at once", hourly.allows)
    assert.equal(6, hourly.left)
    assert.is_true(hourly.binds)
    assert.is_false(limit(said, "minutely").binds)
    assert.is_true(limit(said, "seen").observed)
    assert.equal("$10 this year", limit(said, "sales").allows)
    assert.equal(10, limit(said, "sales").left_usd)
    assert.is_true(limit(said, "sales").binds)
    local none, budgets_code, all = budget("each-app", "each app")
    assert.equal(0, none.spent_usd)
    assert.equal(0, budgets_code)
    assert.equal("Europe/Berlin", all.timezone)
  end)

  it("say what the headers of the answers say, and what was spent", function()
    local r
    for _ = 1, 3 do
      r = ask(key, 20)
      assert.equal(200, r.status, r.body)
    end
    assert.equal("3", r:get("x-ratelimit-remaining-requests"))
    expect.eventually(function() return budget("sales", "department sales").spent_usd == 6 end, 10, "six dollars")
    local said = limits()
    assert.equal(3, limit(said, "hourly").left)
    assert.equal(60, limit(said, "hourly").limit)
    assert.is_true(limit(said, "hourly").reset_s > 60)
    assert.is_true(limit(said, "minutely").left >= 97)
    assert.equal(5, limit(said, "at-once").left)
    assert.equal(4, limit(said, "sales").left_usd)
    local sales = budget("sales", "department sales")
    assert.equal(60, sales.percent)
    assert.equal("policies/budget.lua:3", sales.at)
    assert.equal(6, budget("each-app", "app crm").spent_usd)
    assert.is_true(budget("default", "department sales").is_missing) -- it has a row of its own
  end)

  it("agree with the gateway on what is refused", function()
    assert.equal(0, select(2, limits("40")))
    local said, code = limits("41")
    assert.equal(1, code)
    assert.equal("sales", said.limits[1].rule) -- what refuses comes first
    assert.is_true(said.limits[1].refuses)
    assert.equal(402, ask(key, 41).status)
    assert.equal(200, ask(key, 40).status)
    expect.eventually(function() return budget("sales", "department sales").is_used_up end, 10, "a budget that is used up")
    local _, budgets_code, all = budget("sales", "department sales")
    assert.equal(1, budgets_code)
    assert.equal("sales", all.budgets[1].budget)
    assert.equal(1, all.used_up)
    assert.equal(402, ask(key, 1).status)
    other = g:new_key { app = "tool", department = "support", user = "bo" }
    assert.equal(200, ask(other, 3).status)
    expect.eventually(function() return budget("default", "department support").percent == 30 end, 10, "the default's")
  end)

  it("refuse by rates too, and as long", function()
    local r
    for _ = 1, 5 do assert.equal(200, ask(other, 1).status) end
    r = ask(other, 1)
    assert.equal(429, r.status, r.body)
    local said, code = limits("1", "tool")
    assert.equal(1, code)
    assert.equal("hourly", said.limits[1].rule)
    assert.is_false(said.limits[2].refuses)
    assert.equal(0, said.limits[1].left)
    assert.equal("default", said.limits[#said.limits].rule)
    assert.equal(0.2, limit(said, "default").left_usd)
  end)

  it("are tables for people, and leave pipes what they need", function()
    local out, code = g:command("budgets")
    assert.equal(1, code)
    assert.truthy(out:find("sales\tdepartment sales\t$10.00\t$10.00\t100 %\t", 1, true), out)
    out = g:command("limits", "--app", "crm", "--department", "sales", "--user", "ana", "--model", "dear")
    assert.truthy(out:find("sales\tdepartment sales\t$10 this year\t$0\t", 1, true), out)
    assert.truthy(out:find("hourly\tapp crm, user ana\t60 requests an hour, 6 at once\t2\t", 1, true), out)
    assert.truthy(out:find("\tratelimit.lua:3\n", 1, true), out)
    assert.truthy(out:find("seen\tapp crm\t1 request a day\t0\t", 1, true), out)
    assert.falsy(out:find("refused all the same", 1, true), out)
  end)

  it("tell what shrinks answers from what refuses, and what is on trial from what is used up", function()
    for name, text in pairs(POLICIES) do g.dir:write("trial/" .. name, text) end
    g.dir:write("trial/budget.lua", [[return budget { zone = "Europe/Berlin", on_low_budget = "shrink",
      budgets = { { "sales", department = "sales", limit = 5, per = "year", mode = "observe" } },
      default = { each = "department", limit = 1, per = "month" } }]])
    local function default(tokens)
      local said, code = told("limits", "--policies", g.dir:path("trial"), "--app", "tool", "--department", "support", "--user", "eve", "--model",
        "dear", "--max-tokens", tokens)
      assert.equal(0, code)
      return limit(said, "default")
    end
    local long, short = default("5"), default("2") -- two dimes are left
    assert.same({ true, false, false, false }, { long.shrinks, long.refuses, short.shrinks, short.refuses })
    local said, code = told("budgets", "--policies", g.dir:path("trial"))
    assert.same({ "sales", true, "observe" }, { said.budgets[1].budget, said.budgets[1].is_used_up, said.budgets[1].mode })
    assert.same({ 0, 0 }, { code, said.used_up })
  end)

  it("tell what narrows the models of a request from what refuses it", function()
    for name, text in pairs(POLICIES) do g.dir:write("narrow/" .. name, text) end
    g.dir:write("narrow/models.lua", [[return models {
      dear = { targets = { "openai/dear", { "openai/cheap", price = usd_per_million { input = "0", output = "1000" } } },
        context = 128000, price = usd_per_million { input = "0", output = "100000" } } }]])
    g.dir:write("narrow/budget.lua", [[return budget { zone = "Europe/Berlin",
      budgets = { { "sales", department = "sales", limit = 1000, per = "year" } },
      thresholds = { { at = "50%", only = "openai/cheap" }, { at = "100%", deny = { 402, "budget_exhausted" } } },
      default = { each = "department", limit = 1, per = "month" } }]])
    local function default(tokens)
      local said, code = told("limits", "--policies", g.dir:path("narrow"), "--app", "tool", "--department", "support", "--user", "eve", "--model",
        "dear", "--max-tokens", tokens)
      return { limit(said, "default").narrows, limit(said, "default").refuses, code }
    end
    assert.same({ { true, false, 0 }, { false, false, 0 }, { false, true, 1 } }, { default "5", default "2", default "5000" }) -- two dimes are left
  end)

  it("are asked for over the control socket, which takes nothing and refuses what it cannot read", function()
    local function counters(items)
      local c = assert(require("socket.unix")())
      c:settimeout(10)
      assert(c:connect(g.dir:path("data/control.sock")))
      assert(c:send(cjson.encode { cmd = "counters", items = items } .. "\n"))
      local line = assert(c:receive("*l"))
      c:close()
      return cjson.decode(line)
    end
    local item = { kind = "requests", key = "app=asked;1m", limit = 60, window = 60, burst = 1 }
    for _ = 1, 3 do
      local state = counters({ item }).states[1]
      assert.same({ 1, 0, false }, { state.left, state.reset, state.is_over })
    end
    for _, odd in ipairs { { amount = 9e18 }, { limit = -1 }, { limit = 1e300, window = 1e300, burst = 1e300 }, { window = 0 }, { burst = "x" } } do
      for name, value in pairs(item) do if odd[name] == nil then odd[name] = value end end
      assert.is_true(counters({ odd }).ok)
      odd.kind = "money"
      assert.is_true(counters({ odd }).ok)
    end
    for _, bad in ipairs { { key = "k" }, { kind = "apples", key = "k" }, { kind = "requests" }, { kind = "requests", key = 7 } } do
      assert.is_false(counters({ bad }).ok)
    end
    assert.is_false(counters({ 7 }).ok)
    local many = {}
    for i = 1, 129 do many[i] = item end
    assert.is_false(counters(many).ok)
    assert.is_true(counters("none").ok) -- no items
    assert.equal(429, ask(other, 1).status)
  end)

  it("need no ledger where no gateway ever ran", function()
    local fresh = g.dir:path("never")
    local out, code = g:command("init", fresh)
    assert.equal(0, code, out)
    local file = assert(io.open(fresh .. "/policies/budget.lua", "w"))
    file:write('return budget { budgets = { { "all", limit = 2, per = "month" } } }\n')
    file:close()
    local chain = assert(io.open(fresh .. "/policies/init.lua", "w"))
    chain:write('return chain { "budget" }\n')
    chain:close()
    out, code = g:command("budgets", "-c", fresh .. "/moongate.lua", "--json")
    assert.equal(0, code, out)
    assert.equal("everybody", cjson.decode(out).budgets[1].scope)
    out, code = g:command("limits", "--app", "x", "--model", "gpt-4o", "-c", fresh .. "/moongate.lua", "--json")
    assert.equal(0, code, out)
    assert.equal(2, cjson.decode(out).limits[1].left_usd)
  end)

  it("know budgets from the ledger where no gateway runs", function()
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    local said, code = limits()
    assert.equal(1, code)
    assert.equal("ledger", said.counted_by)
    assert.equal(0, limit(said, "sales").left_usd)
    assert.is_true(limit(said, "sales").refuses)
    assert.equal(6, limit(said, "hourly").left)
    assert.is_true(budget("sales", "department sales").is_used_up)
    local registry = g.dir:path("data/registry.db")
    assert(os.rename(registry, registry .. ".kept"))
    g.dir:write("data/registry.db", ("no database "):rep(100))
    local spent = told("budgets")
    said = limits()
    os.remove(registry)
    assert(os.rename(registry .. ".kept", registry))
    for _, one in ipairs { spent, said } do assert.is_truthy(#one.without_topups > 0, cjson.encode(one)) end
    assert.same({ "", "" }, { told("budgets").without_topups, told("budgets").why })
    g:run()
    assert.equal(402, ask(key, 1).status)
    assert.equal(0, limit(limits(), "sales").left_usd)
  end)
end)
