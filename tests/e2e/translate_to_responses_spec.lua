-- Clients of other APIs and models that answer in OpenAI's Responses API alone: what reaches the provider, what is told as
-- left out, what is held for it; what was thought comes back; who else is tried.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

-- A token written costs ten cents of "dear", so that sixteen are more than the poor have.
local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "budget", "routing" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key" } } }\n',
  ["apps.lua"] = 'return apps { ["bot"] = { department = "engineering", owner = "tests" }, ' ..
    '["poor"] = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = [[
local price = usd_per_million { input = "1", output = "1" }
return models {
  codex  = { targets = { "openai/gpt-5-codex" }, context = 200000, price = price },
  pro    = { targets = { "azure/our-pro" }, counts_as = "gpt-5-pro", context = 200000, price = price },
  newest = { targets = { "openai/gpt-5.6-sol" }, context = 200000, price = price },
  gpt    = { targets = { "openai/gpt-4.1" }, context = 200000, price = price },
  house  = { targets = { "house/gpt-4.1-house" }, context = 200000, price = price },
  strict = { targets = { "openai/o1-pro" }, context = 200000, on_dropped = "refuse", price = price },
  dear   = { targets = { "house/dear" }, context = 200000, price = usd_per_million { input = "0", output = "100000" } },
  tiers  = { targets = { "house/tiers" }, context = 200000,
    price = usd_per_million { input = "0", output = "1", flex = { input = "0", output = "0.5" }, priority = { input = "0", output = "100000" } } },
  either = { targets = { "openai/gpt-5.2-codex", "anthropic/claude-sonnet-4-5" }, context = 200000, price = price },
}
]],
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = 1, per = "month" } }, ' ..
    'default = { each = "app", limit = 1000, per = "month" } }\n',
  ["routing.lua"] = "return routing { rules = {} }\n",
}

local m, g, poor

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local function account(kind, url, version)
    return { kind = kind, url = url or m.url, api_version = version, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false }
  end
  g = gateway.start { mock = m, name = "to-responses", policies = POLICIES, key = { app = "bot" }, config = { providers = {
    openai = account("openai"), house = account("openai_responses"), anthropic = account("anthropic"),
    azure = account("azure", (m.url:gsub("/v1$", "")), "2025-04-01-preview") } } }
  poor = g:new_key { app = "poor" }
  expect.eventually(function() return g:ask({ path = "/v1/models", key = poor, method = "GET" }).status == 200 end)
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function user(text) return { { role = "user", content = text } } end
local function chat(json, key) return g:ask { path = "/v1/chat/completions", json = json, key = key or g.key } end
local function messages(json, key)
  return g:ask { path = "/v1/messages", json = json, key = false,
    headers = { { "x-api-key", key or g.key }, { "anthropic-version", "2023-06-01" } } }
end
local function contents(model, json)
  return g:ask { path = ("/v1beta/models/%s:generateContent"):format(model), json = json, key = false, headers = { { "x-goog-api-key", g.key } } }
end
local function sent(since) return cjson.decode(m:request(since).body) end

local function answer(output, tier)
  m:script { count = 1, content_type = "application/json", body = cjson.encode { id = "resp_1", object = "response", status = "completed",
    model = "gpt-5-codex", service_tier = tier, output = output, usage = { input_tokens = 3, output_tokens = 4, total_tokens = 7,
      input_tokens_details = { cached_tokens = 0 }, output_tokens_details = { reasoning_tokens = 0 } } } }
end

describe("a model that answers in the Responses API alone", function()
  it("is asked in it by clients of all others, and nothing is kept there", function()
    local wanted = { model = "gpt-5-codex", instructions = "s", input = user("echo good day"), max_output_tokens = 50, store = false,
      include = { "reasoning.encrypted_content" } }
    local asks = {
      { r = chat { model = "codex", max_tokens = 50, messages = { { role = "system", content = "s" }, { role = "user", content = "echo good day" } } },
        text = function(body) return body.choices[1].message.content end },
      { r = messages { model = "codex", max_tokens = 50, system = "s", messages = user("echo good day") },
        text = function(body) return body.content[1].text end },
      { r = contents("codex", { systemInstruction = { parts = { { text = "s" } } }, contents = { { parts = { { text = "echo good day" } } } },
          generationConfig = { maxOutputTokens = 50 } }),
        text = function(body) return body.candidates[1].content.parts[1].text end },
    }
    for i, ask in ipairs(asks) do
      assert.equal(200, ask.r.status, ask.r.body)
      assert.equal("good day", ask.text(cjson.decode(ask.r.body)))
      assert.is_nil(ask.r:get("x-moongate-dropped"))
      local request = m:request(0, i)
      assert.equal("/v1/responses", request.path)
      assert.same(wanted, cjson.decode(request.body))
      assert.equal("Bearer " .. gateway.PROVIDER_KEY, m:header(request, "authorization"))
      local record = g:record(ask.r.id)
      assert.same({ "openai/gpt-5-codex", "responses", 2 }, { record.target, record.attempts[1].dialect, record.usage.output_tokens })
    end
  end)

  it("is asked so at Azure, too, and by its own clients byte for byte", function()
    local since = m:mark()
    assert.equal(200, chat({ model = "pro", messages = user("echo hi") }).status)
    assert.equal("/openai/responses?api-version=2025-04-01-preview", m:request(since).path)
    assert.equal("our-pro", sent(since).model)
    since = m:mark()
    local r = g:ask { path = "/v1/responses", json = { model = "codex", input = "echo hi", max_output_tokens = 50 }, key = g.key }
    assert.same({ 200, { model = "gpt-5-codex", input = "echo hi", max_output_tokens = 50 } }, { r.status, sent(since) })
    assert.is_nil(g:record(r.id).attempts[1].dialect)
  end)

  it("is asked in it by others' clients alone, where chats have it without tools", function()
    local tools = { { name = "look", input_schema = { type = "object" } } }
    assert.equal(200, messages({ model = "newest", max_tokens = 50, messages = user("echo hi"), tools = tools }).status)
    local since = m:mark()
    assert.equal("/v1/responses", m:request(0).path)
    assert.equal(200, chat({ model = "newest", max_completion_tokens = 50, messages = user("echo hi") }).status)
    assert.equal("/v1/chat/completions", m:request(since).path)
  end)

  it("leaves other models of the account to chats", function()
    local since = m:mark()
    assert.equal(200, messages({ model = "gpt", max_tokens = 50, messages = user("echo hi") }).status)
    assert.equal("/v1/chat/completions", m:request(since).path)
  end)

  it("names what that API has no words for, or refuses it where its row wants that", function()
    local json = { model = "codex", stop = { "END" }, seed = 7, max_tokens = 5, messages = user("echo hi") }
    local r = chat(json)
    assert.same({ 200, "max_tokens, seed, stop" }, { r.status, r:get("x-moongate-dropped") })
    assert.equal("max_tokens, seed, stop", g:record(r.id).attempts[1].dropped)
    assert.equal(16, sent(0).max_output_tokens)
    json.model = "strict"
    r = chat(json)
    assert.equal(400, r.status)
    assert.truthy(r.body:find("unsupported_parameter", 1, true), r.body)
  end)

  it("streams, and calls tools", function()
    local tools = { { name = "look", input_schema = { type = "object", properties = { words = { type = "string" } } } } }
    local r = messages { model = "codex", max_tokens = 50, stream = true, messages = user("call look"), tools = tools }
    assert.equal(200, r.status, r.body)
    assert.truthy(r.body:find('"type":"tool_use"', 1, true), r.body)
    assert.truthy(r.body:find('"stop_reason":"tool_use"', 1, true), r.body)
    assert.is_true(sent(0).stream)
    assert.same({ type = "function", name = "look", parameters = tools[1].input_schema, strict = false }, sent(0).tools[1])
  end)

  it("is given back what it thought, by who cannot read it", function()
    answer { { type = "reasoning", id = "rs_1", summary = { { type = "summary_text", text = "hm" } }, encrypted_content = "gAAA" },
      { type = "reasoning", id = "rs_2", summary = {}, encrypted_content = "gBBB" },
      { type = "function_call", id = "fc_1", call_id = "call_1", name = "look", arguments = "{}", status = "completed" } }
    local tools = { { name = "look", input_schema = { type = "object" } } }
    local r = messages { model = "codex", max_tokens = 50, messages = user("u"), tools = tools }
    local said = cjson.decode(r.body).content
    assert.same({ "thinking", "redacted_thinking", "tool_use" }, { said[1].type, said[2].type, said[3].type }, r.body)
    local history = { { role = "user", content = "u" }, { role = "assistant", content = said },
      { role = "user", content = { { type = "tool_result", tool_use_id = said[3].id, content = "rain" } } } }
    local since = m:mark()
    r = messages { model = "codex", max_tokens = 50, messages = history, tools = tools }
    assert.equal(200, r.status, r.body)
    assert.is_nil(r:get("x-moongate-dropped"))
    assert.same({ { role = "user", content = "u" },
      { type = "reasoning", id = "rs_1", summary = { { type = "summary_text", text = "hm" } }, encrypted_content = "gAAA" },
      { type = "reasoning", id = "rs_2", summary = {}, encrypted_content = "gBBB" },
      { type = "function_call", call_id = "call_1", name = "look", arguments = "{}" },
      { type = "function_call_output", call_id = "call_1", output = "rain" } }, sent(since).input)
  end)

  it("gives way to another, whose provider is told nothing of what it thought", function()
    local said = { role = "assistant", content = "a", reasoning_details = { { type = "reasoning.encrypted", data = "openai.rs_2.gBBB" } } }
    m:script { count = 1, status = 503 }
    local r = chat { model = "either", max_tokens = 50, messages = { { role = "user", content = "u" }, said, { role = "user", content = "echo hi" } } }
    assert.equal(200, r.status, r.body)
    assert.truthy(m:request(0, 1).body:find('"encrypted_content":"gBBB"', 1, true))
    assert.equal("/v1/messages", m:request(0, 2).path)
    assert.is_nil(m:request(0, 2).body:find("gBBB", 1, true))
    assert.equal("messages[1].reasoning_content", r:get("x-moongate-dropped"))
  end)
end)

describe("an account that speaks it alone", function()
  it("is asked in it about every model, and not for what that model does not do", function()
    local r = chat { model = "house", temperature = 0.5, max_tokens = 50, messages = user("echo hi") }
    assert.equal(200, r.status, r.body)
    assert.same({ model = "gpt-4.1-house", input = user("echo hi"), temperature = 0.5, max_output_tokens = 50, store = false }, sent(0))
  end)

  it("has no embeddings", function()
    local r = g:ask { path = "/v1/embeddings", json = { model = "house", input = "a" }, key = g.key }
    assert.equal(400, r.status)
    assert.truthy(r.body:find("dialect_mismatch", 1, true), r.body)
    assert.equal(0, #m:requests(0))
  end)
end)

describe("money is held", function()
  it("for sixteen tokens where fewer cannot be asked for", function()
    local r = chat({ model = "dear", max_tokens = 1, messages = user("hi") }, poor)
    assert.equal(402, r.status, r.body)
    assert.equal(0, #m:requests(0))
  end)

  it("at the tier that its provider is told", function()
    answer({ { type = "message", role = "assistant", content = { { type = "output_text", text = "hi" } } } }, "flex")
    local r = chat { model = "tiers", service_tier = "flex", max_tokens = 50, messages = user("hi") }
    assert.equal(200, r.status, r.body)
    assert.equal("flex", sent(0).service_tier)
    assert.equal(4 * 500, g:record(r.id).cost.nano_usd)
    local since = m:mark()
    r = chat({ model = "tiers", service_tier = "priority", max_tokens = 50, messages = user("hi") }, poor)
    assert.equal(402, r.status, r.body)
    assert.equal(0, #m:requests(since))
  end)
end)
