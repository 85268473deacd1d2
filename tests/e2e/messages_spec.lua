-- Anthropic's Messages API as clients of it speak it, to an account that speaks it: bytes both ways, errors, denials,
-- budgets, masks, counts of tokens, lists of models; and what is said where nothing of that dialect could answer.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "brief", "ratelimit", "budget", "routing" }\n',
  ["brief.lua"] = [[
return policy { on_request = function(ctx)
  local most = tonumber(ctx.request.headers["x-brief"] or "")
  if most then ctx.request:set("max_tokens", most, "be brief") end
end }
]],
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key" } } }\n',
  ["apps.lua"] = 'return apps { ["bot"] = { department = "engineering", owner = "tests" }, ' ..
    '["poor"] = { department = "engineering", owner = "tests" }, ["slow"] = { department = "engineering", owner = "tests" }, ' ..
    '["plain"] = { department = "engineering", owner = "tests" } }\n',
  -- A token of output costs a dime.
  ["models.lua"] = [[
return models {
  auto   = { virtual = true },
  free   = { targets = { "claude/free", "claude2/again" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  dear   = { targets = { "claude/dear" }, context = 200000, counts_as = "gpt-4o", price = usd_per_million { input = "0", output = "100000" } },
  gpt    = { targets = { "openai/gpt" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  both   = { targets = { "openai/gpt-both", "claude/both" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  closed = { targets = { "claude/closed" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["access.lua"] = [[
return access { models = { closed = { departments = { "sales" }, data = "restricted" } }, default = "allow" }
]],
  ["ratelimit.lua"] = 'return ratelimit { limits = { { "slow", requests = 2, per = "1h", burst = 2, when = { app = "slow" } }, ' ..
    '{ "tokens", tokens = 100000, per = "1h", when = { app = "slow" } } } }\n',
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = 4, per = "month" } }, ' ..
    'default = { each = "app", limit = 1000, per = "month" }, stream = { slice = 16, on_exhausted = "cut" } }\n',
  ["routing.lua"] = 'return routing { choose_for = { "auto" }, rules = { { "all", route = { "openai/gpt", "claude/free" } } } }\n',
}

local MASKS = [[
return redaction { detect = { "email", "credit_card" }, request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }
]]

local m, g, masking, keys

setup(function()
  m = mock.start { recordings = true, key = gateway.PROVIDER_KEY }
  local function account() return { kind = "anthropic", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"') } end
  g = gateway.start { mock = m, name = "messages", policies = POLICIES, key = { app = "plain" },
    config = { providers = { claude = account(), claude2 = account() } } }
  keys = { plain = g.key }
  local files = { ["redaction.lua"] = MASKS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "redaction", "routing" }\n'
  masking = gateway.start { mock = m, name = "messages-masks", policies = files, key = { app = "bot" },
    config = { providers = { claude = account(), claude2 = account() } } }
  keys.bot = masking.key
  for _, app in ipairs { "poor", "slow" } do keys[app] = g:new_key { app = app } end
  expect.eventually(function() return g:ask({ path = "/v1/models", key = keys.slow, method = "GET" }).status == 200 end)
end)
teardown(function()
  if masking then masking:stop() end
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

-- As Anthropic's clients ask. of: app, path, json, headers
local function ask(of)
  local headers = { { "x-api-key", keys[of.app or "plain"] }, { "anthropic-version", "2023-06-01" } }
  for _, header in ipairs(of.headers or {}) do headers[#headers + 1] = header end
  return (of.app == "bot" and masking or g):ask { path = of.path or "/v1/messages", json = of.json, key = false, headers = headers, method = of.method }
end

local function message(of)
  of.model, of.max_tokens = of.model or "free", of.max_tokens or 100
  of.messages = of.messages or { { role = "user", content = of.text or "hi" } }
  of.text = nil
  return of
end

local function error_of(r)
  local body = cjson.decode(r.body)
  assert.equal("error", body.type)
  return body.error, body
end

-- Events as { name, data }; all text of the deltas.
local function read_stream(body)
  local events, text = {}, {}
  for name, data in body:gmatch("event: ([^\n]+)\ndata: ([^\n]*)\n\n") do
    local event = cjson.decode(data)
    events[#events + 1] = { name = name, data = event }
    if event.delta and event.delta.text then text[#text + 1] = event.delta.text end
    if event.delta and event.delta.partial_json then text[#text + 1] = event.delta.partial_json end
  end
  return events, table.concat(text)
end

describe("a request", function()
  it("arrives as it was sent, with the account's key and the client's betas", function()
    local body = '{ "model":"free", "max_tokens":10,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],\n' ..
      '"messages" : [{"role":"user","content":[{"type":"text","text":"\\u00fc"},{"type":"of_next_year","x":[1.0]}]},' ..
      '{"role":"system","content":"now"}], "thinking":{"type":"enabled","budget_tokens":1024},"x_new":{"a":[]} }'
    local since = m:mark()
    local r = ask { path = "/v1/messages?beta=true", json = body,
      headers = { { "anthropic-beta", "a-1,b-2" }, { "authorization", "Bearer sk-not-this" } } }
    assert.equal(401, r.status) -- the first header that has a credential counts, and that one is nobody's
    r = ask { path = "/v1/messages?x=1&beta=true&key=secret", json = body, headers = { { "anthropic-beta", "a-1,b-2" } } }
    assert.equal(200, r.status, r.body)
    local request = m:request(since)
    expect.equal_bytes(body, request.body)
    assert.equal("/v1/messages?beta=true", request.path)
    assert.equal(gateway.PROVIDER_KEY, m:header(request, "x-api-key"))
    assert.is_nil(m:header(request, "authorization"))
    assert.equal("a-1,b-2", m:header(request, "anthropic-beta"))
    assert.equal("2023-06-01", m:header(request, "anthropic-version"))
  end)

  it("names the target's model, and a version where the client says none", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/messages", json = message { model = "free" }, key = keys.plain }
    assert.equal(200, r.status, r.body)
    local request = m:request(since)
    assert.equal("free", cjson.decode(request.body).model)
    assert.equal("2023-06-01", m:header(request, "anthropic-version"))
    assert.equal("claude/free", g:record(r.id).target)
  end)

  it("has one id, which its library reads", function()
    local r = ask { json = message {} }
    assert.equal(r:get("x-moongate-request-id"), r:get("request-id"))
    assert.is_nil(r:get("x-moongate-provider-request-id") == r:get("request-id") or nil)
  end)

  it("is recorded as a chat of its dialect, with usage and cost", function()
    local r = ask { json = message { model = "dear", text = "one two three", max_tokens = 2 } }
    assert.equal(200, r.status, r.body)
    local record = g:record(r.id)
    assert.equal("chat", record.api)
    assert.equal("anthropic", record.dialect)
    assert.equal("max_tokens", record.upstream.finish_reason)
    assert.equal(3, record.usage.input_tokens)
    assert.equal(2, record.usage.output_tokens)
    assert.equal(2 * 1e8, record.cost.nano_usd)
  end)
end)

describe("answers of the provider", function()
  if not mock.has_recordings() then return end
  local file = assert(io.open(mock.recordings .. "/manifest.json"))
  local list = cjson.decode(file:read("*a")).recordings
  file:close()
  for _, recording in ipairs(list) do
    if recording.api == "anthropic.messages" and recording.status ~= 401 then
      it("reach the client byte for byte: " .. recording.id, function()
        local bytes = assert(io.open(mock.recordings .. "/" .. recording.response_file, "rb"))
        local want = bytes:read("*a")
        bytes:close()
        m:script { replay = recording.id, split = 333 }
        local r = ask { json = message { stream = recording.stream } }
        assert.equal(recording.status, r.status)
        expect.equal_bytes(want, r.body)
        if recording.status ~= 200 then return end
        local record, e = g:record(r.id), recording.expected
        if e.error or record.usage == cjson.null or cjson.encode(recording.features):find("instream_error", 1, true) then return end
        local function n(value) return type(value) == "number" and value or 0 end
        assert.equal("ok", record.outcome)
        assert.equal(n(e.input_tokens), n(record.usage.input_tokens))
        assert.equal(n(e.cache_read_input_tokens), n(record.usage.cached_tokens))
        assert.equal(n(e.cache_creation_input_tokens), n(record.usage.cache_write_tokens))
        assert.equal(n(e.output_tokens), n(record.usage.output_tokens))
      end)
    end
  end

  it("are another account's where the first fails, and keep the provider's own error where none is left", function()
    m:script { { status = 529, error_type = "overloaded_error" } }
    local r = ask { json = message {} }
    assert.equal(200, r.status, r.body)
    assert.equal("claude2/again", g:record(r.id).target)
    m:script { { status = 529, error_type = "overloaded_error", count = 2 } }
    r = ask { json = message {} }
    assert.equal(529, r.status)
    assert.equal("overloaded_error", error_of(r).type)
    m:script { { status = 400, error_type = "invalid_request_error", error_message = "no such block" } }
    r = ask { json = message {} }
    assert.equal(400, r.status)
    assert.equal("no such block", error_of(r).message)
  end)

  it("that break off end with an error event of this API", function()
    m:script { cut = "fin", cut_event = 5, tokens = 20 }
    local r = ask { json = message { stream = true } }
    local events = read_stream(r.body)
    assert.equal("error", events[#events].name)
    assert.equal("api_error", events[#events].data.error.type)
    assert.equal("upstream_closed", events[#events].data.error.code)
    assert.equal("stream_incomplete", g:record(r.id).outcome)
  end)

  it("may be made shorter by a policy, and think no longer than that", function()
    local function brief(most)
      local since = m:mark()
      local r = ask { json = message { max_tokens = 9000, thinking = { type = "enabled", budget_tokens = 8000 } },
        headers = { { "x-brief", most } } }
      assert.equal(200, r.status, r.body)
      return cjson.decode(m:request(since).body).thinking, r:get("x-moongate-max-tokens")
    end
    local thinking, told = brief("8500")
    assert.same({ 8000, "8500; lowered by brief: be brief" }, { thinking.budget_tokens, told })
    thinking, told = brief("3000")
    assert.same({ 1500, "3000; lowered by brief: be brief; thinking.budget_tokens 1500" }, { thinking.budget_tokens, told })
    thinking, told = brief("1000")
    assert.is_nil(thinking)
    assert.equal("1000; lowered by brief: be brief; thinking taken out", told)
  end)

  it("say in their record what they were charged for without a price", function()
    m:script { { body = [[{"type":"message","id":"msg_1","model":"free","role":"assistant","content":[{"type":"text","text":"hi"}],
      "stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2,"service_tier":"standard","speed":"fast",
      "server_tool_use":{"web_search_requests":2,"web_fetch_requests":1}}}]] } }
    local r = ask { json = message {} }
    assert.equal(200, r.status, r.body)
    local record = g:record(r.id)
    assert.equal(2, record.billed.searches)
    assert.same({ "searches" }, record.cost.parts_unpriced)
    assert.is_true(record.cost.tier_unpriced)
  end)

  it("without message_stop are no whole ones", function()
    m:script { done = 0 }
    local r = ask { json = message { stream = true } }
    local events = read_stream(r.body)
    assert.equal("message_delta", events[#events - 1].name)
    assert.equal("stream_incomplete", events[#events].data.error.code)
  end)
end)

describe("the gateway's own refusals", function()
  it("have this API's form: bad bodies, strangers, denials", function()
    local r = ask { json = '{"model":"free","messages":[]}' }
    assert.equal(400, r.status)
    local error, body = error_of(r)
    assert.same({ "invalid_request_error", '"max_tokens" is missing', r.id }, { error.type, error.message, body.request_id })
    r = g:ask { path = "/v1/messages", json = message {}, key = "sk-nobody" }
    assert.equal(401, r.status)
    assert.equal("authentication_error", error_of(r).type)
    r = ask { json = message { model = "closed" } }
    assert.equal(403, r.status)
    assert.equal("false", r:get("x-should-retry"))
    assert.same({ "permission_error", "access" }, { error_of(r).type, error_of(r).policy })
    r = ask { json = message { model = "none-of-ours" } }
    assert.equal(404, r.status)
    assert.equal("not_found_error", error_of(r).type)
    r = ask { path = "/v1/nothing-here", json = "{}" }
    assert.equal(404, r.status)
    assert.equal("not_found_error", error_of(r).type)
    r = ask { path = "/v1/messages/batches", json = "{}" }
    assert.equal(400, r.status)
    assert.truthy(error_of(r).message:find("POST /v1/messages", 1, true))
  end)

  it("tell what a model of another dialect needs, where that is not translated, before anybody is called", function()
    local since = m:mark()
    for path, input in pairs { ["/v1/completions"] = "prompt", ["/v1/embeddings"] = "input" } do
      local r = g:ask { path = path, json = { model = "free", [input] = "hi" } }
      assert.equal(400, r.status, r.body)
      local error = gateway.error_of(r)
      assert.equal("dialect_mismatch", error.code)
      assert.truthy(error.message:find('free is served by accounts of kind "anthropic"', 1, true), error.message)
    end
    assert.equal(0, #m:requests(since))
    local out, code = g:command("explain", "--as", "app=plain", "--model", "free", "--api", "embeddings")
    if code == 2 then out = g:command("explain", "--as", "app=plain", "--model", "both") end
    assert.truthy(out:find("kind", 1, true), out)
  end)

  it("pass over targets that cannot be asked for it where there are others", function()
    local r = g:ask { path = "/v1/completions", json = { model = "auto", prompt = "hi" } }
    assert.equal(200, r.status, r.body)
    assert.equal("openai/gpt", g:record(r.id).target)
  end)
end)

describe("budgets and limits", function()
  it("hold, cut a stream in this API's events, and refuse what is left", function()
    m:script { tokens = 100, delay_ms = 2 }
    local r = ask { app = "poor", json = message { model = "dear", max_tokens = 100, stream = true } }
    assert.equal(200, r.status, r.body)
    local events = read_stream(r.body)
    assert.equal("error", events[#events].name)
    assert.equal("budget_cut", events[#events].data.error.code)
    assert.equal("billing_error", events[#events].data.error.type)
    local record = g:record(r.id)
    assert.truthy(record.outcome == "denied" or record.outcome == "stream_incomplete", record.outcome)
    r = ask { app = "poor", json = message { model = "dear", max_tokens = 40 } }
    assert.same({ 402, "billing_error" }, { r.status, error_of(r).type })
    assert.equal("false", r:get("x-should-retry"))
  end)

  it("are told in this API's headers", function()
    local r = ask { app = "slow", json = message {} }
    assert.equal(200, r.status, r.body)
    assert.equal("2", r:get("anthropic-ratelimit-requests-limit"))
    assert.truthy(r:get("anthropic-ratelimit-requests-reset"):find("^%d+%-%d+%-%d+T%d+:%d+:%d+Z$"))
    assert.equal("100000", r:get("anthropic-ratelimit-tokens-limit"))
    assert.is_nil(r:get("x-ratelimit-limit-requests"))
  end)
end)

describe("counting tokens", function()
  local function count(of)
    of.path, of.json = "/v1/messages/count_tokens", of.json or { model = "free", messages = { { role = "user", content = "one two" } } }
    return ask(of)
  end

  it("is passed on, recorded, and costs nothing", function()
    local since = m:mark()
    local r = count { json = { model = "dear", messages = { { role = "user", content = "one two" } } } }
    assert.equal(200, r.status, r.body)
    assert.equal(2, cjson.decode(r.body).input_tokens)
    assert.equal("/v1/messages/count_tokens", m:request(since).path)
    local record = g:record(r.id)
    assert.equal("count_tokens", record.api)
    assert.equal(cjson.null, record.usage)
    assert.equal(0, record.cost.nano_usd)
    assert.equal("ok", record.outcome)
  end)

  it("is let through where a budget is used up, and refused where requests are", function()
    assert.equal(200, count({ app = "poor" }).status)
    local r
    for _ = 1, 3 do r = count { app = "slow" } end
    assert.equal(429, r.status)
    assert.same({ "rate_limit_error", "false" }, { error_of(r).type, r:get("x-should-retry") }) -- it is long to wait
  end)

  it("masks what it sends, and is the gateway's own where an account cannot", function()
    local since = m:mark()
    assert.equal(200, count({ app = "bot", json = { model = "free", messages = { { role = "user", content = "to ana@example.org" } } } }).status)
    assert.truthy(m:request(since).body:find("[email]", 1, true))
    since = m:mark()
    local r = count { json = { model = "gpt", messages = { { role = "user", content = "one two three" } } } }
    assert.equal(200, r.status, r.body)
    local tokens = cjson.decode(r.body).input_tokens
    assert.equal(0, #m:requests(since))
    local record = g:record(r.id)
    assert.equal("ok", record.outcome)
    assert.equal(tokens, record.estimate.input_tokens)
    assert.is_true(tokens >= 3 and tokens < 30)
  end)
end)

describe("masks", function()
  it("stand in what leaves, in every block, and the client gets its own values back", function()
    local since = m:mark()
    local r = ask { app = "bot", json = { model = "free", max_tokens = 100, system = "for ana@example.org", messages = {
      { role = "assistant", content = { { type = "tool_use", id = "t", name = "f", input = { id = "bo@example.org" } } } },
      { role = "user", content = { { type = "tool_result", tool_use_id = "t", content = { { type = "text", text = "cy@example.org" } } },
        { type = "text", text = "echo write to [email] and [email_2]" } } } } } }
    assert.equal(200, r.status, r.body)
    local sent = m:request(since).body
    assert.is_nil(sent:find("@example.org", 1, true), sent)
    assert.truthy(sent:find('"echo write to', 1, true))
  end)

  it("stand in all of what tools are given, its names and numbers too, and come back", function()
    local since = m:mark()
    local r = ask { app = "bot", json = message { messages = {
      { role = "assistant", content = { { type = "tool_use", id = "t", name = "f", input = { ["ana@example.org"] = { 4222222222222 } } } } },
      { role = "user", content = { { type = "tool_result", tool_use_id = "t", content = "ok" }, { type = "text", text = "go on" } } } } } }
    assert.same({ ["[email]"] = { "[credit_card]" } }, cjson.decode(m:request(since).body).messages[1].content[1].input)
    assert.same({ email = 1, credit_card = 1 }, masking:record(r.id).redaction.request)
    m:script { text = "[credit_card] is of ana", tool = "send" }
    r = ask { app = "bot", json = message { messages = {
      { role = "assistant", content = { { type = "tool_use", id = "t", name = "f", input = { card = 4222222222222 } } } },
      { role = "user", content = { { type = "tool_result", tool_use_id = "t", content = "ok" } } } } } }
    assert.same({ words = "4222222222222 is of ana" }, cjson.decode(r.body).content[1].input)
  end)

  it("stand in answers, whole and streamed, in text and in what tools are asked", function()
    local r = ask { app = "bot", json = message { text = "echo write to dan@example.org now" } }
    assert.equal("write to dan@example.org now", cjson.decode(r.body).content[1].text) -- the caller's own comes back
    m:script { text = "ask eve@example.org or eve@example.org please" }
    r = ask { app = "bot", json = message {} }
    assert.equal("ask [email] or [email] please", cjson.decode(r.body).content[1].text)
    for _, tool in ipairs { false, "send" } do
      m:script { text = "ask eve@example.org or eve@example.org", tool = tool or nil }
      r = ask { app = "bot", json = message { stream = true } }
      local events, text = read_stream(r.body)
      assert.is_nil(text:find("eve@", 1, true), text)
      assert.equal(tool and '{"words":"ask [email] or [email]"}' or "ask [email] or [email]", text)
      assert.equal("message_stop", events[#events].name)
    end
    m:script { text = "ask eve@example.org", tool = "send" }
    r = ask { app = "bot", json = message {} }
    assert.same({ words = "ask [email]" }, cjson.decode(r.body).content[1].input)
  end)
end)

describe("models", function()
  it("are listed in the form of whoever asks, those of other dialects too", function()
    local body = cjson.decode(ask({ path = "/v1/models", method = "GET" }).body)
    local ids = {}
    for _, model in ipairs(body.data) do
      assert.equal("model", model.type)
      ids[model.id] = model.created_at
    end
    assert.truthy(ids.free and ids.free:find("^%d+%-%d+%-%d+T"))
    assert.is_nil(ids.closed)
    assert.truthy(ids.gpt)
    assert.is_false(body.has_more)
    local one = cjson.decode(ask({ path = "/v1/models/free", method = "GET" }).body)
    assert.same({ "free", "model" }, { one.id, one.type })
    local other = cjson.decode(g:ask({ path = "/v1/models", method = "GET" }).body)
    assert.equal("list", other.object)
    local others = {}
    for _, model in ipairs(other.data) do others[model.id] = true end
    assert.truthy(others.free and others.gpt)
  end)
end)

describe("a client that goes", function()
  it("ends the provider's work, and is billed for what was written", function()
    m:script { tokens = 400, delay_ms = 20 }
    local since = m:mark()
    local c = client.connect(g.port)
    c:send(client.request { path = "/v1/messages", key = keys.plain, json = message { stream = true, max_tokens = 400 } })
    local head = c:head()
    assert.equal(200, head.status)
    for _ = 1, 5 do c:event() end
    c:reset()
    assert.equal("client_abort", m:ended(m:request(since)).how)
    local record = g:record(head:get("x-moongate-request-id"))
    assert.equal("client_closed", record.outcome)
    assert.truthy(record.usage.output_tokens > 0)
  end)
end)

describe("a decision about a message", function()
  it("is taken again from its record, and explained", function()
    local r = ask { json = message { model = "closed" } }
    g:record(r.id)
    local allowed = ask { json = message {} }
    g:record(allowed.id)
    local out, code = g:command("replay", "--since", "1h")
    assert.equal(0, code, out)
    out = g:command("explain", r.id)
    assert.truthy(out:find("✕ access", 1, true), out)
    out = g:command("explain", allowed.id)
    assert.truthy(out:find("route claude/free", 1, true), out)
  end)
end)
