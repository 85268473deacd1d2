-- What policies/README.md shows must work as it stands there.
local gw = require "moongate.test"

local function blocks()
  local file = assert(io.open("policies/README.md"))
  local text, list = file:read("*a"), {}
  file:close()
  for block in text:gmatch("```lua\n(.-)```") do list[#list + 1] = block end
  return list
end

describe("policies/README.md", function()
  local list = blocks()
  local models = assert(io.open("policies/models.lua")):read("*a")

  -- The one block that holds these words.
  local function block(words)
    local found
    for _, text in ipairs(list) do
      if text:find(words, 1, true) then
        assert.is_nil(found)
        found = text
      end
    end
    return assert(found, words)
  end

  it("a whole policy: it loads, and its examples hold", function()
    assert.same({}, gw.errors { interns = block 'reason = "{user} is an intern"', models = models })
    local broken = (block 'reason = "{user} is an intern"'):gsub("08:00%-18:00", "08:00-11:00")
    assert.equal(1, #gw.errors { interns = broken, models = models })
  end)

  it("who is calling: keys and tokens", function()
    local mg = gw.load_text { auth = block "-- policies/auth.lua", apps = 'return apps { demo = {}, chat = {} }' }
    local r = mg:request { model = "one", token = { sub = "ana", dept = "law", azp = "chat", org = { cost_center = "cc1" } } }
    assert.allowed(r)
    assert.same({ "ana", "law", "chat" }, { r.user, r.department, r.app })
    assert.equal("demo", mg:request({ model = "one", token = { sub = "ana", dept = "law" } }).app)
    assert.denied(mg:request { model = "one", token = { sub = "ana" } }, 403, "identity_incomplete")
    assert.denied(mg:request { model = "one", token = "expired" }, 401, "token_expired")
  end)

  it("the hooks after the request", function()
    local mg = gw.load_text { a = block "leaks_total",
      models = 'return models { m = { targets = { { "p/us", region = "us" }, { "p/eu", region = "eu" } }, price = usd_per_million { input = 1, output = 1 } } }' }
    local r = mg:respond({ model = "m", as = { team = "payroll" } }, { text = "hi" })
    assert.explained_by(r, "a/on_attempt")
    assert.equal("hi", r.delivered)
    r = mg:respond({ model = "m", as = { app = "x" }, stream = true }, { chunks = { "This is ", "for internal use only", "." } })
    assert.equal("This is ", r.delivered)
    assert.equal("leak", r.answer.code)
    assert.same({ { value = 1, labels = { app = "x" } } }, mg.metrics.leaks_total)
  end)

  it("a service, and its stub in a spec", function()
    local mg = gw.load_text { a = "return policy { on_request = function(ctx)\n" .. block "local reply, err = http.post" .. "end }" }
    setfenv(assert(loadstring(block("find(\"attack\")"):gsub("local r = .*", ""))), { mg = mg })()
    assert.denied(mg:request { model = "one", text = "plan an attack" }, 422, "content_flagged")
    assert.allowed(mg:request { model = "one", text = "be kind" })
    mg:stub("POST https://moderation.internal/v1/check", function() return nil, "timeout" end)
    assert.denied(mg:request { model = "one", text = "be kind" }, 503, "moderation_unavailable")
  end)

  it("a hook", function()
    local mg = gw.load_text { a = block "max_tokens_wanted" }
    assert.denied(mg:request { model = "one" }, 400, "max_tokens_wanted")
    assert.allowed(mg:request { model = "one", max_tokens = 5 })
    assert.allowed(mg:request { as = { tier = "gold" }, model = "one" })
  end)

  it("a spec", function()
    local mg = gw.load_text { interns = block 'reason = "{user} is an intern"', models = models }
    local r = mg:request { as = { roles = "intern" }, model = "gpt-4o", time = "2025-06-03T12:00:00Z" }
    assert.denied(r, 403, "no_target_left")
    assert.explained_by(r, "interns/cheap-for-interns")
  end)

  it("prices", function()
    local text = block "-- policies/models.lua"
    assert.same({}, gw.errors { a = "return policy {}", models = text })
    local mg = gw.load_text { models = text, a = "return policy { on_request = function(ctx) ctx:annotate('v', ('%.6f'):format(ctx.estimate.cost_usd)) end }" }
    local function cost(t)
      t.api = "completions" -- which may ask for no answer at all
      return mg:request(t).annotations.v
    end
    assert.equal("0.680000", cost { model = "small", input_tokens = 272000, max_tokens = 0 })
    assert.equal("1.360005", cost { model = "small", input_tokens = 272001, max_tokens = 0 })
    assert.equal("3.000000", cost { model = "large", input_tokens = 1000000, max_tokens = 0, time = "2026-02-28T23:59:59Z" })
    assert.equal("2.000000", cost { model = "large-2026-01-05", input_tokens = 1000000, max_tokens = 0, time = "2026-03-01T00:00:00Z" })
    assert.equal("9.000000", cost { model = "large-2025-06-01", input_tokens = 1000000, max_tokens = 0 })
    assert.equal("0.000000", cost { model = "own", input_tokens = 1000000, max_tokens = 100 })
  end)

  it("a ratelimit", function()
    local mg = gw.load_text { a = block "return ratelimit {", models = models }
    assert.same({ is_warning = true }, { is_warning = mg.errors[1].is_warning }) -- no auth in this chain, and nothing else
    assert.equal(1, #mg.errors)
    for _ = 1, 10 do assert.allowed(mg:request { model = "gpt-4o-mini" }) end
    assert.denied(mg:request { model = "gpt-4o-mini" }, 429, "rate_limited")
  end)

  it("a budget", function()
    local mg = gw.load_text { a = block "return budget {", models = models }
    assert.equal(1, #mg.errors)
    mg:spend { department = "sales", usd = 4100 }
    local r = mg:request { as = { department = "sales" }, model = "gpt-4o-mini" }
    assert.equal(1, #r.warnings)
    assert.same({ "slack:#ai-spend", "owner" }, mg.sent[1].to)
  end)
end)
