-- A gateway's session in the Redis that its fleet shares: that it is there, what is told in it, and what Redis may do.
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local redis = require("tests.e2e.kit.redis")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "budget" }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["models.lua"] = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "0", output = "100000" } } }\n',
  ["budget.lua"] = 'return budget { budgets = { { "app", each = "app", limit = 1000, per = "month" } } }\n',
}

local function health(g) return client.ask(g.admin_port, { path = "/readyz?verbose" }).body end

local function shared(g)
  expect.eventually(function() return health(g):find("[+]redis ok: 1 gateways count together", 1, true) end, 30,
    "a session in Redis")
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
