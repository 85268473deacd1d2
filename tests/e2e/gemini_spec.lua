-- Google's Gemini API as clients of it speak it, to an account that speaks it: bytes both ways, streams as events and as
-- arrays, errors, denials, budgets, masks, counts of tokens, embeddings; keys in the query; what a provider would keep;
-- and that nobody comes by this door who may not come by others.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "capped", "ratelimit", "budget", "routing" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-goog-api-key" } } }\n',
  ["apps.lua"] = 'return apps { ["bot"] = { department = "engineering", owner = "tests" }, ' ..
    '["poor"] = { department = "engineering", owner = "tests" }, ["slow"] = { department = "engineering", owner = "tests" }, ' ..
    '["plain"] = { department = "engineering", owner = "tests" } }\n',
  -- A token of output costs a dime.
  ["models.lua"] = [[
return models {
  auto   = { virtual = true },
  free   = { targets = { "gemini/gemini-free", "gemini2/again" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  dear   = { targets = { "gemini/dear" }, context = 200000, price = usd_per_million { input = "0", output = "100000" } },
  vector = { targets = { "gemini/vector:1" }, context = 2000, price = usd_per_million { input = "1000", output = "0" } },
  small  = { targets = { "gemini/small" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  chats  = { targets = { "openai/chats" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  closed = { targets = { "gemini/closed" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["access.lua"] = [[
return access { models = { closed = { departments = { "sales" }, data = "restricted" } }, default = "allow", rules = {
  { "no-hosted", when = { uses = "hosted_tools", app = "plain" }, deny = { 403, "hosted_tools" } },
  { "no-files", when = { uses = "files", app = "plain" }, deny = { 403, "files" } },
} }
]],
  ["capped.lua"] = [[
return policy { on_request = function(ctx)
  if ctx.request.model ~= "small" then return end
  ctx.request:set("max_tokens", 3, "short")
  ctx.request:set("temperature", 0, "the same")
end }
]],
  ["ratelimit.lua"] = 'return ratelimit { limits = { { "slow", requests = 2, per = "1h", burst = 2, when = { app = "slow" } } } }\n',
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = 4, per = "month" } }, ' ..
    'default = { each = "app", limit = 1000, per = "month" }, stream = { slice = 16, on_exhausted = "cut" } }\n',
  ["routing.lua"] = 'return routing { choose_for = { "auto" }, rules = { { "all", route = { "openai/chats", "gemini/gemini-free" } } } }\n',
}

local MASKS = [[
return redaction { detect = { "email", "credit_card" }, request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }
]]

local m, g, masking, keys

setup(function()
  m = mock.start { recordings = true, key = gateway.PROVIDER_KEY }
  local function account(kind) return { kind = kind, url = (m.url:gsub("/v1$", "/v1beta")), key = gateway.raw('env "OPENAI_API_KEY"') } end
  local config = { providers = { openai = { kind = "openai", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"') },
    gemini = account "gemini", gemini2 = account "gemini" } }
  g = gateway.start { mock = m, name = "gemini", policies = POLICIES, key = { app = "plain" }, config = config }
  keys = { plain = g.key }
  local files = { ["redaction.lua"] = MASKS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "redaction", "routing" }\n'
  masking = gateway.start { mock = m, name = "gemini-masks", policies = files, key = { app = "bot" }, config = config }
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

local WHOLE, EVENTS, ARRAY = ":generateContent", ":streamGenerateContent?alt=sse", ":streamGenerateContent"

-- of: app, model, verb, json (or text), headers; key = false: none in the header
local function ask(of)
  local json = of.json or { contents = { { role = "user", parts = { { text = of.text or "hi" } } } } }
  return (of.app == "bot" and masking or g):ask { path = of.path or "/v1beta/models/" .. (of.model or "free") .. (of.verb or WHOLE),
    json = json, key = false, headers = of.headers or { { "x-goog-api-key", keys[of.app or "plain"] } }, method = of.method }
end

local function error_of(r) return cjson.decode(r.body).error end
local function text_of(answer)
  local text = {}
  for _, part in ipairs(answer.candidates[1].content.parts) do text[#text + 1] = part.text or cjson.encode(part.functionCall.args) end
  return table.concat(text)
end

-- The pieces of a stream, of either form, and their text.
local function read_stream(body)
  local pieces, text = {}, {}
  if body:sub(1, 1) == "[" then
    pieces = cjson.decode(body)
  else
    for data in body:gmatch("data: ([^\r\n]*)\r?\n\r?\n") do pieces[#pieces + 1] = cjson.decode(data) end
  end
  for _, piece in ipairs(pieces) do if piece.candidates then text[#text + 1] = text_of(piece) end end
  return pieces, table.concat(text)
end

local function bytes_of(recording)
  local file = assert(io.open(mock.recordings .. "/" .. recording.response_file, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

describe("a request", function()
  it("arrives as it was sent, at the model that routing chose, with the account's key", function()
    local body = '{ "system_instruction":{"parts":{"text":"s"}},"contents" : [{"role":"user","parts":[{"text":"\\u00fc"},{"ofNextYear":{"x":[1.0]}}]}],\n' ..
      '"generationConfig":{"maxOutputTokens":10,"thinkingConfig":{"thinkingBudget":1}}, "xNew":{"a":[]} }'
    for verb, sent in pairs { [WHOLE] = WHOLE, [EVENTS] = EVENTS, [ARRAY] = ARRAY, [WHOLE .. "?alt=json&$prettyPrint=0"] = WHOLE } do
      local since = m:mark()
      local r = ask { json = body, verb = verb }
      assert.equal(200, r.status, r.body)
      local request = m:request(since)
      expect.equal_bytes(body, request.body)
      assert.equal("/v1beta/models/gemini-free" .. sent, request.path)
      assert.equal(gateway.PROVIDER_KEY, m:header(request, "x-goog-api-key"))
      assert.is_nil(m:header(request, "authorization"))
    end
    local since = m:mark()
    assert.equal(200, ask({ path = "/v1/models/free:generateContent" }).status)
    assert.equal("/v1beta/models/gemini-free:generateContent", m:request(since).path)
  end)

  it("is recorded as a chat of its dialect, with usage and cost", function()
    local r = ask { model = "dear", json = { contents = { { parts = { { text = "one two three" } } } }, generationConfig = { maxOutputTokens = 2 } } }
    assert.equal(200, r.status, r.body)
    local record = g:record(r.id)
    assert.same({ "chat", "gemini", "dear", "MAX_TOKENS" }, { record.api, record.dialect, record.model_asked or record.model, record.upstream.finish_reason })
    assert.same({ 3, 2, 2 * 1e8 }, { record.usage.input_tokens, record.usage.output_tokens, record.cost.nano_usd })
    r = ask { verb = ARRAY }
    assert.equal(true, g:record(r.id).stream)
    assert.equal(16, g:record(r.id).usage.output_tokens)
  end)

  it("has what policies set in generationConfig, which may not be there", function()
    local since = m:mark()
    assert.equal(200, ask({ model = "small" }).status)
    assert.same({ maxOutputTokens = 3, temperature = 0 }, cjson.decode(m:request(since).body).generationConfig)
    since = m:mark()
    local json = { contents = { { parts = { { text = "x" } } } }, generation_config = { max_output_tokens = 100, top_p = 1 } }
    assert.equal(200, ask({ model = "small", json = json }).status)
    assert.same({ max_output_tokens = 3, temperature = 0, top_p = 1 }, cjson.decode(m:request(since).body).generation_config)
  end)
end)

describe("a key in the query", function()
  it("is a credential where the policy takes x-goog-api-key, and goes no further", function()
    local since = m:mark()
    local r = ask { verb = EVENTS .. "&key=" .. keys.plain, headers = {} }
    assert.equal(200, r.status, r.body)
    assert.equal("/v1beta/models/gemini-free" .. EVENTS, m:request(since).path)
    local record = g:record(r.id)
    assert.equal("plain", record.identity.app)
    assert.is_nil(cjson.encode(record):find(keys.plain, 1, true))
    assert.is_nil(cjson.encode(m:request(since)):find(keys.plain, 1, true))
    r = ask { verb = WHOLE .. "?key=mgk_nobody", headers = {} }
    assert.same({ 401, "UNAUTHENTICATED" }, { r.status, error_of(r).status })
    r = ask { verb = WHOLE .. "?key=" .. keys.plain, headers = { { "x-goog-api-key", "mgk_nobody" } } }
    assert.equal(401, r.status) -- a header goes before it
    r = g:ask { path = "/v1/chat/completions?key=" .. keys.plain, json = { model = "chats", messages = { { role = "user", content = "x" } } }, key = false }
    assert.equal(401, r.status) -- no parameter of that API
  end)
end)

describe("answers of the provider", function()
  if not mock.has_recordings() then return end
  local file = assert(io.open(mock.recordings .. "/manifest.json"))
  local list = cjson.decode(file:read("*a")).recordings
  file:close()
  for _, recording in ipairs(list) do
    local is_chat = recording.api == "gemini.generateContent" or recording.api == "gemini.streamGenerateContent"
    if is_chat and recording.status ~= 401 then
      local is_array = recording.response_file:find("streamGenerateContent-json", 1, true)
      local verb = is_array and ARRAY or recording.stream and EVENTS or WHOLE
      it("reach the client byte for byte: " .. recording.id, function()
        local want = bytes_of(recording)
        m:script { replay = recording.id, split = 333 }
        local r = ask { verb = verb }
        assert.equal(recording.status, r.status)
        expect.equal_bytes(want, r.body)
        if recording.status ~= 200 then return end
        local record, e = g:record(r.id), recording.expected
        local function n(value) return type(value) == "number" and value or 0 end
        assert.equal("ok", record.outcome)
        assert.equal(n(e.input_tokens) , n(record.usage.input_tokens))
        assert.equal(n(e.output_tokens), n(record.usage.output_tokens))
        assert.equal(n(e.thoughts_tokens), n(record.usage.reasoning_tokens))
      end)

      it("go through masks that find nothing byte for byte: " .. recording.id, function()
        local want = bytes_of(recording)
        if recording.status ~= 200 or want:find("@", 1, true) then return end
        m:script { replay = recording.id, split = 77 }
        expect.equal_bytes(want, ask({ app = "bot", verb = verb }).body)
      end)
    end
  end

  it("are another account's where the first fails, and keep the provider's own error where none is left", function()
    m:script { { status = 503 } }
    local r = ask {}
    assert.equal(200, r.status, r.body)
    assert.equal("gemini2/again", g:record(r.id).target)
    m:script { { status = 400, error_type = "INVALID_ARGUMENT", error_message = "no such part" } }
    r = ask {}
    assert.same({ 400, "no such part" }, { r.status, error_of(r).message })
  end)

  it("that break off end with what clients of this API raise, and an array is whole", function()
    for _, verb in ipairs { EVENTS, ARRAY } do
      m:script { cut = "fin", cut_event = 6, cut_byte = 20, tokens = 20 }
      local r = ask { verb = verb }
      local pieces = read_stream(r.body)
      assert.equal(7, #pieces)
      assert.same({ 502, "UNAVAILABLE", "UPSTREAM_CLOSED" }, { pieces[7].error.code, pieces[7].error.status, pieces[7].error.details[1].reason })
      assert.equal("stream_incomplete", g:record(r.id).outcome)
    end
  end)

  it("without a reason why they end are no whole ones", function()
    for _, verb in ipairs { EVENTS, ARRAY } do
      m:script { done = 0 }
      local r = ask { verb = verb }
      local pieces = read_stream(r.body)
      assert.equal("STREAM_INCOMPLETE", pieces[#pieces].error.details[1].reason)
    end
  end)

  it("of a prompt that is blocked are whole ones", function()
    m:script { body = '{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}}' }
    local r = ask {}
    assert.equal(200, r.status)
    assert.same({ "ok", "PROHIBITED_CONTENT", 9 }, { g:record(r.id).outcome, g:record(r.id).upstream.finish_reason, g:record(r.id).usage.input_tokens })
  end)
end)

describe("the gateway's own refusals", function()
  it("have this API's form, and call nobody", function()
    local since = m:mark()
    local r = ask { json = '{"contents":{}}' }
    assert.same({ 400, 400, "INVALID_ARGUMENT", '"contents" must be an array' },
      { r.status, error_of(r).code, error_of(r).status, error_of(r).message })
    r = ask { headers = { { "x-goog-api-key", "sk-nobody" } } }
    assert.same({ 401, "UNAUTHENTICATED" }, { r.status, error_of(r).status })
    r = ask { headers = {} }
    assert.same({ 401, "UNAUTHENTICATED" }, { r.status, error_of(r).status })
    for _, verb in ipairs { WHOLE, EVENTS, ARRAY, ":embedContent", ":batchEmbedContents", ":countTokens" } do
      r = ask { model = "closed", verb = verb, json = '{"contents":[]}' }
      assert.same({ 403, "PERMISSION_DENIED", "access", "false" },
        { r.status, error_of(r).status, error_of(r).details[1].metadata.policy, r:get("x-should-retry") })
      r = ask { model = "none-of-ours", verb = verb }
      assert.same({ 404, "NOT_FOUND" }, { r.status, error_of(r).status })
    end
    -- However it is spelt, and wherever a model may be named.
    for _, path in ipairs { "/v1/models/closed", "//v1beta/models/closed", "/v1beta//models/clos%65d", "/v1beta/models/%63losed" } do
      r = ask { path = path .. WHOLE }
      assert.equal(403, r.status, path)
    end
    for _, path in ipairs { "/v1beta/models/models%2Fclosed", "/v1beta/models/models/closed" } do
      assert.equal(404, ask({ path = path .. WHOLE }).status, path)
    end
    for _, json in ipairs { '{"contents":[],"model":"models/closed"}', '{"contents":[],"model":"closed"}',
      '{"requests":[{"model":"models/closed","content":{"parts":[{"text":"x"}]}}]}' } do
      r = ask { verb = json:find("requests", 1, true) and ":batchEmbedContents" or WHOLE, json = json }
      assert.same({ 400, '"model" must be the one that stands in the path' }, { r.status, error_of(r).message })
    end
    for _, tools in ipairs { '{"googleSearch":{}}', '{"google_search":{}}', '{"functionDeclarations":[],"codeExecution":{}}', '{"url\\u0043ontext":{}}' } do
      r = ask { json = '{"contents":[{"parts":[{"text":"x"}]}],"tools":[' .. tools .. ']}' }
      assert.same({ 403, "no-hosted" }, { r.status, error_of(r).details[1].metadata.rule }, tools)
    end
    for _, part in ipairs { '{"inlineData":{"mimeType":"application/pdf","data":"AAAA"}}', '{"inline_data":{"mime_type":"video/mp4","data":"AAAA"}}',
      '{"fileData":{"fileUri":"https://www.youtube.com/watch?v=x"}}' } do
      r = ask { json = '{"contents":[{"parts":[' .. part .. ']}]}' }
      assert.same({ 403, "no-files" }, { r.status, error_of(r).details[1].metadata.rule }, part)
    end
    assert.same({}, m:requests(since))
  end)

  it("of what a provider keeps say what to do instead, and call nobody", function()
    local since = m:mark()
    local function refused(json, path)
      local r = ask { json = json, path = path }
      assert.same({ 400, "INVALID_ARGUMENT" }, { r.status, error_of(r).status }, json)
      return error_of(r).message
    end
    for _, name in ipairs { "cachedContent", "cached_content" } do
      assert.truthy(refused('{"contents":[],"' .. name .. '":"cachedContents/x"}'):find('is sent in "contents"', 1, true))
    end
    for _, uri in ipairs { "https://generativelanguage.googleapis.com/v1beta/files/a", "files/a", "gs://b/a", "https:\\/\\/x/a" } do
      assert.truthy(refused('{"contents":[{"parts":[{"fileData":{"fileUri":"' .. uri .. '"}}]}]}'):find('"inlineData"', 1, true))
    end
    assert.truthy(refused('{"contents":[],"tools":[{"fileSearch":{"fileSearchStoreNames":["fileSearchStores/x"]}}]}'):find("stores of documents", 1, true))
    for _, path in ipairs { "/v1beta/cachedContents", "/v1beta/files", "/v1beta/models/free:predict", "/v1beta/tunedModels/x:generateContent" } do
      local r = ask { path = path, headers = { { "x-goog-api-key", keys.plain }, { "x-goog-api-client", "google-genai-sdk/2.0" } } }
      assert.same({ 400, "UNSUPPORTED_PATH" }, { r.status, error_of(r).details[1].reason }, path)
    end
    assert.same({}, m:requests(since))
  end)

  it("tell what an account needs that does not speak this API, and routing passes over it", function()
    local since, embed = m:mark(), { content = { parts = { { text = "x" } } } }
    local r = ask { model = "chats", verb = ":embedContent", json = embed } -- chats are translated
    assert.same({ 400, "DIALECT_MISMATCH" }, { r.status, error_of(r).details[1].reason }, r.body)
    assert.truthy(error_of(r).message:find('a target of kind "gemini"', 1, true), error_of(r).message)
    assert.equal(0, #m:requests(since))
    assert.equal("gemini/gemini-free", g:record(ask({ model = "auto", verb = ":embedContent", json = embed }).id).target)
  end)
end)

describe("models", function()
  it("are listed in this API's form to its clients", function()
    local function names(path, headers)
      local list, r = {}, ask { path = path, method = "GET", headers = headers }
      assert.equal(200, r.status, r.body)
      for _, model in ipairs(cjson.decode(r.body).models) do list[model.name] = model end
      return list
    end
    local sdk = { { "x-goog-api-key", keys.plain }, { "x-goog-api-client", "google-genai-sdk/2.0" } }
    for _, list in ipairs { names "/v1beta/models", names("/v1/models", sdk) } do
      assert.truthy(list["models/free"] and list["models/dear"])
      assert.is_nil(list["models/closed"])
      assert.truthy(list["models/chats"]) -- of another vendor
    end
    local r = ask { path = "/v1beta/models/free", method = "GET" }
    assert.same({ 200, "models/free" }, { r.status, cjson.decode(r.body).name })
    r = ask { path = "/v1beta/models/closed", method = "GET" }
    assert.same({ 404, "NOT_FOUND" }, { r.status, error_of(r).status })
  end)
end)

describe("budgets and limits", function()
  it("hold, cut a stream in this API's form, and refuse what is left", function()
    m:script { tokens = 100, delay_ms = 2 }
    local json = { contents = { { parts = { { text = "x" } } } }, generationConfig = { maxOutputTokens = 100 } }
    local r = ask { app = "poor", model = "dear", verb = ARRAY, json = json }
    assert.equal(200, r.status, r.body)
    local pieces = read_stream(r.body)
    assert.equal("BUDGET_CUT", pieces[#pieces].error.details[1].reason)
    local since = m:mark()
    for _, verb in ipairs { WHOLE, EVENTS, ARRAY } do
      r = ask { app = "poor", model = "dear", verb = verb, json = json }
      assert.truthy(r.status == 402 or r.status == 403 or r.status == 429, r.status)
      assert.equal(r.status, error_of(r).code)
      assert.equal("false", r:get("x-should-retry"))
    end
    assert.same({}, m:requests(since))
  end)

  it("say when to come again as Google does", function()
    local r
    for _ = 1, 3 do r = ask { app = "slow" } end
    assert.same({ 429, "RESOURCE_EXHAUSTED" }, { r.status, error_of(r).status })
    assert.equal("type.googleapis.com/google.rpc.RetryInfo", error_of(r).details[2]["@type"])
    assert.equal(r:get("retry-after") .. "s", error_of(r).details[2].retryDelay)
  end)
end)

describe("counting tokens and embedding", function()
  it("are passed on, and recorded", function()
    local since = m:mark()
    local r = ask { model = "dear", verb = ":countTokens", text = "one two" }
    assert.same({ 200, 2 }, { r.status, cjson.decode(r.body).totalTokens })
    assert.equal("/v1beta/models/dear:countTokens", m:request(since).path)
    local record = g:record(r.id)
    assert.same({ "count_tokens", "gemini", 0, "ok" }, { record.api, record.dialect, record.cost.nano_usd, record.outcome })
    since = m:mark()
    r = ask { model = "vector", verb = ":embedContent", json = { model = "models/vector", content = { parts = { { text = "one two" } } } } }
    assert.equal(200, r.status, r.body)
    local request = m:request(since)
    assert.equal("/v1beta/models/vector%3A1:embedContent", request.path)
    assert.equal("models/vector:1", cjson.decode(request.body).model)
    record = g:record(r.id)
    assert.same({ "embeddings", "gemini", "ok" }, { record.api, record.dialect, record.outcome })
    assert.truthy(record.cost.nano_usd > 0) -- Google tells no usage of these: it is counted here
    since = m:mark()
    local one = { model = "models/vector", title = "of bo@example.org", content = { parts = { { text = "to ana@example.org" } } } }
    r = ask { app = "bot", model = "vector", verb = ":batchEmbedContents", json = { requests = { one, one } } }
    assert.same({ 200, 2 }, { r.status, #cjson.decode(r.body).embeddings })
    assert.is_nil(m:request(since).body:find("@example", 1, true))
    assert.equal("models/vector:1", cjson.decode(m:request(since).body).requests[2].model)
  end)
end)

describe("masks", function()
  it("stand in what leaves, in every part, and the client gets its own values back", function()
    local since = m:mark()
    local r = ask { app = "bot", json = { systemInstruction = { parts = { { text = "for ana@example.org" } } }, contents = {
      { role = "model", parts = { { text = "why bo@example.org", thought = true },
        { functionCall = { name = "f", args = { id = "cy@example.org", data = { mimeType = "di@example.org" } } } } } },
      { role = "user", parts = { { functionResponse = { name = "f", response = { role = "ed@example.org" } } } } },
      { role = "user", parts = { { ofNextYear = { said = "fy@example.org" } }, { text = "echo write to [email] and [email_2]" } } } },
      tools = { { functionDeclarations = { { name = "f", description = "mail gi@example.org" } } } } } }
    assert.equal(200, r.status, r.body)
    local sent = m:request(since).body
    assert.is_nil(sent:find("@example.org", 1, true), sent)
    r = ask { app = "bot", text = "echo write to dan@example.org now" }
    assert.equal("write to dan@example.org now", text_of(cjson.decode(r.body)))
  end)

  it("stand in all of what tools are given and gave back, its names and numbers too", function()
    local since, value = m:mark(), { ["ana@example.org"] = { 4222222222222, "ana@example.org" } }
    local r = ask { app = "bot", json = { contents = { { role = "model", parts = { { functionCall = { name = "f", args = value } } } },
      { role = "user", parts = { { functionResponse = { name = "f", response = value } } } },
      { role = "user", parts = { { text = "go on" } } } } } }
    local sent, masked = cjson.decode(m:request(since).body).contents, { ["[email]"] = { "[credit_card]", "[email]" } }
    assert.same({ masked, masked }, { sent[1].parts[1].functionCall.args, sent[2].parts[1].functionResponse.response })
    assert.same({ email = 4, credit_card = 2 }, masking:record(r.id).redaction.request)
  end)

  it("stand in answers, whole and in streams of either form, in text and in what tools are asked", function()
    for _, verb in ipairs { WHOLE, EVENTS, ARRAY } do
      m:script { text = "ask eve@example.org or eve@example.org please" }
      local r = ask { app = "bot", verb = verb }
      local text = verb == WHOLE and text_of(cjson.decode(r.body)) or select(2, read_stream(r.body))
      assert.equal("ask [email] or [email] please", text)
      m:script { text = "eve@example.org", tool = "send" }
      r = ask { app = "bot", verb = verb }
      assert.is_nil(r.body:find("eve@", 1, true), r.body)
    end
  end)

  it("stand in an array behind more blanks than anybody waits for, which is counted too", function()
    local answer = '{"candidates":[{"content":{"parts":[{"text":"ask eve@example.org"}],"role":"model"},"finishReason":"STOP","index":0}],'
      .. '"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5}}'
    local body = (" "):rep(70000) .. "[" .. answer .. "]"
    m:script { raw = ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body) }
    local r = ask { app = "bot", verb = ARRAY }
    assert.is_nil(r.body:find("eve@", 1, true), r.body)
    local record = masking:record(r.id)
    assert.same({ 3, 2, "ok" }, { record.usage.input_tokens, record.usage.output_tokens, record.outcome })
  end)

  it("let the caller's own values through, however the stream is cut", function()
    for _, split in ipairs { 1, 7, 100 } do
      for _, verb in ipairs { EVENTS, ARRAY } do
        m:script { text = "I wrote to [email], as you said", split = split }
        local r = ask { app = "bot", verb = verb, text = "mail dan@example.org" }
        assert.equal("I wrote to dan@example.org, as you said", select(2, read_stream(r.body)))
      end
    end
  end)
end)

describe("policies that read answers", function()
  local GUARD = [[return policy {
    on_delta = function(ctx, text) if text:find("secret", 1, true) then return deny(403, "leak", "it told a secret") end end }]]

  it("cut a stream of either form before the text that they refuse has left", function()
    local files = { ["x.lua"] = GUARD }
    for name, text in pairs(POLICIES) do files[name] = text end
    files["init.lua"] = 'return chain { "auth", "x", "routing" }\n'
    local account = { kind = "gemini", url = (m.url:gsub("/v1$", "/v1beta")), key = gateway.raw('env "OPENAI_API_KEY"') }
    local other = gateway.start { mock = m, name = "gemini-hooks", policies = files, key = { app = "plain" },
      config = { providers = { gemini = account, gemini2 = account, openai = { kind = "openai", url = m.url } } } }
    for _, verb in ipairs { EVENTS, ARRAY } do
      local function asking(text)
        return other:ask { path = "/v1beta/models/free" .. verb, key = other.key,
          json = { contents = { { parts = { { text = "echo " .. text } } } } } }
      end
      local r = asking(("word "):rep(100) .. "secret plans " .. ("word "):rep(100))
      assert.equal(200, r.status)
      assert.falsy(r.body:find("secret plans", 1, true))
      local pieces = read_stream(r.body)
      assert.same({ 403, "LEAK" }, { pieces[#pieces].error.code, pieces[#pieces].error.details[1].reason })
      r = asking(("word "):rep(300))
      assert.equal(("word "):rep(300):sub(1, -2), (select(2, read_stream(r.body)):gsub("%s+$", "")))
    end
    other:stop()
  end)
end)

describe("requests of real clients", function()
  local folder = os.getenv("MOONGATE_CAPTURED") or "../shared/captured"
  for _, name in ipairs { "gemini-cli.gemini.1", "gemini-cli.gemini.2", "google-genai-js.gemini.1", "opencode.gemini.1", "opencode.gemini.2" } do
    local file = io.open(folder .. "/" .. name .. ".json")
    if file then
      local request = cjson.decode(file:read("*a"))
      file:close()
      it("pass as they were sent: " .. name, function()
        local headers, body = {}, cjson.encode(request.body)
        for _, header in ipairs(request.headers) do
          local low = header[1]:lower()
          local value = low == "x-goog-api-key" and keys.plain or header[2]
          if not ({ ["content-length"] = 1, connection = 1, ["content-type"] = 1 })[low] then headers[#headers + 1] = { header[1], value } end
        end
        local since = m:mark()
        local r = ask { path = (request.path:gsub("/models/[^:]+", "/models/free")), json = body, headers = headers }
        assert.equal(200, r.status, r.body)
        expect.equal_bytes(body, m:request(since).body)
        local pieces, text = read_stream(r.body)
        assert.truthy(#pieces > 1 and #text > 0)
        assert.truthy(g:record(r.id).estimate.input_tokens > 10)
      end)
    end
  end
end)
