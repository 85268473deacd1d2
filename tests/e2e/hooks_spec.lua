-- The hooks after the request, at the real gateway: what they refuse never leaves, what they do not define costs nothing.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g
setup(function() m = mock.start() end)
teardown(function() m:stop() end)
after_each(gateway.stop_all)

local MODELS = [[return models {
  one = { targets = { "openai/one", "anthropic/two" }, price = usd_per_million { input = 1, output = 2 } },
  spelt = { targets = { "openai/gpt-5-mini", "openai/mistral-small", "openai/gpt-4o" }, price = usd_per_million { input = 1, output = 2 } },
}]]

local function start(policies, config)
  local files, names = { ["models.lua"] = MODELS }, {}
  for name, text in pairs(policies) do
    files[name .. ".lua"] = text
    names[#names + 1] = ("%q"):format(name)
  end
  table.sort(names)
  files["init.lua"] = "return chain { " .. table.concat(names, ", ") .. " }"
  g = gateway.start { mock = m, name = "hooks", policies = files, config = config }
  return g
end

local function body_of(text, script, stream)
  return { model = "one", stream = stream, metadata = script and { mock = script } or nil,
    messages = { { role = "user", content = "echo " .. text } } }
end

-- What the provider sends when asked itself, with the usage that the gateway asks for.
local function direct(text)
  local body = body_of(text, nil, true)
  body.stream_options = { include_usage = true }
  return client.ask(m.port, { json = body }).body
end

local function stream_with_usage(text)
  local body = body_of(text, nil, true)
  body.stream_options = { include_usage = true }
  return g:chat(body)
end

local function ask(text, script) return g:chat(body_of(text, script)) end
local function stream(text, script) return g:chat(body_of(text, script, true)) end

local function said(r)
  local text = {}
  for _, event in ipairs(client.events(r.body)) do
    local ok, chunk = pcall(cjson.decode, event.data or "")
    local choice = ok and type(chunk) == "table" and chunk.choices and chunk.choices[1]
    if choice and type(choice.delta.content) == "string" then text[#text + 1] = choice.delta.content end
  end
  return table.concat(text)
end

local function last_error(r)
  local events = client.events(r.body)
  return cjson.decode(events[#events].data).error
end

describe("on_attempt", function()
  it("skips a target and takes the next; the last word is the policy's", function()
    start { x = [[return policy {
      on_attempt = function(ctx, target)
        if target.provider == "openai" then return deny(403, "not_there", "never " .. target.model) end
        if ctx.request.headers["x-deny"] then return deny(451, "nowhere") end
      end }]] }
    local since = m:mark()
    local r = ask("hello")
    assert.equal(200, r.status)
    assert.equal("two", cjson.decode(m:request(since).body).model)
    since = m:mark()
    r = g:chat(body_of("hello"), { headers = { { "X-Deny", "1" } } })
    assert.equal(451, r.status)
    assert.equal("nowhere", gateway.error_of(r).code)
    assert.same({}, m:requests(since))
    local record = g:record(r.id)
    assert.equal("denied", record.outcome)
    assert.equal("x", record.decision.policy)
    assert.same({ "denied", "denied" }, { record.attempts[1].error, record.attempts[2].error })
  end)

  it("is asked again when a provider failed, and sees what happened", function()
    start { x = [[return policy {
      on_attempt = function(ctx)
        local first = ctx.route.attempts[1]
        if first then ctx:annotate("first", first.target .. " " .. first.status) end
      end }]] }
    m:script { status = 503 }
    local r = ask("hello")
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.equal("openai/one 503", record.annotations.first)
    assert.equal(2, #record.attempts)
    assert.same({ "openai/one", 503 }, { record.attempts[1].target, record.attempts[1].status })
    assert.same({ "anthropic/two", 200 }, { record.attempts[2].target, record.attempts[2].status })
  end)

  it("that fails refuses with 500, without a call", function()
    start { x = "return policy { on_attempt = function(ctx, target) return target.regoin end }" }
    local since = m:mark()
    local r = ask("hello")
    assert.equal(500, r.status)
    assert.equal("policy_error", gateway.error_of(r).code)
    assert.same({}, m:requests(since))
    assert.truthy(g:record(r.id).fault.text:find("policies/x.lua:1: target has no field 'regoin' (did you mean 'region'?)", 1, true))
  end)
end)

describe("on_delta", function()
  local GUARD = [[return policy {
    on_delta = function(ctx, text)
      if text:find("secret", 1, true) then return deny(403, "leak", "it told a secret") end
    end }]]

  it("sees every text of a stream, which arrives as it came", function()
    start { x = "return policy { on_delta = function(ctx, text) log.info('saw %d', #text) end }" }
    local r = stream_with_usage(("word "):rep(200))
    expect.equal_bytes(direct(("word "):rep(200)), r.body)
    local seen = 0
    for count in g:said():gmatch("saw (%d+)") do seen = seen + tonumber(count) end
    assert.equal(#said(r), seen)
  end)

  it("cuts a stream before the text that it refuses has left", function()
    start { x = GUARD }
    local r = stream(("word "):rep(100) .. "secret plans " .. ("word "):rep(100))
    assert.equal(200, r.status)
    assert.falsy(r.body:find("secret plans", 1, true))
    assert.truthy(said(r):find("^word word"))
    local problem = last_error(r)
    assert.equal("leak", problem.code)
    assert.equal("it told a secret", problem.message)
    assert.falsy(r.body:find("[DONE]", 1, true))
    assert.equal("denied", g:record(r.id).outcome)
  end)

  it("refuses with a status of its own while nothing has left", function()
    start { x = GUARD }
    local r = stream("secret")
    assert.equal(403, r.status)
    assert.equal("leak", gateway.error_of(r).code)
  end)

  it("judges a slow stream by time", function()
    start { x = GUARD }
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body_of("one two three four", "delay_ms=150", true) })
    assert.equal(200, c:head().status)
    assert.truthy(c:event())
    c:close()
  end)

  it("cannot wait, and a fault of its own cuts with policy_error", function()
    start { x = "return policy { on_delta = function(ctx, text) return ctx['nothing'] end }" }
    local r = stream(("word "):rep(100))
    assert.equal(500, r.status)
    assert.equal("policy_error", gateway.error_of(r).code)
  end)

  it("does not let pass what it cannot read", function()
    start { x = GUARD }
    local r = stream("hello", "gzip=1")
    assert.equal(500, r.status)
    assert.truthy(g:record(r.id).fault.text:find("content coding", 1, true))
    r = stream("hello", "event_bytes=1200000&tokens=3")
    assert.equal(500, r.status)
    assert.truthy(g:record(r.id).fault.text:find("too large for the policies to read", 1, true))
    assert.equal(200, stream("hello", "event_bytes=200000&tokens=3").status) -- larger than is kept when nobody reads
  end)

  it("keeps the ways in which streams end", function()
    start { x = GUARD }
    for _, script in ipairs { "tokens=5&cut=fin&cut_event=3", "tokens=200&cut=rst&cut_event=150" } do
      local r = g:chat { model = "one", stream = true, metadata = { mock = script }, messages = { { role = "user", content = "go" } } }
      if r.status == 200 then assert.equal("upstream_error", last_error(r).type) else assert.equal(502, r.status) end
    end
    local r = stream("a b c", "done=0")
    assert.equal("a b c", said(r))
  end)

  it("that loops is stopped, and the neighbours go on", function()
    start { x = "return policy { on_delta = function(ctx, text) while text do end end }" }
    local r = stream("hello")
    assert.equal(500, r.status)
    assert.truthy(g:record(r.id).fault.text:find("policies/x.lua:1: stopped after", 1, true))
    assert.equal(200, client.ask(g.port, { path = "/livez" }).status)
  end)
end)

describe("on_response", function()
  local GUARD = [[return policy { buffer = %s,
    on_response = function(ctx)
      ctx:annotate("said", ctx.response:text())
      ctx:annotate("tokens", ctx.usage.output_tokens .. " " .. ctx.response.status .. " " .. ctx.response.finish_reason)
      if ctx.response:text():find("secret", 1, true) then return deny(422, "leak") end
    end }]]

  it("reads a whole answer and refuses it", function()
    start { x = GUARD:format("true") }
    local r = ask("all is well")
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.equal("all is well", record.annotations.said)
    assert.equal("3 200 stop", record.annotations.tokens)
    r = ask("a secret")
    assert.equal(422, r.status)
    assert.equal("leak", gateway.error_of(r).code)
    assert.equal("denied", g:record(r.id).outcome)
  end)

  it("holds a stream with buffer = true", function()
    start { x = GUARD:format("true") }
    local r = stream_with_usage(("word "):rep(200))
    expect.equal_bytes(direct(("word "):rep(200)), r.body)
    r = stream(("word "):rep(200) .. "secret")
    assert.equal(422, r.status)
    assert.equal("leak", gateway.error_of(r).code)
  end)

  it("comes too late for a stream with buffer = false, which is not delayed", function()
    start { x = GUARD:format("false") }
    local r = stream("a secret")
    assert.equal("a secret", said(r))
    local record = g:record(r.id)
    assert.equal("ok", record.outcome)
    assert.equal("a secret", record.annotations.said)
    assert.truthy(g:said():find("say buffer = true", 1, true))
  end)

  it("does not let pass what it cannot read or keep", function()
    start { x = GUARD:format("true") }
    assert.equal(500, ask("hello", "body_bytes=5000000").status)
    assert.equal(500, ask("hello", "body=no json&content_type=application/json").status)
  end)

  it("is not asked about a provider's refusal", function()
    start { x = GUARD:format("true") }
    assert.equal(429, ask("hello", "status=429&error_message=a secret").status)
  end)
end)

describe("on_done", function()
  local NOTE = [[return policy {
    on_request = function(ctx) if ctx.request:contains("refuse") then return deny(403, "no") end end,
    on_done = function(ctx)
      ctx:annotate("end", ctx.outcome .. " " .. tostring(ctx.response.status) .. " " .. tostring(ctx.usage.cost_usd))
      ctx:annotate("rule", tostring(ctx.route.rule))
      return deny(500, "nobody", "hears this")
    end }]]

  it("runs after answers, denials and failures, and its answer counts for nothing", function()
    start { x = NOTE }
    local r = ask("hello")
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.truthy(record.annotations["end"]:find("^ok 200 %d"), record.annotations["end"])
    assert.equal("models/one", record.annotations.rule)
    assert.equal("denied 403 nil", g:record(ask("refuse").id).annotations["end"])
    assert.equal("upstream_error 404 nil", g:record(ask("x", "status=404").id).annotations["end"])
  end)

  it("runs when the client has left", function()
    start { x = NOTE }
    local since, c = m:mark(), client.connect(g.port)
    c:send(client.request { key = g.key, json = body_of("hello", "hold=1") })
    m:request(since)
    c:close()
    local record = g:records_after(0, 1)[1]
    -- The provider was at work on it: its input is charged, as counted.
    assert.equal("client_closed nil 9e-06", record.annotations["end"])
  end)

  it("does not run for what no policy saw, and a fault in it harms nobody", function()
    start { x = "return policy { on_done = function(ctx) ctx:annotate('a', ctx['nothing']) end }",
      y = "return policy { on_done = function(ctx) ctx:annotate('b', 'yes') end }" }
    local r = g:chat("{")
    assert.equal(400, r.status)
    assert.is_nil(g:record(r.id).annotations)
    r = ask("hello")
    assert.equal(200, r.status)
    assert.same({ b = "yes" }, g:record(r.id).annotations)
    assert.truthy(g:said():find("ctx has no field 'nothing'", 1, true))
  end)
end)

describe("ctx.request:set", function()
  it("edits the body on its way, and tells the caller about max_tokens", function()
    start { x = [[return policy { on_request = function(ctx)
      ctx.request:set("max_tokens", 5, "be brief")
      ctx.request:set("temperature", 0.5)
      ctx.request:set("user", nil)
      ctx:annotate("now", ctx.request.max_tokens .. " " .. ctx.request.temperature .. " " .. ctx.estimate.output_tokens)
    end }]] }
    local since = m:mark()
    local r = g:chat('{"model":"one", "user":"ana","max_completion_tokens": 900 ,"messages":[{"role":"user","content":"x"}],"x":[1.50]}')
    assert.equal('{"model":"one", "max_completion_tokens": 5 ,"messages":[{"role":"user","content":"x"}],"x":[1.50],"temperature":0.5}',
      m:request(since).body)
    assert.equal("5; lowered by x: be brief", r:get("x-moongate-max-tokens"))
    assert.equal("5 0.5 5", g:record(r.id).annotations.now)
    since = m:mark()
    r = g:chat('{"model":"one","max_tokens":3,"messages":[{"role":"user","content":"x"}]}')
    assert.equal('{"model":"one","max_tokens":5,"messages":[{"role":"user","content":"x"}],"temperature":0.5}', m:request(since).body)
    assert.is_nil(r:get("x-moongate-max-tokens"))
    r = g:chat('{"model":"one","messages":[{"role":"user","content":"x"}]}')
    assert.equal("5; added by x: be brief", r:get("x-moongate-max-tokens"))
  end)

  it("says max_tokens as each target calls it, and as the caller did where both will do", function()
    start { a = [[return policy { on_request = function(ctx)
      ctx.request:set("max_tokens", 5)
      return route { "openai/gpt-5-mini", "openai/mistral-small", "openai/gpt-4o" }
    end }]] }
    local function sent(member)
      m:script { count = 2, status = 500 }
      local since = m:mark()
      assert.equal(200, g:chat('{"model":"one"' .. member .. ',"messages":[{"role":"user","content":"x"}]}').status)
      local names = {}
      for _, request in ipairs(m:requests(since)) do
        local body = cjson.decode(request.body)
        names[#names + 1] = ("%s %s"):format(body.max_tokens, body.max_completion_tokens)
      end
      return names
    end
    assert.same({ "nil 5", "5 nil", "5 nil" }, sent(""))
    assert.same({ "nil 5", "5 nil", "5 nil" }, sent(',"max_tokens":900'))
    assert.same({ "nil 5", "5 nil", "nil 5" }, sent(',"max_completion_tokens":900'))
  end)

  it("is not needed for a caller's own bound to reach a target that passes over its name", function()
    start { a = [[return policy { on_request = function() return route { "openai/mistral-small" } end }]] }
    local since = m:mark()
    assert.equal(200, g:chat('{"model":"one", "max_completion_tokens": 1 ,"messages":[{"role":"user","content":"x"}]}').status)
    assert.equal('{"model":"mistral-small", "messages":[{"role":"user","content":"x"}],"max_tokens":1}', m:request(since).body)
    since = m:mark()
    local r = g:chat('{"model":"one","max_completion_tokens":1,"max_tokens":65536,"messages":[{"role":"user","content":"x"}]}')
    assert.equal(400, r.status)
    assert.truthy(r.body:find([["max_tokens\" and \"max_completion_tokens\" differ]], 1, true), r.body)
    assert.same({}, m:requests(since))
  end)
end)
