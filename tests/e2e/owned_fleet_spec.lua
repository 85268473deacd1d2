-- Objects that a provider keeps, in a fleet: made at one gateway they are known at the others the moment the answer has
-- ended, by its Redis; where that is away nobody's is let pass, and what the gateway made itself is known still.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access" }\n',
  ["auth.lua"] = "return auth {}\n",
  ["access.lua"] = 'return access { default = "allow" }\n',
  ["apps.lua"] = 'return apps { writer = { department = "engineering", owner = "tests" }, reader = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = 'return models { m = { targets = { "openai/m", "openai2/m" }, context = 200000, price = usd_per_million { input = "0", output = "0" } } }\n',
}

local f, readers

setup(function()
  f = fleet.start { gateways = 2, workers = 2, name = "owned-fleet", policies = POLICIES, key = { app = "writer" } }
  readers = {}
  for i, g in ipairs(f) do
    readers[i] = g:new_key { app = "reader" }
    expect.eventually(function() return g:ask({ path = "/v1/models", key = readers[i], method = "GET" }).status == 200 end)
  end
end)
teardown(function() f:stop() end)
before_each(function() f.mock:reset() end)

local made = 0
local function ask(g, of, key)
  of.model, of.input = "m", "hi"
  return g:ask { path = "/v1/responses", json = of, key = key }
end

local function make(g, of)
  made = made + 1
  local id = ("resp_fleet%d_%d"):format(made, math.random(0, 2 ^ 31 - 1))
  local response = { id = id, object = "response", status = "completed", model = "m", output = cjson.empty_array,
    usage = { input_tokens = 1, output_tokens = 1, total_tokens = 2 } }
  if of and of.stream then
    f.mock:script { content_type = "text/event-stream", body = ("event: %s\ndata: %s\n\n"):rep(2):format(
      "response.created", cjson.encode { type = "response.created", response = { id = id, object = "response", output = cjson.empty_array } },
      "response.completed", cjson.encode { type = "response.completed", response = response }) }
  else
    f.mock:script { body = cjson.encode(response) }
  end
  local r = ask(g, of or {})
  assert.equal(200, r.status, r.body)
  return id
end

local function status(g, id, key) return ask(g, { previous_response_id = id }, key).status end

describe("a response of one gateway", function()
  it("is gone on with at the other at once, by its app alone", function()
    for i = 1, 30 do
      local id = make(f[1], i % 2 == 0 and { stream = true } or nil)
      assert.equal(200, status(f[2], id), id)
      assert.equal(400, status(f[2], id, readers[2]))
    end
  end)

  it("is deleted for both", function()
    local id = make(f[1])
    f.mock:script { body = cjson.encode { id = id, deleted = true } }
    assert.equal(200, f[2]:ask({ method = "DELETE", path = "/v1/responses/" .. id }).status)
    expect.eventually(function() return f.redis:ask("KEYS", "mg1:o:*") ~= nil end)
    assert.equal(404, f[2]:ask({ method = "GET", path = "/v1/responses/" .. id }).status)
  end)

  it("stands in Redis under no name that says what it is, until it is over", function()
    local id = make(f[1])
    local keys = f.redis:ask("KEYS", "mg1:o:*")
    assert.falsy(keys:find(id, 1, true))
    local key = keys:match("mg1:o:%x+")
    local ttl = tonumber(f.redis:ask("TTL", key))
    assert.truthy(ttl and ttl > 29 * 86400 and ttl <= 30 * 86400, tostring(ttl))
  end)
end)

describe("without its Redis", function()
  it("a gateway knows what it made, and lets nothing else pass", function()
    local own, others = make(f[1]), make(f[2])
    f.redis:stop_answering()
    local since = f.mock:mark()
    assert.equal(200, status(f[1], own))
    local r = ask(f[1], { previous_response_id = others })
    assert.same({ 503, "objects_unavailable" }, { r.status, gateway.error_of(r).code }, r.body)
    assert.equal("1", r:get("retry-after"))
    assert.equal(1, #f.mock:requests(since))
    f.redis:answer()
    f:connected()
    expect.eventually(function() return status(f[1], others) == 200 end)
  end)

  it("what is made meanwhile is told when it is back", function()
    f.redis:stop_answering()
    local id = make(f[1])
    assert.equal(200, status(f[1], id))
    f.redis:answer()
    f:connected()
    expect.eventually(function() return status(f[2], id) == 200 end, 20)
  end)

  it("that has forgotten all, a gateway's own ledger knows", function()
    local id = make(f[1])
    f.redis:ask("FLUSHALL")
    assert.equal(400, status(f[2], id))
    assert.equal(200, status(f[1], id))
  end)
end)

describe("where nobody waits for records", function()
  it("the other gateway knows all the same before the answer has ended", function()
    local other = fleet.start { gateways = 2, workers = 2, name = "owned-async", policies = POLICIES, key = { app = "writer" },
      config = { ledger = { durability = "async" } } }
    f, other = other, f
    for i = 1, 20 do
      local id = make(f[1], i % 2 == 0 and { stream = true } or nil)
      assert.equal(200, status(f[2], id), id)
    end
    f, other = other, f
    other:stop()
  end)
end)
