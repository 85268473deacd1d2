-- Each call to a provider owns what it used and cost: one that was paid for and then given up for the next target is not
-- lost, and what the record, the metrics and on_done say is the sum.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local signal = require("posix.signal")

-- A held stream is not committed to before its end, so that it can still be given up with all its numbers in.
local policies = {
  ["init.lua"] = 'return chain { "auth", "held" }\n',
  ["models.lua"] = [[
return models {
  pair   = { targets = { "openai/first", { "anthropic/second", price = usd_per_million { input = "1", output = "3" } } },
    context = 128000, counts_as = "gpt-4o", price = usd_per_million { input = "2", output = "10" } },
  single = { targets = { "openai/single" }, context = 128000, counts_as = "gpt-4o",
    price = usd_per_million { input = "2", output = "10" } },
  ["*"]  = { price = free },
}
]],
  ["apps.lua"] = 'return apps { ["tests"] = { department = "engineering", owner = "tests" } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" }, require = { "app", "department" } }\n',
  ["held.lua"] = [[
return policy {
  buffer = true,
  on_attempt = function(ctx, target)
    local first = ctx.route.attempts[1]
    if first and ctx.request.headers["x-one-only"] then return deny(403, "one_only", "one attempt is enough") end
  end,
  on_response = function(ctx) ctx:annotate("read", ctx.response.text) end,
  on_done = function(ctx)
    local u = ctx.usage
    ctx:annotate("used", ("%d in, %d out, %s USD"):format(u.input_tokens, u.output_tokens, tostring(u.cost_usd)))
  end,
}
]],
}

local NANO = 1000000000
local m, g

setup(function() m = mock.start() end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function()
  m:reset()
  if not g then g = gateway.start { mock = m, name = "attempts", policies = policies, key = { app = "tests" } } end
end)

local function body(model, script)
  return ('{"model":"%s","stream":true,"metadata":{"mock":"%s"},"messages":[{"role":"user","content":"hi"}]}'):format(
    model, script or "")
end

-- The first target's stream ends by the script, the second one answers with `tokens`.
local function ask_pair(script, tokens, headers)
  script.match = '"model":"first"'
  m:script { script, { match = '"model":"second"', tokens = tokens } }
  return g:ask { json = body("pair"), headers = headers }
end

describe("an attempt that was given up", function()
  it("after its provider had reported its numbers is billed by them, at its own price", function()
    local r = ask_pair({ tokens = 8, cut = "rst", cut_event = 11 }, 5) -- role, 8 tokens, finish, usage; no [DONE]
    assert.equal(200, r.status)
    local record = g:record(r.id)
    local one, two = record.attempts[1], record.attempts[2]
    assert.same({ "openai/first", "upstream_closed" }, { one.target, one.error })
    assert.same({ 8, 8, 5, 5 },
      { one.usage.output_tokens, one.billed.output, two.usage.output_tokens, two.billed.output })
    assert.equal(one.billed.input * 2000 + 8 * 10000, one.cost.nano_usd)
    assert.equal(two.billed.input * 1000 + 5 * 3000, two.cost.nano_usd)
    assert.are_not.equal(one.cost.price, two.cost.price)
    assert.equal(one.cost.nano_usd + two.cost.nano_usd, record.cost.nano_usd)
    assert.is_nil(record.cost.price) -- of two prices none is the sum's
    assert.same({ 13, 13, 2 }, { record.usage.output_tokens, record.billed.output, record.billed.requests })
    assert.equal(("%d in, 13 out, %s USD"):format(record.billed.input, tostring(record.cost.nano_usd / NANO)),
      record.annotations.used)
    assert.equal("anthropic/second", record.target)
  end)

  it("leaves its events out of the answer's", function()
    local r = ask_pair({ text = "word word word word", cut = "rst", cut_event = 5 }, 3)
    assert.equal(200, r.status)
    assert.equal(#client.events(r.body), g:record(r.id).events)
  end)

  it("in the middle is billed by count", function()
    local counted = g:metrics():value("moongate_tokens_total", { direction = "output" }) or 0
    local r = ask_pair({ text = "word word word word", cut = "rst", cut_event = 5 }, 3)
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.equal(4, record.attempts[1].billed.output)
    assert.is_true(record.attempts[1].billed.estimated)
    assert.is_nil(record.attempts[1].usage)
    assert.equal(7, record.billed.output)
    assert.is_true(record.billed.estimated)
    assert.equal(counted + 7, g:metrics():value("moongate_tokens_total", { direction = "output" }))
  end)

  it("is billed although the next one was refused by a policy", function()
    local r = ask_pair({ tokens = 8, cut = "rst", cut_event = 11 }, 5, { { "X-One-Only", "1" } })
    assert.equal(403, r.status)
    local record = g:record(r.id)
    assert.equal("denied", record.attempts[2].error)
    assert.is_nil(record.target)
    assert.equal(8, record.billed.output)
    assert.equal(record.attempts[1].cost.nano_usd, record.cost.nano_usd)
    assert.equal(0, record.events)
  end)

  -- Where its body says numbers: nobody waits for that body. The last attempt's is read, and is billed by them.
  it("with an error of the provider's costs nothing, whatever its body says", function()
    local said = '{"error":{"message":"busy"},"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}}'
    local r = ask_pair({ status = 503, body = said }, 5)
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.equal(503, record.attempts[1].status)
    assert.is_nil(record.attempts[1].billed)
    assert.equal(5, record.billed.output)
    m:script { match = '"model":"single"', status = 503, body = said }
    assert.same({ 100, 50 }, (function(b) return { b.input, b.output } end)(g:record(g:ask { json = body("single") }.id).billed))
  end)

  it("with an error of the provider's costs nothing", function()
    local r = ask_pair({ status = 503 }, 5)
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.equal(503, record.attempts[1].status)
    assert.is_nil(record.attempts[1].billed)
    assert.same({ 5, 1 }, { record.billed.output, record.billed.requests })
    assert.equal(record.attempts[2].cost.price, record.cost.price)
  end)
end)

describe("a call that the gateway's own drain breaks off", function()
  it("while the provider is at work is charged its input", function()
    if g then g:stop() end
    g = nil
    local drained = gateway.start { mock = m, name = "attempts-drain", policies = policies, key = { app = "tests" },
      config = { drain = { grace = "300ms" } } }
    local since = m:mark()
    local c = client.connect(drained.port)
    c:send(client.request { key = drained.key, json = body("single", "hold=1") })
    m:request(since)
    drained:signal(signal.SIGTERM)
    assert.equal(503, c:head().status)
    assert.equal("exited", (drained.process:wait(10)))
    local record = drained:records()[1]
    assert.equal("drained", record.outcome)
    assert.equal(record.estimate.input_tokens, record.billed.input)
    assert.is_true(record.estimate.input_tokens > 0)
    assert.equal(record.estimate.input_tokens * 2000, record.cost.nano_usd)
    drained:stop()
  end)
end)

-- The body is let go with the answer's first byte, and what it asked for is needed to its end.
describe("the tier of service that a stream asks for", function()
  it("is what it is billed at, whatever became of its body", function()
    if g then g:stop() end
    local tiers = {}
    for name, text in pairs(policies) do tiers[name] = text end
    tiers["init.lua"] = 'return chain { "auth" }\n'
    tiers["models.lua"] = [[
return models {
  tiered = { targets = { "openai/tiered" }, context = 1000000, counts_as = "gpt-4o",
    price = usd_per_million { input = "2", output = "10", priority = { input = "4", output = "20" } } } }
]]
    g = gateway.start { mock = m, name = "attempts-tier", policies = tiers, key = { app = "tests" } }
    for _, words in ipairs { 1, 100, 100000 } do
      local json = cjson.encode { model = "tiered", stream = true, service_tier = "priority", max_tokens = 6,
        messages = { { role = "user", content = ("word "):rep(words) } } }
      local r = g:ask { json = json }
      assert.equal(200, r.status)
      local record = g:record(r.id)
      assert.equal(record.billed.input * 4000 + record.billed.output * 20000, record.cost.nano_usd)
      assert.is_nil(record.cost.tier_unpriced)
    end
  end)
end)
