-- What limits leave a caller, in the headers of every answer that was counted: the gateway's own, as bytes on the wire.
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g
local OURS = { "limit-requests", "remaining-requests", "reset-requests", "limit-tokens", "remaining-tokens", "reset-tokens" }

local POLICIES = {
  ["models.lua"] = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "0", output = "100000" } } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["ratelimit.lua"] = [[return ratelimit { limits = {
    { "hourly", by = "app", requests = 60, per = "1h", burst = 4, when = { department = isnt "free" } },
    { "daily", by = "app", requests = 1000, per = "1d", burst = 500, when = { department = isnt "free" } },
    { "tokens", by = "app", tokens = 36000, per = "1h", burst = 1000, when = { department = "tokens" } },
    { "seen", by = "app", requests = 1, per = "1d", mode = "observe" },
    { "at-once", by = "app", concurrent = 50 } } }
]],
  ["init.lua"] = 'return chain { "auth", "ratelimit" }\n',
}

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "rates", policies = POLICIES, config = { cors = { origins = { "https://page.example" } } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function body(of)
  return { model = "dear", max_tokens = of.tokens or 5, stream = of.stream, messages = { { role = "user", content = of.say or "hi" } },
    metadata = of.script and { mock = of.script } or nil }
end

local function values(r, units)
  local list = {}
  for _, name in ipairs(OURS) do
    if name:find(units or "") then list[#list + 1] = r:get("x-ratelimit-" .. name) or "none" end
  end
  return list
end

-- "3m50s" → 230
local function seconds(text)
  local h, min, s = tonumber(text:match("(%d+)h")) or 0, tonumber(text:match("(%d+)m%d")) or 0, tonumber(text:match("(%d+)s$"))
  return assert(s, text) + 60 * min + 3600 * h
end

describe("the headers of an answer", function()
  it("say the tightest limit, count down, and are exact when it refuses", function()
    local key = g:new_key { app = "code-assistant", department = "one" }
    for left = 3, 0, -1 do
      local r = g:ask { key = key, json = body { stream = left % 2 == 0 } }
      assert.equal(200, r.status, r.body)
      assert.equal("60", r:get("x-ratelimit-limit-requests"))
      assert.equal(tostring(left), r:get("x-ratelimit-remaining-requests"))
      assert.is_near((4 - left) * 60, seconds(r:get("x-ratelimit-reset-requests")), 30)
      assert.same({ "none", "none", "none" }, values(r, "tokens"))
      local _, count = r.raw:gsub("x%-ratelimit%-remaining%-requests: %d+\r\n", "")
      assert.equal(1, count, r.raw)
    end
    local r = g:ask { key = key, json = body {} }
    assert.equal(429, r.status)
    assert.equal("0", r:get("x-ratelimit-remaining-requests"))
    assert.equal("60", r:get("x-ratelimit-limit-requests"))
    local after = tonumber(r:get("retry-after"))
    assert.is_true(after > 0 and after <= 60, r:get("retry-after"))
    assert.equal(r:get("retry-after") .. "000", r:get("retry-after-ms"))
  end)

  it("tell tokens where they are limited, what does not fit too", function()
    local key = g:new_key { app = "tokens", department = "tokens" }
    local r = g:ask { key = key, json = body { tokens = 40 } }
    assert.equal(200, r.status, r.body)
    assert.equal("36000", r:get("x-ratelimit-limit-tokens"))
    local left = tonumber(r:get("x-ratelimit-remaining-tokens"))
    assert.is_true(left > 900 and left <= 960, tostring(left))
    assert.is_truthy(seconds(r:get("x-ratelimit-reset-tokens")) >= 1)
    r = g:ask { key = key, json = body { tokens = 1500 } }
    assert.equal(429, r.status, r.body)
    assert.equal("36000", r:get("x-ratelimit-limit-tokens"))
    assert.is_true(tonumber(r:get("x-ratelimit-remaining-tokens")) < 1500)
  end)

  it("are there when the provider fails, and keep the provider's apart", function()
    local key = g:new_key { app = "support-bot", department = "two" }
    for _, script in ipairs { "status=429&retry_after=7", "status=500", "" } do
      local r = g:ask { key = key, json = body { script = script } }
      assert.equal(({ ["status=429&retry_after=7"] = 429, ["status=500"] = 500, [""] = 200 })[script], r.status, r.body)
      assert.equal("60", r:get("x-ratelimit-limit-requests"), script)
      assert.same({ "none", "none", "none" }, values(r, "tokens"))
      assert.equal("10000", r:get("x-moongate-provider-ratelimit-limit-requests"), script)
      assert.equal("2000000", r:get("x-moongate-provider-ratelimit-limit-tokens"), script)
      assert.falsy(r.raw:find("\nx-ratelimit-limit-requests: 10000", 1, true))
    end
  end)

  it("are the provider's own where no limit was counted", function()
    local key = g:new_key { app = "batch", department = "free" }
    local r = g:ask { key = key, json = body {} }
    assert.equal("10000", r:get("x-ratelimit-limit-requests"), r.body)
    assert.is_nil(r:get("x-moongate-provider-ratelimit-limit-requests"))
  end)

  it("are nobody's for who is not counted: strangers, and requests that are none", function()
    assert.same({ "none", "none", "none", "none", "none", "none" }, values(g:ask { key = "mgk_nobody", json = body {} }))
    assert.same({ "none", "none", "none", "none", "none", "none" }, values(g:ask { json = "{" }))
  end)

  it("may be read by pages", function()
    local r = g:ask { key = g:new_key { app = "page", department = "three" }, json = body {}, headers = { { "Origin", "https://page.example" } } }
    assert.equal(200, r.status, r.body)
    for _, name in ipairs(OURS) do
      assert.truthy(r:get("access-control-expose-headers"):find("x-ratelimit-" .. name, 1, true), name)
    end
  end)

  it("are sent with the head of a stream, before it ends", function()
    local key = g:new_key { app = "search", department = "four" }
    m:script { count = 1, cut = "stall", cut_event = 1 }
    local c = client.connect(g.port)
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = key, json = body { stream = true } })
    local head = c:head()
    assert.equal("3", head:get("x-ratelimit-remaining-requests"))
    c:close()
  end)
end)
