-- What policies may call: http, json, cache, time, metrics, trace, together; and what they may not do there.
local gw = require "moongate.test"

local function with(body, top)
  return gw.load_text { x = (top or "") .. "\nreturn policy { on_request = function(ctx) " .. body .. " end }" }
end

-- What the body noted with note(…), in order.
local function run(body, t, mg)
  mg = mg or with(body, "local function note(ctx, v) ctx:annotate('v', tostring(v)) end")
  t = t or {}
  t.model = t.model or "one"
  local r = mg:request(t)
  return r.kind == "fault" and r.fault or r.annotations.v, r
end

-- The same call with arguments that cannot be read in the text: what is written there is refused at load.
local function hidden(call) return "local function same(...) return ... end " .. call:gsub("%(", "(same(", 1) .. ")" end

local function eval(expression, t) return (run("ctx:annotate('v', tostring(" .. expression .. "))", t)) end

describe("http", function()
  local URL = "https://moderation.internal/v1/check"
  local ASK = [[
    local reply, err, refused = http.post("https://moderation.internal/v1/check", { json = { text = ctx.request:last_user_text() } })
    if err then ctx:annotate("v", err .. " " .. tostring(refused and refused.body)) return end
    if reply.json.flagged then return deny(422, "content_flagged", "moderation: " .. reply.json.category) end
    ctx:annotate("v", reply.status .. " " .. reply.headers["content-type"]) ]]

  it("looks like a plain call", function()
    local mg = with(ASK)
    mg:stub("POST " .. URL, function(req)
      assert.equal("application/json", req.headers["content-type"])
      assert.equal('{"text":"plan an attack"}', req.body)
      return { json = { flagged = req.json.text:find("attack") ~= nil, category = "violence" } }
    end)
    local r = mg:request { model = "one", text = "plan an attack" }
    assert.denied(r, 422, "content_flagged")
    assert.equal("moderation: violence", r.denied.reason)
    assert.explained_by(r, "x/POST " .. URL)
  end)

  it("gives what went wrong as a word", function()
    for _, case in ipairs {
      { { nil, "timeout" }, "timeout nil" }, { { nil, "refused" }, "refused nil" }, { { nil, "closed" }, "closed nil" },
      { { { status = 503, body = "busy" } }, "http 503 busy" }, { { { status = 302, body = "" } }, "http 302 " },
      { { { body = "{oops", headers = { ["Content-Type"] = "application/json" } } }, "bad json {oops" },
      { { { json = { flagged = false } } }, "200 application/json" },
    } do
      local mg = with(ASK)
      mg:stub("POST " .. URL, function() return unpack(case[1], 1, 2) end)
      assert.equal(case[2], mg:request({ model = "one" }).annotations.v)
    end
  end)

  it("that lies is a fault of the policy that believes it", function()
    local mg = with(ASK)
    mg:stub("POST " .. URL, { body = "<html>" })
    assert.faulted(mg:request { model = "one" }, "policies/x.lua:4")
  end)

  it("takes GET, headers, bodies, times; what is wrong with a call is said", function()
    local seen
    local mg = with([[
      http.get("https://a.internal/x?y=1", { headers = { ["X-B"] = "2" }, timeout = "1.5s" })
      http.post("https://a.internal/x", { body = "raw", timeout = "250ms", auth = "secret:key" }) ]])
    local calls = {}
    mg:stub("GET https://a.internal/x", function(req) calls[1] = req return { body = "" } end)
    mg:stub("POST https://a.internal/x", function(req) calls[2] = req return { body = "" } end)
    assert.allowed(mg:request { model = "one" })
    seen = calls[1]
    assert.same({ "GET", "https://a.internal/x?y=1", "", "2", 1500 }, { seen.method, seen.url, seen.body, seen.headers["X-B"], seen.timeout_ms })
    seen = calls[2]
    assert.same({ "raw", 250, true }, { seen.body, seen.timeout_ms, seen.has_secret })
    for call, words in pairs {
      ["http.post('https://x', { timeout = 300 })"] = "got 300 (did you mean \"300ms\"?)",
      ["http.get('ftp://x')"] = "the first argument is a URL",
      ["http.get('https://x', { body = 'a' })"] = "get sends no body",
      ["http.post('https://x', { jsn = {} })"] = "unknown option 'jsn' (did you mean 'json'?)",
      ["http.post('https://x', { timeout = '5 minutes' })"] = "timeout is written",
      ["http.post('https://x', { auth = 'Bearer abc' })"] = "auth is written \"secret:name\"",
      ["http.post('https://x', { json = {} })"] = "empty table may be a list or an object",
      ["http.post('https://x', { headers = { Host = 'metadata.internal' } })"] = "the header 'Host' is the gateway's own to send",
      ["http.post('https://x', { headers = { ['transfer-encoding'] = 'chunked' } })"] = "write it in the URL and list it in egress",
      ["http.post('https://x', { headers = { a = 'b\\r\\nc: d' } })"] = "without line breaks",
    } do
      local said = run(hidden(call))
      assert.truthy(said and said:find(words, 1, true), call .. ": " .. tostring(said))
      assert.truthy(said:find("^policies/x.lua:"), said)
    end
    assert.truthy(run("local h = http h['psot']('https://x')"):find("http has no 'psot' (did you mean 'post'?)", 1, true))
  end)

  it("is limited to 16 calls, and 10 000 harm nobody", function()
    local mg = with([[
      local good, limit = 0, 0
      for i = 1, 10000 do
        local reply, err = http.get("https://a.internal/")
        if reply then good = good + 1 elseif err == "limit" then limit = limit + 1 end
        if limit > 100 then break end
      end
      ctx:annotate("v", good .. " " .. limit) ]])
    mg:stub("GET https://a.internal/", { body = "" })
    assert.equal("16 101", mg:request({ model = "one" }).annotations.v)
  end)

  it("cannot wait where Lua cannot, nor in on_delta, nor while loading", function()
    local said = run("local t = { 3, 2, 1 } table.sort(t, function(a, b) http.get('https://a.internal/') return a < b end)")
    assert.truthy(said:find("http cannot wait inside a sort comparator", 1, true), said)
    local mg = with("local s = ('abc'):gsub('.', function(c) return http.get('https://a.internal/' .. c).body end) ctx:annotate('v', s)")
    for c in ("abc"):gmatch(".") do mg:stub("GET https://a.internal/" .. c, { body = c:upper() }) end
    assert.equal("ABC", mg:request({ model = "one" }).annotations.v)
    local errors = gw.errors { x = "local r = http.get('https://a.internal/')\nreturn policy {}" }
    assert.truthy(errors[1]:find("while a request is being decided, not while the file is loaded", 1, true), errors[1])
    mg = gw.load_text { x = "return policy { on_delta = function() http.get('https://a.internal/') end }" }
    local r = mg:respond({ model = "one", stream = true }, { chunks = { "a" } })
    assert.equal("fault", r.answer.kind)
    assert.truthy(r.answer.fault:find("cannot wait in on_delta", 1, true), r.answer.fault)
  end)

  it("without a stub fails the test that makes the call", function()
    local mg = with("http.get('https://nobody.internal/')")
    local ok, why = pcall(mg.request, mg, { model = "one" })
    assert.is_false(ok)
    assert.truthy(tostring(why):find("no stub for GET https://nobody.internal/", 1, true), why)
  end)

  it("is refused in examples, which say what happens then", function()
    assert.same({}, gw.errors { x = [[return policy {
      on_request = function() if select(2, http.get("https://a.internal/")) == "refused" then return deny(503, "no_service") end end,
      examples = { { model = "one", deny = "no_service" } } }]] })
  end)
end)

describe("together", function()
  it("waits for both, in any order, and gives the first value of each", function()
    local mg = with([[
      local a, b, c = together(
        function() return http.get("https://a.internal/").body end,
        function() return http.get("https://b.internal/").body .. http.get("https://c.internal/").body end,
        function() end)
      ctx:annotate("v", a .. " " .. b .. " " .. tostring(c)) ]])
    for c in ("abc"):gmatch(".") do mg:stub("GET https://" .. c .. ".internal/", { body = c }) end
    assert.equal("a bc nil", mg:request({ model = "one" }).annotations.v)
  end)

  it("can be nested and repeated", function()
    local mg = with([[
      local n = 0
      for _ = 1, 20 do
        local a = together(function() return together(function() return 1 end, function() return 2 end) end)
        n = n + a
      end
      ctx:annotate("v", n) ]])
    assert.equal("20", mg:request({ model = "one" }).annotations.v)
  end)

  it("swallows neither a fault nor a stop", function()
    assert.truthy(run("together(function() end, function() error('no') end)"):find("policies/x.lua:2: no", 1, true))
    assert.truthy(run("together(function() while true do end end, function() end)"):find("stopped after", 1, true))
    assert.truthy(run("together()"):find("wants functions", 1, true))
    assert.truthy(run("local f = function() end together(f, f, f, f, f, f, f, f, f)"):find("at most 8 functions", 1, true))
  end)

  it("keeps one that computes from holding up the other's answer", function()
    local mg = with([[
      together(function() for i = 1, 200000 do local x = i end end, function() http.get("https://a.internal/") end) ]])
    mg:stub("GET https://a.internal/", { body = "" })
    assert.allowed(mg:request { model = "one" })
  end)
end)

describe("trace.span", function()
  it("notes how long it took and gives what the function gives", function()
    local v, r = run("ctx:annotate('v', table.concat({ trace.span('lookup', function() return 1, 2 end) }, ' '))")
    assert.equal("1 2", v)
    assert.explained_by(r, "x/lookup")
    assert.truthy(run("trace.span('a', function() error('inside') end)"):find("inside", 1, true))
    assert.truthy(run("trace.span('a', function() while true do end end)"):find("stopped after", 1, true))
  end)
end)

describe("json", function()
  it("writes with sorted keys, and says what it cannot write", function()
    for expression, text in pairs {
      ["{ b = 1, a = { 1, 2.5, true, 'x' } }"] = '{"a":[1,2.5,true,"x"],"b":1}', ["'ä\"\\n'"] = '"ä\\"\\n"',
      ["json.array {}"] = "[]", ["json.object {}"] = "{}", ["{ json.null }"] = "[null]", ["0.1"] = "0.1", ["-0"] = "0",
      ["1e15"] = "1000000000000000", ["1e300"] = "1e+300", ["2^53"] = "9007199254740992", ["{ [json.decode '\"k\"'] = 1 }"] = '{"k":1}',
      ["json.decode('[]')"] = "[]", ["json.decode('{}')"] = "{}", ["json.decode('{\"a\":[[],{}]}')"] = '{"a":[[],{}]}',
    } do assert.equal(text, eval("json.encode(" .. expression .. ")"), expression) end
    for expression, words in pairs {
      ["{}"] = "empty table", ["{ 1, nil, 3 }"] = "has holes", ["{ 1, a = 2 }"] = "is both", ["ctx.request"] = "a part of ctx",
      ["function() end"] = "no JSON for a function", ["0/0"] = "not-a-number", ["math.huge"] = "infinite", ["'\\255'"] = "not UTF-8",
      ["nil"] = "there is no value", ["{ [true] = 1 }"] = "among its names",
    } do
      local said = eval("json.encode(" .. expression .. ")")
      assert.truthy(said:find(words, 1, true), expression .. ": " .. said)
    end
    assert.truthy(run("local t = {} t.t = t json.encode(t)"):find("nested more than", 1, true))
  end)

  it("reads", function()
    for text, expression in pairs {
      ['{"a":null,"b":[1,null,3]}'] = { "tostring(v.a) .. #v.b .. tostring(v.b[2] == json.null)", "nil3true" },
      ['[12345678901234567890, 1.5, 9007199254740992]'] = { "type(v[1]) .. v[1] .. v[2] .. v[3]", "string123456789012345678901.59.007199254741e+15" },
      ['"\\u00e4"'] = { "v", "ä" }, ["true"] = { "tostring(v)", "true" }, ['{"a":{"b":[{}]}}'] = { "type(v.a.b[1])", "table" },
    } do
      assert.equal(expression[2], (run(("local v = json.decode(%q) ctx:annotate('v', %s)"):format(text, expression[1]))), text)
    end
    for _, text in ipairs { "{oops", "", "[1,]", "\"\255\"", ("["):rep(65) .. ("]"):rep(65) } do
      assert.equal("nil string", (run(("local v, why = json.decode(%q) ctx:annotate('v', tostring(v) .. ' ' .. type(why))"):format(text))), text)
    end
    assert.truthy(eval("json.decode(1)"):find("wants a text", 1, true))
    assert.truthy(run("setmetatable(json.decode('{}'), {})"):find("protected", 1, true))
  end)
end)

describe("cache", function()
  it("keeps copies for a time, for later requests", function()
    local mg = with([[
      local t = cache.get "t"
      if not t then
        t = { n = 1, empty = {} }
        ctx:annotate("v", "new " .. tostring(cache.set("t", t, "1m")))
      else
        ctx:annotate("v", "n = " .. t.n .. " " .. type(t.empty))
      end
      t.n = t.n + 1 ]])
    local at = "2025-06-03T12:00:%02dZ"
    assert.equal("new true", mg:request({ model = "one", time = at:format(0) }).annotations.v)
    assert.equal("n = 1 table", mg:request({ model = "one", time = at:format(30) }).annotations.v)
    assert.equal("n = 1 table", mg:request({ model = "one", time = at:format(59) }).annotations.v)
    assert.equal("new true", mg:request({ model = "one", time = "2025-06-03T12:01:00Z" }).annotations.v)
  end)

  it("forgets on nil, and takes no nonsense", function()
    assert.equal("nil", (run("cache.set('a', 1, 5) cache.set('a', nil) ctx:annotate('v', tostring(cache.get('a')))")))
    assert.equal("false", (run("cache.set('b', false, '1h') ctx:annotate('v', tostring(cache.get('b')))")))
    assert.truthy(run(hidden "cache.set('a', 1)"):find("the ttl is written", 1, true))
    assert.truthy(run(hidden "cache.set('a', 1, 'soon')"):find("the ttl is written", 1, true))
    assert.truthy(run("cache.set('', 1, 1)"):find("1 to 512 bytes", 1, true))
    assert.truthy(run("cache.set('a', function() end, 1)"):find("no JSON for a function", 1, true))
  end)
end)

describe("time", function()
  it("tells hours and days, in zones", function()
    local t = { time = "2025-06-08T22:30:05Z" }
    assert.equal("22", eval("time.hour(ctx.time)", t))
    assert.equal("0", eval("time.hour(ctx.time, 'Europe/Berlin')", t))
    assert.equal("sun mon", eval("time.weekday(ctx.time) .. ' ' .. time.weekday(ctx.time, 'Europe/Berlin')", t))
    assert.equal("2025-06-09", eval("time.date(ctx.time, 'Europe/Berlin')", t))
    assert.equal("2025-06-09 00:30:05 +02:00 100%", eval("time.format(ctx.time, '%F %T %z 100%%', 'Europe/Berlin')", t))
    assert.equal("08.06.2025 17:00", eval("time.format(ctx.time, '%d.%m.%Y %H:%M', '-05:30')", t))
    assert.equal("2024-02-29", eval("time.date(ctx.time)", { time = "2024-02-29T00:00:00Z" }))
    assert.truthy(eval("time.hour(ctx.time, tostring 'Mars/Base')"):find("unknown zone the text 'Mars/Base'", 1, true))
    assert.truthy(eval("time.format(ctx.time, '%q')"):find("unknown '%q'", 1, true))
    assert.truthy(eval("time.hour('noon')"):find("a time such as ctx.time", 1, true))
  end)
end)

describe("metrics", function()
  local TOP = "local c = metrics.counter 'checks_total'\nlocal h = metrics.histogram 'took_seconds'"

  it("count what hooks say", function()
    local mg = with("c { verdict = 'a' } c({ verdict = 'b' }, 3) c() h(0.5, { service = 's' })", TOP)
    mg:request { model = "one" }
    assert.same({ { value = 1, labels = { verdict = "a" } }, { value = 3, labels = { verdict = "b" } }, { value = 1, labels = {} } },
      mg.metrics.checks_total)
    assert.same({ { value = 0.5, labels = { service = "s" } } }, mg.metrics.took_seconds)
  end)

  it("fold a flood of labels", function()
    local mg = with("for i = 1, 150 do c { n = i } end", TOP)
    mg:request { model = "one" }
    local other = 0
    for _, entry in ipairs(mg.metrics.checks_total) do other = other + (entry.labels.n == "other" and 1 or 0) end
    assert.equal(50, other)
  end)

  it("are declared at the top, and say what is wrong", function()
    assert.truthy(run("metrics.counter 'x'"):find("at the top of the file", 1, true))
    assert.truthy(gw.errors({ x = "local c = metrics.counter 'No'\nreturn policy {}" })[1]:find("a name is made of", 1, true))
    assert.truthy(gw.errors({ x = "local a, b = metrics.counter 'a', metrics.histogram 'a'\nreturn policy {}" })[1]:find("is a counter already", 1, true))
    for call, words in pairs { ["c({}, -1)"] = "0 or more", ["c({}, 0.5)"] = "whole numbers", ["c({ a = {} })"] = "the label 'a' is a text",
      ["c({ A = '1' })"] = "a label is made of", ["c({ a = 1, b = 2, d = 3, e = 4 })"] = "at most three labels", ["h('x')"] = "numbers" } do
      local r = with(call, TOP):request { model = "one" }
      assert.truthy(r.fault and r.fault:find(words, 1, true), call .. ": " .. tostring(r.fault))
    end
  end)

  it("and logs and annotations never repeat what sensitive requests say", function()
    local mg = with([[
      local text = ctx.request:last_user_text()
      ctx:annotate("whole", text) ctx:annotate("part", "it says: " .. text:sub(9, 50)) ctx:annotate("word", text:sub(1, 11))
      log.info("got %s", text) c { text = text } ]], TOP)
    local text = "the merger with Acme is planned for the third of May"
    local r = mg:request { model = "one", text = text, data = "internal" }
    assert.equal(text, r.annotations.whole)
    r = mg:request { model = "one", text = text, data = "confidential" }
    assert.equal("[withheld: it repeats text of a request with confidential data]", r.annotations.whole)
    assert.equal(r.annotations.whole, r.annotations.part)
    assert.equal("the merger ", r.annotations.word)
    assert.truthy(mg.logs[2].text:find("withheld", 1, true))
    assert.truthy(mg.metrics.checks_total[2].labels.text:find("withheld", 1, true))
    mg = gw.load_text { x = "return policy { buffer = false, on_response = function(ctx) ctx:annotate('v', ctx.response:text()) end }" }
    r = mg:respond({ model = "one", data = "restricted" }, { text = "their password is swordfish42, do not tell" })
    assert.truthy(r.annotations.v:find("withheld", 1, true))
  end)

  it("and logs are seen by specs", function()
    local mg = with("log.warn('hello %d', 7)")
    mg:request { model = "one" }
    assert.same({ { level = "warn", place = "policies/x.lua:2", text = "hello 7" } }, mg.logs)
  end)
end)
