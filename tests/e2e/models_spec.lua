-- GET /v1/models and /v1/models/{id}: what this key may use, and nothing of the rest.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g, sales

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "models" }
  sales = g:new_key { app = "sales-copilot" }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function list(key)
  local r = g:ask { path = "/v1/models", key = key }
  assert.equal(200, r.status)
  local body, names = cjson.decode(r.body), {}
  assert.equal("list", body.object)
  for _, model in ipairs(body.data) do
    assert.equal("model", model.object)
    assert.is_number(model.created)
    assert.is_string(model.owned_by)
    assert.is_nil(names[model.id], "twice: " .. model.id)
    names[model.id] = true
  end
  return names
end

local function one(id, key)
  return g:ask { path = "/v1/models/" .. id, key = key }
end

describe("the list", function()
  it("has what the key may use", function()
    local engineering, of_sales = list(), list(sales)
    assert.is_true(engineering["gpt-4o"])
    assert.is_true(engineering["gpt-4o-mini"])
    assert.is_nil(engineering["claude-3-opus"])
    assert.is_true(of_sales["gpt-4o-mini"])
    assert.is_nil(of_sales["gpt-4o"])
    assert.is_true(of_sales["llama-3.1-70b"])
  end)

  it("is sorted, answered without a provider, and recorded", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/models" }
    local last = ""
    for _, model in ipairs(cjson.decode(r.body).data) do
      assert.is_true(last < model.id)
      last = model.id
    end
    assert.same({}, m:log(since))
    local record = g:record(r.id)
    assert.equal("models", record.api)
    assert.equal("ok", record.outcome)
  end)

  it("agrees with what a request is allowed", function()
    for name in pairs(list(sales)) do
      local r = g:ask { key = sales, json = { model = name, messages = { { role = "user", content = "hi" } } } }
      assert.equal(200, r.status, name)
    end
  end)

  it("needs a key", function()
    for _, key in ipairs { false, "mg_wrong" } do
      local r = client.ask(g.port, { path = "/v1/models", key = key or nil })
      assert.equal(401, r.status)
      assert.equal("invalid_api_key", gateway.error_of(r).code)
    end
  end)
end)

describe("one model", function()
  it("is described when the key may use it", function()
    local r = one("gpt-4o")
    assert.equal(200, r.status)
    assert.equal("gpt-4o", cjson.decode(r.body).id)
    assert.equal("ok", g:record(r.id).outcome)
  end)

  it("is found by its snapshot and its alias, and by an escaped name", function()
    for _, id in ipairs { "gpt-4o-2024-08-06", "llama", "gpt%2D4o" } do assert.equal(200, one(id).status, id) end
  end)

  it("is unknown when it is not there, or not for this key, and the two look alike", function()
    for _, ask in ipairs { { "gpt-4o", sales }, { "no-such-model" }, { "gpt-4o%00" }, { "../../v1/models" } } do
      local r = one(ask[1], ask[2])
      assert.equal(404, r.status, ask[1])
    end
    local hidden, absent = gateway.error_of(one("gpt-4o", sales)), gateway.error_of(one("gpt-9z", sales))
    assert.equal("model_not_found", hidden.code)
    assert.equal(absent.code, hidden.code)
    assert.equal(absent.type, hidden.type)
  end)

  it("needs a key", function()
    assert.equal(401, client.ask(g.port, { path = "/v1/models/gpt-4o" }).status)
  end)
end)

describe("what auto costs", function()
  it("stands in the metrics under the model that was called", function()
    local r = g:chat { model = "auto", messages = { { role = "user", content = "hi" } } }
    assert.equal(200, r.status)
    local record = g:record(r.id)
    local called = record.target:match("/(.*)$")
    local metrics = g:metrics()
    assert.is_true(record.cost.nano_usd > 0)
    assert.equal(record.cost.nano_usd, math.floor(metrics:value("moongate_cost_usd_total", { model = called }) * 1e9 + 0.5))
    assert.equal(0, metrics:value("moongate_cost_usd_total", { model = "auto" }))
    assert.is_true(metrics:value("moongate_tokens_total", { model = called }) > 0)
    assert.equal(0, metrics:value("moongate_tokens_total", { model = "auto" }))
  end)
end)
