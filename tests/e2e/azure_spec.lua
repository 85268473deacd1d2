-- OpenAI's models at Azure, as accounts: paths of deployments, the version in the query, the key in a header of its own;
-- chats whole and streamed, embeddings, responses, errors; callers of other APIs; and that nothing of the caller's query
-- or keys goes there.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "api-key" } } }\n',
  ["models.lua"] = [[
return models {
  chat   = { targets = { "azure/prod:east" }, counts_as = "gpt-4o", price = usd_per_million { input = "1", output = "1" } },
  odd    = { targets = { { "azure/a/..&b:c%2f#e?tokens=3" } }, counts_as = "gpt-4o", price = usd_per_million { input = "1", output = "1" } },
  gone   = { targets = { "azure/no-such-model" }, counts_as = "gpt-4o", price = usd_per_million { input = "1", output = "1" } },
  newer  = { targets = { "azure1/gpt-4o" }, price = usd_per_million { input = "1", output = "1" } },
  vector = { targets = { "azure/text-embedding-3-small" }, price = usd_per_million { input = "1", output = "0" } },
}
]],
}
local VERSION = "?api-version=2024-10-21"
local DEPLOYMENT = "/openai/deployments/prod%3Aeast"

local m, g

setup(function()
  m = mock.start { recordings = true, key = gateway.PROVIDER_KEY }
  local root = m.url:gsub("/v1$", "")
  local function account(url, version)
    return { kind = "azure", url = url, api_version = version, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false }
  end
  g = gateway.start { mock = m, name = "azure", policies = POLICIES, key = { app = "bot" }, config = { providers = {
    azure = account(root .. "/", "2024-10-21"), azure1 = account(root .. "/openai/v1") } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function say(model, text, of)
  local json = { model = model, messages = { { role = "user", content = text or "hi" } } }
  for name, value in pairs(of or {}) do json[name] = value end
  return json
end

local function messages(json)
  json.max_tokens = json.max_tokens or 50
  return g:ask { path = "/v1/messages", json = json, key = false, headers = { { "x-api-key", g.key }, { "anthropic-version", "2023-06-01" } } }
end

-- What the mock got: at that path, with the account's key in its own header and nowhere else.
local function sent(since, path)
  local request = m:request(since)
  assert.equal(path, request.path)
  for _, header in ipairs(request.headers) do
    local is_key = header[1]:lower() == "api-key"
    assert.equal(is_key, header[2]:find(gateway.PROVIDER_KEY, 1, true) ~= nil, header[1])
    assert.falsy(header[2]:find(g.key, 1, true), header[1])
  end
  assert.equal(gateway.PROVIDER_KEY, m:header(request, "api-key"))
  assert.is_nil(m:header(request, "authorization"))
  for _, secret in ipairs { gateway.PROVIDER_KEY, g.key } do assert.falsy((request.path .. request.body):find(secret, 1, true)) end
  return cjson.decode(request.body)
end

describe("a chat", function()
  it("goes to its deployment, with the key in api-key", function()
    local since = m:mark()
    local r = g:chat(say("chat", "echo one two"))
    assert.equal(200, r.status, r.body)
    sent(since, DEPLOYMENT .. "/chat/completions" .. VERSION)
    assert.equal("one two", cjson.decode(r.body).choices[1].message.content)
    assert.falsy(r.raw:find(gateway.PROVIDER_KEY, 1, true))
    local record = g:record(r.id)
    assert.same({ 3, 2 }, { record.usage.input_tokens, record.usage.output_tokens })
  end)

  it("is streamed, and its usage asked for and left out again", function()
    local since = m:mark()
    local r = g:chat(say("chat", "echo one two", { stream = true }))
    assert.equal(200, r.status, r.body)
    assert.truthy(sent(since, DEPLOYMENT .. "/chat/completions" .. VERSION).stream_options.include_usage)
    assert.truthy(r.body:find("data: [DONE]\n\n", 1, true))
    assert.falsy(r.body:find('"usage":{', 1, true))
    assert.equal(2, g:record(r.id).usage.output_tokens)
  end)

  it("of a deployment with an odd name goes to one segment", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local r = g:chat(say("odd", "hi", { stream = stream }))
      assert.equal(200, r.status, r.body)
      sent(since, "/openai/deployments/a%2F..%26b%3Ac%252f%23e%3Ftokens%3D3/chat/completions" .. VERSION)
    end
  end)

  it("takes nothing of the caller's query along", function()
    for _, path in ipairs { "/v1/chat/completions?api-version=1999-01-01&key=secret&alt=sse",
      "/openai/deployments/chat/chat/completions?api-version=1999-01-01&x=y" } do
      local since = m:mark()
      local r = g:ask { path = path, json = say("chat"), key = false, headers = { { "api-key", g.key } } }
      assert.equal(200, r.status, r.body)
      sent(since, DEPLOYMENT .. "/chat/completions" .. VERSION)
    end
  end)

  it("goes to OpenAI's path behind /openai/v1, without a version", function()
    local since = m:mark()
    assert.equal(200, g:chat(say("newer")).status)
    assert.equal("gpt-4o", sent(since, "/openai/v1/chat/completions").model)
  end)
end)

describe("other calls", function()
  it("have their paths: embeddings, completions, responses", function()
    for path, json in pairs { embeddings = { model = "vector", input = "a b" }, completions = { model = "chat", prompt = "a b" } } do
      local since = m:mark()
      local r = g:ask { path = "/v1/" .. path, json = json }
      assert.equal(200, r.status, r.body)
      local name = path == "embeddings" and "text-embedding-3-small" or "prod%3Aeast"
      sent(since, "/openai/deployments/" .. name .. "/" .. path .. VERSION)
      assert.equal(2, g:record(r.id).usage.input_tokens)
    end
    for model, path in pairs { chat = "/openai/responses" .. VERSION, newer = "/openai/v1/responses" } do
      local since = m:mark()
      local r = g:ask { path = "/v1/responses", json = { model = model, input = "echo one" } }
      assert.equal(200, r.status, r.body)
      assert.equal(model == "chat" and "prod:east" or "gpt-4o", sent(since, path).model)
      assert.equal("responses", g:record(r.id).dialect)
    end
  end)
end)

describe("what Azure says", function()
  it("is kept of errors, with what its limits leave", function()
    local r = g:chat(say("gone"))
    assert.equal(404, r.status, r.body)
    assert.equal("model_not_found", gateway.error_of(r).code)
    m:script { status = 429, header = "x-ratelimit-remaining-tokens: 7", retry_after = 3 }
    r = g:chat(say("chat"))
    assert.equal(429, r.status, r.body)
    assert.equal("3", r:get("retry-after"))
    assert.truthy(r.raw:find("x-ratelimit-remaining-tokens: 7", 1, true))
    assert.equal("rate_limit_exceeded", gateway.error_of(r).code)
  end)

  if not mock.has_recordings() then return end

  it("passes as it was recorded, with its filter's words before the answer", function()
    m:script { replay = "azure/001-chat-stream" }
    local r = g:chat(say("chat", "hi", { stream = true, stream_options = { include_usage = true } }))
    assert.equal(200, r.status)
    local file = io.open(mock.recordings .. "/azure/001-chat-stream.resp.sse")
    assert.equal(file:read("*a"), r.body)
    file:close()
    local record = g:record(r.id)
    assert.equal("stop", record.upstream.finish_reason)
    assert.truthy(record.usage.output_tokens > 0)
    assert.equal("ok", record.outcome)
  end)

  it("keeps the filter's words where the usage was not asked for", function()
    m:script { replay = "azure/001-chat-stream" }
    local r = g:chat(say("chat", "hi", { stream = true }))
    assert.truthy(r.body:find('data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results"', 1, true))
    assert.falsy(r.body:find('"usage":{', 1, true))
    assert.truthy(g:record(r.id).usage.output_tokens > 0)
  end)

  it("reaches Anthropic's clients in their own words", function()
    m:script { replay = "azure/001-chat-stream" }
    local r = messages(say("chat", "hi", { stream = true }))
    assert.equal(200, r.status)
    assert.truthy(r.body:find("event: message_start", 1, true) and r.body:find("event: message_stop", 1, true))
    assert.truthy(r.body:find("Not", 1, true))
    for status, recording in pairs { [404] = "azure/019-chat-err404" } do
      m:script { replay = recording }
      r = messages(say("chat"))
      assert.equal(status, r.status, r.body)
      assert.same({ "error", "not_found_error" }, { cjson.decode(r.body).type, cjson.decode(r.body).error.type })
    end
  end)
end)

describe("a client of Anthropic's", function()
  it("is translated to an account at Azure, whole and streamed", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local r = messages(say("chat", "echo one two", { stream = stream }))
      assert.equal(200, r.status, r.body)
      local body = sent(since, DEPLOYMENT .. "/chat/completions" .. VERSION)
      assert.equal("echo one two", body.messages[1].content)
      local record = g:record(r.id)
      assert.equal("anthropic", record.dialect)
      assert.equal(2, record.usage.output_tokens)
      if not stream then assert.equal("one two", cjson.decode(r.body).content[1].text) end
    end
  end)
end)
