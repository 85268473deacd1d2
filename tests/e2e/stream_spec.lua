-- Streams: usage asked for and taken out again, comments, slow readers, neighbours, encodings, odd but legal forms.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local m, g
local MIB = 1024 * 1024

setup(function()
  m = mock.start()
  -- What AddressSanitizer keeps of freed memory must not count as held.
  g = gateway.start { mock = m, name = "stream", env = { ASAN_OPTIONS = "detect_stack_use_after_return=1:quarantine_size_mb=4" }, config = {
    keepalive = "200ms", providers = { ["local"] = { usage = false } } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

-- As text, so that the same bytes go to gateway and mock.
local function body_of(model, script, options)
  return ('{"model":"%s","stream":true%s,"metadata":{"mock":"%s"},"messages":[{"role":"user","content":"one two"}]}'):format(
    model, options and ',"stream_options":' .. options or "", script or "")
end

local function stream(script, options, model)
  return g:chat(body_of(model or "gpt-4o", script, options))
end

-- What the provider sends when asked itself.
local function direct(script, options, model)
  return client.ask(m.port, { json = body_of(model or "gpt-4o", script, options) }).body
end

local ASKED = '{"include_usage":true}'

describe("usage", function()
  local clients = { { "absent" }, { "true", ASKED }, { "false", '{"include_usage":false}' } }

  local function without_usage_chunk(body)
    local kept = {}
    for raw in body:gmatch(".-\n\n") do
      if not raw:find('"choices":[]', 1, true) then kept[#kept + 1] = raw end
    end
    return table.concat(kept)
  end

  for _, case in ipairs(clients) do
    it(("is recorded when the provider supports it and the client says %s; only who asks sees the chunk"):format(case[1]), function()
      local whole = direct("tokens=6", ASKED)
      local r = stream("tokens=6", case[2])
      expect.equal_bytes(case[1] == "true" and whole or without_usage_chunk(whole), r.body)
      local usage = g:record(r.id).usage
      assert.equal(2, usage.input_tokens)
      assert.equal(6, usage.output_tokens)
    end)
  end

  for _, case in ipairs { clients[1], clients[3] } do
    it(("is not asked for where the provider rejects it, the client says %s, and is read where it comes by itself"):format(case[1]), function()
      local since = m:mark()
      local r = stream("tokens=6&usage=always", case[2], "llama-3.1-70b")
      expect.equal_bytes(direct("tokens=6&usage=always", case[2], "llama-3.1-70b"), r.body)
      assert.equal(case[2] and ASKED:gsub("true", "false") or nil, m:request(since).body:match('"stream_options":(%b{})'))
      assert.equal(6, g:record(r.id).usage.output_tokens)
      local silent = stream("tokens=6&usage=never", case[2], "llama-3.1-70b")
      assert.equal(cjson.null, g:record(silent.id).usage)
    end)
  end

  it("asked for by the client of a provider that rejects it is the provider's to refuse", function()
    local r = stream("usage=reject", ASKED, "llama-3.1-70b")
    assert.equal(400, r.status)
    assert.truthy(gateway.error_of(r).message:find("stream_options", 1, true))
  end)

  it("in a chunk with choices stays in the stream", function()
    local r = stream("tokens=3&usage=always")
    expect.equal_bytes(direct("tokens=3&usage=always", ASKED), r.body)
    assert.equal(3, g:record(r.id).usage.output_tokens)
  end)

  it("of several choices, tools, and of text completions", function()
    for _, ask in ipairs {
      { json = '{"model":"gpt-4o","n":3,"stream":true,"max_tokens":4,"messages":[{"role":"user","content":"x"}]}', tokens = 12 },
      { json = '{"model":"gpt-4o","stream":true,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required",' ..
        '"messages":[{"role":"user","content":"x"}]}', tokens = 16, reason = "tool_calls" },
      { json = '{"model":"gpt-4o","stream":true,"prompt":"x"}', tokens = 16, path = "/v1/completions" },
    } do
      local r = g:ask { path = ask.path, json = ask.json }
      local record = g:record(r.id)
      assert.equal(ask.tokens, record.usage.output_tokens)
      assert.falsy(r.body:find('"choices":[]', 1, true))
      if ask.reason then assert.equal(ask.reason, record.upstream.finish_reason) end
    end
  end)
end)

describe("relayed as it came:", function()
  for _, script in ipairs { "comment_every=1", "comment_every=3&comment=:", "line_end=crlf", "line_end=cr", "bom=1", "space=0",
    "bom=1&line_end=crlf&comment_every=2&space=0", "event_bytes=20000&tokens=4", "event_bytes=200000&tokens=3",
    "framing=close", "framing=length", "done=0", "tokens=0", "write_bytes=5&tokens=3", "split=1&tokens=3&line_end=crlf",
    "event_bytes=200000&tokens=3&split=1000" } do
    it(script, function()
      expect.equal_bytes(direct(script, ASKED), stream(script, ASKED).body)
    end)
  end

  it("gzip that nobody asked for, with its header, at once, usage unknown", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body_of("gpt-4o", "gzip=1&tokens=3&delay_ms=300", ASKED) })
    local head = c:head()
    assert.equal("gzip", head:get("content-encoding"))
    local first = assert(c:body_some())
    assert.equal("\31\139", first:sub(1, 2))
    local rest, why = c:body()
    c:close()
    assert.equal("end", why)
    expect.equal_bytes(direct("gzip=1&tokens=3", ASKED), first .. rest)
    assert.equal(cjson.null, g:record(head:get("x-moongate-request-id")).usage)
  end)
end)

describe("an event", function()
  it("is with the client before the provider has the next one", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body_of("gpt-4o", "cut=stall&cut_event=2") })
    c:head()
    local seen = 0
    while seen < 2 do
      local event = assert(c:event())
      if event.data then seen = seen + 1 end
    end
    c:close()
  end)
end)

describe("keep-alive comments", function()
  -- Comment lines of the gateway's own have one line end, so that no client dispatches an empty event.
  local COMMENT, PATTERN = ": keep-alive\n", ": keep%-alive\n"

  local function read(script)
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body_of("gpt-4o", script, ASKED) })
    c:head()
    local body = c:body()
    c:close()
    return body
  end

  it("come between events while the provider is silent, and change nothing else", function()
    local body = read("tokens=3&delay_ms=700")
    local without, n = body:gsub(PATTERN, "")
    assert.is_true(n >= 3, n .. " comments")
    assert.falsy(body:find(COMMENT .. "\n", 1, true))
    expect.equal_bytes(direct("tokens=3", ASKED), without)
  end)

  it("never come inside an event", function()
    local whole = direct("tokens=3", ASKED)
    local first = #whole:match("^.-\n\n")
    -- Half of the second event, silence, the rest.
    local body = read(("tokens=3&split_at=%d,%d&split_gap_us=700000"):format(first + 30, first + 60))
    local at = 1
    for from in body:gmatch("()" .. PATTERN) do
      local before = body:sub(at, from - 1)
      assert.is_true(before == "" or before:sub(-2) == "\n\n", ("%q"):format(before:sub(-40)))
      at = from + #COMMENT
    end
    expect.equal_bytes(whole, (body:gsub(PATTERN, "")))
  end)
end)

describe("a client that does not read", function()
  it("costs a bounded amount of memory, the provider is made to wait, and the others do not notice", function()
    local before, since = g:resident_bytes(), m:mark()
    local slow = {}
    for i = 1, 20 do
      slow[i] = client.connect(g.port, { receive_buffer = 4096 })
      slow[i]:send(client.request { key = g.key, json = body_of("gpt-4o", "endless=1&event_bytes=4000") })
    end
    m:request(since, 20)
    local function generated()
      local sum = 0
      for _, one in ipairs(m:state().open) do sum = sum + (one.body_bytes or 0) end
      return sum
    end
    local last
    expect.eventually(function()
      process.sleep(0.2)
      local now = generated()
      local is_still = now == last and now > 0
      last = now
      return is_still
    end, 20, "the mock standing still")
    local grown = g:resident_bytes() - before
    assert.is_true(grown < 20 * 1.5 * MIB, ("%.1f MiB for 20 streams"):format(grown / MIB))
    assert.equal("[DONE]", client.events(stream("tokens=20").body)[23].data)
    -- One of them reads on and gets more than anything can have held.
    slow[1]:head()
    local bytes = 0
    while bytes < 30 * MIB do bytes = bytes + #assert(slow[1]:body_some()) end
    for i = 1, 20 do slow[i]:close() end
    g:gauge_becomes("moongate_exchanges_open", 0)
    g:gauge_becomes("moongate_upstream_open", 0)
  end)
end)

describe("neighbours of a flood", function()
  it("are served: ordinary streams end, health answers, while it goes on", function()
    local flood = process.start { "curl", "-sN", "-o", "/dev/null", "-H", "Authorization: Bearer " .. g.key,
      "-H", "Content-Type: application/json", "-d", body_of("gpt-4o", "endless=1&event_bytes=8000"),
      ("http://127.0.0.1:%d/v1/chat/completions"):format(g.port) }
    expect.eventually(function() return g:metrics():value("moongate_exchanges_open") == 1 end, 5, "the flood")
    local ended, healthy = 0, 0
    crowd.run(function(all)
      for _ = 1, 100 do
        all.add(function()
          local r = stream("tokens=20&delay_ms=5")
          assert(r.ending == "end" and r.body:find("[DONE]", 1, true),
            ("status %s, ended by %s: %s"):format(r.status, r.ending, r.body:sub(-400)))
          ended = ended + 1
        end)
      end
      all.add(function()
        for _ = 1, 20 do
          assert(client.ask(g.port, { path = "/livez" }).status == 200)
          healthy = healthy + 1
        end
      end)
    end, 60)
    assert.equal(100, ended)
    assert.equal(20, healthy)
    assert.is_nil(flood:wait(0))
    flood:stop()
    g:gauge_becomes("moongate_exchanges_open", 0)
  end)
end)

describe("many streams at once", function()
  it("400 end whole, each with its record", function()
    g:record(stream("tokens=1").id) -- those of before are written before it
    local records, ids = #g:records(), {}
    crowd.run(function(all)
      for i = 1, 400 do
        all.add(function()
          local r = stream("tokens=12&delay_ms=20", ASKED)
          assert(r.ending == "end" and #client.events(r.body) >= 16, "stream " .. i .. " " .. tostring(r.ending))
          ids[r.id] = true
        end)
      end
    end, 60)
    for _, record in ipairs(g:records_after(records, 400)) do
      assert.is_true(ids[record.id])
      ids[record.id] = nil
      assert.equal(12, record.usage.output_tokens)
    end
  end)
end)
