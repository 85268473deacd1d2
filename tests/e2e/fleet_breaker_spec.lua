-- Circuit breakers of a fleet: an account that fails at enough of the gateways is passed over by all of them, which need
-- not find out for themselves; and only by those that have while Redis is out of reach. The mock's journal says who was
-- called.
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")

local LONG = { failures = 3, open = "1h", open_max = "1h" }
local f

setup(function()
  f = fleet.start { gateways = 4, workers = 2, config = { providers = { openai = { breaker = LONG }, ["local"] = { breaker = LONG } } },
    policies = {
      ["init.lua"] = 'return chain { "auth" }\n',
      ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
      ["models.lua"] = [[return models {
        two        = { targets = { "openai/first", "anthropic/second" }, price = free },
        ["first"]  = { targets = { "openai/first" }, price = free },
        ["lonely"] = { targets = { "local/lonely", "anthropic/spare" }, price = free },
      }]] } }
end)
teardown(function() f:stop() end)
before_each(function() f.mock:reset() end)

local function ask(g, model)
  return g:chat { model = model, messages = { { role = "user", content = "hi" } } }
end

local function called(model, since)
  local n = 0
  for _, request in ipairs(f.mock:requests(since)) do
    if request.body:find(('"model":"%s"'):format(model), 1, true) then n = n + 1 end
  end
  return n
end

local function fails(model)
  f.mock:script { status = 503, match = ('"model":"%s"'):format(model), count = 0 }
end

-- Why the account was passed over; nil: it was called.
local function reason(g, model)
  local r = ask(g, model)
  assert.equal(200, r.status, r.body)
  for _, step in ipairs(g:record(r.id).trace) do
    if step.policy == "breaker" and step.verb == "pass_over" then return step.reason end
  end
end

local function trip(g, model)
  for _ = 1, 3 do ask(g, model) end
  assert.truthy(reason(g, model):find("is open for %d+ ms more"))
end

-- Without asking: who asks finds out for himself.
local function becomes(g, account, wanted)
  expect.eventually(function()
    return (g:metrics():value("moongate_breaker_open", { provider = account }) or 0) == wanted
  end, 20, ("at %s: moongate_breaker_open of %s = %d"):format(g.dir.root, account, wanted))
end

local function open_at(account)
  return tonumber(f.redis:ask("HLEN", "mg1:{p0}:CB:" .. account))
end

describe("an account that fails", function()
  it("at two gateways of four is passed over by all, until it answers there", function()
    fails "first"
    trip(f[1], "two")
    trip(f[2], "two")
    becomes(f[3], "openai", 1)
    becomes(f[4], "openai", 1)
    assert.truthy(reason(f[3], "two"):find("as other gateways say", 1, true))
    local since = f.mock:mark()
    for _, g in ipairs(f) do
      for _ = 1, 5 do assert.truthy(reason(g, "two")) end
    end
    assert.equal(0, called("first", since))
    assert.equal(0, f[3]:metrics():value("moongate_breaker_trips_total", { provider = "openai" }) or 0)
    assert.truthy(f[3]:health().body:find("[!]provider account openai: its breaker is open, as other gateways say", 1, true))
    assert.truthy(f[3]:said():find('"breaker_hint"', 1, true))
    assert.equal(503, ask(f[3], "first").status) -- where nothing else is left it is called all the same
    f.mock:reset()
    assert.equal(200, ask(f[1], "first").status)
    for _, g in ipairs { f[1], f[3], f[4] } do becomes(g, "openai", 0) end
    becomes(f[2], "openai", 1)
    assert.equal(200, ask(f[2], "first").status)
    for _, g in ipairs(f) do
      becomes(g, "openai", 0)
      assert.is_nil(reason(g, "two"))
    end
  end)

  it("at one gateway alone is passed over there", function()
    fails "lonely"
    trip(f[1], "lonely")
    expect.eventually(function() return open_at "local" == 1 end, 20, "a word of it in Redis")
    for _, g in ipairs { f[2], f[3], f[4] } do assert.is_nil(reason(g, "lonely")) end
  end)

  it("is passed over by those that have seen it while Redis is out of reach", function()
    fails "first"
    trip(f[1], "two")
    trip(f[2], "two")
    becomes(f[3], "openai", 1)
    f.redis:kill()
    becomes(f[3], "openai", 0)
    assert.is_nil(reason(f[3], "two"))
    assert.truthy(reason(f[1], "two"))
    assert.truthy(reason(f[2], "two"))
  end)
end)
