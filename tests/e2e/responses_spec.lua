-- OpenAI's Responses API as clients of it speak it, to an account that speaks it: bytes both ways, errors, denials,
-- budgets, masks, counts of tokens; what a provider would keep; and that nobody comes by this door who may not come by others.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "ratelimit", "budget", "routing" }\n',
  ["auth.lua"] = "return auth {}\n",
  ["apps.lua"] = 'return apps { ["bot"] = { department = "engineering", owner = "tests" }, ' ..
    '["poor"] = { department = "engineering", owner = "tests" }, ["slow"] = { department = "engineering", owner = "tests" }, ' ..
    '["plain"] = { department = "engineering", owner = "tests" } }\n',
  -- A token of output costs a dime.
  ["models.lua"] = [[
return models {
  auto   = { virtual = true },
  free   = { targets = { "openai/free", "openai2/again" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  dear   = { targets = { "openai/dear" }, context = 200000, counts_as = "gpt-4o", price = usd_per_million { input = "0", output = "100000" } },
  chats  = { targets = { "vllm/chats" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  claude = { targets = { "claude/claude" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  closed = { targets = { "openai/closed" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["access.lua"] = [[
return access { models = { closed = { departments = { "sales" }, data = "restricted" } }, default = "allow", rules = {
  { "no-hosted", when = { uses = "hosted_tools", app = "plain" }, deny = { 403, "hosted_tools" } },
  { "no-secrets", when = { data = "restricted" }, deny = { 403, "restricted" } },
} }
]],
  ["ratelimit.lua"] = 'return ratelimit { limits = { { "slow", requests = 2, per = "1h", burst = 2, when = { app = "slow" } }, ' ..
    '{ "tokens", tokens = 100000, per = "1h", when = { app = "slow" } } } }\n',
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = 4, per = "month" } }, ' ..
    'default = { each = "app", limit = 1000, per = "month" }, stream = { slice = 16, on_exhausted = "cut" } }\n',
  ["routing.lua"] = 'return routing { choose_for = { "auto" }, rules = { { "all", route = { "vllm/chats", "openai/free" } } } }\n',
}

local MASKS = [[
return redaction { detect = { "email", "credit_card" }, request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }
]]

local m, g, masking, keys

setup(function()
  m = mock.start { recordings = true, key = gateway.PROVIDER_KEY }
  local function account(kind) return { kind = kind, url = m.url, key = gateway.raw('env "OPENAI_API_KEY"') } end
  local config = { providers = { openai2 = account "openai", vllm = account "openai_compatible", claude = account "anthropic" } }
  g = gateway.start { mock = m, name = "responses", policies = POLICIES, key = { app = "plain" }, config = config }
  keys = { plain = g.key }
  local files = { ["redaction.lua"] = MASKS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "redaction", "routing" }\n'
  masking = gateway.start { mock = m, name = "responses-masks", policies = files, key = { app = "bot" }, config = config }
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

-- of: app, path, json, headers
local function ask(of)
  return (of.app == "bot" and masking or g):ask { path = of.path or "/v1/responses", json = of.json, key = keys[of.app or "plain"],
    headers = of.headers, method = of.method }
end

local function response(of)
  of.model, of.input = of.model or "free", of.input or "hi"
  return of
end

local function text_of(body)
  local item = cjson.decode(body).output[1]
  return item.arguments or item.content[1].text
end

-- Events as { name, data }; all text of the deltas; what the done events say again.
local function read_stream(body)
  local events, text, again = {}, {}, {}
  for name, data in body:gmatch("event: ([^\n]+)\ndata: ([^\n]*)\n\n") do
    local event = cjson.decode(data)
    events[#events + 1] = { name = name, data = event }
    if type(event.delta) == "string" then text[#text + 1] = event.delta end
    if name:find("text.done", 1, true) or name:find("arguments.done", 1, true) then again[#again + 1] = event.text or event.arguments end
    if name == "response.completed" then again[#again + 1] = text_of(cjson.encode(event.response)) end
  end
  return events, table.concat(text), again
end

describe("a request", function()
  it("arrives as it was sent, with the account's key", function()
    local body = '{ "model":"free", "instructions":"s","input" : [{"role":"user","content":[{"type":"input_text","text":"\\u00fc"},' ..
      '{"type":"of_next_year","x":[1.0]}]},{"type":"of_next_year","content":{"a":[]}},{"type":"reasoning","id":"rs_1","summary":[],' ..
      '"encrypted_content":"AAAA"}],\n"reasoning":{"effort":"low"}, "max_output_tokens":10,"store":true,"x_new":{"a":[]} }'
    local since = m:mark()
    local r = ask { json = body, path = "/v1/responses?key=secret" }
    assert.equal(200, r.status, r.body)
    local request = m:request(since)
    expect.equal_bytes(body, request.body)
    assert.equal("/v1/responses", request.path)
    assert.equal("Bearer " .. gateway.PROVIDER_KEY, m:header(request, "authorization"))
  end)

  it("is recorded as a chat of its dialect, with usage and cost", function()
    local r = ask { json = response { model = "dear", input = "one two three", max_output_tokens = 2 } }
    assert.equal(200, r.status, r.body)
    local record = g:record(r.id)
    assert.equal("chat", record.api)
    assert.equal("responses", record.dialect)
    assert.equal("max_output_tokens", record.upstream.finish_reason)
    assert.equal(3, record.usage.input_tokens)
    assert.equal(2, record.usage.output_tokens)
    assert.equal(2 * 1e8, record.cost.nano_usd)
    assert.equal(r:get("x-moongate-request-id"), r:get("x-request-id"))
  end)

  it("takes hints out of metadata, and leaves the rest", function()
    local since = m:mark()
    assert.equal(200, ask({ json = response { metadata = { moongate = { task = "code" }, a = "b" } } }).status)
    assert.same({ a = "b" }, cjson.decode(m:request(since).body).metadata)
  end)
end)

describe("answers of the provider", function()
  if not mock.has_recordings() then return end
  local file = assert(io.open(mock.recordings .. "/manifest.json"))
  local list = cjson.decode(file:read("*a")).recordings
  file:close()
  for _, recording in ipairs(list) do
    if recording.api == "openai.responses" and recording.status ~= 401 then
      it("reach the client byte for byte: " .. recording.id, function()
        local bytes = assert(io.open(mock.recordings .. "/" .. recording.response_file, "rb"))
        local want = bytes:read("*a")
        bytes:close()
        m:script { replay = recording.id, split = 333 }
        local r = ask { json = response { stream = recording.stream } }
        assert.equal(recording.status, r.status)
        expect.equal_bytes(want, r.body)
        if recording.status ~= 200 then return end
        local record, e = g:record(r.id), recording.expected
        if e.status == "failed" then return end
        local function n(value) return type(value) == "number" and value or 0 end
        assert.equal("ok", record.outcome)
        assert.equal(n(e.input_tokens), n(record.usage.input_tokens))
        assert.equal(n(e.cached_input_tokens), n(record.usage.cached_tokens))
        assert.equal(n(e.output_tokens), n(record.usage.output_tokens))
        assert.equal(n(e.reasoning_tokens), n(record.usage.reasoning_tokens))
      end)

      it("go through masks that find nothing byte for byte: " .. recording.id, function()
        local bytes = assert(io.open(mock.recordings .. "/" .. recording.response_file, "rb"))
        local want = bytes:read("*a")
        bytes:close()
        if recording.status ~= 200 or want:find("@", 1, true) then return end
        m:script { replay = recording.id, split = 77 }
        local r = ask { app = "bot", json = response { stream = recording.stream } }
        expect.equal_bytes(want, r.body)
      end)
    end
  end

  it("are another account's where the first fails, and keep the provider's own error where none is left", function()
    m:script { { status = 503, error_type = "server_error" } }
    local r = ask { json = response {} }
    assert.equal(200, r.status, r.body)
    assert.equal("openai2/again", g:record(r.id).target)
    m:script { { status = 400, error_type = "invalid_request_error", error_message = "no such item" } }
    r = ask { json = response {} }
    assert.equal(400, r.status)
    assert.equal("no such item", gateway.error_of(r).message)
  end)

  it("that break off end with what clients of this API raise", function()
    m:script { cut = "fin", cut_event = 6, tokens = 20 }
    local r = ask { json = response { stream = true } }
    local events = read_stream(r.body)
    assert.same({ "error", "upstream_closed" }, { events[#events - 1].data.type, events[#events - 1].data.error.code })
    assert.same({ "response.failed", "server_error" }, { events[#events].data.type, events[#events].data.response.error.code })
    assert.equal(events[#events - 1].data.error.message, events[#events].data.response.error.message)
    assert.equal("stream_incomplete", g:record(r.id).outcome)
  end)

  it("with events that are none, or of megabytes, are read all the same", function()
    for _, script in ipairs { { bad_event = 5, bad_text = "{oops" }, { bad_event = 5, bad_text = "[1]" }, { event_bytes = 2000000 },
      { line_end = "crlf", bom = 1, space = 0, comment_every = 1 } } do
      m:script(script)
      local r = ask { json = response { stream = true, input = "echo a b c" } }
      local record = g:record(r.id)
      assert.same({ "ok", 4, 3 }, { record.outcome, record.usage.input_tokens, record.usage.output_tokens })
    end
    m:script { error_event = 6 }
    local r = ask { json = response { stream = true, input = "echo a b c" } }
    assert.falsy(r.body:find("response.failed", 1, true)) -- the provider has told it itself
    assert.equal("upstream_error", g:record(r.id).outcome)
  end)

  it("without their last event are no whole ones", function()
    m:script { done = 0 }
    local r = ask { json = response { stream = true } }
    local events = read_stream(r.body)
    assert.equal("response.output_item.done", events[#events - 2].name)
    assert.equal("stream_incomplete", events[#events - 1].data.error.code)
  end)
end)

describe("the gateway's own refusals", function()
  it("have this API's form, and call nobody", function()
    local since = m:mark()
    local r = ask { json = '{"input":"hi"}' }
    assert.equal(400, r.status)
    assert.same({ "invalid_request_error", '"model" is missing' }, { gateway.error_of(r).type, gateway.error_of(r).message })
    r = g:ask { path = "/v1/responses", json = response {}, key = "sk-nobody" }
    assert.equal(401, r.status)
    r = ask { json = response { model = "closed" } }
    assert.same({ 403, "access", "false" }, { r.status, gateway.error_of(r).policy, r:get("x-should-retry") })
    r = ask { json = response { tools = { { type = "web_search" } } } }
    assert.same({ 403, "no-hosted" }, { r.status, gateway.error_of(r).rule })
    r = ask { json = response { tools = { { type = "namespace", name = "n", description = "d", tools = { { type = "mcp" } } } } } }
    assert.same({ 403, "no-hosted" }, { r.status, gateway.error_of(r).rule })
    r = ask { json = response { input = { { type = "tool_search_output", tools = { { type = "web_search" } } } } } }
    assert.same({ 403, "no-hosted" }, { r.status, gateway.error_of(r).rule })
    r = ask { json = response { metadata = { moongate = { data = "restricted" } } } }
    assert.same({ 403, "no-secrets" }, { r.status, gateway.error_of(r).rule })
    r = ask { json = response { model = "none-of-ours" } }
    assert.equal(404, r.status)
    assert.same({}, m:requests(since))
  end)

  it("of what a provider keeps say what to do instead, and call nobody", function()
    local since = m:mark()
    local stored = ask { json = response { prompt = { id = "pmpt_1" } } } -- never passed on: it is none of here
    assert.equal(404, stored.status)
    assert.equal("prompt_not_found", cjson.decode(stored.body).error.code)
    for member, value in pairs { background = true } do
      for _, path in ipairs { "/v1/responses", "/v1/responses/input_tokens" } do
        local r = ask { path = path, json = response { [member] = value } }
        assert.equal(400, r.status, member)
        assert.truthy(gateway.error_of(r).message:find('"' .. member .. '" must be left out: ', 1, true), r.body)
      end
    end
    for _, item in ipairs { { type = "item_reference", id = "msg_1" }, { id = "rs_1" } } do
      local r = ask { json = response { input = { { role = "user", content = "x" }, item } } }
      assert.same({ 404, "No such item object: " .. item.id }, { r.status, gateway.error_of(r).message })
    end
    assert.same({}, m:requests(since))
    assert.equal(200, ask({ json = '{"model":"free","input":"hi","previous_response_id":null,"background":false,"prompt":null}' }).status)
  end)

  it("send a WebSocket back to HTTP", function()
    local r = g:ask { method = "GET", path = "/v1/responses", headers = { { "Connection", "Upgrade" }, { "Upgrade", "websocket" } } }
    assert.same({ 426, "HTTP/1.1", "upgrade_required" }, { r.status, r:get("upgrade"), gateway.error_of(r).code })
    assert.equal(405, g:ask({ method = "GET", path = "/v1/responses" }).status)
  end)

  it("tell what an account needs that cannot compact, before anybody is called", function()
    local since = m:mark()
    for _, model in ipairs { "chats", "claude" } do
      local r = ask { path = "/v1/responses/compact", json = { model = model, input = "hi" } }
      assert.same({ 400, "dialect_mismatch" }, { r.status, gateway.error_of(r).code }, r.body)
      assert.truthy(gateway.error_of(r).message:find('a target of kind "openai"', 1, true), gateway.error_of(r).message)
    end
    assert.equal(0, #m:requests(since))
    local r = g:chat { model = "chats", messages = { { role = "user", content = "hi" } } }
    assert.equal(200, r.status, r.body)
    r = ask { path = "/v1/responses/compact", json = { model = "auto", input = "hi" } }
    assert.equal("openai/free", g:record(r.id).target)
  end)
end)

describe("budgets and limits", function()
  it("hold, cut a stream in this API's events, and refuse what is left", function()
    m:script { tokens = 100, delay_ms = 2 }
    local r = ask { app = "poor", json = response { model = "dear", max_output_tokens = 100, stream = true } }
    assert.equal(200, r.status, r.body)
    local events = read_stream(r.body)
    assert.same({ "budget_cut", "invalid_prompt" }, { events[#events - 1].data.error.code, events[#events].data.response.error.code })
    local since = m:mark()
    r = ask { app = "poor", json = response { model = "dear", max_output_tokens = 40 } }
    assert.truthy(r.status == 402 or r.status == 403 or r.status == 429, r.status)
    assert.equal("false", r:get("x-should-retry"))
    assert.same({}, m:requests(since))
  end)

  it("are told in OpenAI's headers", function()
    local r = ask { app = "slow", json = response {} }
    assert.equal(200, r.status, r.body)
    assert.equal("2", r:get("x-ratelimit-limit-requests"))
    assert.equal("100000", r:get("x-ratelimit-limit-tokens"))
  end)
end)

describe("counting tokens", function()
  local function count(of)
    of.path = "/v1/responses/input_tokens"
    of.json = of.json or { model = "dear", input = "one two" }
    return ask(of)
  end

  it("is passed on, recorded, costs nothing, and needs no budget", function()
    local since = m:mark()
    local r = count {}
    assert.equal(200, r.status, r.body)
    assert.equal(2, cjson.decode(r.body).input_tokens)
    assert.equal("/v1/responses/input_tokens", m:request(since).path)
    local record = g:record(r.id)
    assert.same({ "count_tokens", "responses", 0, "ok" }, { record.api, record.dialect, record.cost.nano_usd, record.outcome })
    assert.equal(200, count({ app = "poor" }).status)
  end)

  it("is refused where requests are, and masks what it sends", function()
    local r
    for _ = 1, 3 do r = count { app = "slow" } end
    assert.equal(429, r.status)
    local since = m:mark()
    assert.equal(200, count({ app = "bot", json = { model = "free", input = "to ana@example.org" } }).status)
    assert.truthy(m:request(since).body:find("[email]", 1, true))
  end)
end)

describe("compaction", function()
  it("is a call as others are: recorded, paid for, masked, refused", function()
    local since = m:mark()
    local r = ask { path = "/v1/responses/compact", json = response { model = "dear", input = { { role = "user", content = "one two" } } } }
    assert.equal(200, r.status, r.body)
    assert.equal("compaction", cjson.decode(r.body).output[1].type)
    assert.equal("/v1/responses/compact", m:request(since).path)
    local record = g:record(r.id)
    assert.same({ "chat", 2, 5, 5 * 1e8 }, { record.api, record.usage.input_tokens, record.usage.output_tokens, record.cost.nano_usd })
    since = m:mark()
    assert.equal(403, ask({ path = "/v1/responses/compact", json = response { model = "closed" } }).status)
    assert.equal(400, ask({ path = "/v1/responses/compact", json = response { previous_response_id = "resp_1" } }).status)
    assert.same({}, m:requests(since))
    assert.equal(200, ask({ app = "bot", path = "/v1/responses/compact", json = response { input = "to ana@example.org" } }).status)
    assert.is_nil(m:request(since).body:find("@example", 1, true))
    local next_turn = response { input = { cjson.decode(r.body).output[1], { role = "user", content = "echo go on" } } }
    assert.equal("go on", text_of(ask({ json = next_turn }).body))
  end)
end)

describe("masks", function()
  it("stand in what leaves, in every item, and the client gets its own values back", function()
    local since = m:mark()
    local r = ask { app = "bot", json = { model = "free", instructions = "for ana@example.org", input = {
      { type = "function_call", call_id = "c", name = "f", arguments = '{"id":"bo@example.org"}' },
      { type = "function_call_output", call_id = "c", output = "cy@example.org" },
      { type = "function_call_output", call_id = "c", output = { { type = "input_text", text = "di@example.org" } } },
      { type = "local_shell_call", call_id = "c", action = { type = "exec", env = { id = "ed@example.org" } } },
      { type = "reasoning", summary = { { type = "summary_text", text = "fy@example.org" } } },
      { type = "of_next_year", said = { "gi@example.org" } },
      { role = "user", content = "echo write to [email] and [email_2]" } } } }
    assert.equal(200, r.status, r.body)
    local sent = m:request(since).body
    assert.is_nil(sent:find("@example.org", 1, true), sent)
    assert.truthy(sent:find('"echo write to', 1, true))
    r = ask { app = "bot", json = response { input = "echo write to dan@example.org now" } }
    assert.equal("write to dan@example.org now", text_of(r.body)) -- the caller's own comes back
  end)

  it("stand in all of what tools are given as objects, names and numbers too", function()
    local since = m:mark()
    local r = ask { app = "bot", json = response { input = {
      { type = "function_call", call_id = "c", name = "f", arguments = { ["ana@example.org"] = { 4222222222222 } } },
      { role = "user", content = "hi" } } } }
    assert.same({ ["[email]"] = { "[credit_card]" } }, cjson.decode(m:request(since).body).input[1].arguments)
    assert.same({ email = 1, credit_card = 1 }, masking:record(r.id).redaction.request)
  end)

  it("stand in answers, whole and streamed, in text and in what tools are asked, and wherever it is said again", function()
    m:script { text = "ask eve@example.org or eve@example.org please" }
    local r = ask { app = "bot", json = response {} }
    assert.equal("ask [email] or [email] please", text_of(r.body))
    for _, tool in ipairs { false, "send" } do
      m:script { text = "ask eve@example.org or eve@example.org", tool = tool or nil }
      r = ask { app = "bot", json = response { stream = true } }
      local events, text, again = read_stream(r.body)
      assert.is_nil(r.body:find("eve@", 1, true), r.body)
      assert.equal(tool and '{"words":"ask [email] or [email]"}' or "ask [email] or [email]", text)
      assert.same({ text, text }, again)
      assert.equal("response.completed", events[#events].name)
    end
  end)

  it("let the caller's own values through, however the stream is cut", function()
    for _, split in ipairs { 1, 7, 100 } do
      m:script { text = "I wrote to [email], as you said", split = split }
      local r = ask { app = "bot", json = response { stream = true, input = "mail dan@example.org" } }
      local _, text, again = read_stream(r.body)
      assert.equal("I wrote to dan@example.org, as you said", text)
      assert.same({ text, text }, again)
    end
  end)
end)

describe("policies that read answers", function()
  local GUARD = [[return policy {
    on_delta = function(ctx, text) if text:find("secret", 1, true) then return deny(403, "leak", "it told a secret") end end }]]
  local JUDGE = [[return policy {
    buffer = true,
    on_response = function(ctx) if ctx.response:text():find("secret", 1, true) then return deny(403, "leak", "it told a secret") end end }]]

  local function start(policy)
    local files = { ["x.lua"] = policy }
    for name, text in pairs(POLICIES) do files[name] = text end
    files["init.lua"] = 'return chain { "auth", "x", "routing" }\n'
    return gateway.start { mock = m, name = "responses-hooks", policies = files, key = { app = "plain" },
      config = { providers = { openai2 = { kind = "openai", url = m.url }, vllm = { kind = "openai", url = m.url }, claude = { kind = "anthropic", url = m.url } } } }
  end

  local function asking(other, text, stream) return other:ask { path = "/v1/responses", key = other.key, json = response { input = "echo " .. text, stream = stream } } end

  it("cut a stream before the text that they refuse has left", function()
    local other = start(GUARD)
    local r = asking(other, ("word "):rep(100) .. "secret plans " .. ("word "):rep(100), true)
    assert.equal(200, r.status)
    assert.falsy(r.body:find("secret plans", 1, true))
    local events = read_stream(r.body)
    assert.same({ "leak", "invalid_prompt" }, { events[#events - 1].data.error.code, events[#events].data.response.error.code })
    assert.equal("denied", other:record(r.id).outcome)
    r = asking(other, ("word "):rep(300), true)
    local _, text, again = read_stream(r.body)
    assert.same({ text, text }, again)
    assert.equal(("word "):rep(300):sub(1, -2), (text:gsub("%s+$", "")))
    other:stop()
  end)

  it("keep what was said, each with who said it or what it was", function()
    local other = start('return policy { rules = { { "kept", when = { model = "free" }, record = { texts = { "prompt", "answer" } } } } }')
    local function kept(of, want)
      of.model = "free"
      local r = other:ask { path = "/v1/responses", key = other.key, json = of }
      assert.equal(200, r.status, r.body)
      local texts = other:record(r.id).texts
      assert.same({ #want, #"kept" }, { texts.prompt.bytes, texts.answer.bytes })
    end
    kept({ instructions = "s", input = "echo kept" }, "system: s\nuser: echo kept\n")
    kept({ stream = true, input = { { type = "function_call", name = "f", arguments = "{}" }, { type = "function_call_output", output = "rain" },
      { role = "user", content = "echo kept" } } }, "function_call: f\nfunction_call: {}\nfunction_call_output: rain\nuser: echo kept\n")
    other:stop()
  end)

  it("judge an answer before any of it has left, whole and streamed", function()
    local other = start(JUDGE)
    for _, stream in ipairs { false, true } do
      local r = asking(other, "the secret plans", stream)
      assert.equal(403, r.status)
      assert.equal("leak", gateway.error_of(r).code)
      r = asking(other, "nothing of note", stream)
      assert.equal(200, r.status)
      assert.truthy(r.body:find("nothing", 1, true))
    end
    other:stop()
  end)
end)

describe("a client that goes", function()
  it("ends the provider's work, and is billed for what was written", function()
    m:script { tokens = 400, delay_ms = 20 }
    local since = m:mark()
    local c = client.connect(g.port)
    c:send(client.request { path = "/v1/responses", key = keys.plain, json = response { stream = true, max_output_tokens = 400 } })
    local head = c:head()
    assert.equal(200, head.status)
    for _ = 1, 8 do c:event() end
    c:reset()
    assert.equal("client_abort", m:ended(m:request(since)).how)
    local record = g:record(head:get("x-moongate-request-id"))
    assert.equal("client_closed", record.outcome)
    assert.truthy(record.billed.output > 0 and record.billed.estimated)
  end)
end)

describe("a decision about a response", function()
  it("is taken again from its record, and explained", function()
    local r = ask { json = response { model = "closed" } }
    g:record(r.id)
    local allowed = ask { json = response {} }
    g:record(allowed.id)
    local out, code = g:command("replay", "--since", "1h")
    assert.equal(0, code, out)
    out = g:command("explain", r.id)
    assert.truthy(out:find("✕ access", 1, true), out)
    out = g:command("explain", allowed.id)
    assert.truthy(out:find("route openai/free", 1, true), out)
  end)
end)
