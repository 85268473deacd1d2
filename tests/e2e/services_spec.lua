-- Services of policies at the real gateway, with a real moderation service that is slow, dead or lies.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, s, g -- the provider, the service, the gateway
local MIB = 1024 * 1024

setup(function() m, s = mock.start(), mock.start() end)
teardown(function()
  m:stop()
  s:stop()
end)
after_each(gateway.stop_all)

local MODELS = [[return models { one = { targets = { "openai/one" }, price = usd_per_million { input = 1, output = 2 } } }]]

local function files(hook, top)
  return { ["models.lua"] = MODELS, ["init.lua"] = "return chain { 'x' }",
    ["x.lua"] = (top or "") .. "return policy {\n" .. hook:gsub("SERVICE", s.url) .. "\n}" }
end

local function start(hook, config, top)
  local egress = { [s.url:match("^http://[^/]+")] = { clearance = "internal", name = "moderation", secret = "tok-0123456789" } }
  config = config or {}
  config.egress = config.egress or egress
  -- What AddressSanitizer keeps of freed memory must not count as held.
  g = gateway.start { mock = m, name = "services", policies = files(hook, top), config = config,
    env = { ASAN_OPTIONS = "detect_stack_use_after_return=1:quarantine_size_mb=4" } }
  return g
end

local ASK = [[
  on_request = function(ctx)
    local reply, err = http.post("SERVICE/chat/completions", {
      json = { model = "m", messages = { { role = "user", content = ctx.request:last_user_text() } } },
      timeout = tostring "%s", auth = "secret:moderation" })
    if err then ctx:annotate("err", err) return end
    if reply.json.flagged then return deny(422, "content_flagged") end
  end,]]

local function body_of(text, extra)
  local body = { model = "one", messages = { { role = "user", content = text } } }
  for name, value in pairs(extra or {}) do body[name] = value end
  return body
end

local function ask(text, of) return g:chat(body_of(text), of) end
local function err_of(r) return (g:record(r.id).annotations or {}).err end

describe("a service", function()
  it("is asked, with its secret, and decides", function()
    start(ASK:format("2s"))
    local since = s:mark()
    s:script { body = '{"flagged":true}' }
    local r = ask("plan an attack")
    assert.equal(422, r.status)
    assert.equal("content_flagged", gateway.error_of(r).code)
    local seen = s:request(since)
    assert.equal('{"messages":[{"content":"plan an attack","role":"user"}],"model":"m"}', seen.body)
    local headers = {}
    for _, header in ipairs(seen.headers) do headers[header[1]:lower()] = header[2] end
    assert.equal("Bearer tok-0123456789", headers.authorization)
    assert.equal("application/json", headers["content-type"])
    s:script { body = '{"flagged":false}' }
    assert.equal(200, ask("be kind").status)
    assert.falsy((g:said() .. cjson.encode(g:records())):find("tok%-0123456789"))
  end)

  it("that fails is a word, and the chain goes on", function()
    start(ASK:format("300ms"))
    -- In this order: on a connection that was kept, a call that is cut is made once more, and would meet the next script.
    for _, case in ipairs {
      { { cut = "rst", cut_event = -1 }, "closed" }, { { hold = 1 }, "timeout" }, { { head_delay_ms = 2000 }, "timeout" },
      { { raw = "not http at all\r\n\r\n" }, "closed" }, { { body_bytes = 600000 }, "limit" }, { { status = 503 }, "http 503" },
      { { body = "{}", status = 302, header = "location: " .. m.url .. "/models" }, "http 302" }, { { body = "{oops" }, "bad json" },
    } do
      local script, word = case[1], case[2]
      local since = m:mark()
      s:script(script)
      local r = ask("hello")
      assert.equal(200, r.status)
      assert.equal(word, err_of(r), cjson.encode(script))
      assert.equal(1, #m:requests(since))
    end
  end)

  it("that is not there is refused", function()
    local closed = gateway.start { mock = m, name = "services-dead", policies = {
      ["models.lua"] = MODELS, ["init.lua"] = "return chain { 'x' }",
      ["x.lua"] = "return policy { on_request = function(ctx) ctx:annotate('err', select(2, http.get('http://127.0.0.1:9/'))) end }" },
      config = { egress = { ["http://127.0.0.1:9"] = {} } } }
    local r = closed:chat(body_of("hello"))
    assert.equal("refused", closed:record(r.id).annotations.err)
    closed:stop()
  end)

  it("that says what it should not is a fault with file and line", function()
    start(ASK:format("1s"))
    s:script { body = "<html>", content_type = "text/html" }
    local r = ask("hello")
    assert.equal(500, r.status)
    assert.equal("policy_error", gateway.error_of(r).code)
    assert.truthy(g:record(r.id).fault.text:find("policies/x.lua:7:", 1, true), g:record(r.id).fault.text)
  end)

  it("that never answers is given up at the policy's deadline", function()
    start(ASK:format("30s"), { policy = { deadline = "400ms" } })
    s:script { hold = 1 }
    local r = ask("hello")
    assert.equal(500, r.status)
    assert.truthy(g:record(r.id).fault.text:find("^policies/x.lua:%d+: stopped after 400 ms$"), g:record(r.id).fault.text)
    g:gauge_becomes("moongate_upstream_open", 0)
  end)

  it("must be listed, and sees no data above its clearance", function()
    start([[ on_request = function(ctx)
      if ctx.request.headers["x-elsewhere"] then http.get(tostring "https://elsewhere.example/x") end
      if ctx.request.headers["x-secret"] then http.get("SERVICE/models", { auth = tostring "secret:other" }) end
      ctx:annotate("err", tostring(select(2, http.get("SERVICE/models"))))
    end ]])
    local since = s:mark()
    local r = ask("hello", { headers = { { "X-Moongate-Data", "confidential" } } })
    assert.equal(200, r.status)
    assert.equal("clearance", err_of(r))
    assert.same({}, s:requests(since))
    assert.equal("nil", err_of(ask("hello", { headers = { { "X-Moongate-Data", "internal" } } })))
    r = ask("hello", { headers = { { "X-Elsewhere", "1" } } })
    assert.truthy(g:record(r.id).fault.text:find("policies/x.lua:3: http: 'https://elsewhere.example/x' is not listed", 1, true))
    r = ask("hello", { headers = { { "X-Secret", "1" } } })
    assert.truthy(g:record(r.id).fault.text:find("has the secret 'moderation', and not 'other'", 1, true))
  end)

  it("is asked beside another, in all hooks that may wait", function()
    start [[
      on_request = function(ctx)
        local a, b = together(function() return http.get("SERVICE/models").status end, function() return http.get("SERVICE/models").status end)
        ctx:annotate("request", a .. " " .. b)
      end,
      on_attempt = function(ctx) ctx:annotate("attempt", http.get("SERVICE/models").status) end,
      on_response = function(ctx) ctx:annotate("response", http.get("SERVICE/models").status) end,
      on_done = function(ctx) ctx:annotate("done", http.get("SERVICE/models").status) end, ]]
    local r = ask("hello")
    assert.equal(200, r.status)
    assert.same({ request = "200 200", attempt = "200", response = "200", done = "200" }, g:record(r.id).annotations)
  end)
end)

-- In a crowd, where waiting lets the others go on.
local function service_is_asked(since)
  while not s:requests(since)[1] do client.sleep(0.01) end
end

describe("while a policy waits", function()
  it("others are served", function()
    start(ASK:format("1500ms"))
    s:script { hold = 1, match = "slow" }
    local since, order = s:mark(), {}
    crowd.run(function(all)
      all.add(function()
        ask("slow")
        order[#order + 1] = "slow"
      end)
      for _ = 1, 5 do
        all.add(function()
          service_is_asked(since)
          assert.equal(200, client.ask(g.port, { path = "/livez" }).status)
          order[#order + 1] = "fast"
        end)
      end
    end)
    assert.same({ "fast", "fast", "fast", "fast", "fast", "slow" }, order)
  end)

  it("the client may leave: the call is given up, the record says so", function()
    start(ASK:format("10s") .. "on_done = function(ctx) ctx:annotate('out', ctx.outcome) end,", { policy = { deadline = "20s" } })
    local since = s:mark()
    s:script { hold = 1 }
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = body_of("hello") })
    local seen = expect.eventually(function() return s:requests(since)[1] end, 5, "the call")
    c:close()
    assert.equal("client_abort", s:ended(seen).how)
    local record = g:records_after(0, 1)[1]
    assert.equal("client_closed", record.outcome)
    assert.equal("client_closed", record.annotations.out)
    g:gauge_becomes("moongate_exchanges_open", 0)
  end)

  it("policies may be reloaded: it goes on under those that it began with", function()
    start(ASK:format("5s"), { policy = { deadline = "10s" } })
    s:script { body = '{"flagged":true}', head_delay_ms = 2500, match = "old" }
    local since = s:mark()
    crowd.run(function(all)
      all.add(function()
        local r = ask("old")
        assert.equal("content_flagged", gateway.error_of(r).code)
      end)
      all.add(function()
        service_is_asked(since)
        g:write_policies(files "on_request = function() return deny(403, 'new_rules') end")
        local out, code = g:reload()
        assert.equal(0, code, out)
        assert.equal("new_rules", gateway.error_of(ask("new")).code)
        g:gauge_becomes("moongate_policy_generations", 2)
      end)
    end)
    g:gauge_becomes("moongate_policy_generations", 1)
  end)

  it("the gateway may be told to stop: what waits is answered, then it ends", function()
    start(ASK:format("5s"), { policy = { deadline = "10s" } })
    s:script { body = '{"flagged":true}', head_delay_ms = 700, match = "late" }
    local since = s:mark()
    crowd.run(function(all)
      all.add(function() assert.equal(422, ask("late").status) end)
      all.add(function()
        service_is_asked(since)
        g:signal(15)
      end)
    end)
  end)

  it("hundreds may: dropped together, nothing of them stays", function()
    start(ASK:format("30s"), { policy = { deadline = "60s" } })
    local function wave()
      s:script { hold = 1, count = 0 }
      local since, clients = s:mark(), {}
      for i = 1, 800 do
        clients[i] = client.connect(g.port)
        clients[i]:send(client.request { key = g.key, json = body_of("wait " .. i) })
      end
      expect.eventually(function() return g:metrics():value("moongate_upstream_open") >= 800 end, 20, "the calls")
      local held = g:resident_bytes()
      for i = 1, 800 do clients[i]:close() end
      g:gauge_becomes("moongate_exchanges_open", 0, 20)
      g:gauge_becomes("moongate_upstream_open", 0, 20)
      s:ask("POST", "/_mock/reset")
      return held, since
    end
    wave()
    local before = g:resident_bytes()
    for _ = 1, 3 do wave() end
    local grown = g:resident_bytes() - before
    -- Below that lies what the collector has not looked at yet: some 3 KB a request until it has 4 MB.
    assert.is_true(grown < 16 * MIB, ("three more waves left %.1f MB"):format(grown / MIB))
    assert.equal(200, ask("hello").status)
  end)
end)

describe("check", function()
  it("says what is not listed, and of what class nobody has heard", function()
    start("on_request = function() end")
    g.dir:write("policies/x.lua", "return policy {\n  on_request = function(ctx)\n    http.get('https://b.example/x')\n"
      .. "    -- http.get('https://c.example/x')\n    http.get('" .. s.url .. "/models')\n  end,\n}")
    local out, code = g:command("check")
    assert.equal(1, code, out)
    assert.truthy(out:find("error[MG0224]: 'https://b.example' is not listed in moongate.lua: the call will raise", 1, true), out)
    assert.truthy(out:find("p*olicies/x.lua:3:5"), out)
    assert.falsy(out:find("c.example", 1, true), out)
    assert.falsy(out:find("'http://127", 1, true), out)
    g.dir:write("policies/x.lua", "return policy {\n  on_error = 'skip',\n  on_request = function(ctx)\n    http.get('https://b.example/x')\n  end,\n}")
    out, code = g:command("check")
    assert.equal(0, code, out)
    assert.truthy(out:find("warning[MG0314]: 'https://b.example' is not listed in moongate.lua", 1, true), out)
    g.dir:write("policies/x.lua", "return policy {\n  on_request = function(ctx)\n    local url = '" .. s.url .. "/models'\n"
      .. "    local reply, err = http.get(url)\n    if err then return end\n  end,\n}")
    g.dir:write("policies/apps.lua", "return apps { x = { defaults = { data = 'confidential' } } }")
    out, code = g:command("check")
    assert.equal(0, code, out)
    assert.truthy(out:find("warning[MG0317]: requests of x carry confidential data, which may not be sent to http", 1, true), out)
    assert.truthy(out:find("policies/x.lua:4:24", 1, true), out)
    os.remove(g.dir:path("policies/apps.lua"))
    g:write_config { mock = m, config = { egress = { ["https://a.example"] = { clearance = "internl" } } } }
    out, code = g:command("check")
    assert.equal(1, code, out)
    assert.truthy(out:find("unknown data class 'internl'", 1, true), out)
  end)
end)

describe("all hooks at once", function()
  local HOOKS = [[
    buffer = %s,
    on_request = function(ctx)
      local a, b = together(
        function() return select(2, http.get("SERVICE/models", { timeout = "300ms" })) or "ok" end,
        function() return select(2, http.get("SERVICE/models", { timeout = "300ms" })) or "ok" end)
      ctx:annotate("asked", a .. " " .. b)
    end,
    on_attempt = function(ctx, target) if http.get("SERVICE/models", { timeout = "300ms" }) == nil then return deny(503, "no_word") end end,
    on_delta = function(ctx, text) if text:find("w13", 1, true) then return deny(403, "unlucky") end end,
    on_response = function(ctx) http.get("SERVICE/models", { timeout = "300ms" }) ctx:annotate("said", #ctx.response:text()) end,
    on_done = function(ctx) http.get("SERVICE/models", { timeout = "300ms" }) ctx:annotate("done", ctx.outcome) end, ]]

  local SCRIPTS = { "tokens=40", "tokens=400", "tokens=3&cut=fin&cut_event=2", "tokens=300&cut=rst&cut_event=200", "status=500", "status=429",
    "tokens=60&delay_ms=5", "head_delay_ms=80", "gzip=1", "body=no json&content_type=application/json", "error_event=3&tokens=9",
    "tokens=100&split=7", "done=0" }

  for _, buffer in ipairs { "true", "false" } do
    it("with buffer = " .. buffer .. ": clients, services and providers that fail in any order leave one record each and nothing else", function()
      start(HOOKS:format(buffer), { policy = { deadline = "5s" } })
      local count = 240
      s:script { { count = 40, status = 503 }, { count = 25, cut = "rst", cut_event = -1 }, { count = 15, hold = 1 } }
      crowd.run(function(all)
        for i = 1, count do
          all.add(function()
            client.sleep(i / 200)
            local c = client.connect(g.port)
            local body = { model = "one", stream = i % 3 ~= 1, metadata = { mock = SCRIPTS[i % #SCRIPTS + 1] },
              messages = { { role = "user", content = "hello" } } }
            if i % 9 == 0 then
              body.messages[1].content, body.metadata = "echo " .. ("word "):rep(i) .. "w13 " .. ("word "):rep(i), nil
            end
            c:send(client.request { key = g.key, json = body })
            if i % 5 == 0 then
              client.sleep((i % 7) / 20)
              if i % 2 == 0 then c:reset() else c:close() end
            else
              local answer = c:answer()
              assert.truthy(answer.status, answer.ending)
              assert.falsy((answer.body or ""):find("w13", 1, true))
              c:close()
            end
          end)
        end
      end)
      local records, seen = g:records_after(0, count), {}
      for _, record in ipairs(records) do
        assert.is_nil(seen[record.id])
        seen[record.id] = true
        assert.equal(record.outcome, record.annotations and record.annotations.done)
      end
      g:gauge_becomes("moongate_exchanges_open", 0)
      g:gauge_becomes("moongate_upstream_open", 0)
      for line in g:said():gmatch("[^\n]+") do
        if line:find('"policy_error"', 1, true) then assert.falsy(line:find("policies/x.lua:%d"), line) end
      end
    end)
  end
end)

describe("what policies count and keep", function()
  it("stands in /metrics, and in a cache that survives a reload", function()
    local HOOK = [[ on_request = function(ctx)
      local n = (cache.get "n" or 0) + 1
      cache.set("n", n, "1h")
      ctx:annotate("n", n)
      seen { model = ctx.request.model }
      took(0.3)
    end ]]
    local TOP = "local seen, took = metrics.counter 'seen_total', metrics.histogram 'took_seconds'\n"
    start(HOOK, nil, TOP)
    assert.equal("1", g:record(ask("a").id).annotations.n)
    assert.equal("2", g:record(ask("a").id).annotations.n)
    g:write_policies(files(HOOK .. " -- new", TOP))
    assert.equal(0, select(2, g:reload()))
    assert.equal("3", g:record(ask("a").id).annotations.n)
    local all = g:metrics()
    assert.equal(3, all:value("moongate_policy_seen_total", { model = "one" }))
    assert.equal(3, all:value("moongate_policy_took_seconds_count"))
    assert.equal(3, all:value("moongate_policy_took_seconds_bucket", { le = "0.5" }))
    assert.equal(0, all:value("moongate_policy_took_seconds_bucket", { le = "0.25" }))
    local text = client.ask(g.admin_port, { path = "/metrics" }).body
    assert.truthy(text:find("# TYPE moongate_policy_seen_total counter\nmoongate_policy_seen_total{model=\"one\"} 3\n", 1, true))
    assert.truthy(text:find("# TYPE moongate_policy_took_seconds histogram\n", 1, true))
  end)
end)
