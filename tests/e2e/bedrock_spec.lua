-- Accounts at Amazon Bedrock, for Anthropic's models: signed calls and bearer tokens, paths, bodies, binary event
-- streams, errors, and that nothing of the account's keys or the caller's comes anywhere else.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local SECRET, TOKEN = "mock/secret+access/key", "mock+session/token=="
local HAIKU = "us.anthropic.claude-3-haiku-20240307-v1:0"
local PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-v1:0"
local OURS = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
local RUNTIME_STREAM = "/invoke-with-response-stream"

local PRICE = 'price = usd_per_million { input = "1", output = "1" }'
local POLICIES = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key" } } }\n',
  ["models.lua"] = ([[
return models {
  haiku   = { targets = { "aws/%s" }, PRICE },
  sonnet  = { targets = { "aws/%s" }, PRICE },
  ours    = { targets = { { "aws/%s", counts_as = "claude-sonnet-4-5" } }, PRICE },
  session = { targets = { "session/%s" }, PRICE },
  bearer  = { targets = { "bearer/%s" }, PRICE },
  wrong   = { targets = { "wrong/%s" }, PRICE },
  strict  = { targets = { "aws/anthropic.claude-3-7-sonnet-x" }, on_dropped = "refuse", PRICE },
  nova    = { targets = { "aws/us.amazon.nova-lite-v1:0" }, PRICE },
  second  = { targets = { "aws/anthropic.claude-3-5-sonnet-x", "bearer/anthropic.claude-3-5-sonnet-x" }, PRICE },
}
]]):format(HAIKU, PROFILE, OURS, HAIKU, HAIKU, HAIKU):gsub("PRICE", PRICE),
}

local m, g

local function env(name) return gateway.raw(('env %q'):format(name)) end

setup(function()
  m = mock.start {}
  local root = m.url:gsub("/v1$", "")
  local function account(of)
    local a = { kind = "bedrock", url = root, breaker = false }
    for name, value in pairs(of) do a[name] = value end
    return a
  end
  local signed = { region = "us-east-1", access_key_id = env "AWS_ACCESS_KEY_ID", secret_access_key = env "AWS_SECRET_ACCESS_KEY" }
  local session = { session_token = env "AWS_SESSION_TOKEN" }
  for name, value in pairs(signed) do session[name] = value end
  g = gateway.start { mock = m, name = "bedrock", policies = POLICIES, key = { app = "bot" },
    env = { AWS_ACCESS_KEY_ID = "AKIAMOCK", AWS_SECRET_ACCESS_KEY = SECRET, AWS_SESSION_TOKEN = TOKEN, WRONG = "wrong-secret-0123456789" },
    config = { providers = {
      aws = account(signed), session = account(session), bearer = account { key = env "OPENAI_API_KEY" },
      wrong = account { region = "us-east-1", access_key_id = env "AWS_ACCESS_KEY_ID", secret_access_key = env "WRONG" } } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function say(model, text, of)
  local json = { model = model, max_tokens = 50, messages = { { role = "user", content = text or "hi" } } }
  for name, value in pairs(of or {}) do json[name] = value end
  return json
end

local function messages(json, headers)
  local all = { { "x-api-key", g.key }, { "anthropic-version", "2023-06-01" } }
  for _, header in ipairs(headers or {}) do all[#all + 1] = header end
  return g:ask { path = "/v1/messages?beta=true", json = json, key = false, headers = all }
end

-- What the mock got at that path. Nothing of a key is in it but in the header where it belongs.
local function sent(since, path)
  local request = m:request(since)
  assert.equal(path, request.path)
  local all = request.path .. cjson.encode(request.headers) .. request.body
  for _, secret in ipairs { SECRET, g.key } do assert.falsy(all:find(secret, 1, true)) end
  assert.is_nil(m:header(request, "x-api-key"))
  assert.is_nil(m:header(request, "anthropic-version"))
  assert.is_nil(m:header(request, "anthropic-beta"))
  return cjson.decode(request.body), request
end

local function texts(r)
  local all = {}
  for _, event in ipairs(client.events(r.body)) do
    local data = cjson.decode(event.data)
    assert.equal(event.name, data.type)
    if data.delta and data.delta.text then all[#all + 1] = data.delta.text end
  end
  return table.concat(all)
end

describe("a message", function()
  it("is signed, and goes to its model as Anthropic's own client wrote it", function()
    local since = m:mark()
    local r = messages(say("haiku", "echo one two"))
    assert.equal(200, r.status, r.body)
    assert.equal("one two", cjson.decode(r.body).content[1].text)
    local body, request = sent(since, "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0/invoke")
    assert.same({ anthropic_version = "bedrock-2023-05-31", max_tokens = 50, messages = { { role = "user", content = "echo one two" } } }, body)
    assert.truthy(m:header(request, "authorization"):find("^AWS4%-HMAC%-SHA256 Credential=AKIAMOCK/%d+/us%-east%-1/bedrock/aws4_request"))
    assert.equal("application/json", m:header(request, "accept"))
    local record = g:record(r.id)
    assert.equal(2, record.usage.output_tokens)
    assert.equal("ok", record.outcome)
  end)

  it("reaches profiles by their ARN, and such that nobody could tell the model of", function()
    for model, arn in pairs { sonnet = PROFILE, ours = OURS } do
      local since = m:mark()
      local r = messages(say(model, "echo one"))
      assert.equal(200, r.status, r.body)
      sent(since, "/model/" .. arn:gsub(":", "%%3A"):gsub("/", "%%2F") .. "/invoke")
    end
  end)

  it("goes with a session's token, or with a key that is borne", function()
    local since = m:mark()
    assert.equal(200, messages(say("session", "echo one")).status)
    local _, request = sent(since, "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0/invoke")
    assert.equal(TOKEN, m:header(request, "x-amz-security-token"))
    since = m:mark()
    assert.equal(200, messages(say("bearer", "echo one")).status)
    _, request = sent(since, "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0/invoke")
    assert.equal("Bearer " .. gateway.PROVIDER_KEY, m:header(request, "authorization"))
    assert.is_nil(m:header(request, "x-amz-date"))
  end)

  it("asks for the previews that Amazon knows, and tells of the others", function()
    local since = m:mark()
    local r = messages(say("haiku", "echo one"), { { "anthropic-beta", "claude-code-20250219,interleaved-thinking-2025-05-14" },
      { "Anthropic-Beta", "context-1m-2025-08-07" } })
    assert.equal(200, r.status, r.body)
    assert.equal("anthropic-beta.claude-code-20250219", r:get("x-moongate-dropped"))
    local body = sent(since, "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0/invoke")
    assert.same({ "interleaved-thinking-2025-05-14", "context-1m-2025-08-07" }, body.anthropic_beta)
    r = messages(say("strict", "echo one"), { { "anthropic-beta", "claude-code-20250219" } })
    assert.equal(400, r.status, r.body)
    assert.truthy(cjson.decode(r.body).error.message:find("anthropic-beta.claude-code-20250219", 1, true))
  end)

  it("is counted here, where Amazon counts otherwise", function()
    local since = m:mark()
    local json = say("haiku", "one two three")
    json.max_tokens = nil
    local r = g:ask { path = "/v1/messages/count_tokens", json = json, key = false, headers = { { "x-api-key", g.key } } }
    assert.equal(200, r.status, r.body)
    assert.truthy(cjson.decode(r.body).input_tokens > 2)
    assert.same({}, m:requests(since))
  end)

  it("is billed by the answer's head, where the answer says no tokens", function()
    local answer = { id = "msg_1", type = "message", role = "assistant", model = "x", content = { { type = "text", text = "a b" } }, stop_reason = "end_turn" }
    for header, tokens in pairs { ["70"] = 70, ["-70"] = 0, ["99999999999999999999"] = 0 } do
      m:script { body = cjson.encode(answer), header = "x-amzn-bedrock-input-token-count: " .. header }
      local r = messages(say("haiku", "one"))
      assert.equal(200, r.status, r.body)
      local usage = g:record(r.id).usage
      assert.equal(tokens == 70, usage ~= cjson.null and usage.input_tokens == 70)
      assert.is_nil(r:get("x-amzn-bedrock-input-token-count"))
    end
    answer.usage = { input_tokens = 3, output_tokens = 2 }
    m:script { body = cjson.encode(answer), header = "x-amzn-bedrock-input-token-count: 70" }
    assert.equal(3, g:record(messages(say("haiku", "one")).id).usage.input_tokens)
  end)

  it("comes from OpenAI's clients too, translated to Anthropic's own", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local r = g:chat(say("haiku", "echo one two", { stream = stream, stream_options = stream and { include_usage = true } or nil }))
      assert.equal(200, r.status, r.body)
      local body = sent(since, "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0" .. (stream and RUNTIME_STREAM or "/invoke"))
      assert.equal("bedrock-2023-05-31", body.anthropic_version)
      if stream then
        assert.truthy(r.body:find("data: [DONE]", 1, true), r.body)
        assert.equal("text/event-stream", r:get("content-type"))
      else
        assert.equal("one two", cjson.decode(r.body).choices[1].message.content)
      end
      assert.equal(2, g:record(r.id).usage.output_tokens)
    end
  end)

  -- A text of JSON in one API stands inside the body in the other.
  it("is refused where what a tool was asked is nested deeper there than is read", function()
    local function asked(levels)
      local arguments = ('{"a":'):rep(levels) .. "1" .. ("}"):rep(levels)
      return g:chat(say("haiku", nil, { messages = { { role = "user", content = "x" },
        { role = "assistant", tool_calls = { { id = "c1", type = "function", ["function"] = { name = "f", arguments = arguments } } } },
        { role = "tool", tool_call_id = "c1", content = "echo one" } } }))
    end
    assert.equal(200, asked(58).status)
    local r = asked(63)
    assert.equal(400, r.status, r.body)
    assert.truthy(gateway.error_of(r).message:find("nested deeper than 64 levels", 1, true), r.body)
    assert.equal(200, asked(58).status)
  end)
end)

describe("a stream", function()
  it("is unwrapped: Anthropic's events, byte for byte", function()
    local since = m:mark()
    local r = messages(say("haiku", "echo one two three", { stream = true }))
    assert.equal(200, r.status, r.body)
    assert.equal("text/event-stream", r:get("content-type"))
    sent(since, "/model/us.anthropic.claude-3-haiku-20240307-v1%3A0" .. RUNTIME_STREAM)
    assert.equal("application/vnd.amazon.eventstream", m:header(m:request(since), "accept"))
    assert.equal("one two three", texts(r))
    local last = client.last_event(r)
    assert.equal("message_stop", last.name)
    assert.equal(3, cjson.decode(last.data)["amazon-bedrock-invocationMetrics"].outputTokenCount)
    local record = g:record(r.id)
    assert.same({ 3, "ok" }, { record.usage.output_tokens, record.outcome })
    assert.equal("end_turn", record.upstream.finish_reason)
  end)

  it("says the same in pieces of any size", function()
    local whole = messages(say("haiku", "echo one two three", { stream = true })).body
    for _, split in ipairs { 1, 3, 7, 64, 1000 } do
      m:script { split = split }
      assert.equal(whole, messages(say("haiku", "echo one two three", { stream = true })).body, split)
    end
  end)

  it("calls tools", function()
    local r = messages(say("haiku", "call look", { stream = true, tools = { { name = "look", input_schema = { type = "object" } } } }))
    assert.equal(200, r.status, r.body)
    assert.truthy(r.body:find('"name":"look"', 1, true))
    assert.equal("tool_use", g:record(r.id).upstream.finish_reason)
  end)

  for _, cut in ipairs { "fin", "rst" } do
    it("that breaks off has no end (" .. cut .. ")", function()
      for _, byte in ipairs { 0, 1, 11, 12, 40, 120 } do
        m:script { cut = cut, cut_event = 4, cut_byte = byte }
        local r = messages(say("haiku", "echo one two three four five", { stream = true }))
        assert.equal(200, r.status, r.body)
        assert.falsy(r.body:find("message_stop", 1, true))
        assert.equal("error", client.last_event(r).name)
        assert.equal("stream_incomplete", g:record(r.id).outcome)
      end
    end)
  end

  it("with a wrong checksum ends in an error, with nothing of that message", function()
    m:script { bad_event = 4 }
    local r = messages(say("haiku", "echo one two three four five", { stream = true }))
    assert.equal("one two", texts({ body = r.body:match("^(.*)event: error") }))
    local last = cjson.decode(client.last_event(r).data)
    assert.truthy(last.error.message:find("event stream is broken: the checksum", 1, true), r.body)
    assert.equal("stream_incomplete", g:record(r.id).outcome)
    m:script { bad_event = 4 }
    r = g:chat(say("haiku", "echo one two three four five", { stream = true }))
    assert.falsy(r.body:find("[DONE]", 1, true))
    assert.truthy(r.body:find("event stream is broken", 1, true))
  end)

  it("with a wrong checksum before anything left gives way to another account", function()
    m:script { bad_event = 0 }
    local r = messages(say("second", "echo one two", { stream = true }))
    assert.equal("one two", texts(r))
    assert.equal(2, #g:record(r.id).attempts)
  end)

  it("hears exceptions as errors of its own kind", function()
    for exception, word in pairs { throttlingException = "rate_limit_error", modelStreamErrorException = "api_error",
      serviceUnavailableException = "overloaded_error", modelTimeoutException = "timeout_error", validationException = "invalid_request_error" } do
      m:script { error_event = 4, error_type = exception, error_message = "it broke" }
      local r = messages(say("haiku", "echo one two three four", { stream = true }))
      local last = client.last_event(r)
      assert.equal("error", last.name)
      assert.same({ "it broke", word }, { cjson.decode(last.data).error.message, cjson.decode(last.data).error.type })
      assert.equal("upstream_error", g:record(r.id).outcome)
    end
    m:script { error_event = 4, error_type = "throttlingException", error_message = "too fast" }
    local r = g:chat(say("haiku", "echo one two three four", { stream = true }))
    assert.truthy(r.body:find("too fast", 1, true), r.body)
    assert.falsy(r.body:find("[DONE]", 1, true))
  end)
end)

describe("what Amazon refuses", function()
  it("keeps its status and text, in the caller's words", function()
    for status, word in pairs { [400] = "invalid_request_error", [404] = "not_found_error", [429] = "rate_limit_error",
      [503] = "overloaded_error", [424] = "api_error", [408] = "timeout_error" } do
      m:script { status = status, error_message = "no, because" }
      local r = messages(say("haiku"))
      assert.equal(status, r.status, r.body)
      local said = cjson.decode(r.body)
      assert.same({ "error", word, "no, because" }, { said.type, said.error.type, said.error.message })
      m:script { status = status, error_message = "no, because" }
      r = g:chat(say("haiku"))
      assert.equal(status, r.status, r.body)
      assert.equal("no, because", gateway.error_of(r).message)
    end
  end)

  it("is the gateway's own trouble where its account is refused", function()
    local r = messages(say("wrong"))
    assert.equal(502, r.status, r.body)
    assert.equal("upstream_account", cjson.decode(r.body).error.code)
  end)

  it("never shows a key, whatever is said", function()
    m:script { status = 400, error_message = "Credential=AKIAMOCK/ " .. SECRET .. " " .. TOKEN }
    local r = messages(say("session"))
    assert.equal(400, r.status)
    for _, secret in ipairs { SECRET, TOKEN, "AKIAMOCK" } do assert.falsy(r.raw:find(secret, 1, true), r.raw) end
    m:script { error_event = 3, error_message = SECRET .. " and " .. TOKEN }
    r = messages(say("session", "echo one two three", { stream = true }))
    for _, secret in ipairs { SECRET, TOKEN } do assert.falsy(r.raw:find(secret, 1, true), r.raw) end
    g:record(r.id)
    local all = table.concat(g:entries()) .. g:said()
    for _, secret in ipairs { SECRET, TOKEN, "wrong-secret-0123456789" } do assert.falsy(all:find(secret, 1, true)) end
  end)
end)

-- Every other model is asked by Converse, whatever its caller speaks; nobody speaks Converse here.
describe("a model of another publisher", function()
  local CONVERSE = "/model/us.amazon.nova-lite-v1%3A0/converse"

  it("is asked by Converse, whole and streamed, signed alike", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local r = g:chat(say("nova", "echo one two three", { stream = stream }))
      assert.equal(200, r.status, r.body)
      local body, request = sent(since, CONVERSE .. (stream and "-stream" or ""))
      assert.same({ { text = "echo one two three" } }, body.messages[1].content)
      assert.is_nil(body.anthropic_version)
      assert.truthy(m:header(request, "authorization"):find("^AWS4%-HMAC%-SHA256 "))
      if stream then
        assert.equal("text/event-stream", r:get("content-type"))
        assert.truthy(r.body:find("data: [DONE]", 1, true), r.body)
      else
        assert.equal("one two three", cjson.decode(r.body).choices[1].message.content)
      end
      local record = g:record(r.id)
      assert.same({ 3, 4, "ok" }, { record.usage.output_tokens, record.usage.input_tokens, record.outcome })
    end
  end)

  it("answers Anthropic's clients in Anthropic's events", function()
    local r = messages(say("nova", "echo one two three", { stream = true }))
    assert.equal(200, r.status, r.body)
    assert.equal("one two three", texts(r))
    assert.equal("message_stop", client.last_event(r).name)
    r = messages(say("nova", "call look", { stream = true, tools = { { name = "look", input_schema = { type = "object" } } } }))
    assert.truthy(r.body:find('"name":"look"', 1, true), r.body)
    assert.truthy(r.body:find('"stop_reason":"tool_use"', 1, true), r.body)
  end)

  it("that breaks off, breaks, or fails has no end", function()
    for _, script in ipairs { { cut = "fin", cut_event = 3, cut_byte = 20 }, { bad_event = 3 },
      { error_event = 3, error_type = "throttlingException", error_message = "too fast" }, { done = 0 } } do
      m:script(script)
      local r = messages(say("nova", "echo one two three four", { stream = true }))
      assert.equal(200, r.status, r.body)
      assert.falsy(r.body:find("message_stop", 1, true), r.body)
      local last = client.last_event(r)
      assert.equal("error", last.name)
      if script.error_message then assert.equal("too fast", cjson.decode(last.data).error.message) end
      assert.not_equal("ok", g:record(r.id).outcome)
    end
  end)

  it("is refused for the reason that the head names, whatever the status", function()
    for exception, word in pairs { ThrottlingException = "rate_limit_error", ServiceQuotaExceededException = "rate_limit_error",
      ModelNotReadyException = "overloaded_error", BrandNewException = "invalid_request_error" } do
      for _, model in ipairs { "nova", "haiku" } do
        m:script { status = 400, error_type = exception, error_message = "no, because" }
        local r = messages(say(model))
        assert.equal(400, r.status, r.body)
        assert.same({ word, "no, because" }, { cjson.decode(r.body).error.type, cjson.decode(r.body).error.message })
      end
    end
  end)

  it("keeps the status and text of what is refused", function()
    for status, word in pairs { [400] = "invalid_request_error", [429] = "rate_limit_error", [503] = "overloaded_error" } do
      m:script { status = status, error_message = "no, because" }
      local r = messages(say("nova"))
      assert.equal(status, r.status, r.body)
      assert.same({ word, "no, because" }, { cjson.decode(r.body).error.type, cjson.decode(r.body).error.message })
    end
  end)
end)
