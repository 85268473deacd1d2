-- The end of an answer waits for its record: with the ledger stopped, killed, without room, and with clients that leave.
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "recording" }\n',
  ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, context = 128000, '
    .. 'price = usd_per_million { input = "1", output = "2" } } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["recording.lua"] = [[return policy {
  rules = {
    { "quick", when = { task = "quick" }, record = { durability = "async" } },
    { "announced", when = { task = "announced" }, record = { intent = true } },
    { "both", when = { task = "both" }, record = { durability = "async", intent = true } },
    { "kept", when = { task = "kept" }, record = { texts = { "prompt", "answer" } } },
    { "never", when = { task = "never" }, deny = { 403, "never" } },
  },
}
]],
}

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, name = "durability", policies = POLICIES }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

-- The text of the ledger's process stands still while fn runs; it goes on in any case.
local function stopped(fn)
  local pid = g:listen().ledger_pid
  signal.kill(pid, signal.SIGSTOP)
  local ok, why = pcall(fn, pid)
  signal.kill(pid, signal.SIGCONT)
  if not ok then error(why, 0) end
end

local function body(of)
  return { model = "gpt-4o", stream = of.stream, metadata = { mock = of.script, moongate = of.task and { task = of.task } or nil },
    messages = { { role = "user", content = of.text or "hi" } } }
end

local function open(of)
  local c = client.connect(g.port)
  c:send(client.request { method = "POST", path = "/v1/chat/completions", key = of.key or g.key, json = body(of) })
  return c
end

local function ask(of) return g:ask { json = body(of) } end

local function id_of(head) return head:get("x-moongate-request-id") end

-- Of a stream: the head, and all events until nothing comes for a while.
local function read_open(c)
  local head, text = c:head(), {}
  while #text < 5 do
    local event = c:event()
    text[#text + 1] = event.data
  end
  return head, text
end

describe("a stream", function()
  it("comes as ever, and its end marker with its record", function()
    local c, head, text, rest
    stopped(function()
      c = open { stream = true, script = "tokens=3" }
      head, text = read_open(c) -- role, three of text, the reason
      assert.truthy(text[5]:find('"finish_reason":"stop"', 1, true), text[5])
      assert.is_true(c:is_silent(0.5))
      assert.equal(0, #g:records())
    end)
    rest = c:event()
    assert.equal("[DONE]", rest.data)
    assert.equal("end", select(2, c:body_some()))
    c:close()
    local record = g:record(id_of(head))
    assert.equal("ok", record.outcome)
    assert.equal("local", record.durability)
    assert.equal(6, record.events)
  end)

  it("is one request, whose next one follows on the same connection", function()
    local c = open { stream = true, script = "tokens=2" }
    local head, done = c:head(), 0
    for event in function() return c:event() end do
      if event.data == "[DONE]" then done = done + 1 end
    end
    assert.equal(1, done)
    local size = #g:records()
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key, json = body {} })
    assert.equal(200, c:head().status)
    c:body()
    c:close()
    assert.equal(size + 1, #g:records())
    g:record(id_of(head))
  end)

  it("whose provider does not hang up is over with its end marker", function()
    local c = open { stream = true, script = "tokens=2&cut=stall" }
    local head, last = c:head(), nil
    for event in function() return c:event() end do last = event.data or last end
    c:close()
    assert.equal("[DONE]", last)
    assert.equal("ok", g:record(id_of(head)).outcome)
  end)
end)

describe("a whole answer", function()
  it("leaves with its record, head and all", function()
    local c
    stopped(function()
      c = open { script = "tokens=3" }
      m:request()
      assert.is_true(c:is_silent(0.5))
    end)
    local head = c:head()
    assert.equal(200, head.status)
    c:body()
    c:close()
    local record = g:record(id_of(head))
    assert.equal("ok", record.outcome)
    assert.equal(tonumber(head:get("content-length")), record.bytes_out)
  end)

  it("of the gateway's own waits, too", function()
    local c
    stopped(function()
      c = open { task = "never" }
      assert.is_true(c:is_silent(0.5))
    end)
    assert.equal(403, c:head().status)
    c:close()
  end)

  it("waits for nothing where a policy says so", function()
    local answer
    stopped(function()
      answer = ask { task = "quick" }
      assert.equal(200, answer.status)
      assert.equal(200, client.ask(g.port, { path = "/livez" }).status)
    end)
    local record = g:record(answer.id)
    assert.equal("async", record.durability)
    assert.equal("ok", record.outcome)
  end)
end)

describe("a ledger that is killed", function()
  it("has the record after its restart, once, and the answer goes on", function()
    local c, head
    local pid = g:listen().ledger_pid
    signal.kill(pid, signal.SIGSTOP)
    c = open { stream = true, script = "tokens=3" }
    head = read_open(c)
    assert.is_true(c:is_silent(0.3))
    signal.kill(pid, signal.SIGKILL)
    assert.equal("[DONE]", c:event().data)
    c:close()
    assert.equal("ok", g:record(id_of(head)).outcome) -- raises when there are two
    expect.eventually(function() return g:is_ready() and g:listen().ledger_pid ~= pid end, 10, "the next ledger process")
  end)
end)

describe("a ledger that stands still", function()
  it("keeps no more than it had: the next ones are refused before they are sent, and readiness says so", function()
    local c
    stopped(function()
      c = open { stream = true, script = "tokens=3" }
      read_open(c)
      expect.eventually(function() return client.ask(g.port, { path = "/readyz" }).status == 503 end, 15, "not ready")
      assert.equal(503, client.ask(g.admin_port, { path = "/readyz" }).status)
      local since = m:mark()
      local refused = ask {}
      assert.equal(503, refused.status)
      assert.equal("ledger_unavailable", gateway.error_of(refused).code)
      assert.equal(200, ask { task = "quick" }.status)
      assert.equal(1, #m:requests(since))
    end)
    assert.equal("[DONE]", c:event().data)
    c:close()
    expect.eventually(function() return client.ask(g.port, { path = "/readyz" }).status == 200 end, 10, "ready again")
    assert.equal(200, ask {}.status)
  end)
end)

describe("durability async, of all requests", function()
  it("goes on without a ledger, and readiness says so on both listeners", function()
    local own = g
    g = gateway.start { mock = m, name = "async", policies = POLICIES, config = { ledger = { durability = "async" } } }
    local ok, why = pcall(stopped, function()
      assert.equal(200, ask({}).status)
      for _, port in ipairs { g.port, g.admin_port } do
        expect.eventually(function() return client.ask(port, { path = "/readyz" }).status == 503 end, 15, "not ready")
      end
      assert.equal(200, ask({}).status)
    end)
    g:stop()
    g = own
    if not ok then error(why, 0) end
  end)
end)

describe("a client that leaves while its record waits", function()
  it("changes nothing of it", function()
    local head
    stopped(function()
      local c = open { stream = true, script = "tokens=3" }
      head = read_open(c)
      assert.is_true(c:is_silent(0.3))
      c:close()
      g:gauge_becomes("moongate_connections_open", 0)
    end)
    local record = g:record(id_of(head))
    assert.equal("ok", record.outcome)
    ask {}
    assert.equal("ok", g:record(id_of(head)).outcome)
  end)
end)

describe("an intent", function()
  it("is written before the provider is called", function()
    local since, before = m:mark(), #g:records("intent")
    local c = open { stream = true, task = "announced", script = "tokens=3&head_delay_ms=1500" }
    m:request(since)
    local intents = g:records("intent")
    assert.equal(before + 1, #intents)
    local intent = intents[#intents]
    assert.equal("intent", intent.outcome)
    local head = c:head()
    assert.equal(id_of(head), intent.id)
    c:body()
    c:close()
    assert.equal("ok", g:record(intent.id).outcome)
  end)

  it("that is not written lets nothing through, and its client may leave", function()
    local since = m:mark()
    stopped(function()
      local c = open { task = "both" }
      assert.is_true(c:is_silent(0.5))
      assert.equal(0, #m:requests(since))
      c:close()
      g:gauge_becomes("moongate_connections_open", 0)
    end)
    ask {}
    assert.equal(1, #m:requests(since)) -- of that one alone
  end)
end)

describe("an intent that waits", function()
  it("is refused once the ledger is known to take nothing", function()
    local since = m:mark()
    stopped(function()
      local c = open { task = "announced" }
      assert.equal(503, assert(c:head()).status)
      c:close()
    end)
    assert.equal(0, #m:requests(since))
    expect.eventually(function() return g:is_ready() end, 10, "ready again")
  end)
end)

describe("texts that are kept", function()
  it("are named by salted hashes in the record, and stand nowhere in the chain", function()
    for _, stream in ipairs { false, true } do
      local answer = ask { task = "kept", stream = stream or nil, script = "text=nightingale" }
      assert.equal(200, answer.status)
      local texts = g:record(answer.id).texts
      assert.equal("user:ana", texts.prompt.subject)
      assert.equal(#"user: hi\n", texts.prompt.bytes)
      assert.equal(#"nightingale", texts.answer.bytes)
      assert.equal(64, #texts.answer.sha256)
      assert.is_true(texts.answer.salt ~= texts.prompt.salt)
    end
    assert.is_nil(table.concat(g:entries(), "\n"):find("nightingale", 1, true))
    assert.is_nil(g:record(ask({}).id).texts)
  end)

  it("end at 256 KiB, between two characters", function()
    local most = 262144
    local long = ("é"):rep(most / 2)
    for _, stream in ipairs { false, true } do
      local answer = ask { task = "kept", stream = stream or nil, text = "a" .. long, script = "text=a" .. long }
      assert.equal(200, answer.status)
      local texts = g:record(answer.id).texts
      assert.same({ most - 1, true }, { texts.prompt.bytes, texts.prompt.cut }) -- "user: a", then two bytes each
      assert.same({ most - 1, true }, { texts.answer.bytes, texts.answer.cut })
      local out = g:command("audit", "text", answer.id)
      assert.truthy(out:find("user: aé", 1, true))
      assert.truthy(out:find("\naéé", 1, true))
      assert.is_nil(out:find("\xc3[^\xa9]"))
    end
    for _, script in ipairs { "text=" .. ("x"):rep(5 * most), "gzip=1" } do
      local answer = ask { task = "kept", stream = true, script = script }
      assert.equal(200, answer.status)
      assert.same({ bytes = 0, cut = true }, g:record(answer.id).texts.answer) -- nobody could read it
    end
    local fits = g:record(ask({ task = "kept", text = ("b"):rep(most - #"user: \n") }).id).texts.prompt
    assert.same({ most }, { fits.bytes, fits.cut })
  end)
end)

describe("an end that waits for long", function()
  local own

  setup(function()
    own, g = g, gateway.start { mock = m, name = "patience", policies = POLICIES,
      config = { keepalive = "100ms", timeouts = { record = "3s" } } }
  end)
  teardown(function()
    g:stop()
    g = own
  end)

  it("is announced by comments, where streams have them; without its record the client is broken off", function()
    local c, head
    stopped(function()
      c = open { stream = true, script = "tokens=3" }
      head = read_open(c)
      local event, why, rest = c:event()
      assert.is_nil(event)
      assert.equal("cut", why)
      assert.truthy(rest:find("^: keep%-alive\n: keep%-alive\n"), rest)
      assert.is_nil(rest:find("DONE", 1, true))
    end)
    c:close()
    local record = g:record(id_of(head))
    assert.equal("ok", record.outcome)
    assert.truthy(g:said():find(record.id .. ": its record is not written yet", 1, true))
  end)

  it("is an event stream as any other when its record is there", function()
    local c
    stopped(function()
      c = open { stream = true, script = "tokens=3" }
      read_open(c)
      expect.eventually(function() return c:more(0.2) and c.buffer:find("keep%-alive") end, 5, "a comment")
    end)
    local event = c:event()
    assert.equal("[DONE]", event.data)
    assert.equal("keep-alive", event.comment)
    assert.equal("end", select(2, c:body_some()))
    c:close()
  end)

  it("is an end also where it is all that comes, and the provider does not hang up", function()
    local c = open { stream = true, script = "error_event=0&cut=stall" }
    c:head()
    assert.truthy(c:event().data:find('"error"', 1, true))
    assert.equal("end", select(2, c:body_some()))
    c:close()
  end)

  it("of a whole answer is a connection that closes, and an intent's a refusal", function()
    local c, announced, head
    stopped(function()
      c, announced = open {}, open { task = "announced" }
      head = announced:head()
      assert.equal(503, head.status)
      assert.truthy((announced:body()):find("ledger_unavailable", 1, true))
      assert.equal("", (c:rest()))
    end)
    c:close()
    announced:close()
    assert.equal("internal_error", g:record(id_of(head)).outcome)
  end)
end)

describe("durability remote", function()
  it("without PostgreSQL is no configuration", function()
    local function refused(line, text)
      g.dir:write("policies/recording.lua", text)
      local out, code = g:command("check")
      g.dir:write("policies/recording.lua", POLICIES["recording.lua"])
      assert.equal(1, code)
      assert.truthy(out:find("MG0225", 1, true), out)
      assert.truthy(out:find("policies/recording.lua:" .. line .. "\n", 1, true), out)
      assert.truthy(out:find("postgres = { url = env", 1, true), out)
    end
    refused(1, 'return policy { rules = { { "r", record = { durability = "remote" } } } }\n')
    refused(2, 'return policy { on_request = function(ctx)\n  ctx:record { durability = "remote", intent = ctx.request.stream }\nend }\n')
    assert.equal(0, select(2, g:command("check")))
  end)

  it("without PostgreSQL, of a hook that nobody could know of, is refused there and not sent", function()
    g:write_policies { ["recording.lua"] = 'return policy { on_request = function(ctx)\n  local how = "remote"\n'
      .. "  ctx:record { durability = how }\nend }\n" }
    g:reload()
    local since = m:mark()
    local answer = ask {}
    g:write_policies(POLICIES)
    g:reload()
    assert.equal(500, answer.status)
    assert.equal(0, #m:requests(since))
    local why = g:record(answer.id).fault.text
    assert.truthy(why:find('policies/recording.lua:3', 1, true), why)
    assert.truthy(why:find('postgres = { url = env', 1, true), why)
  end)
end)

describe("while the ledger takes nothing", function()
  local function without_room(fn)
    local pid = g:listen().ledger_pid
    assert.equal(0, os.execute(("prlimit --pid %d --fsize=1024:unlimited"):format(pid)))
    assert.equal(200, ask({ task = "quick" }).status) -- whose record finds that there is no room
    expect.eventually(function() return not g:is_ready() end, 5, "it is noticed")
    local ok, why = pcall(fn)
    assert.equal(0, os.execute(("prlimit --pid %d --fsize=unlimited:unlimited"):format(pid)))
    if not ok then error(why, 0) end
    expect.eventually(function() return g:is_ready() end, 10, "room again")
  end

  local function times_refused()
    return select(2, g:said():gsub('"event":"ledger_failing","message":"the ledger takes no records', ""))
  end

  it("async requests go on and are counted; others are refused before they are sent, whatever else they would hear", function()
    local since, quick
    local unwritten = g:metrics():value("moongate_records_unwritten_total")
    local refusals = times_refused()
    without_room(function()
      since = m:mark()
      quick = ask { task = "quick" }
      assert.equal(200, quick.status)
      assert.equal(1, #m:requests(since))
      local refused = ask {}
      assert.equal(503, refused.status)
      assert.equal("ledger_unavailable", gateway.error_of(refused).code)
      assert.equal(503, ask({ task = "both" }).status)
      assert.equal(503, ask({ task = "never" }).status)
      assert.equal(503, g:ask({ key = "nobody's", json = {} }).status)
      assert.equal(1, #m:requests(since))
      expect.eventually(function() return g:metrics():value("moongate_records_unwritten_total") == unwritten + 1 end, 5, "it is counted")
    end)
    assert.equal("ok", g:record(quick.id).outcome)
    assert.equal(refusals + 1, times_refused())
  end)
end)
