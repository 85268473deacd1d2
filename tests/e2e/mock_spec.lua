-- The oracle itself: moongate-mock, asked directly, does what its scripts say and keeps a true journal.
local cjson = require("cjson")
local mime = require("mime")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local mock = require("tests.e2e.kit.mock")
local workdir = require("tests.e2e.kit.workdir")

local m
local SAY = { { role = "user", content = "one two" } }

local function chat(json, of)
  of = of or {}
  of.json = json
  return client.ask(m.port, of)
end

local function stream(query, extra)
  local body = { model = "gpt-4o", stream = true, metadata = { mock = query }, messages = SAY }
  for name, value in pairs(extra or {}) do body[name] = value end
  return chat(body)
end

local function words(text)
  local _, n = text:gsub("%S+", "")
  return n
end

setup(function() m = mock.start { recordings = true } end)
teardown(function() m:stop() end)
before_each(function() m:reset() end)

describe("a well-behaved answer", function()
  it("is the same for the same request, with usage by the word rule", function()
    local ask = { model = "gpt-4o", messages = { { role = "system", content = "be brief" }, { role = "user", content = "one two three" } } }
    local a, b = chat(ask), chat(ask)
    local body = cjson.decode(a.body)
    assert.equal(200, a.status)
    assert.equal(a.body, b.body)
    assert.equal(5, body.usage.prompt_tokens)
    assert.equal(words(body.choices[1].message.content), body.usage.completion_tokens)
    assert.equal("stop", body.choices[1].finish_reason)
  end)

  it("streams role, words, finish, usage when asked, [DONE]", function()
    local r = stream("tokens=3", { stream_options = { include_usage = true } })
    local events = client.events(r.body)
    assert.equal(7, #events)
    assert.equal("assistant", cjson.decode(events[1].data).choices[1].delta.role)
    assert.equal("stop", cjson.decode(events[5].data).choices[1].finish_reason)
    assert.same({ 2, 3, 5 }, (function(u) return { u.prompt_tokens, u.completion_tokens, u.total_tokens } end)(cjson.decode(events[6].data).usage))
    assert.equal("[DONE]", events[7].data)
    assert.equal("end", r.ending)
  end)

  it("echoes, calls tools, and stops at max_tokens", function()
    local echo = chat { model = "gpt-4o", messages = { { role = "user", content = "echo grün 中文 🙂" } } }
    assert.equal("grün 中文 🙂", cjson.decode(echo.body).choices[1].message.content)
    local tools = { { type = "function", ["function"] = { name = "look_up" } } }
    local called = cjson.decode(chat({ model = "gpt-4o", tools = tools, tool_choice = "required", messages = { { role = "user", content = "x" } } }).body)
    local whole = called.choices[1].message.tool_calls[1]["function"]
    local parts = {}
    for _, event in ipairs(client.events(stream("", { tools = tools, messages = { { role = "user", content = "call look_up" } } }).body)) do
      local delta = event.data ~= "[DONE]" and cjson.decode(event.data).choices[1].delta
      if delta and delta.tool_calls then parts[#parts + 1] = delta.tool_calls[1]["function"].arguments end
    end
    assert.equal("look_up", whole.name)
    assert.equal(16, words(cjson.decode(whole.arguments).words))
    assert.equal(16, words(cjson.decode(table.concat(parts)).words))
    local short = cjson.decode(chat({ model = "gpt-4o", max_tokens = 2, messages = { { role = "user", content = "x" } } }).body)
    assert.equal("length", short.choices[1].finish_reason)
    assert.equal(2, short.usage.completion_tokens)
  end)

  it("embeds as numbers and as base64 of the same numbers", function()
    local function embed(format)
      local r = client.ask(m.port, { path = "/v1/embeddings", json = { model = "e", input = { "a b", "c" }, encoding_format = format } })
      return cjson.decode(r.body)
    end
    local float, coded = embed("float"), embed("base64")
    assert.equal(2, #float.data)
    assert.equal(3, float.usage.prompt_tokens)
    assert.equal(#float.data[1].embedding * 4, #mime.unb64(coded.data[1].embedding))
  end)

  it("refuses a bad key, an unknown model, and what is no JSON", function()
    assert.equal(401, chat({ model = "x", messages = SAY }, { key = "sk-bad" }).status)
    assert.equal(404, chat('{"model":"no-such-model","messages":[]}').status)
    assert.equal(400, chat("{").status)
  end)
end)

describe("a script", function()
  it("holds for the next request, or n, or those with a needle", function()
    m:script { status = 429, retry_after = 3, count = 2 }
    m:script { status = 503, match = "needle" }
    local first = chat('{"model":"x","messages":[]}')
    assert.equal(429, first.status)
    assert.equal("3", first:get("retry-after"))
    assert.equal("3000", first:get("retry-after-ms"))
    assert.equal(429, chat('{"model":"x","messages":[]}').status)
    assert.equal(200, chat('{"model":"x","messages":[]}').status)
    assert.equal(503, chat('{"model":"needle","messages":[]}').status)
  end)

  it("that has a mistake is refused by name", function()
    local ok, why = pcall(m.script, m, { tokns = 3 })
    assert.is_false(ok)
    assert.truthy(tostring(why):find("tokns", 1, true))
  end)

  it("cuts by FIN, RST or silence, between and inside events, before the head, before the last chunk", function()
    for _, how in ipairs { "fin", "rst" } do
      local r = stream("cut=" .. how .. "&cut_event=2&cut_byte=10")
      assert.equal(how == "fin" and "cut" or "reset", r.ending)
      assert.equal(2, select(2, r.body:gsub("\n\n", "")))
      assert.equal("data: {\"id", r.body:sub(-10))
    end
    local bare = stream("cut=fin&cut_event=-1")
    assert.is_nil(bare.status)
    local last = stream("cut=fin")
    assert.equal("cut", last.ending)
    assert.truthy(last.body:find("[DONE]", 1, true))
    local c = client.connect(m.port)
    c:send(client.request { json = { model = "x?cut=stall&cut_event=1", stream = true, messages = SAY } })
    c:head()
    assert.truthy(c:event())
    assert.is_true(c:is_silent(0.3))
    c:close()
    local ended = m:ended(m:requests()[#m:requests()])
    assert.equal("client_abort", ended.how)
    assert.equal("stalled", ended.phase)
    assert.equal(1, ended.events)
  end)

  it("breaks the stream in the ways that providers do", function()
    assert.falsy(stream("done=0").body:find("[DONE]", 1, true))
    local bad = client.events(stream("tokens=4&bad_event=2").body)
    assert.is_false(pcall(cjson.decode, bad[3].data))
    assert.equal("[DONE]", bad[#bad].data)
    local failed = client.events(stream("tokens=4&error_event=3").body)
    assert.equal(4, #failed)
    assert.truthy(cjson.decode(failed[4].data).error.message)
    local odd = stream("tokens=1&bom=1&line_end=crlf&comment_every=1&space=0").body
    assert.equal("\239\187\191: keep-alive\r\n\r\ndata:{", odd:sub(1, 25))
    assert.equal(4 + 4, select(2, odd:gsub("\r\n\r\n", "")))
    assert.truthy(stream("tokens=1&line_end=cr").body:find("\r\rdata: ", 1, true))
  end)

  it("writes in pieces without changing a byte", function()
    local whole = stream("tokens=5").body
    for _, query in ipairs { "tokens=5&split=1", "tokens=5&split=7", "tokens=5&split_at=3,4,100", "tokens=5&write_bytes=1" } do
      local r = stream(query)
      expect.equal_bytes(whole, r.body, query)
      assert.equal("end", r.ending)
    end
    local c = client.connect(m.port)
    c:send(client.request { json = { model = "x?split_at=3,4,100", stream = true, messages = SAY } })
    c:head()
    assert.equal(3, #c:body_some())
    assert.equal(1, #c:body_some())
    c:close()
  end)

  it("frames and encodes otherwise", function()
    local plain = stream("tokens=3").body
    local length = stream("tokens=3&framing=length")
    assert.equal(tostring(#plain), length:get("content-length"))
    assert.equal(plain, length.body)
    assert.equal("close", stream("tokens=3&framing=close").framing)
    local wrong = chat { model = "x?length_off=5", messages = { { role = "user", content = "x" } } }
    assert.equal("cut", wrong.ending)
    local zipped = stream("tokens=3&gzip=1")
    assert.equal("gzip", zipped:get("content-encoding"))
    assert.equal("\31\139", zipped.body:sub(1, 2))
    local dir = workdir.new("mock")
    local unzipped = io.popen("gzip -dc < " .. dir:write("x.gz", zipped.body)):read("*a")
    dir:remove()
    assert.equal(plain, unzipped)
  end)

  it("answers with raw bytes, a huge head, an interim answer, or closes", function()
    m:script { raw = "HTTP/1.1 2000 What\r\n\r\n" }
    local c = client.connect(m.port)
    c:send(client.request { json = { model = "x", messages = SAY } })
    assert.equal("HTTP/1.1 2000 What\r\n\r\n", (c:rest()))
    c:close()
    assert.is_true(#stream("head_bytes=100000").raw > 100000)
    local interim = client.connect(m.port)
    interim:send(client.request { json = { model = "x?informational=103", messages = SAY } })
    assert.equal(103, interim:head().status)
    assert.equal(200, interim:head().status)
    interim:close()
    assert.equal("close", stream("close=1"):get("connection"))
  end)

  it("resets, closes or never reads the next connection", function()
    m:script { { accept = "rst" }, { accept = "fin" }, { accept = "hold" } }
    for _ = 1, 2 do assert.is_nil(stream("").status) end
    local c = client.connect(m.port)
    c:send(client.request { json = { model = "x", messages = SAY } })
    assert.is_true(c:is_silent(0.3))
    c:close()
    assert.equal(200, stream("").status)
  end)
end)

describe("the journal", function()
  it("has each request with its headers in order and its bytes, whole or chunked", function()
    local body = '{"model" : "x", "messages":[ ],"n":1.50e0}'
    chat(body, { headers = { { "X-B", "2" }, { "x-a", "1" } } })
    chat(body, { chunked = 7 })
    local requests = m:requests()
    assert.equal(2, #requests)
    assert.equal(body, requests[1].body)
    assert.equal(body, requests[2].body)
    assert.equal(requests[1].sha256, requests[2].sha256)
    assert.same({ "X-B", "2" }, requests[1].headers[4])
    assert.same({ "x-a", "1" }, requests[1].headers[5])
  end)

  it("has how each ended, and what was left when the client went", function()
    local c = client.connect(m.port)
    c:send(client.request { json = { model = "x?endless=1&delay_ms=5", stream = true, messages = SAY } })
    c:head()
    for _ = 1, 5 do c:event() end
    c:reset()
    local ended = m:ended(m:request(0))
    assert.equal("client_abort", ended.how)
    assert.is_true(ended.events >= 5)
    assert.is_true(ended.tokens >= 4 and ended.tokens <= ended.events)
    local half = client.connect(m.port)
    half:send("POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 10\r\n\r\n{")
    half:close()
    local closed = expect.eventually(function()
      local all = m:entries("close")
      return all[2]
    end)
    assert.is_true(closed.partial_request)
    assert.equal(0, m:bytes_seen(m:mark()))
  end)

  it("stops generating while nobody reads", function()
    local c = client.connect(m.port, { receive_buffer = 4096 })
    c:send(client.request { json = { model = "x?endless=1&event_bytes=4000", stream = true, messages = SAY } })
    m:request(0)
    local function generated() return m:state().open[1].body_bytes end
    local last
    expect.eventually(function()
      local now = generated()
      local is_still = now == last
      last = now
      return is_still and now > 0
    end)
    c:close()
  end)

  it("keeps connections for further requests, pipelined ones too", function()
    local c = client.connect(m.port)
    local one = client.request { json = '{"model":"x?tokens=1","messages":[]}' }
    c:send(one .. one .. client.request { path = "/v1/models" })
    for _ = 1, 3 do assert.equal(200, c:answer().status) end
    c:close()
    assert.equal(1, #m:entries("open"))
    assert.equal(3, #m:entries("end"))
  end)

  it("serves many streams at once", function()
    local ended = 0
    crowd.run(function(all)
      for i = 1, 200 do
        all.add(function()
          local r = stream("tokens=10&delay_ms=5")
          assert(r.ending == "end" and #client.events(r.body) == 13, "stream " .. i)
          ended = ended + 1
        end)
      end
    end)
    assert.equal(200, ended)
  end)
end)

describe("a recording", function()
  it("is replayed byte for byte", function()
    if not mock.has_recordings() then return pending("no recordings") end
    local r = client.ask(m.port, { json = { model = "x?replay=openai/009-chat-stream&split=64" } })
    local file = assert(io.open(mock.recordings .. "/openai/009-chat-stream.resp.sse", "rb"))
    expect.equal_bytes(file:read("*a"), r.body)
    file:close()
    assert.equal(500, client.ask(m.port, { json = { model = "x?replay=no/such" } }).status)
  end)
end)

describe("the other ways to start it", function()
  it("TLS with a certificate that verifies", function()
    local dir = workdir.new("mock-tls")
    local tls = mock.start { tls = dir:path("ca.pem") }
    local out = io.popen(("curl -sS --cacert %s https://127.0.0.1:%d/v1/models/gpt-4o 2>&1"):format(dir:path("ca.pem"), tls.port)):read("*a")
    assert.equal("gpt-4o", cjson.decode(out).id)
    tls:stop()
    dir:remove()
  end)

  it("fast: fixed bytes, paced events", function()
    local fast = mock.start { fast = true }
    local whole = client.ask(fast.port, { json = { model = "x" } })
    assert.equal(570, #whole.body)
    assert.equal("stop", cjson.decode(whole.body).choices[1].finish_reason)
    fast:script { tokens = 5, rate = 100, fast = 1 }
    local events = client.events(client.ask(fast.port, { json = { model = "x", stream = true } }).body)
    assert.equal(6, #events)
    assert.equal(275, #events[1].raw + 1)
    fast:stop()
  end)

  it("one key only", function()
    local locked = mock.start { key = "sk-good" }
    assert.equal(401, client.ask(locked.port, { json = '{"model":"x","messages":[]}', key = "sk-other" }).status)
    assert.equal(200, client.ask(locked.port, { json = '{"model":"x","messages":[]}', key = "sk-good" }).status)
    locked:stop()
  end)
end)
