-- A gateway's session in the Redis that its fleet shares: that it is there, what is told in it, and what Redis may do.
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local hooks = require("tests.e2e.kit.hooks")
local mock = require("tests.e2e.kit.mock")
local redis = require("tests.e2e.kit.redis")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "budget" }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["models.lua"] = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "0", output = "100000" } } }\n',
  ["budget.lua"] = 'return budget { budgets = { { "app", each = "app", limit = 1000, per = "month" } }, on_store_loss = "open" }\n',
}

local function health(g) return client.ask(g.admin_port, { path = "/readyz?verbose" }).body end

local function shared(g, count)
  local line = ("[+]redis ok: %d gateways count together"):format(count or 1)
  expect.eventually(function() return health(g):find(line, 1, true) end, 30, line)
end

-- What Redis has for a budget's sums, in all periods.
local function told(db)
  local sum = 0
  for key in (db:ask("KEYS", "mg1:{p0}:B:*") or ""):gmatch("%S+") do
    local fields = {}
    for line in (db:ask("HGETALL", key) .. "\n"):gmatch("([^\n]*)\n") do fields[#fields + 1] = line end
    for i = 1, #fields, 2 do
      if fields[i]:sub(1, 1) == "s" then sum = sum + tonumber(fields[i + 1]) end
    end
  end
  return sum
end

describe("a gateway with a Redis", function()
  it("tells it what its requests cost, and all of it again when Redis was emptied or was away", function()
    local db, m = redis.start(), mock.start {}
    local g = gateway.start { mock = m, name = "session", workers = 2, policies = POLICIES,
      config = { redis = { url = db.url } } }
    local function spend()
      local r = g:chat { model = "dear", max_tokens = 10, messages = { { role = "user", content = "hi" } } }
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
    expect.eventually(function() return health(g):find("[!]redis: ", 1, true) end, 30, "told that Redis is away")
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

describe("a fleet", function()
  it("gives a notice out once, whichever of its gateways crosses the threshold", function()
    local db, m, hook = redis.start(), mock.start {}, hooks.start()
    local files = {}
    for name, text in pairs(POLICIES) do files[name] = text end
    files["budget.lua"] = [[return budget { budgets = { { "app", each = "app", limit = 10, per = "month" } },
      thresholds = { { at = "80%", notify = { "ops" } } } }]]
    local function start(name)
      return gateway.start { mock = m, name = name, policies = files,
        config = { redis = { url = db.url }, ledger = { gateway = name },
          notify = { ops = { kind = "webhook", url = hook.url, secret = "whsec-0123456789" } } } }
    end
    local function spend(g, tokens)
      local r = g:chat { model = "dear", max_tokens = tokens, messages = { { role = "user", content = "hi" } } }
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
