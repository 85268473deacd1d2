-- What a request costs: in the answer's header or trailer, in its record, in the metrics; when the provider gives no
-- numbers, when the client goes in the middle, when prices change under way.
local cjson = require("cjson")
local blackhole = require("tests.e2e.kit.blackhole")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local MODELS = [[
return models {
  priced   = { targets = { "openai/priced" }, context = 128000, counts_as = "gpt-4o",
    price = usd_per_million { input = "%s", cached_input = "1", output = "10" } },
  hasty    = { targets = { "hasty/first", "openai/second-hasty" }, context = 128000, counts_as = "gpt-4o",
    price = usd_per_million { input = "2", output = "10" } },
  brief    = { targets = { "brief/first", "openai/second-brief" }, context = 128000, counts_as = "gpt-4o",
    price = usd_per_million { input = "2", output = "10" } },
  nowhere  = { targets = { "local/nowhere" }, counts_as = "gpt-4o", price = usd_per_million { input = "2", output = "10" } },
  unpriced = { targets = { "openai/unpriced" }, context = 128000, counts_as = "gpt-4o" },
}
]]

local policies = {
  ["init.lua"] = 'return chain { "auth", "after" }\n',
  ["models.lua"] = MODELS:format("2"),
  ["apps.lua"] = [[
return apps {
  ["cancels"]  = { department = "engineering", on_client_disconnect = cancel },
  ["drains"]   = { department = "research" }, -- as after.lua says
  ["sips"]     = { department = "research", on_client_disconnect = drain { max_seconds = 20, max_tokens = 5 } },
  ["glimpses"] = { department = "research", on_client_disconnect = drain { max_seconds = 1, max_tokens = 1000 } },
}
]],
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" }, require = { "app", "department" } }\n',
  ["after.lua"] = [[
return policy {
  on_client_disconnect = drain { max_seconds = 20, max_tokens = 1000 },
  on_done = function(ctx)
    local u = ctx.usage
    ctx:annotate("used", ("%s in, %s out, %s USD"):format(tostring(u.input_tokens), tostring(u.output_tokens), tostring(u.cost_usd)))
  end,
}
]],
}

local m, g, hole
local keys = {}

setup(function()
  m = mock.start()
  hole = blackhole.open()
  g = gateway.start { mock = m, name = "cost", policies = policies, key = { app = "cancels" }, config = {
    timeouts = { connect = "60s" }, providers = { ["local"] = { url = hole.url },
      hasty = { kind = "openai", url = m.url, timeouts = { first_byte = "200ms" } },
      brief = { kind = "openai", url = m.url, timeouts = { total = "200ms" } } } } }
  keys.cancels = g.key
  for _, app in ipairs { "drains", "sips", "glimpses" } do keys[app] = g:new_key { app = app } end
end)
teardown(function()
  if g then g:stop() end
  if hole then hole:close() end
  m:stop()
end)

local function body(model, is_stream, script, more)
  return ('{"model":"%s","stream":%s%s,"metadata":{"mock":"%s"},"messages":[{"role":"user","content":"hi"}]}'):format(
    model, tostring(is_stream), more or "", script or "")
end

local function ask(model, is_stream, script, more)
  return g:ask { json = body(model, is_stream, script, more) }
end

-- Opens a stream and reads `count` events with content, then goes.
local function leave_after(app, count, script)
  local c = client.connect(g.port)
  c:send(client.request { key = keys[app], json = body("priced", true, script) })
  local head = c:head()
  for _ = 1, count + 1 do assert(c:event()) end -- the first has the role
  c:close()
  return head:get("x-moongate-request-id")
end

local NANO = 1000000000

describe("an answer with the provider's numbers", function()
  it("says in its header what it cost, and the record and on_done say the same", function()
    local r = ask("priced", false, "tokens=7")
    local usage = cjson.decode(r.body).usage
    local nano = usage.prompt_tokens * 2000 + usage.completion_tokens * 10000
    assert.equal(7, usage.completion_tokens)
    assert.equal(nano, tonumber(r:get("x-moongate-cost-usd")) * NANO)
    local record = g:record(r.id)
    assert.equal(nano, record.cost.nano_usd)
    assert.equal(12, #record.cost.price)
    assert.equal(usage.completion_tokens, record.billed.output)
    assert.equal(usage.prompt_tokens, record.billed.input)
    assert.equal(1, record.billed.requests)
    assert.is_nil(record.billed.estimated)
    assert.equal(("%d in, 7 out, %s USD"):format(usage.prompt_tokens, tostring(nano / NANO)), record.annotations.used)
  end)

  it("of a stream says so in a trailer, to who reads trailers", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body("priced", true, "tokens=3"), headers = { { "TE", "trailers" } } })
    c.sock:settimeout(5)
    local all = ""
    repeat
      local part, why, rest = c.sock:receive(1)
      all = all .. (part or rest or "")
    until all:find("\r\n0\r\n.-\r\n\r\n$") or why == "closed"
    assert.matches("\r\n0\r\nx%-moongate%-cost%-usd: 0%.%d+\r\n\r\n$", all)
    c:close()
  end)

  it("of a stream leaves the bytes as they are for who does not", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body("priced", true, "tokens=3"), headers = { { "Connection", "close" } } })
    local all = c.sock and c:answer()
    assert.equal("end", all.ending)
    assert.is_nil(all:get("x-moongate-cost-usd"))
  end)

  it("is in the metrics by model and department, to the nano-dollar", function()
    local labels = { model = "priced", department = "engineering" }
    local before = g:metrics():value("moongate_cost_usd_total", labels)
    local sum = 0
    for i = 1, 5 do sum = sum + g:record(ask("priced", i % 2 == 0, "tokens=" .. i * 3).id).cost.nano_usd end
    local after = g:metrics():value("moongate_cost_usd_total", labels)
    assert.equal(sum, math.floor((after - before) * NANO + 0.5))
  end)
end)

describe("an answer without the provider's numbers", function()
  it("is billed by the gateway's own count, marked as estimated", function()
    local before = g:metrics():value("moongate_usage_estimated_total", { model = "priced" })
    local r = ask("priced", true, "usage=never&text=one two three four five")
    local record = g:record(r.id)
    assert.equal(cjson.null, record.usage)
    assert.is_true(record.billed.estimated)
    assert.equal(5, record.billed.output)
    assert.equal(record.estimate.input_tokens, record.billed.input)
    assert.equal(record.billed.input * 2000 + 5 * 10000, record.cost.nano_usd)
    assert.equal(before + 1, g:metrics():value("moongate_usage_estimated_total", { model = "priced" }))
  end)

  it("that failed costs nothing", function()
    for _, script in ipairs { "status=500", "status=429", "status=400", "cut=rst&cut_event=-1" } do
      local record = g:record(ask("priced", true, script).id)
      assert.same({}, record.billed)
      assert.equal(0, record.cost.nano_usd)
    end
  end)

  it("that broke off before its first event costs its input: the provider was at work", function()
    for _, how in ipairs { "fin", "rst" } do
      local record = g:record(ask("priced", true, "cut=" .. how .. "&cut_event=0").id)
      assert.equal("upstream_error", record.outcome)
      assert.same({ input = record.estimate.input_tokens, requests = 1, estimated = true }, record.billed)
    end
  end)

  it("that a time-out breaks off before its first byte costs its input, and the next target's is added", function()
    for model, code in pairs { hasty = "upstream_first_byte_timeout", brief = "upstream_total_timeout" } do
      for _, is_stream in ipairs { true, false } do
        m:script { { match = '"model":"first"', hold = true }, { match = '"model":"second', tokens = 7 } }
        local r = ask(model, is_stream)
        assert.equal(200, r.status, r.body)
        local record = g:record(r.id)
        local first, input = record.attempts[1], record.estimate.input_tokens
        assert.equal(code, first.error)
        assert.same({ input = input, requests = 1, estimated = true }, first.billed)
        assert.equal(first.cost.nano_usd + record.attempts[2].cost.nano_usd, record.cost.nano_usd)
        assert.equal(input * 2000, first.cost.nano_usd)
        m:reset()
      end
    end
  end)

  it("and that is not read either is bounded by what was asked for, however much that is", function()
    local record = g:record(ask("priced", false, "tokens=50&gzip=1", ',"n":4,"max_tokens":4611686018427387904').id)
    assert.truthy(record.billed.output and record.billed.output > 0)
    record = g:record(ask("priced", false, "tokens=50&gzip=1", ',"n":2,"max_tokens":3').id)
    assert.equal(6, record.billed.output)
  end)

  it("that is an error inside a stream costs nothing when nothing was said before it", function()
    local record = g:record(ask("priced", true, "error_event=0&usage=never").id)
    assert.same({}, record.billed)
    assert.equal(0, record.cost.nano_usd)
  end)

  it("that is an error after some text costs that text, and never the error's own words", function()
    local script = "text=one two three four five&error_event=4&usage=never&error_message=many more words than were ever said"
    local record = g:record(ask("priced", true, script).id)
    assert.equal(3, record.billed.output)
    assert.is_true(record.billed.estimated)
  end)
end)

describe("an answer that is too large to be kept", function()
  local PICTURE = ("iVBORw0KGgoAAAANSUhEUg"):rep(220000)
  local CHOICE = '{"id":"x","choices":[{"index":0,"finish_reason":"stop","%s":{"content":"a cat","images":[{"type":"image_url",'
    .. '"image_url":{"url":"data:image/png;base64,%s"}}]}}]%s}'
  local NUMBERS = ',"usage":{"prompt_tokens":1000,"completion_tokens":1290,"total_tokens":2290}'

  local function bill(is_stream, bytes, type)
    m:script { count = 1, body = bytes, content_type = type or "application/json" }
    local r = ask("priced", is_stream)
    expect.equal_bytes(bytes, r.body)
    local record = g:record(r.id)
    assert.equal("ok", record.outcome)
    return record.billed
  end

  it("is billed by the provider's numbers at its end", function()
    local billed = bill(false, CHOICE:format("message", PICTURE, NUMBERS))
    assert.same({ 1000, 1290 }, { billed.input, billed.output })
    assert.is_nil(billed.estimated)
  end)

  it("is billed by its text where it has none, and never by its pictures", function()
    local billed = bill(false, CHOICE:format("message", PICTURE, ""))
    assert.equal(2, billed.output)
    assert.is_true(billed.estimated)
  end)

  it("of a stream, in an event, is read as well, and the stream is whole", function()
    local event = "data: " .. CHOICE:format("delta", PICTURE:sub(1, 100000), NUMBERS) .. "\n\n"
    local billed = bill(true, event, "text/event-stream")
    assert.same({ 1000, 1290 }, { billed.input, billed.output })
  end)
end)

describe("an answer that is not what was asked for", function()
  local TEXT = '{"choices":[{"index":0,"%s":{"content":"one two three"},"finish_reason":"stop"}]%s}'
  local NUMBERS = ',"usage":{"prompt_tokens":10,"completion_tokens":4}'
  local CASES = {
    ["events, whole wanted"] = { false, "text/event-stream", "data: " .. TEXT:format("delta", NUMBERS) .. "\n\ndata: [DONE]\n\n" },
    ["events that are called JSON"] = { false, "application/json", "data: " .. TEXT:format("delta", NUMBERS) .. "\n\ndata: [DONE]\n\n" },
    ["JSON, a stream wanted"] = { true, "application/json", TEXT:format("message", NUMBERS) },
    ["JSON that is called events"] = { true, "text/event-stream", TEXT:format("message", NUMBERS) },
    ["JSON and an end marker"] = { false, "application/json", TEXT:format("message", NUMBERS) .. "\ndata: [DONE]\n\n" },
    ["JSON behind a byte order mark"] = { false, "application/json", "\239\187\191" .. TEXT:format("message", NUMBERS) },
    ["JSON in lines"] = { true, "application/x-ndjson", TEXT:format("delta", "") .. "\n" .. TEXT:format("delta", NUMBERS) .. "\n" },
    ["JSON with a NaN"] = { false, "application/json", TEXT:format("message", ',"score":NaN' .. NUMBERS) },
  }
  for name, case in pairs(CASES) do
    it("is billed all the same: " .. name, function()
      m:script { count = 1, body = case[3], content_type = case[2] }
      local r = ask("priced", case[1])
      expect.equal_bytes(case[3], r.body)
      local billed = g:record(r.id).billed
      assert.same({ 10, 4 }, { billed.input, billed.output })
      m:script { count = 1, body = (case[3]:gsub(NUMBERS, "")), content_type = case[2] }
      billed = g:record(ask("priced", case[1]).id).billed
      assert.truthy(billed.output >= 3 and billed.estimated)
    end)
  end
end)

describe("a number that cannot be used", function()
  local ANSWER = '{"choices":[{"index":0,"message":{"content":"one two three"},"finish_reason":"stop"}],"usage":%s}'
  local STREAM = 'data: {"choices":[{"index":0,"delta":{"content":"one two three"},"finish_reason":"stop"}]}\n\n%sdata: [DONE]\n\n'

  -- nil: the gateway's own count
  local function expect_billed(usage, input, output)
    local events = ""
    for report in usage:gmatch("%b{}") do events = events .. 'data: {"choices":[],"usage":' .. report .. "}\n\n" end
    for _, way in ipairs { { false, ANSWER:format(usage:match("%b{}$")) }, { true, STREAM:format(events) } } do
      if usage:match("^%b{}$") or way[1] then
        m:script { count = 1, body = way[2], content_type = way[1] and "text/event-stream" or "application/json" }
        local record = g:record(ask("priced", way[1]).id)
        local own = record.estimate.input_tokens
        assert.same({ input or own, output or 3 }, { record.billed.input, record.billed.output or 0 }, usage)
        assert.equal(not (input and output) or nil, record.billed.estimated, usage)
      end
    end
  end

  it("is replaced by the gateway's count, and marked; the others hold", function()
    expect_billed('{"prompt_tokens":0,"completion_tokens":12,"total_tokens":12}', nil, 12)
    expect_billed('{"prompt_tokens":-4,"completion_tokens":12}', nil, 12)
    expect_billed('{"prompt_tokens":10,"completion_tokens":-12}', 10, nil)
    expect_billed('{"prompt_tokens":10,"completion_tokens":0,"total_tokens":10}', 10, nil)
    expect_billed('{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}', nil, nil)
    expect_billed('{"prompt_tokens":"10","completion_tokens":1e300}', nil, nil)
  end)

  it("is a total alone: what was written is counted, the rest was read", function()
    for _, is_stream in ipairs { false, true } do
      local usage = '{"total_tokens":1007}'
      m:script { count = 1, content_type = is_stream and "text/event-stream" or "application/json",
        body = is_stream and STREAM:format('data: {"choices":[],"usage":' .. usage .. "}\n\n") or ANSWER:format(usage) }
      assert.same({ input = 1004, output = 3, requests = 1, estimated = true }, g:record(ask("priced", is_stream).id).billed)
    end
  end)

  it("is one that can, where it is an integer with a fraction of nothing", function()
    expect_billed('{"prompt_tokens":10.0,"completion_tokens":1.2e1,"total_tokens":22}', 10, 12)
  end)

  it("is no zero behind numbers", function()
    expect_billed('{"prompt_tokens":10,"completion_tokens":12,"total_tokens":22}'
      .. '{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}', 10, 12)
  end)
end)

describe("an answer whose numbers are absurd", function()
  local ABSURD = {
    negative = '{"prompt_tokens":-5,"completion_tokens":-1,"total_tokens":-6}',
    ["beyond 2^63"] = '{"prompt_tokens":9223372036854775808,"completion_tokens":18446744073709551616,"total_tokens":1e300}',
    ["texts and fractions"] = '{"prompt_tokens":"12","completion_tokens":3.5,"total_tokens":[]}',
    ["no object"] = '"none"',
    nothing = "null",
    ["half of it"] = '{"prompt_tokens":10}',
    ["a part larger than its whole"] = '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":500}}',
    ["a sum that does not hold"] = '{"prompt_tokens":10,"completion_tokens":2,"total_tokens":5}',
  }
  for name, usage in pairs(ABSURD) do
    it("is relayed, flagged where it says anything, and costs something sane: " .. name, function()
      local json = '{"id":"x","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":'
        .. '{"role":"assistant","content":"one two three"}}],"usage":' .. usage .. "}"
      m:script { body = json, content_type = "application/json" }
      local r = ask("priced", false)
      assert.equal(200, r.status)
      expect.equal_bytes(json, r.body)
      local record = g:record(r.id)
      if usage ~= "null" and name ~= "half of it" then assert.is_true(record.usage ~= cjson.null and record.usage.suspect or record.billed.suspect or record.billed.estimated, name) end
      assert.is_true(record.cost.nano_usd > 0 and record.cost.nano_usd <= 12 * 2000 + 3 * 10000, name .. ": " .. record.cost.nano_usd)
      if usage == "null" or name == "negative" or name == "half of it" then
        assert.same({ 3, true }, { record.billed.output, record.billed.estimated })
      end
      if name == "half of it" then assert.equal(10, record.billed.input) end
    end)
  end
end)

describe("a stranger", function()
  it("is refused before anything of its body is read or counted", function()
    local text = ("word "):rep(60000)
    local json = ('{"model":"priced","max_tokens":7,"messages":[{"role":"user","content":"%s"}]}'):format(text)
    for _, key in ipairs { "mgk_nobodyknowsthiskey0000000000", false } do
      local r = g:ask { json = json, key = key }
      assert.equal(401, r.status)
      local estimate = g:record(r.id).estimate
      assert.same({ 0, 0 }, { estimate.input_tokens, estimate.output_tokens })
    end
    local estimate = g:record(g:ask({ json = json }).id).estimate
    assert.is_true(estimate.input_tokens > 59000 and estimate.input_tokens < 61000)
    assert.equal(7, estimate.output_tokens)
  end)
end)

describe("a model without a price", function()
  it("has no cost, which is told and counted, and is never nothing", function()
    local before = g:metrics():value("moongate_unpriced_requests_total", { model = "unpriced" })
    local r = ask("unpriced", false, "tokens=3")
    assert.equal(200, r.status)
    assert.is_nil(r:get("x-moongate-cost-usd"))
    assert.equal(cjson.null, g:record(r.id).cost)
    assert.equal(before + 1, g:metrics():value("moongate_unpriced_requests_total", { model = "unpriced" }))
  end)
end)

-- The mock stalls behind its 26th word, so that what was sent is what was read.
local WORDS = ("word "):rep(100)
local AFTER_26 = "text=" .. WORDS:gsub(" $", "") .. "&cut=stall&cut_event=27"

describe("a client that goes in the middle", function()
  it("is charged what was sent so far, by count, and the provider is told to stop", function()
    local since = m:mark()
    local id = leave_after("cancels", 26, AFTER_26)
    assert.equal("client_abort", m:ended(m:request(since)).how)
    local record = g:record(id)
    assert.equal("client_closed", record.outcome)
    assert.equal(26, record.billed.output)
    assert.is_true(record.billed.estimated)
    assert.is_nil(record.billed.drained)
    assert.equal(record.billed.input * 2000 + 26 * 10000, record.cost.nano_usd)
  end)

  it("of an app that drains is charged the provider's own numbers", function()
    local since = m:mark()
    local id = leave_after("drains", 5, "tokens=60&delay_ms=5")
    assert.equal("complete", m:ended(m:request(since)).how)
    local record = g:record(id)
    assert.equal("client_closed", record.outcome)
    assert.equal(60, record.usage.output_tokens)
    assert.equal(60, record.billed.output)
    assert.is_true(record.billed.drained)
    assert.is_nil(record.billed.estimated)
  end)

  it("before the answer's first byte is drained too, streamed or not", function()
    for _, is_stream in ipairs { true, false } do
      local since = m:mark()
      local c = client.connect(g.port)
      c:send(client.request { key = keys.drains, json = body("priced", is_stream, "tokens=9&head_delay_ms=300") })
      local request = m:request(since)
      local records = #g:records()
      c:close()
      assert.equal("complete", m:ended(request).how)
      local record = g:records_after(records, 1)[1]
      assert.equal(9, record.billed.output)
      assert.is_true(record.billed.drained)
      assert.equal("client_closed", record.outcome)
    end
  end)

  it("while the provider thinks is charged the input, and nothing where the provider was never reached", function()
    for _, case in ipairs { { "priced", true }, { "nowhere", false } } do
      local model, is_charged = case[1], case[2]
      local records = #g:records()
      local since, c = m:mark(), client.connect(g.port)
      c:send(client.request { key = keys.cancels, json = body(model, true, "hold=1") })
      expect.eventually(function() return g:metrics():value("moongate_upstream_open") == 1 end, 5, "an open call")
      if is_charged then m:request(since) end
      c:close()
      local record = g:records_after(records, 1)[1]
      assert.equal(is_charged and record.estimate.input_tokens or nil, record.billed.input, model)
      assert.is_nil(record.billed.output)
      assert.equal(is_charged and record.estimate.input_tokens * 2000 or 0, record.cost.nano_usd)
      g:gauge_becomes("moongate_upstream_open", 0)
    end
  end)

  it("is drained no further than max_tokens", function()
    local since = m:mark()
    local id = leave_after("sips", 2, "endless=1&delay_ms=5")
    assert.equal("client_abort", m:ended(m:request(since)).how)
    local record = g:record(id)
    assert.is_true(record.billed.output >= 5 and record.billed.output < 40, record.billed.output)
    assert.is_true(record.billed.estimated)
  end)

  it("is drained no longer than max_seconds", function()
    local since = m:mark()
    local id = leave_after("glimpses", 2, AFTER_26)
    assert.equal("client_abort", m:ended(m:request(since)).how)
    assert.is_true(g:record(id).billed.drained)
  end)
end)

describe("a price that changes while a stream runs", function()
  it("holds for what is admitted from then on; the stream is billed as it was admitted", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body("priced", true, "tokens=40&delay_ms=25") })
    local id = c:head():get("x-moongate-request-id")
    assert(c:event())
    g:write_policies { ["models.lua"] = MODELS:format("4") }
    local out, code = g:reload()
    assert.equal(0, code, out)
    local later = g:record(ask("priced", false, "tokens=2").id)
    while c:event() do end
    local earlier = g:record(id)
    assert.equal(earlier.usage.input_tokens * 2000 + 40 * 10000, earlier.cost.nano_usd)
    assert.equal(later.usage.input_tokens * 4000 + 2 * 10000, later.cost.nano_usd)
    assert.are_not.equal(earlier.cost.price, later.cost.price)
  end)
end)

describe("cost adds up", function()
  it("over aborted, failed and whole requests: the metric is the sum of the records", function()
    local first = #g:records()
    local function total()
      local metrics = g:metrics()
      return metrics:value("moongate_cost_usd_total")
    end
    local before = total()
    for i = 1, 30 do
      local how = i % 3
      if how == 0 then ask("priced", i % 2 == 0, "tokens=" .. i)
      elseif how == 1 then leave_after("cancels", i, ("tokens=200&delay_ms=1"))
      else ask("priced", true, "cut=fin&cut_event=" .. i .. "&tokens=50") end
    end
    local sum = 0
    for _, record in ipairs(g:records_after(first, 30)) do sum = sum + record.cost.nano_usd end
    expect.eventually(function() return math.floor((total() - before) * NANO + 0.5) == sum end, 5, "equal sums")
  end)
end)
