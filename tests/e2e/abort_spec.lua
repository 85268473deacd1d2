-- The client goes away: in every phase, streamed or not, by FIN or RST, the provider sees it, one record is left and
-- nothing is leaked.
local blackhole = require("tests.e2e.kit.blackhole")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g, hole

local policies = {
  ["init.lua"] = 'return chain { "auth", "thinking", "routing" }\n',
  ["models.lua"] = [[
return models {
  auto    = { virtual = true },
  good    = { targets = { "openai/good" }, context = 128000, price = usd_per_million { input = "0", output = "0" } },
  slow    = { targets = { "openai/slow" }, context = 128000, price = usd_per_million { input = "0", output = "0" } },
  nowhere = { targets = { "local/nowhere" }, context = 128000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["apps.lua"] = 'return apps { ["tests"] = { department = "engineering", owner = "tests" } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" }, require = { "app", "department" } }\n',
  ["routing.lua"] = 'return routing { choose_for = { "auto" }, rules = { { "all", route = "openai/good" } } }\n',
  -- Longer than any test waits; the limits below allow it.
  ["thinking.lua"] = [[
return policy {
  on_request = function(ctx)
    if ctx.request.model ~= "slow" then return end
    local n = 0
    for i = 1, 1e12 do n = (n + i) % 7 end
    return deny(403, "thought_it_over", "after " .. n)
  end,
}
]],
}

setup(function()
  m = mock.start()
  hole = blackhole.open()
  g = gateway.start { mock = m, name = "abort", policies = policies, key = { app = "tests" }, config = {
    policy = { bytecodes = 10000000000, cpu = "10s", deadline = "60s" },
    timeouts = { connect = "60s" },
    providers = { ["local"] = { url = hole.url } },
  } }
end)
teardown(function()
  if g then g:stop() end
  if hole then hole:close() end
  m:stop()
end)

local function body(model, is_stream, script)
  return ('{"model":"%s","stream":%s,"metadata":{"mock":"%s"},"messages":[{"role":"user","content":"hi"}]}'):format(
    model, tostring(is_stream), script or "")
end

local function is_open(count)
  return function() return g:metrics():value("moongate_exchanges_open") == count end
end

local function send(text)
  local c = client.connect(g.port)
  c:send(text)
  return c
end

local function ask(model, is_stream, script)
  return send(client.request { key = g.key, json = body(model, is_stream, script) })
end

-- Each brings one request to its phase and returns its connection, and the mock's request where there is one.
local phases = {
  { name = "partial header", records = 0, enter = function(is_stream)
    local text = client.request { key = g.key, json = body("good", is_stream) }
    return send(text:sub(1, 60))
  end },
  { name = "body", records = 1, enter = function(is_stream)
    local text = client.request { key = g.key, json = body("good", is_stream) }
    local c = send(text:sub(1, -10))
    expect.eventually(is_open(1), 5, "an open exchange")
    return c
  end },
  { name = "chunked body", records = 1, enter = function(is_stream)
    local text = client.request { key = g.key, json = body("good", is_stream), chunked = 10 }
    local c = send(text:sub(1, -10))
    expect.eventually(is_open(1), 5, "an open exchange")
    return c
  end },
  { name = "policy waiting", records = 1, enter = function(is_stream)
    local c = ask("slow", is_stream)
    expect.eventually(is_open(1), 5, "an open exchange")
    return c
  end },
  { name = "connecting", records = 1, enter = function(is_stream)
    local c = ask("nowhere", is_stream)
    expect.eventually(function() return g:metrics():value("moongate_upstream_open") == 1 end, 5, "an open call")
    return c
  end },
  { name = "awaiting the first byte", records = 1, enter = function(is_stream)
    local since = m:mark()
    return ask("good", is_stream, "hold=1"), m:request(since)
  end },
  { name = "streaming", records = 1, enter = function(is_stream)
    local since = m:mark()
    if not is_stream then
      local c = ask("good", false, "cut=stall&cut_event=0&cut_byte=20")
      local request = m:request(since)
      expect.eventually(function()
        local open = m:state().open
        for _, one in ipairs(open) do
          if one.request == request.request and one.phase == "stalled" then return true end
        end
      end, 5, "half an answer")
      return c, request
    end
    local c = ask("good", true, "endless=1&delay_ms=10")
    c:head()
    for _ = 1, 5 do assert(c:event()) end
    return c, m:request(since)
  end },
}

local function check_nothing_left()
  g:gauge_becomes("moongate_exchanges_open", 0)
  g:gauge_becomes("moongate_upstream_open", 0)
  g:gauge_becomes("moongate_connections_open", 0)
end

for _, phase in ipairs(phases) do
  for _, is_stream in ipairs { true, false } do
    for _, how in ipairs { "close", "reset" } do
      it(("%s, %s, %s"):format(phase.name, is_stream and "stream" or "whole", how), function()
        local since, records = m:mark(), #g:records()
        local c, request = phase.enter(is_stream)
        c[how](c)
        if request then
          assert.equal("client_abort", m:ended(request).how)
        else
          assert.same({}, m:requests(since))
        end
        check_nothing_left()
        local left = g:records_after(records, phase.records)
        for _, record in ipairs(left) do assert.equal("client_closed", record.outcome) end
        assert.equal(200, g:chat(body("good", false)).status)
        g:records_after(records, phase.records + 1)
      end)
    end
  end
end

-- TCP tells both by the same FIN, and only the next byte written would show the difference: a model would be paid for
-- that long. nginx and Go's server take it so as well.
it("who closes his sending side behind the request has gone, and is answered no more", function()
  for _, is_stream in ipairs { true, false } do
    local records, since = #g:records(), m:mark()
    local c = ask("good", is_stream, "hold=1")
    local request = m:request(since)
    c.sock:shutdown("send")
    assert.equal("client_abort", m:ended(request).how)
    c.sock:settimeout(10)
    local byte, why = c.sock:receive(1)
    assert.is_nil(byte)
    assert.equal("closed", why)
    assert.equal("client_closed", g:records_after(records, 1)[1].outcome)
    c:close()
  end
  check_nothing_left()
end)

it("a hundred at random moments leave a hundred records and nothing else", function()
  local random, records, since = expect.random(7), #g:records(), m:mark()
  crowd.run(function(all)
    for _ = 1, 100 do
      all.add(function()
        local is_stream, events = random(2) == 1, random(20)
        local c = client.connect(g.port)
        c:send(client.request { key = g.key, json = body("good", is_stream, "tokens=40&delay_ms=3&head_delay_ms=" .. random(20)) })
        if is_stream and c:head() then
          for _ = 1, events do c:event() end
        else
          client.sleep(random(30) / 1000)
        end
        if random(2) == 1 then c:reset() else c:close() end
      end)
    end
  end)
  check_nothing_left()
  local seen = {}
  for _, record in ipairs(g:records_after(records, 100)) do
    assert.is_nil(seen[record.id])
    seen[record.id] = true
    assert.is_true(record.outcome == "client_closed" or record.outcome == "ok", record.outcome)
  end
  expect.eventually(function() return #m:entries("end", since) == #m:requests(since) end, 5, "an end of each answer")
  assert.equal(0, #m:state().open - #(function()
    local idle = {}
    for _, one in ipairs(m:state().open) do
      if one.phase == "reading" then idle[#idle + 1] = one end
    end
    return idle
  end)())
end)
