-- The provider dies: {FIN, RST, stall, bad JSON event, cut inside an event} at event 0, 1 and 40. Before the first byte
-- the next target answers, or a clean error; after it the client gets what came, an error event, and never a made-up end.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

setup(function()
  m = mock.start()
  local brief = { timeouts = { first_byte = "700ms", idle = "700ms" } }
  g = gateway.start { mock = m, name = "death", key = { app = "demo" }, config = { providers = { openai = brief, anthropic = brief } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

-- gpt-4o has one target; auto goes to gpt-4o-mini and, failing that, to another provider's model.
local function ask(model, is_stream)
  return g:chat { model = model, stream = is_stream, messages = { { role = "user", content = "one two" } } }
end

local function incomplete_count()
  return g:metrics():value("moongate_streams_incomplete_total")
end

local deaths = {
  { name = "FIN", script = { cut = "fin" }, code = { "upstream_closed", "stream_incomplete" }, status = 502 },
  { name = "RST", script = { cut = "rst" }, code = { "upstream_closed", "stream_incomplete" }, status = 502 },
  { name = "stall", script = { cut = "stall" }, code = { "upstream_idle_timeout", "upstream_first_byte_timeout" }, status = 504 },
  { name = "FIN inside an event", script = { cut = "fin", cut_byte = 25 }, code = { "upstream_closed", "stream_incomplete" }, status = 502 },
  { name = "RST inside an event", script = { cut = "rst", cut_byte = 25 }, code = { "upstream_closed", "stream_incomplete" }, status = 502 },
  { name = "stall inside an event", script = { cut = "stall", cut_byte = 25 }, code = { "upstream_idle_timeout", "upstream_first_byte_timeout" }, status = 504 },
}

local function with(script, more)
  local all = {}
  for name, value in pairs(script) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

local function is_one_of(value, list)
  for _, one in ipairs(list) do
    if one == value then return true end
  end
  return false
end

for _, death in ipairs(deaths) do
  describe(death.name, function()
    it("before the first event: a clean error", function()
      m:script(with(death.script, { cut_event = 0, tokens = 60 }))
      local r = ask("gpt-4o", true)
      assert.equal(death.status, r.status)
      local problem = gateway.error_of(r)
      assert.is_true(is_one_of(problem.code, death.code), problem.code)
      assert.equal(r.id, problem.request_id)
      assert.equal(1, #m:requests())
      local record = g:record(r.id)
      assert.is_true(record.outcome == "upstream_error" or record.outcome == "stream_incomplete", record.outcome)
    end)

    it("before the first event: the next target answers", function()
      m:script(with(death.script, { cut_event = 0, tokens = 60 }))
      local r = ask("auto", true)
      assert.equal(200, r.status)
      assert.equal("[DONE]", client.events(r.body)[#client.events(r.body)].data)
      local requests = m:requests()
      assert.equal(2, #requests)
      assert.equal("gpt-4o-mini", cjson.decode(requests[1].body).model)
      assert.equal("claude-3-5-haiku", cjson.decode(requests[2].body).model)
      local record = g:record(r.id)
      assert.equal("ok", record.outcome)
      assert.equal("anthropic/claude-3-5-haiku", record.target)
    end)

    for _, k in ipairs { 1, 40 } do
      it(("at event %d: what came, an error event, no end marker, no other target"):format(k), function()
        m:script(with(death.script, { cut_event = k, tokens = 60 }))
        local before = incomplete_count()
        local r = ask("auto", true)
        assert.equal(200, r.status)
        assert.equal("end", r.ending)
        local events = client.events(r.body)
        assert.equal(k + 1, #events)
        for i = 1, k do assert.is_table(cjson.decode(events[i].data).choices) end
        local problem = cjson.decode(events[k + 1].data).error
        assert.is_true(is_one_of(problem.code, death.code), problem.code)
        assert.is_string(problem.message)
        assert.falsy(r.body:find("[DONE]", 1, true))
        assert.equal(1, #m:requests())
        local record = g:record(r.id)
        assert.equal("stream_incomplete", record.outcome)
        assert.equal(cjson.null, record.usage)
        assert.equal(before + 1, incomplete_count())
        g:gauge_becomes("moongate_upstream_open", 0)
      end)
    end
  end)
end

describe("a bad JSON event", function()
  for _, k in ipairs { 0, 1, 40 } do
    it(("at event %d is relayed like the others, and usage still counts"):format(k), function()
      m:script { bad_event = k, tokens = 60 }
      local before = g:metrics():value("moongate_inspect_errors_total")
      local r = g:chat { model = "gpt-4o", stream = true, stream_options = { include_usage = true }, messages = { { role = "user", content = "one two" } } }
      local events = client.events(r.body)
      assert.equal(65, #events)
      assert.is_false(pcall(cjson.decode, events[k + 1].data))
      assert.equal("[DONE]", events[65].data)
      local record = g:record(r.id)
      assert.equal("ok", record.outcome)
      assert.equal(60, record.usage.output_tokens)
      assert.equal(1, record.inspect_errors)
      assert.equal(before + 1, g:metrics():value("moongate_inspect_errors_total"))
    end)
  end
end)

describe("a stream of several prompts", function()
  local function choice(index)
    return ('data: {"choices":[{"index":%d,"text":"a","finish_reason":"stop"}]}\n\n'):format(index)
  end
  local function outcome_of(body, n)
    m:script { count = 1, body = body, content_type = "text/event-stream" }
    local r = g:ask { path = "/v1/completions",
      json = ('{"model":"gpt-4o","stream":true,"n":%d,"prompt":["a","b"]}'):format(n) }
    return g:record(r.id).outcome, r.body
  end

  it("is whole when each answer to each prompt is, and not before", function()
    local outcome, body = outcome_of(choice(0), 1)
    assert.equal("stream_incomplete", outcome)
    assert.truthy(body:find('"code":"stream_incomplete"', 1, true))
    assert.equal("ok", (outcome_of(choice(0) .. choice(1), 1)))
    assert.equal("stream_incomplete", (outcome_of(choice(0) .. choice(1) .. choice(3), 2)))
    assert.equal("ok", (outcome_of(choice(0) .. choice(1) .. choice(2) .. choice(3), 2)))
  end)
end)

describe("without a last chunk", function()
  it("a stream that had its end marker is whole to the client", function()
    m:script { cut = "fin", tokens = 5 }
    local r = ask("gpt-4o", true)
    assert.equal("[DONE]", client.events(r.body)[8].data)
    assert.equal("end", r.ending)
    assert.equal("ok", g:record(r.id).outcome)
  end)
end)

describe("a stream's end without [DONE]", function()
  it("is taken as it is when every choice had finished", function()
    m:script { done = 0, tokens = 5 }
    local r = ask("gpt-4o", true)
    assert.falsy(r.body:find("[DONE]", 1, true))
    assert.falsy(r.body:find('"error"', 1, true))
    assert.equal("ok", g:record(r.id).outcome)
  end)

  it("is incomplete when one had not, however clean the connection ended", function()
    for _, how in ipairs { { framing = "close" }, { framing = "chunked" } } do
      -- Two whole events and the clean end of a body, by a replayed body that stops there.
      local start = 'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
      m:script(with(how, { body = start .. start, content_type = "text/event-stream" }))
      local r = ask("gpt-4o", true)
      local events = client.events(r.body)
      assert.equal(3, #events)
      assert.equal("stream_incomplete", cjson.decode(events[3].data).error.code)
      assert.equal("stream_incomplete", g:record(r.id).outcome)
    end
  end)
end)

describe("the provider's own error in the stream", function()
  it("is relayed as it came, and nothing is added", function()
    m:script { error_event = 3, tokens = 60, error_code = "server_is_overloaded" }
    local r = ask("gpt-4o", true)
    local events = client.events(r.body)
    assert.equal(4, #events)
    assert.equal("server_is_overloaded", cjson.decode(events[4].data).error.code)
    assert.equal("upstream_error", g:record(r.id).outcome)
  end)
end)

describe("an answer that is not streamed", function()
  for _, death in ipairs(deaths) do
    it(death.name .. ": a clean error, or the next target", function()
      for _, at in ipairs { 0, 200 } do
        m:script(with(death.script, { cut_event = 0, cut_byte = at }))
        local r = ask("gpt-4o", false)
        assert.equal(death.status, r.status)
        assert.is_true(is_one_of(gateway.error_of(r).code, death.code))
        m:script(with(death.script, { cut_event = 0, cut_byte = at }))
        local other = ask("auto", false)
        assert.equal(200, other.status)
        assert.equal("anthropic/claude-3-5-haiku", g:record(other.id).target)
      end
    end)
  end

  it("no connection, no head, no HTTP: an error that names it", function()
    for _, case in ipairs {
      { { accept = "rst" }, 502 }, { { accept = "fin" }, 502 }, { { cut = "fin", cut_event = -1 }, 502 },
      { { cut = "rst", cut_event = -1 }, 502 }, { { hold = 1 }, 504 },
      { { raw = "SSH-2.0-OpenSSH_9.2\r\n" }, 502 }, { { raw = "HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello" }, 502 },
      { { head_bytes = 1000000 }, 502 },
    } do
      -- A kept connection would hide what happens to new ones.
      m:script { close = 1 }
      assert.equal(200, ask("gpt-4o", false).status)
      m:script(case[1])
      local before = #m:requests()
      local r = ask("gpt-4o", false)
      assert.equal(case[2], r.status, cjson.encode(case[1]))
      assert.equal("upstream_error", g:record(r.id).outcome)
      assert.is_true(#m:requests() - before <= 1)
      m:reset()
    end
  end)

  it("429 and 5xx go to the next target, 4xx do not", function()
    for _, status in ipairs { 429, 500, 503 } do
      m:script { status = status }
      assert.equal(200, ask("auto", true).status)
    end
    m:reset()
    m:script { status = 400, error_message = "your fault" }
    local r = ask("auto", true)
    assert.equal(400, r.status)
    assert.equal("your fault", gateway.error_of(r).message)
    assert.equal(1, #m:requests())
  end)

  it("the last target's own error reaches the client", function()
    m:script { { status = 503, error_message = "first" }, { status = 500, error_message = "second" } }
    local r = ask("auto", false)
    assert.equal(500, r.status)
    assert.equal("second", gateway.error_of(r).message)
  end)
end)
