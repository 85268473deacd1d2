-- Redaction end to end: what the provider gets, what the client gets, what is kept of it; whole answers, streams, ends.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "redaction", "routing" }',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }',
  ["models.lua"] = [[return models {
    auto      = { virtual = true },
    ["small"] = { targets = { "openai/small", "local/small" } },
    ["embed"] = { targets = { "openai/embed" } } }]],
  ["routing.lua"] = 'return routing { rules = { { "default", route = { "openai/small" } } } }',
  ["redaction.lua"] = [[return redaction {
    detect   = { "email", "phone", "us_ssn", "credit_card" },
    custom   = { { "employee_id", like = "EMP-######" } },
    request  = { us_ssn = "deny", ["*"] = "mask" },
    response = { ["*"] = "mask" },
    restore  = true,
    max_scan = "8KB",
  }]],
}

local m, g
setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "redaction", policies = POLICIES, config = { keepalive = "200ms" } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function content_of(body) return cjson.decode(body).choices[1].message.content end

-- All text of a stream's first choice; its chunks as tables.
local function read_stream(body)
  local text, chunks = {}, {}
  for line in body:gmatch("data: ({.-})\r?\n") do
    local chunk = cjson.decode(line)
    chunks[#chunks + 1] = chunk
    local choice = chunk.choices and chunk.choices[1]
    if choice and type(choice.delta.content) == "string" then text[#text + 1] = choice.delta.content end
  end
  return table.concat(text), chunks
end

local function ask(text, more)
  local body = { model = "small", messages = { { role = "user", content = text } } }
  for name, value in pairs(more or {}) do body[name] = value end
  return g:chat(body)
end

local function delta(text)
  return ("data: %s\n\n"):format(cjson.encode { id = "x", choices = { { index = 0, delta = { content = text } } } })
end
local FINISH = 'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
local USAGE = 'data: {"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\n'
local DONE = "data: [DONE]\n\n"

-- The provider answers the next request with these bytes as an event stream.
local function script_stream(body) m:script { count = 1, body = body, content_type = "text/event-stream" } end

describe("a request", function()
  it("reaches the provider masked, and all else of it as it came", function()
    local since = m:mark()
    local body = '{ "model" : "small","messages":[{"role":"user", "content":"echo ana\\u0040example.com is EMP-123456"}], "seed":1e0 }'
    local r = g:chat(body)
    assert.equal(200, r.status)
    assert.equal(body:gsub("ana\\u0040example.com", "[email]"):gsub("EMP%-123456", "[employee_id]"), m:request(since).body)
    assert.equal("ana@example.com is EMP-123456", content_of(r.body))
  end)

  -- W1, W7: what a reader of the decoded text sees is what is scanned.
  it("is read as who decodes it sees it", function()
    local since = m:mark()
    local arguments = '{"note":"x\\nana@example.com","to":"bo\\u0040x.org","card":5500000000000004}'
    local r = g:chat { model = "small", messages = { { role = "user", content = "hello" },
      { role = "assistant", tool_calls = { { id = "1", type = "function", ["function"] = { name = "f", arguments = arguments } } } },
      { role = "tool", tool_call_id = "1", content = '["x\\tana\239\188\160example.com"]' } } }
    assert.equal(200, r.status)
    local sent = cjson.decode(m:request(since).body).messages
    assert.equal('{"note":"x\\n[email]","to":"[email_2]","card":"[credit_card]"}', sent[2].tool_calls[1]["function"].arguments)
    assert.equal('["x\\t[email_3]"]', sent[3].content)
    assert.equal(422, ask('{"note":"x\\n219-09-9999"}').status)
  end)

  it("has what its tools are given as objects masked in names and numbers too, and given back", function()
    local since, call = m:mark(), { name = "f", arguments = { ["ana@example.com"] = { 4222222222222 } } }
    local r = g:chat { model = "small", messages = {
      { role = "assistant", tool_calls = { { id = "1", type = "function", ["function"] = call } } },
      { role = "tool", tool_call_id = "1", content = "ok" }, { role = "user", content = "go on" } } }
    local sent = cjson.decode(m:request(since).body).messages[1].tool_calls[1]["function"].arguments
    assert.same({ ["[email]"] = { "[credit_card]" } }, sent)
    assert.same({ email = 1, credit_card = 1 }, g:record(r.id).redaction.request)
    m:script { count = 1, text = "[email] has [credit_card]" }
    call.arguments = { card = 4222222222222, ["ana@example.com"] = true }
    r = g:chat { model = "small", messages = { { role = "assistant", tool_calls = { { id = "1", type = "function", ["function"] = call } } },
      { role = "tool", tool_call_id = "1", content = "ok" } } }
    assert.equal("ana@example.com has 4222222222222", content_of(r.body))
  end)

  it("that must not be sent is refused, and nobody is called", function()
    local since = m:mark()
    local r = ask("my number is 219-09-9999")
    assert.equal(422, r.status)
    local said = gateway.error_of(r)
    assert.equal("sensitive_data", said.code)
    assert.equal("redaction", said.policy)
    assert.is_nil(r.body:find("219", 1, true))
    assert.equal(0, #m:requests(since))
  end)

  it("too long to be looked at is refused", function()
    assert.equal(413, ask(("word "):rep(2000)).status)
  end)

  it("keeps its masks when the next target is tried", function()
    local since = m:mark()
    m:script { count = 1, status = 503 }
    local r = ask("echo to ana@example.com")
    assert.equal("to ana@example.com", content_of(r.body))
    assert.truthy(m:request(since, 2).body:find("echo to [email]", 1, true))
  end)

  it("for embeddings is masked, and its answer passes as it came", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/embeddings", json = { model = "embed", input = "of ana@example.com" } }
    assert.equal(200, r.status)
    assert.truthy(m:request(since).body:find("of [email]", 1, true))
  end)

  it("leaves counts in the record, and nothing of what was found", function()
    local r = ask("echo ana@example.com 4111 1111 1111 1111 and ana@example.com")
    local record = g:record(r.id)
    assert.same({ email = 2, credit_card = 1 }, record.redaction.request)
    assert.equal(3, record.redaction.restored)
    for _, line in ipairs(g:entries()) do
      assert.is_nil(line:find("example.com", 1, true))
      assert.is_nil(line:find("4111", 1, true))
    end
    assert.is_nil(g:said():find("example.com", 1, true))
  end)
end)

describe("an answer", function()
  it("has what is new masked, and its usage untouched", function()
    m:script { count = 1, body = '{"choices":[{"index":0,"message":{"role":"assistant","content":"ask bo@x.org or [email]"},'
      .. '"finish_reason":"stop"}], "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}' }
    local r = ask("I am ana@example.com")
    assert.equal('{"choices":[{"index":0,"message":{"role":"assistant","content":"ask [email_2] or ana@example.com"},'
      .. '"finish_reason":"stop"}], "usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}', r.body)
    local record = g:record(r.id)
    assert.equal(4, record.usage.output_tokens)
    assert.same({ email = 1 }, record.redaction.response)
    assert.equal(1, record.redaction.masked_in_response)
  end)

  it("that holds nothing is byte for byte what the provider sent", function()
    local body = '{ "choices" : [{"message":{"content":"caf\\u00e9"},"finish_reason":"stop"}] }\n'
    m:script { count = 1, body = body }
    expect.equal_bytes(body, ask("hello").body)
  end)

  it("of an error is treated alike", function()
    m:script { count = 2, status = 400, body = '{"error":{"message":"no such person: [email]"}}' }
    assert.equal('{"error":{"message":"no such person: ana@example.com"}}', ask("I am ana@example.com").body)
    m:reset()
  end)

  it("with a content coding cannot be read, and is refused", function()
    m:script { count = 1, gzip = true }
    assert.equal(500, ask("hello").status)
  end)
end)

describe("a stream", function()
  it("gives the caller's values back, word by word", function()
    local r = ask("echo write to ana@example.com about EMP-123456 today", { stream = true })
    local text = read_stream(r.body)
    assert.equal("write to ana@example.com about EMP-123456 today", text)
    assert.truthy(r.body:find("data: [DONE]\n\n", 1, true))
    assert.is_nil(r.body:find('"choices":[]', 1, true)) -- the usage that only the gateway asked for
    assert.truthy(g:record(r.id).usage.output_tokens > 0)
  end)

  it("has the arguments of its tool calls masked as they are decoded, cut at every byte", function()
    local arguments = '{"note":"x\\nbo@x.org","n":5500000000000004,"to":"[email]"}'
    local events = {}
    for i = 1, #arguments do
      events[i] = ("data: %s\n\n"):format(cjson.encode { choices = { { index = 0, delta = { tool_calls = {
        { index = 0, ["function"] = { arguments = arguments:sub(i, i) } } } } } } })
    end
    script_stream(table.concat(events) .. FINISH .. DONE)
    local r, got = ask("I am ana@example.com", { stream = true }), {}
    local _, chunks = read_stream(r.body)
    for _, chunk in ipairs(chunks) do
      local call = (chunk.choices[1].delta.tool_calls or {})[1]
      got[#got + 1] = call and call["function"].arguments
    end
    assert.equal('{"note":"x\\n[email_2]","n":"[credit_card]","to":"ana@example.com"}', table.concat(got))
  end)

  it("has what stands beside its choices masked too", function()
    m:script { count = 1, body = '{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"search_results":[{"title":"bo@x.org"}]}' }
    assert.equal('{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"search_results":[{"title":"[email]"}]}', ask("hello").body)
  end)

  it("with JSON in JSON that is too deep to be read is refused", function()
    local text = "x\nbo@x.org"
    for _ = 1, 9 do text = cjson.encode { text } end
    m:script { count = 1, body = cjson.encode { choices = { { message = { content = text }, finish_reason = "stop" } } } }
    local r = ask("hello")
    assert.is_true(r.status >= 500)
    assert.is_nil(r.body:find("x.org", 1, true))
    script_stream(delta(text) .. FINISH .. DONE)
    assert.is_nil(ask("hello", { stream = true }).body:find("x.org", 1, true))
  end)

  it("that holds nothing is byte for byte what the provider sent", function()
    for _, script in ipairs { "tokens=6", "tokens=6&line_end=crlf", "tokens=3&split=1", "tokens=3&bom=1&space=0" } do
      local body = ('{"model":"small","stream":true,"stream_options":{"include_usage":true},"metadata":{"mock":"%s"},'
        .. '"messages":[{"role":"user","content":"one two"}]}'):format(script)
      expect.equal_bytes(client.ask(m.port, { json = body }).body, g:chat(body).body)
    end
  end)

  it("is caught at whatever place it is cut", function()
    local answer = "to [email] and bo@x.org, not EMP-654321."
    for cut = 1, #answer - 1, 3 do
      script_stream(delta(answer:sub(1, cut)) .. delta(answer:sub(cut + 1)) .. FINISH .. USAGE .. DONE)
      local text, chunks = read_stream(ask("I am ana@example.com", { stream = true }).body)
      assert.equal("to ana@example.com and [email_2], not [employee_id].", text)
      assert.equal(3, #chunks) -- the usage chunk was the gateway's
    end
  end)

  it("of tool calls gives arguments back as JSON", function()
    local r = ask("call mail ana@example.com", { stream = true, tools = { { type = "function",
      ["function"] = { name = "mail" } } } })
    local arguments = {}
    for _, chunk in ipairs(select(2, read_stream(r.body))) do
      local call = chunk.choices[1] and chunk.choices[1].delta.tool_calls
      if call then arguments[#arguments + 1] = call[1]["function"].arguments end
    end
    assert.truthy(cjson.decode(table.concat(arguments)).words)
  end)

  it("holds back no more than the unsettled event", function()
    m:script { count = 1, text = "first second third", delay_ms = 150 }
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = { model = "small", stream = true, messages = { { role = "user", content = "x" } } } })
    c:head()
    local first = assert(c:body_some())
    assert.truthy(first:find("data: ", 1, true))
    assert.is_nil(first:find("[DONE]", 1, true))
    c:body()
    c:close()
  end)

  it("that is cut ends with all that was sent, masked, and an error", function()
    script_stream(delta("write to bo@x.org") .. delta(" or EMP-12"))
    local r = ask("hello", { stream = true })
    local text = read_stream(r.body)
    assert.equal("write to [email] or EMP-12", text)
    assert.truthy(r.body:find("stream_incomplete", 1, true))
  end)

  it("with an error of the provider's own ends with it", function()
    for _ = 1, 2 do -- the second attempt goes as the first: before the first byte is out, an error gives way
      script_stream(delta("I am bo@x.o") .. 'data: {"error":{"message":"overloaded near [email]"}}\n\n')
    end
    local r = ask("from ana@example.com", { stream = true })
    assert.equal("I am bo@x.o", (read_stream(r.body)))
    assert.truthy(r.body:find("overloaded near ana@example.com", 1, true))
  end)

  it("whose last event has no blank line is masked too", function()
    script_stream(delta("one") .. FINISH .. 'data: {"choices":[{"index":0,"delta":{"content":"bo@x.org"}}]}')
    assert.is_nil(ask("hello", { stream = true }).body:find("bo@x", 1, true))
  end)

  it("with an event too large to be looked at is refused", function()
    script_stream(delta(("x"):rep(70000) .. " bo@x.org") .. FINISH .. DONE)
    assert.equal(("x"):rep(70000) .. " [email]", (read_stream(ask("hello", { stream = true }).body)))
    script_stream(delta(("x"):rep(1100000)) .. FINISH .. DONE)
    assert.equal(500, ask("hello", { stream = true }).status)
  end)

  it("in many at once keeps each caller's values apart", function()
    local calls = {}
    for i = 1, 8 do
      calls[i] = client.connect(g.port)
      calls[i]:send(client.request { key = g.key, json = { model = "small", stream = true,
        metadata = { mock = "delay_ms=20" }, messages = { { role = "user", content = ("echo I am p%d@x.org now"):format(i) } } } })
    end
    for i, c in ipairs(calls) do
      c:head()
      assert.equal(("I am p%d@x.org now"):format(i), (read_stream(c:body())))
      c:close()
    end
  end)

  it("keeps its rules to its end when others come into force", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = { model = "small", stream = true, metadata = { mock = "delay_ms=150" },
      messages = { { role = "user", content = "echo so write to ana@example.com at last" } } } })
    c:head()
    local first = assert(c:body_some())
    g.dir:write("policies/redaction.lua", 'return redaction { detect = { "phone" } }')
    g:reload()
    assert.equal("so write to ana@example.com at last", (read_stream(first .. c:body())))
    c:close()
    local since = m:mark()
    assert.equal("to ana@example.com", content_of(ask("echo to ana@example.com").body))
    assert.truthy(m:request(since).body:find("ana@example.com", 1, true)) -- the new ones look for telephones only
    g.dir:write("policies/redaction.lua", POLICIES["redaction.lua"])
    g:reload()
  end)

  it("whose client leaves leaves nothing behind", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = { model = "small", stream = true,
      metadata = { mock = "endless=1&delay_ms=20" }, messages = { { role = "user", content = "I am ana@example.com" } } } })
    local id = c:head():get("x-moongate-request-id")
    assert(c:body_some())
    c:close()
    assert.equal("client_closed", g:record(id).outcome)
  end)
end)

-- What its record says is kept longer than the event: under AddressSanitizer, with detect_stack_use_after_return.
describe("an event of more than a megabyte, under the shipped policies", function()
  it("is refused where it would have to be restored, and the record says why in whole words", function()
    local shipped = gateway.start { mock = m, name = "redaction-shipped" }
    local function ask_for(text)
      return shipped:chat { model = "gpt-4o-mini", stream = true, metadata = { mock = "event_bytes=1200000&tokens=3" },
        messages = { { role = "user", content = text } } }
    end
    local r = ask_for("write to ana@example.com")
    assert.equal(500, r.status)
    local fault = shipped:record(r.id).fault
    assert.equal("policy_error", fault.code)
    assert.equal("The provider sent an event too large to be redacted.", fault.text)
    assert.equal(200, ask_for("nothing to hide").status)
    shipped:stop()
  end)
end)
