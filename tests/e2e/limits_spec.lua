-- What the edge bounds, and in which words it says so: sizes, methods, paths, times, connections.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g
local SAY = { { role = "user", content = "hi" } }
local LIMIT = 65536

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "limits", config = {
    limits = { body = "64KB", body_rate = "20B" }, timeouts = { header = "600ms", body = "600ms", idle = "600ms" } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function body_of(bytes)
  local before, after = '{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"', '"}]}'
  return before .. ("x"):rep(bytes - #before - #after) .. after
end

local function check_refused(r, status, code, words)
  assert.equal(status, r.status, r.body)
  local problem = gateway.error_of(r)
  assert.equal(code, problem.code)
  for _, word in ipairs(words or {}) do assert.truthy(problem.message:find(word, 1, true), problem.message) end
  assert.equal(r:get("x-moongate-request-id"), problem.request_id)
  return problem
end

describe("the body", function()
  it("of limit - 1 and limit bytes passes, with a length and chunked", function()
    for _, bytes in ipairs { LIMIT - 1, LIMIT } do
      for _, sizes in ipairs { false, 1000 } do
        local since = m:mark()
        assert.equal(200, g:ask({ json = body_of(bytes), chunked = sizes or nil }).status)
        assert.equal(bytes, m:request(since).body_bytes)
      end
    end
  end)

  it("of limit + 1 bytes is refused with 413 that names the limit, before it is sent", function()
    local since = m:mark()
    local c = client.connect(g.port)
    c:send("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " .. LIMIT + 1 .. "\r\n\r\n")
    check_refused(c:answer(), 413, "request_too_large", { tostring(LIMIT) })
    c:close()
    check_refused(g:ask { json = body_of(LIMIT + 1) }, 413, "request_too_large", { tostring(LIMIT) })
    check_refused(g:ask { json = body_of(LIMIT + 1), chunked = 5000 }, 413, "request_too_large", { tostring(LIMIT) })
    assert.same({}, m:requests(since))
  end)

  it("too large by far reaches the client as an answer, not as a reset", function()
    for _ = 1, 5 do check_refused(g:ask { json = body_of(LIMIT * 4) }, 413, "request_too_large") end
  end)

  it("compressed or of another type is refused with 415", function()
    local since = m:mark()
    for _, headers in ipairs { { { "Content-Encoding", "gzip" } }, { { "Content-Encoding", "br" } }, { { "Content-Encoding", "zstd, gzip" } } } do
      check_refused(g:ask { json = { model = "gpt-4o", messages = SAY }, headers = headers }, 415, "unsupported_media_type")
    end
    local c = client.connect(g.port)
    c:send("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " .. g.key ..
      "\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\n\r\n--x")
    check_refused(c:answer(), 415, "unsupported_media_type")
    c:close()
    assert.same({}, m:requests(since))
    assert.equal(200, g:ask({ json = { model = "gpt-4o", messages = SAY }, headers = { { "Content-Encoding", "identity" } } }).status)
  end)
end)

describe("the head", function()
  it("over a limit is refused with 414 or 431 that name it", function()
    check_refused(g:ask { path = "/v1/models?" .. ("a"):rep(9000) }, 414, "uri_too_long", { "8192" })
    check_refused(g:ask { path = "/v1/models", headers = { { "X-A", ("a"):rep(9000) } } }, 431, "headers_too_large", { "8192" })
    local many, long = {}, {}
    for i = 1, 101 do many[i] = { "X-A", "b" } end
    for i = 1, 9 do long[i] = { "X-A", ("a"):rep(4000) } end
    check_refused(g:ask { path = "/v1/models", headers = many }, 431, "headers_too_large", { "100" })
    check_refused(g:ask { path = "/v1/models", headers = long }, 431, "headers_too_large", { "32768" })
  end)

  it("under the limits passes", function()
    assert.equal(200, g:ask({ path = "/v1/models?" .. ("a"):rep(7000) }).status)
    assert.equal(200, g:ask({ path = "/v1/models", headers = { { "X-A", ("a"):rep(7000) } } }).status)
  end)
end)

describe("a method or path", function()
  it("that is not taken: 405 with Allow", function()
    for _, case in ipairs {
      { "GET", "/v1/chat/completions", "POST" }, { "DELETE", "/v1/completions", "POST" }, { "PUT", "/v1/embeddings", "POST" },
      { "POST", "/v1/models", "GET" }, { "DELETE", "/v1/models/gpt-4o", "GET" }, { "POST", "/livez", "GET" },
    } do
      local r = g:ask { method = case[1], path = case[2] }
      check_refused(r, 405, "method_not_allowed")
      assert.truthy(r:get("allow"):find(case[3], 1, true))
    end
  end)

  -- Where what was meant is known it is 400: clients repeat a 404, or keep its text to themselves.
  it("that is unknown: 404, and 400 with a hint where /v1 is missing or doubled", function()
    for _, case in ipairs {
      { "/chat/completions", "/v1/chat/completions", 400 }, { "/models", "/v1/models", 400 },
      { "/v1/v1/chat/completions", "/v1/chat/completions", 400 }, { "/nowhere", "/v1/chat/completions", 404 }, { "/", "/v1/", 404 },
      { "/V1/models", "/v1/", 404 }, { "/v1/chat/../models", "/v1/", 404 },
    } do
      for _, method in ipairs { "GET", "POST" } do
        check_refused(g:ask { method = method, path = case[1] }, case[3], "unknown_path", { case[2] })
      end
    end
  end)
end)

describe("time", function()
  it("to send the head: 408, then closed", function()
    for _, start in ipairs { "P", "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n" } do
      local c = client.connect(g.port)
      c:send(start)
      check_refused(c:answer(), 408, "request_timeout")
      assert.is_true(c:is_closed(5))
      c:close()
    end
  end)

  it("to send the head is not won by a byte now and then", function()
    local c = client.connect(g.port)
    local text = client.request { path = "/livez", headers = { { "X-A", ("a"):rep(100) } } }
    crowd.run(function(all)
      all.add(function()
        for i = 1, #text do
          if not c:send(text:sub(i, i)) then return end
          client.sleep(0.05)
          if #c.buffer > 0 then return end
        end
      end)
      all.add(function() c:more() end)
    end)
    assert.equal(408, c:answer().status)
    c:close()
  end)

  it("between two reads of the body: 408", function()
    local since = m:mark()
    local text = client.request { key = g.key, json = { model = "gpt-4o", messages = SAY } }
    local c = client.connect(g.port)
    c:send(text:sub(1, -5))
    check_refused(c:answer(), 408, "request_timeout")
    assert.is_true(c:is_closed(5))
    c:close()
    assert.same({}, m:requests(since))
  end)

  -- timeouts.body is all that a body has, but for a second for each limits.body_rate bytes.
  it("a body that comes slowly and steadily, faster than it must, is waited for", function()
    local text = client.request { key = g.key, json = { model = "gpt-4o", messages = SAY } }
    local c = client.connect(g.port)
    local head = text:find("\r\n\r\n", 1, true) + 3
    c:send(text:sub(1, head))
    c:send_in_pieces(text:sub(head + 1), 10, 0.2)
    assert.equal(200, c:answer().status)
    c:close()
  end)

  it("of an idle connection: closed without a word", function()
    local c = client.connect(g.port)
    c:send(client.request { path = "/livez" })
    assert.equal(200, c:answer().status)
    local bytes, why = c:rest()
    assert.equal("", bytes)
    assert.equal("end", why)
    c:close()
    local fresh = client.connect(g.port)
    assert.is_true(fresh:is_closed(5))
    fresh:close()
  end)

  it("that a provider takes does not count as idle", function()
    local r = g:chat { model = "gpt-4o", messages = SAY, metadata = { mock = "head_delay_ms=1500" } }
    assert.equal(200, r.status)
  end)
end)

describe("connections", function()
  it("above the cap are told 503 at once, and served again when others leave", function()
    local small = gateway.start { mock = m, name = "limits-cap", config = { limits = { connections = 8 } } }
    local held = {}
    for i = 1, 8 do
      held[i] = client.connect(small.port)
      held[i]:send(client.request { path = "/v1/models", key = small.key })
      assert.equal(200, held[i]:answer().status)
    end
    for _ = 1, 5 do
      local r = client.ask(small.port, { path = "/livez" })
      check_refused(r, 503, "too_many_connections")
      assert.equal("1", r:get("retry-after"))
    end
    held[1]:send(client.request { path = "/v1/models", key = small.key })
    assert.equal(200, held[1]:answer().status)
    held[1]:close()
    expect.eventually(function() return client.ask(small.port, { path = "/livez" }).status == 200 end, 5, "a free place")
    for i = 2, 8 do held[i]:close() end
    small:stop()
  end)

  it("in a wave far above the cap: those admitted are answered, the process lives", function()
    local small = gateway.start { mock = m, name = "limits-wave", config = { limits = { connections = 50 } } }
    local counts = {}
    crowd.run(function(all)
      for _ = 1, 400 do
        all.add(function()
          local r = small:chat { model = "gpt-4o", messages = SAY, metadata = { mock = "head_delay_ms=50" } }
          local word = tostring(r.status or r.ending)
          counts[word] = (counts[word] or 0) + 1
        end)
      end
    end)
    assert.is_true((counts["200"] or 0) >= 50, cjson.encode(counts))
    assert.equal(400, (counts["200"] or 0) + (counts["503"] or 0) + (counts.reset or 0) + (counts["end"] or 0), cjson.encode(counts))
    -- The places of the wave's last are free when the gateway has seen their ends.
    local after
    expect.eventually(function()
      after = small:chat({ model = "gpt-4o", messages = SAY })
      return after.status ~= 503
    end, 5, "a free place")
    assert.equal(200, after.status)
    small:stop()
  end)
end)

describe("a client that takes nothing", function()
  it("is given up after timeouts.write, its provider is let go, and the record says why", function()
    local short = gateway.start { mock = m, name = "limits-stall", config = { timeouts = { write = "300ms" } } }
    local c = client.connect(short.port, { receive_buffer = 4096 })
    c:send(client.request { key = short.key, json = { model = "gpt-4o", stream = true, messages = SAY,
      metadata = { mock = "fast=1&endless=1&event_bytes=4000" } } })
    local id = c:head():get("x-moongate-request-id")
    local record = short:record(id)
    assert.equal("client_closed", record.outcome)
    assert.equal("client_stalled", record.fault.code)
    short:gauge_becomes("moongate_upstream_open", 0)
    c:close()
    short:stop()
  end)
end)

describe("JSON", function()
  it("of depth 64 passes, deeper does not", function()
    local function deep(levels)
      return '{"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"x":' .. ("["):rep(levels) .. ("]"):rep(levels) .. "}"
    end
    assert.equal(200, g:chat(deep(63)).status)
    check_refused(g:chat(deep(64)), 400, "invalid_json", { "64" })
  end)
end)
