-- Clients of Gemini's API and accounts that do not speak it: Anthropic's, and those that speak OpenAI's chats.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "routing" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "x-goog-api-key" } } }\n',
  ["models.lua"] = [[
local price = usd_per_million { input = "1", output = "1" }
return models {
  claude = { targets = { "anthropic/claude-sonnet-4-5" }, context = 200000, price = price },
  llama  = { targets = { "plain/llama-3.3-70b" }, context = 200000, price = price },
  strict = { targets = { "anthropic/claude-3-5-haiku" }, context = 200000, on_dropped = "refuse", price = price },
}
]],
  ["routing.lua"] = "return routing { rules = {} }\n",
}
local MASKS = 'return redaction { detect = { "email" }, request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }\n'

local m, g, masking

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local function account(kind) return { kind = kind, url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } end
  local config = { providers = { anthropic = account("anthropic"), plain = account("openai_compatible") } }
  g = gateway.start { mock = m, name = "gemini-translated", policies = POLICIES, key = { app = "bot" }, config = config }
  local files = { ["redaction.lua"] = MASKS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "redaction", "routing" }\n'
  masking = gateway.start { mock = m, name = "gemini-translated-masks", policies = files, key = { app = "bot" }, config = config }
end)
teardown(function()
  if masking then masking:stop() end
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local WHOLE, EVENTS, ARRAY = ":generateContent", ":streamGenerateContent?alt=sse", ":streamGenerateContent"

-- of: model, verb, at, json or text
local function ask(of)
  local at = of.at or g
  return at:ask { path = "/v1beta/models/" .. of.model .. (of.verb or WHOLE), key = false, headers = { { "x-goog-api-key", at.key } },
    json = of.json or { contents = { { role = "user", parts = { { text = of.text } } } } } }
end
local function sent(since) return cjson.decode(m:request(since).body) end
local function error_of(r) return cjson.decode(r.body).error end

-- The responses of a stream in either form, and the text in them.
local function responses(r)
  local list, text = {}, {}
  if r:get("content-type"):find("event-stream", 1, true) then
    for data in r.body:gmatch("data: ([^\n]*)\n\n") do list[#list + 1] = cjson.decode(data) end
  else
    list = cjson.decode(r.body)
  end
  for _, response in ipairs(list) do
    for _, candidate in ipairs(response.candidates or {}) do
      for _, part in ipairs(candidate.content.parts) do text[#text + 1] = part.text end
    end
  end
  return list, table.concat(text)
end

local LOOK = { functionDeclarations = { { name = "look", parameters = { type = "OBJECT", properties = { words = { type = "STRING" } } } } } }
local ACCOUNTS = {
  { model = "claude", path = "/v1/messages", target = "anthropic/claude-sonnet-4-5" },
  { model = "llama", path = "/v1/chat/completions", target = "plain/llama-3.3-70b" },
}

for _, account in ipairs(ACCOUNTS) do
  describe("a client of Gemini's API on " .. account.path, function()
    it("is asked and answered in its own", function()
      local since = m:mark()
      local r = ask { model = account.model, json = { systemInstruction = { parts = { { text = "s" } } }, generationConfig = { maxOutputTokens = 50 },
        contents = { { role = "user", parts = { { text = "echo good day" } } } } } }
      assert.equal(200, r.status, r.body)
      local body = cjson.decode(r.body)
      local candidate = body.candidates[1]
      assert.same({ "model", "good day", "STOP", 0 }, { candidate.content.role, candidate.content.parts[1].text, candidate.finishReason, candidate.index })
      assert.equal(2, body.usageMetadata.candidatesTokenCount)
      assert.equal(body.usageMetadata.totalTokenCount, body.usageMetadata.promptTokenCount + 2)
      assert.truthy(body.modelVersion and body.responseId)
      assert.equal(account.path, m:request(since).path)
      assert.same({ account.target:match("/(.*)"), 50 }, { sent(since).model, sent(since).max_tokens })
      assert.is_nil(sent(since).stream)
      assert.equal("application/json", r:get("content-type"))
      assert.is_nil(r:get("x-moongate-dropped"))
      local record = g:record(r.id)
      assert.same({ account.target, 2 }, { record.target, record.usage.output_tokens })
    end)

    it("streams as it was asked for", function()
      for _, verb in ipairs { EVENTS, ":streamGenerateContent?alt=SSE", ":streamGenerateContent?x=1&%24alt=ss%65" } do
        local since = m:mark()
        local r = ask { model = account.model, text = "echo one two three", verb = verb }
        assert.equal(200, r.status, r.body)
        assert.equal("text/event-stream", r:get("content-type"))
        local list, text = responses(r)
        assert.equal("one two three", text)
        assert.same({ "STOP", 3 }, { list[#list].candidates[1].finishReason, list[#list].usageMetadata.candidatesTokenCount })
        assert.is_nil(list[1].candidates[1].finishReason)
        assert.same({ account.path, true }, { m:request(since).path, sent(since).stream })
      end
    end)

    it("streams as an array where it did not ask for events", function()
      local r = ask { model = account.model, text = "echo one two three", verb = ARRAY }
      assert.equal(200, r.status, r.body)
      assert.equal("application/json; charset=UTF-8", r:get("content-type"))
      local list, text = responses(r)
      assert.equal("one two three", text)
      assert.equal("STOP", list[#list].candidates[1].finishReason)
    end)

    it("calls functions, and brings back what they gave, without ids too", function()
      local r = ask { model = account.model, json = { contents = { { parts = { { text = "call look" } } } }, tools = { LOOK } } }
      assert.equal(200, r.status, r.body)
      local call = cjson.decode(r.body).candidates[1].content.parts[1].functionCall
      assert.same({ "look", "table", "string" }, { call.name, type(call.args), type(call.id) })
      for _, id in ipairs { call.id, false } do
        local since = m:mark()
        local said = { name = call.name, args = call.args, id = id or nil }
        r = ask { model = account.model, json = { tools = { LOOK }, contents = { { parts = { { text = "call look" } } },
          { role = "model", parts = { { functionCall = said } } },
          { role = "user", parts = { { functionResponse = { name = "look", id = id or nil, response = { output = "rain" } } } } },
          { role = "user", parts = { { text = "echo thanks" } } } } } }
        assert.equal(200, r.status, r.body)
        local body = m:request(since).body
        assert.truthy(body:find('"type":"object"', 1, true) and body:find('"rain"', 1, true), body)
        assert.truthy(body:find(id or '"call_1"', 1, true), body)
      end
    end)

    it("hears of a provider's failure in Google's words", function()
      m:script { status = 400, error_type = "invalid_request_error", error_message = "too long" }
      local r = ask { model = account.model, text = "hi" }
      assert.equal(400, r.status)
      assert.same({ 400, "too long", "INVALID_ARGUMENT" }, { error_of(r).code, error_of(r).message, error_of(r).status })
      m:script { status = 429, error_type = "rate_limit_error", error_message = "slow down" }
      r = ask { model = account.model, text = "hi", verb = EVENTS }
      assert.same({ 429, "RESOURCE_EXHAUSTED" }, { r.status, error_of(r).status })
      m:script { status = 401 }
      r = ask { model = account.model, text = "hi" }
      local told = error_of(r).details[1].metadata
      assert.same({ 502, "upstream_error", "upstream_account" }, { r.status, told.type, told.code })
    end)

    it("hears when a stream was cut, of no end", function()
      for _, verb in ipairs { EVENTS, ARRAY } do
        m:script { cut = "fin", cut_event = 5 }
        local r = ask { model = account.model, text = "echo first second third fourth fifth sixth", verb = verb }
        local list, text = responses(r)
        assert.truthy(text:find(" third$") or text:find(" fourth$"), text) -- to the last letter that came
        assert.truthy(list[#list].error, r.body)
        assert.is_nil(r.body:find("finishReason", 1, true))
        assert.equal("stream_incomplete", g:record(r.id).outcome)
      end
    end)

    it("has its addresses masked, and gets its own back", function()
      for _, verb in ipairs { EVENTS, ARRAY } do
        local since = m:mark()
        local r = ask { at = masking, model = account.model, text = "echo ann@example.com", verb = verb }
        assert.equal(200, r.status, r.body)
        assert.is_nil(m:request(since).body:find("ann@example.com", 1, true))
        local _, text = responses(r)
        assert.equal("ann@example.com", text)
      end
    end)

    it("has its tokens counted here", function()
      local since = m:mark()
      local r = ask { model = account.model, text = "how many are these", verb = ":countTokens" }
      assert.equal(200, r.status, r.body)
      assert.is_true(cjson.decode(r.body).totalTokens > 3)
      assert.equal(since, m:mark())
    end)
  end)
end

describe("a client of Gemini's API", function()
  it("is told what was dropped, and refused what cannot be said", function()
    local safety = { { category = "HARM_CATEGORY_HARASSMENT", threshold = "BLOCK_NONE" } }
    local json = { contents = { { parts = { { text = "echo hi" } } } }, safetySettings = safety }
    local r = ask { model = "claude", json = json }
    assert.same({ 200, "safetySettings" }, { r.status, r:get("x-moongate-dropped") }, r.body)
    local since = m:mark()
    r = ask { model = "strict", json = json }
    assert.equal(400, r.status)
    assert.truthy(error_of(r).message:find("safetySettings", 1, true), r.body)
    r = ask { model = "claude", json = { contents = { { parts = { { text = "hi" } } } }, tools = { { codeExecution = { x = 1 } } } } }
    assert.equal(400, r.status)
    assert.truthy(error_of(r).message:find("codeExecution", 1, true), r.body)
    assert.equal(since, m:mark())
  end)

  local THOUGHT = [[
event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"let me see"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln+/8="}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"words\": \"x\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

]]

  it("gets what Claude has thought where it asks for that, and gives it back", function()
    local function think(includes)
      m:script { body = THOUGHT, content_type = "text/event-stream" }
      local r = ask { model = "claude", verb = EVENTS, json = { contents = { { parts = { { text = "hi" } } } }, tools = { LOOK },
        generationConfig = { maxOutputTokens = 20000, thinkingConfig = { includeThoughts = includes, thinkingBudget = 2048 } } } }
      assert.equal(200, r.status, r.body)
      return responses(r), r.body
    end
    local _, quiet = think(false)
    assert.is_nil(quiet:find("thought", 1, true))
    local list, contents = think(true), { { role = "user", parts = { { text = "hi" } } } }
    for _, response in ipairs(list) do contents[#contents + 1] = response.candidates[1].content end
    assert.truthy(list[1].candidates[1].content.parts[1].thought)
    contents[#contents + 1] = { role = "user", parts = { { functionResponse = { name = "look", id = "toolu_1", response = { output = "r" } } } } }
    local since = m:mark()
    local r = ask { model = "claude", json = { contents = contents, tools = { LOOK },
      generationConfig = { maxOutputTokens = 20000, thinkingConfig = { includeThoughts = true, thinkingBudget = 2048 } } } }
    assert.equal(200, r.status, r.body)
    local body = sent(since)
    assert.same({ type = "thinking", thinking = "let me see", signature = "c2ln+/8=" }, body.messages[2].content[1])
    assert.same({ type = "tool_use", id = "toolu_1", name = "look", input = { words = "x" } }, body.messages[2].content[2])
    assert.equal("enabled", body.thinking.type)
  end)
end)
