-- What redaction, records, counts of tokens, budgets and classes promise holds in every dialect, natively and translated:
-- the same corpus for each client of each API (kit/dialects.lua) on each kind of account. A pair that is translated from
-- now on takes part by itself.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local dialects = require("tests.e2e.kit.dialects")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "redaction", "access", "budget" }',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key" } }, ' ..
    'data = { default = "internal", headers = { ["x-class"] = { secret = "restricted" } } } }',
  ["apps.lua"] = 'return apps { ["rich"] = { department = "engineering", owner = "tests" }, ["poor"] = { department = "engineering", owner = "tests" } }',
  ["redaction.lua"] = [[return redaction {
    detect   = { "email", "phone", "us_ssn", "credit_card" },
    custom   = { { "employee_id", like = "EMP-######" } },
    request  = { us_ssn = "deny", ["*"] = "mask" },
    response = { ["*"] = "mask" },
    restore  = true,
    max_scan = "8KB",
  }]],
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = "0.000001", per = "month" } }, ' ..
    'default = { each = "app", limit = 1000000, per = "month" }, assumed_output_tokens = 20 }',
}
-- By the kind of account: what providers there speak, to clients of which API.
local ACCOUNTS = {
  { kind = "openai", speaks = function(api) return api == "responses" and "responses" or "chat" end },
  { kind = "openai_compatible", speaks = function() return "chat" end },
  { kind = "openai_responses", speaks = function() return "responses" end },
  { kind = "anthropic", speaks = function() return "messages" end },
  { kind = "gemini", speaks = function() return "gemini" end, path = "/v1beta" },
}
local APIS = { "chat", "messages", "responses", "gemini" }

local m, g, poor

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local providers, models, rows = {}, {}, {}
  for _, account in ipairs(ACCOUNTS) do
    for _, name in ipairs { account.kind, account.kind .. "_2" } do
      providers[name] = { kind = account.kind, url = (m.url:gsub("/v1$", account.path or "/v1")), key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false }
    end
    models[#models + 1] = ('["on-%s"] = { targets = { "%s/one", "%s_2/two-%s" }, context = 200000, counts_as = "gpt-4o", price = price },')
      :format(account.kind, account.kind, account.kind, account.kind)
    rows[#rows + 1] = ('["on-%s"] = { departments = any, data = "internal" },'):format(account.kind)
  end
  POLICIES["models.lua"] = 'local price = usd_per_million { input = "10", output = "100" }\nreturn models {\n' .. table.concat(models, "\n") .. "\n}\n"
  POLICIES["access.lua"] = "return access { models = {\n" .. table.concat(rows, "\n") .. "\n} }\n"
  g = gateway.start { mock = m, name = "dialects", policies = POLICIES, key = { app = "rich" }, config = { keepalive = "200ms", providers = providers } }
  poor = g:new_key { app = "poor" }
  expect.eventually(function() return g:ask({ path = "/v1/models", key = poor, method = "GET" }).status == 200 end)
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function corpus(name, account)
  local api, provider, model = dialects[name], dialects[account.speaks(name)], "on-" .. account.kind

  local function ask(text, of)
    of = of or {}
    local headers = {}
    for _, list in ipairs { api.headers or {}, of.headers or {} } do
      for _, header in ipairs(list) do headers[#headers + 1] = header end
    end
    return g:ask { path = api.path(model, of.stream), json = of.json or api.ask(model, text, of.stream), key = of.key, headers = headers }
  end
  local function stream(text) return ask(text, { stream = true }) end
  local function answer(body) m:script { count = 1, body = body, content_type = "application/json" } end
  local function answer_stream(body) m:script { count = 1, body = body, content_type = "text/event-stream" } end

  it("is served", function()
    local r = ask("echo one two")
    assert.equal(200, r.status, r.body)
    assert.equal("one two", api.text(r.body))
  end)

  it("masks what leaves, and gives the caller's values back, whole and streamed", function()
    for _, is_stream in ipairs { false, true } do
      local since = m:mark()
      local r = ask("echo write to ana@example.com about EMP-123456 today", { stream = is_stream or nil })
      assert.equal("write to ana@example.com about EMP-123456 today", (is_stream and api.streamed or api.text)(r.body), r.body)
      local sent = m:request(since).body
      assert.truthy(sent:find("echo write to [email] about [employee_id] today", 1, true), sent)
    end
  end)

  it("reads tools as who decodes them sees them", function()
    local since = m:mark()
    local r = ask(nil, { json = api.worked(model, '{"note":"x\\nana@example.com","to":"bo\\u0040x.org","card":"5500000000000004"}',
      '["x\\tcy\239\188\160example.com"]') })
    assert.equal(200, r.status, r.body)
    local sent = m:request(since).body
    for _, value in ipairs { "ana@", "bo@", "bo\\u0040", "5500000000000004", "cy\239\188\160" } do assert.is_nil(sent:find(value, 1, true), sent) end
    for _, mask in ipairs { "[email]", "[email_2]", "[email_3]", "[credit_card]" } do assert.truthy(sent:find(mask, 1, true), sent) end
  end)

  it("refuses what must not be sent, what is too long, and a class that may not; nobody is called", function()
    local since = m:mark()
    local r = ask("my number is 219-09-9999")
    assert.equal(422, r.status)
    assert.truthy(r.body:find("sensitive_data", 1, true) or r.body:find("us_ssn", 1, true), r.body)
    assert.is_nil(r.body:find("219", 1, true))
    assert.equal(413, ask(("word "):rep(2000)).status)
    assert.equal(403, ask("hello", { headers = { { "X-Class", "secret" } } }).status)
    assert.equal(402, ask("hello", { key = poor }).status)
    assert.equal(0, #m:requests(since))
  end)

  it("keeps its masks when the next target is tried", function()
    local since = m:mark()
    m:script { count = 1, status = 503 }
    local r = ask("echo to ana@example.com")
    assert.equal("to ana@example.com", api.text(r.body), r.body)
    assert.truthy(m:request(since, 2).body:find("echo to [email]", 1, true))
  end)

  it("leaves counts, usage and cost in the record, and nothing of what was found", function()
    answer(provider.whole("to [email]"))
    local r = ask("echo zoe@example.net 4111 1111 1111 1111 and zoe@example.net")
    local record = g:record(r.id)
    assert.same({ email = 2, credit_card = 1 }, record.redaction.request)
    assert.equal(1, record.redaction.restored)
    assert.same({ 3, 4, 3 * 10000 + 4 * 100000 }, { record.usage.input_tokens, record.usage.output_tokens, record.cost.nano_usd })
    answer_stream(provider.stream { "to ", "[email]" })
    record = g:record(stream("echo zoe@example.net").id)
    assert.same({ 3, 4, 3 * 10000 + 4 * 100000 }, { record.usage.input_tokens, record.usage.output_tokens, record.cost.nano_usd })
    for _, line in ipairs(g:entries()) do
      assert.is_nil(line:find("example.net", 1, true))
      assert.is_nil(line:find("4111 1111", 1, true))
    end
    assert.is_nil(g:said():find("example.net", 1, true))
  end)

  it("counts what moongate tokens counts", function()
    local json = api.ask(model, "한국어 and an e\204\129, twice")
    if name == "gemini" then json.model = model end
    g.dir:write("body.json", cjson.encode(json))
    local counted = g:json("tokens", "body.json")
    local estimate = g:record(ask(nil, { json = json }).id).estimate
    assert.same({ counted.tokens, counted.estimated }, { estimate.input_tokens, estimate.estimated })
  end)

  it("masks what is new in an answer, and in a provider's error", function()
    answer(provider.whole("ask bo@x.org or [email]"))
    assert.equal("ask [email_2] or ana@example.com", api.text(ask("I am ana@example.com").body))
    m:script { count = 2, status = 400, error_type = "invalid_request_error", error_message = "no such person: [email]" }
    local r = ask("I am ana@example.com")
    assert.equal(400, r.status)
    assert.truthy(r.body:find("no such person: ana@example.com", 1, true), r.body)
  end)

  it("catches a value at whatever place a stream is cut", function()
    local text = "to [email] and bo@x.org, not EMP-654321."
    for cut = 1, #text - 1, 4 do
      answer_stream(provider.stream { text:sub(1, cut), text:sub(cut + 1) })
      local r = stream("I am ana@example.com")
      assert.equal("to ana@example.com and [email_2], not [employee_id].", api.streamed(r.body), r.body)
      assert.is_nil(r.body:find("x.org", 1, true), r.body)
      assert.is_nil(r.body:find("654321", 1, true), r.body)
    end
  end)

  it("masks what tools are asked as it is decoded, cut at every byte", function()
    local arguments, pieces = '{"note":"x\\nbo@x.org","to":"[email]"}', {}
    for i = 1, #arguments do pieces[i] = arguments:sub(i, i) end
    answer_stream(provider.call(pieces))
    local r = stream("I am ana@example.com")
    assert.same({ note = "x\n[email_2]", to = "ana@example.com" }, cjson.decode(api.asked(r.body)), r.body)
    assert.is_nil(r.body:find("x.org", 1, true), r.body)
  end)

  it("lets nothing through that is too deep to be read", function()
    local text = "x\nbo@x.org"
    for _ = 1, 9 do text = cjson.encode { text } end
    answer(provider.whole(text))
    local r = ask("hello")
    assert.is_true(r.status >= 500, r.body)
    assert.is_nil(r.body:find("x.org", 1, true))
    answer_stream(provider.stream { text })
    assert.is_nil(stream("hello").body:find("x.org", 1, true))
  end)

  it("ends a stream that is cut with all that was sent, masked, and an error", function()
    answer_stream(provider.cut { "write to bo@x.org", " or EMP-12" })
    local r = stream("hello")
    -- Gemini's last character waits for the reason why it is the last.
    local text, wanted = api.streamed(r.body), "write to [email] or EMP-12"
    assert.is_true(text == wanted or (api ~= provider and name == "gemini" and text == wanted:sub(1, -2)), r.body)
    assert.truthy(r.body:find("before it was complete", 1, true) or r.body:find("stream_incomplete", 1, true) or r.body:find("closed", 1, true), r.body)
    assert.is_nil(r.body:find("x.org", 1, true))
  end)

  it("looks at large events, and refuses what is too large", function()
    for _, behind in ipairs { {}, { "g" }, { "rg", " and" } } do -- what a large event ends in may go on
      local value = (" bo@x.org"):sub(1, -1 - #(behind[1] or ""))
      answer_stream(provider.stream { ("x"):rep(70000) .. value, unpack(behind) })
      local text = api.streamed(stream("hello").body)
      assert.equal(("x [email]" .. (behind[2] or "")), text:sub(70000))
    end
    -- An event of Responses may say all of an answer once more, and be as large as one.
    local bytes = provider == dialects.responses and 4400000 or 1100000
    m:script { count = 2, body = provider.stream { ("x"):rep(bytes) .. " bo@x.org" }, content_type = "text/event-stream" }
    local r = stream("hello")
    assert.is_true(r.status >= 500 or api.streamed(r.body) == "", tostring(r.status))
    assert.is_nil(r.body:find("x.org", 1, true))
  end)

  it("keeps callers' values apart", function()
    local calls = {}
    for i = 1, 6 do
      calls[i] = client.connect(g.port)
      calls[i]:send(client.request { key = g.key, path = api.path(model, true), headers = api.headers,
        json = api.ask(model, ("echo I am p%d@x.org now"):format(i), true) })
    end
    for i, c in ipairs(calls) do
      c:head()
      assert.equal(("I am p%d@x.org now"):format(i), api.streamed(c:body()))
      c:close()
    end
  end)
end

describe("every dialect", function()
  for _, name in ipairs(APIS) do
    for _, account in ipairs(ACCOUNTS) do
      describe(("%s on an account of kind %s"):format(name, account.kind), function() corpus(name, account) end)
    end
  end
end)
