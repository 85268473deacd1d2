-- What those may cost who have shown no good key, who send slowly, who send much: nobody's body is read, what requests hold
-- is bounded, and a client with a key is served all the while.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local issuers = require("tests.e2e.kit.issuer")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local is_sanitized = os.getenv("SAN") ~= nil -- its shadow takes all the address space there is
local MB = 1048576
local HELLO = { model = "gpt-4o", messages = { { role = "user", content = "hi" } } }
local m

setup(function() m = mock.start() end)
teardown(function() m:stop() end)

-- A head that announces a body and has none yet.
local function head_of(length, key, more)
  return ("POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n")
    :format(key and "Authorization: Bearer " .. key .. "\r\n" or "", length, more or "")
end

local function message_of(bytes)
  local before, after = '{"model":"gpt-4o","messages":[{"role":"user","content":"', '"}]}'
  return before .. ("x"):rep(bytes - #before - #after) .. after
end

-- Open connections that have sent this, all at once.
local function open_many(port, count, bytes)
  local list = {}
  for i = 1, count do
    list[i] = client.connect(port)
    list[i]:send(bytes)
  end
  return list
end

local function close_all(list)
  for _, c in ipairs(list) do c:close() end
end

describe("who has no good key", function()
  local g
  setup(function() g = gateway.start { mock = m, name = "strangers", config = { limits = { strangers = 60 } } } end)
  teardown(function() g:stop() end)

  it("is refused with the head, before the body was sent, and no provider sees it", function()
    local since = m:mark()
    for _, key in ipairs { false, "mgk_wrong" } do
      local c = client.connect(g.port)
      c:send(head_of(30 * MB, key))
      local r = c:answer()
      assert.equal(401, r.status)
      assert.equal("invalid_api_key", gateway.error_of(r).code)
      assert.equal("close", r:get("connection"))
      local record = g:record(r:get("x-moongate-request-id"))
      assert.equal("denied", record.outcome)
      c:close()
    end
    assert.same({}, m:log(since))
  end)

  it("is refused for that, and not for what is in a body that nobody reads", function()
    local r = client.ask(g.port, { key = "mgk_wrong", json = "{ no JSON" })
    assert.equal(401, r.status)
    assert.equal(401, client.ask(g.port, { key = "mgk_wrong", json = "{ no JSON", chunked = 3 }).status)
  end)

  it("is never told to go on", function()
    local c = client.connect(g.port)
    c:send(head_of(100, "mgk_wrong", "Expect: 100-continue\r\n"))
    assert.equal(401, c:head().status)
    c:close()
    local good = client.connect(g.port)
    local body = cjson.encode(HELLO)
    good:send(head_of(#body, g.key, "Expect: 100-continue\r\n"))
    assert.equal(100, good:head().status)
    good:send(body)
    assert.equal(200, good:answer().status)
    good:close()
  end)

  it("sees the answer although it is still sending", function()
    local c = client.connect(g.port)
    assert(c:send(head_of(900000, "mgk_wrong") .. (" "):rep(900000)))
    assert.equal(401, c:answer().status)
    c:close()
  end)

  it("keeps its connection when the little that it sent was here", function()
    local c = client.connect(g.port)
    for _ = 1, 3 do
      c:send(client.request { key = "mgk_wrong", json = HELLO })
      assert.equal(401, c:answer().status)
    end
    c:send(client.request { key = g.key, json = HELLO })
    assert.equal(200, c:answer().status)
    c:close()
  end)

  it("costs no memory with a body of megabytes", function()
    local worker = g:listen().workers[1]
    for _ = 1, 5 do g:chat(HELLO) end
    local before = gateway.memory_of(worker, "VmRSS")
    local held, blanks = {}, (" "):rep(4 * MB)
    for i = 1, 40 do
      held[i] = client.connect(g.port)
      held[i]:send(head_of(32 * MB))
      for _ = 1, 7 do held[i].sock:send(blanks) end
    end
    assert.equal(200, g:chat(HELLO).status)
    assert.is_true(gateway.memory_of(worker, "VmRSS") - before < 32 * MB)
    close_all(held)
  end)

  it("makes place for the next when it holds on to half a head, and a key is served throughout", function()
    local slow = open_many(g.port, 400, "POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nX-A: ")
    for _ = 1, 20 do assert.equal(200, g:chat(HELLO).status) end
    assert.is_true(slow[1]:is_closed(5))
    close_all(slow)
  end)

  it("cannot push out who has shown a key", function()
    local streams = {}
    for i = 1, 5 do
      streams[i] = client.connect(g.port)
      streams[i]:send(client.request { key = g.key, json = { model = "gpt-4o", stream = true, messages = HELLO.messages,
        metadata = { mock = "tokens=20&delay_ms=50" } } })
      assert.equal(200, streams[i]:head().status)
    end
    local idle = client.connect(g.port)
    idle:send(client.request { key = g.key, json = HELLO })
    assert.equal(200, idle:answer().status)
    local silent = open_many(g.port, 300, "")
    for _, c in ipairs(streams) do
      local body, why = c:body()
      assert.equal("end", why)
      assert.truthy(body:find("[DONE]", 1, true))
      c:close()
    end
    idle:send(client.request { key = g.key, json = HELLO })
    assert.equal(200, idle:answer().status)
    idle:close()
    close_all(silent)
  end)
end)

describe("where nobody need show a key", function()
  local MODELS = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, price = usd_per_million { input = 1, output = 2 } } }'

  for name, files in pairs {
    ["because there is no auth policy"] = { ["init.lua"] = 'return chain { "free" }\n', ["models.lua"] = MODELS,
      ["free.lua"] = "return policy { on_request = function() end }\n" },
    ["because it is only observed"] = { ["init.lua"] = 'return chain { "auth" }\n', ["models.lua"] = MODELS,
      ["auth.lua"] = 'return auth { mode = "observe" }\n' },
  } do
    it("strangers are served and all are one key: " .. name, function()
      local g = gateway.start { mock = m, name = "strangers-open", policies = files,
        config = { limits = { body = "1MB", key_bytes = "1MB", strangers = 5 } } }
      assert.equal(200, g:chat(HELLO, { key = false }).status)
      local held = {}
      for i = 1, 20 do
        held[i] = client.connect(g.port)
        held[i]:send(head_of(100, nil, "Expect: 100-continue\r\n"))
        assert.equal(100, held[i]:head().status)
      end
      local large = client.connect(g.port)
      large:send(head_of(700000) .. (" "):rep(600000))
      g:gauge_becomes("moongate_request_bytes_held", 600000, 10)
      local r = g:ask { key = "mgk_any", json = message_of(600000) }
      assert.equal(429, r.status, r.body)
      assert.equal("key_holds_too_much", gateway.error_of(r).code)
      assert.is_false((held[1]:is_closed(0.01)))
      close_all(held)
      large:close()
      expect.eventually(function() return g:ask({ key = false, json = message_of(600000) }).status == 200 end, 10, "place")
      g:stop()
    end)
  end
end)

describe("a token whose issuer's keys are being fetched", function()
  local issuer, g
  setup(function()
    issuer = issuers.start {}
    g = gateway.start { mock = m, name = "strangers-token", policies = {
      ["init.lua"] = 'return chain { "auth" }\n',
      ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, price = usd_per_million { input = 1, output = 2 } } }',
      ["auth.lua"] = ('return auth { jwt = { issuer = "https://login.example.com", audience = "moongate", jwks = "%s", leeway = 0 } }'):format(issuer.url),
    } }
  end)
  teardown(function()
    g:stop()
    issuer:stop()
  end)

  it("leaves the body with its client until they are here", function()
    issuer:rotate()
    issuer:behave("slow")
    local since, body = m:mark(), message_of(2 * MB)
    local c = client.connect(g.port)
    c:send(head_of(#body, issuer:token {}))
    c:send(body)
    local r = c:answer()
    assert.equal(200, r.status, r.body)
    c:close()
    assert.equal(#body, m:request(since).body_bytes)
  end)

  it("and a body of any size when they do not come", function()
    issuer:rotate()
    issuer:behave("hang")
    local worker, body = g:listen().workers[1], (" "):rep(MB)
    local before = gateway.memory_of(worker, "VmRSS")
    local c = client.connect(g.port)
    c:send(head_of(32 * MB, issuer:token {}, "Expect: 100-continue\r\n"))
    local sent, peak = 0, 0
    crowd.run(function(all)
      all.add(function()
        repeat
          local at, why, partial = c.sock:send(body)
          sent = sent + (at or partial or 0)
          peak = math.max(peak, gateway.memory_of(worker, "VmRSS"))
          client.sleep(0.02)
        until #c.buffer > 0 or sent > 31 * MB or (not at and why ~= "timeout")
      end)
      all.add(function() c:more() end)
    end, 30)
    local r = c:answer()
    assert.is_true(r.status == 401 or r.status == 503, r.body)
    assert.is_true(sent < 31 * MB, "all of it was taken")
    assert.is_true(peak - before < 16 * MB)
    c:close()
  end)
end)

describe("what requests hold", function()
  local g, other, all_held
  setup(function()
    g = gateway.start { mock = m, name = "strangers-held", config = { limits = { body = "1MB", key_bytes = "1MB", worker_bytes = "2MB" } } }
    other = g:new_key { app = "code-assistant", department = "engineering", user = "bo" }
  end)
  teardown(function() g:stop() end)

  -- A request that goes no further: this much of it is here.
  local function half(key, bytes)
    local c = client.connect(g.port)
    c:send(head_of(bytes + 1000, key))
    c:send((" "):rep(bytes))
    all_held = all_held + bytes
    g:gauge_becomes("moongate_request_bytes_held", all_held, 10)
    return c
  end

  before_each(function()
    all_held = 0
    g:gauge_becomes("moongate_request_bytes_held", 0, 10)
  end)

  local function ask(key, bytes)
    return client.ask(g.port, { key = key, json = message_of(bytes) })
  end

  it("is bounded for each key: 429 that says so, and others are served", function()
    local held = half(g.key, 600000)
    local r = ask(g.key, 600000)
    assert.equal(429, r.status, r.body)
    local problem = gateway.error_of(r)
    assert.equal("key_holds_too_much", problem.code)
    assert.truthy(problem.message:find("limits.key_bytes", 1, true))
    assert.equal("1", r:get("retry-after"))
    assert.equal(200, ask(g.key, 10000).status)
    assert.equal(200, ask(other, 600000).status)
    held:close()
    expect.eventually(function() return ask(g.key, 600000).status == 200 end, 10, "place for the key")
  end)

  it("is bounded for all: 503 that says so", function()
    local keys, held = { g.key, other, (g:new_key { app = "code-assistant", department = "engineering", user = "cy" }) }, {}
    for i, key in ipairs(keys) do held[i] = half(key, 640000) end
    local r = ask((g:new_key { app = "code-assistant", department = "engineering", user = "di" }), 200000)
    assert.equal(503, r.status, r.body)
    assert.equal("gateway_holds_too_much", gateway.error_of(r).code)
    assert.equal("1", r:get("retry-after"))
    close_all(held)
    expect.eventually(function() return ask(other, 600000).status == 200 end, 10, "place")
  end)

  it("counts what a body is read into: a million brackets are more than a million bytes", function()
    local body = '{"model":"gpt-4o","messages":[{"role":"user","content":"x"}],"x":[' .. ("0,"):rep(60000) .. "0]}"
    m:script { match = '"x":[0,0', hold = 1, count = 1 }
    local first = client.connect(g.port)
    first:send(client.request { key = g.key, json = body })
    expect.eventually(function() return g:metrics():value("moongate_request_bytes_held") > MB end, 10, "the first one's index")
    assert.equal(429, client.ask(g.port, { key = g.key, json = body }).status)
    assert.equal(200, client.ask(g.port, { key = other, json = message_of(1000) }).status)
    first:close()
    expect.eventually(function() return client.ask(g.port, { key = g.key, json = body }).status == 200 end, 10, "place for the key")
  end)
end)

describe("a body that comes slowly", function()
  it("is not waited for longer than timeouts.body and what limits.body_rate gives", function()
    local g = gateway.start { mock = m, name = "strangers-slow", config = { timeouts = { body = "700ms" } } }
    local c = client.connect(g.port)
    c:send(head_of(100000, g.key))
    crowd.run(function(all)
      all.add(function()
        while #c.buffer == 0 and c:send(" ") do client.sleep(0.1) end
      end)
      all.add(function() c:more() end)
    end, 30)
    local r = c:answer()
    assert.equal(408, r.status)
    assert.truthy(gateway.error_of(r).message:find("too slowly", 1, true), r.body)
    c:close()
    g:stop()
  end)
end)

describe("where memory ends", function()
  local SHORT = 300 * MB

  -- A worker that may take this much more than one that has just started.
  local function with_little(name, more, config)
    local free = gateway.start { mock = m, name = name .. "-free" }
    local size = gateway.memory_of(free:listen().workers[1], "VmSize")
    free:stop()
    return gateway.start { mock = m, name = name, config = config, under = { "prlimit", ("--as=%d"):format(size + more) } }
  end

  it("heads that announce much take nothing of it", function()
    if is_sanitized then return pending("a sanitizer takes all address space") end
    local g = with_little("strangers-heads", SHORT, {})
    local worker, heads = g:listen().workers[1], open_many(g.port, 300, head_of(32 * MB, g.key))
    assert.equal(200, g:chat(HELLO).status)
    close_all(heads)
    assert.same({ worker }, g:listen().workers)
    g:stop()
  end)

  it("the request is refused that asked for it, and the worker stays", function()
    if is_sanitized then return pending("a sanitizer takes all address space") end
    local g = with_little("strangers-memory", 200 * MB, { limits = { body = "1GB", key_bytes = "64GB", worker_bytes = "64GB" } })
    local worker, blanks = g:listen().workers[1], (" "):rep(4 * MB)
    local c = client.connect(g.port)
    c:send(head_of(900 * MB, g.key))
    for _ = 1, 220 do
      if not c:send(blanks) then break end
    end
    local r = c:answer()
    assert.equal(503, r.status, r.ending)
    assert.equal("out_of_memory", gateway.error_of(r).code)
    assert.equal("1", r:get("retry-after"))
    c:close()
    expect.eventually(function() return g:chat(HELLO).status == 200 end, 10, "an answer")
    assert.same({ worker }, g:listen().workers)
    g:stop()
  end)
end)

describe("where descriptors end", function()
  local g
  setup(function() g = gateway.start { mock = m, name = "strangers-files", under = { "prlimit", "--nofile=128" } } end)
  teardown(function() g:stop() end)

  it("fewer clients are let in, and that is said", function()
    assert.truthy(g:said():find("descriptors_short", 1, true), g:said())
    local r = client.ask(g.admin_port, { path = "/readyz?verbose" })
    assert.equal(200, r.status)
    assert.truthy(r.body:find("%[!%]worker 0: %d+ clients at a time, fewer than limits%.connections: it may have 128 descriptors"), r.body)
  end)

  it("who has a key is served beside any number of idle connections, and a reload is taken", function()
    local worker, idle = g:listen().workers[1], open_many(g.port, 160, "")
    for _ = 1, 5 do assert.equal(200, g:chat(HELLO).status) end
    local said, code = g:reload()
    assert.equal(0, code, said)
    assert.equal(200, g:chat(HELLO).status)
    assert.same({ worker }, g:listen().workers)
    close_all(idle)
  end)

  it("who has a key is served or told that there are too many, and never that a provider is not there", function()
    local counts = {}
    crowd.run(function(all)
      for _ = 1, 120 do
        all.add(function()
          local r = g:chat { model = "gpt-4o", messages = HELLO.messages, metadata = { mock = "head_delay_ms=100" } }
          local word = tostring(r.status or r.ending)
          counts[word] = (counts[word] or 0) + 1
        end)
      end
    end, 60)
    assert.is_true((counts["200"] or 0) >= 20, cjson.encode(counts))
    assert.is_nil(counts["502"], cjson.encode(counts))
    assert.is_nil(counts["504"], cjson.encode(counts))
  end)
end)

describe("a worker that can open nothing more", function()
  local g
  setup(function() g = gateway.start { mock = m, name = "strangers-deaf" } end)
  teardown(function() g:stop() end)

  -- What is open stays open.
  local function may_open(pid, count)
    local said, code = process.run { "prlimit", ("--pid=%d"):format(pid), ("--nofile=%d:"):format(count) }
    assert.equal(0, code, said)
  end

  it("refuses a reload with words, and stays", function()
    local worker = g:listen().workers[1]
    may_open(worker, 3)
    local said, code = g:reload()
    assert.not_equal(0, code)
    assert.truthy(said:find("too many descriptors are open in this worker", 1, true), said)
    may_open(worker, 1024)
    assert.equal(0, select(2, g:reload()))
    assert.equal(200, g:chat(HELLO).status)
    assert.same({ worker }, g:listen().workers)
  end)

  it("asks for the keys again until it has them: a revoked one does not go on counting", function()
    local worker, key, id = g:listen().workers[1], g:new_key { app = "code-assistant", department = "engineering", user = "eve" }
    expect.eventually(function() return g:chat(HELLO, { key = key }).status == 200 end)
    may_open(worker, 3)
    g:command("keys", "revoke", id)
    expect.eventually(function() return g:said():find("are asked for again", 1, true) end, 10, "the worker's word")
    may_open(worker, 1024)
    expect.eventually(function() return g:chat(HELLO, { key = key }).status == 401 end, 15, "401")
    assert.same({ worker }, g:listen().workers)
  end)
end)

describe("the admin listener", function()
  local g
  setup(function() g = gateway.start { mock = m, name = "strangers-admin", config = { admin = { host = "moongate.internal" } } } end)
  teardown(function() g:stop() end)

  local function ask_as(host, path)
    local c = client.connect(g.admin_port)
    c:send(("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"):format(path, host))
    local r = c:answer()
    c:close()
    return r
  end

  it("is not read under a name that somebody else has chosen", function()
    for _, path in ipairs { "/metrics", "/readyz?verbose", "/livez", "/nowhere" } do
      local r = ask_as("evil.example:8091", path)
      assert.equal(421, r.status)
      local problem = gateway.error_of(r)
      assert.equal("misdirected_request", problem.code)
      assert.truthy(problem.message:find("admin.host", 1, true))
      assert.is_nil(r.body:find("moongate_", 1, true))
    end
    for _, host in ipairs { "127.0.0.1", "localhost:" .. g.admin_port, "[::1]:8091", "moongate.internal" } do
      assert.equal(200, ask_as(host, "/metrics").status, host)
    end
  end)

  it("answers beside any number of heads that do not end", function()
    local slow = open_many(g.admin_port, 500, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-A: ")
    for _ = 1, 10 do assert.equal(200, client.ask(g.admin_port, { path = "/readyz" }).status) end
    assert.is_true(slow[1]:is_closed(5))
    close_all(slow)
  end)
end)
