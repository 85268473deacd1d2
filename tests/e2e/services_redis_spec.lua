-- What policies keep in the fleet's Redis, at real gateways with a real one: shared by all of them, apart from the
-- counters of limits and budgets, and a word when it is out of reach.
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local redis = require("tests.e2e.kit.redis")

local MODELS = [[return models { one = { targets = { "openai/one" }, price = usd_per_million { input = 1, output = 2 } } }]]
local HOOK = [[return policy { on_request = function(ctx)
  local tries, err = redis.incr("tries", "1h")
  local name = err and err or redis.get "name" or "nobody"
  ctx:annotate("said", (tries or "none") .. " " .. name)
  redis.set("name", "ana", "1h")
end }]]

local m, db, all

local function start()
  return gateway.start { mock = m, name = "services-redis", workers = 2, config = { redis = { url = db.url } },
    policies = { ["models.lua"] = MODELS, ["init.lua"] = "return chain { 'x' }", ["x.lua"] = HOOK } }
end

setup(function()
  m, db = mock.start(), redis.start()
  all = { start(), start() }
end)
teardown(function()
  gateway.stop_all()
  m:stop()
  db:stop()
end)

local function ask(g)
  local r = g:chat { model = "one", messages = { { role = "user", content = "Hello" } } }
  assert.equal(200, r.status, r.body)
  return (g:record(r.id).annotations or {}).said
end

describe("redis in policies", function()
  it("is one for all gateways and their workers", function()
    assert.equal("1 nobody", ask(all[1]))
    assert.equal("2 ana", ask(all[2]))
    crowd.run(function(crew)
      for i = 1, 40 do
        crew.add(function() all[i % 2 + 1]:chat { model = "one", messages = { { role = "user", content = "Hello" } } } end)
      end
    end, 30)
    assert.equal("42", db:ask("GET", "mgp:tries"))
    assert.is_true(tonumber(db:ask("TTL", "mgp:tries")) > 3000)
    assert.equal('["ana"]', db:ask("GET", "mgp:name"))
  end)

  it("says a word when Redis is silent or gone, and is there again when it is", function()
    db:stop_answering()
    assert.equal("none timeout", ask(all[1]))
    db:answer()
    expect.eventually(function() return ask(all[1]):find("^%d+ ana") end, 20, "Redis that answers again")
    db:kill()
    expect.eventually(function() return ask(all[1]) == "none refused" end, 20, "Redis that is gone")
    db:run()
    expect.eventually(function() return ask(all[1]):find("^%d") end, 20, "Redis that is there again")
  end)
end)
