-- What a hook sees: ctx and its views.
local gw = require "moongate.test"

-- Runs the body as on_request and gives back what it noted with ctx:annotate("v", …).
local function see(expression, t, extra)
  local texts = extra or {}
  texts.a = "return policy { on_request = function(ctx) ctx:annotate('v', tostring(" .. expression .. ")) end }"
  t = t or {}
  t.model = t.model or "one"
  local r = gw.load_text(texts):request(t)
  if r.kind == "fault" then return r.fault end
  return r.annotations.v
end

local function run(body, t)
  t = t or {}
  t.model = t.model or "one"
  return gw.load_text({ a = "return policy { on_request = function(ctx) " .. body .. " end }" }):request(t)
end

describe("ctx", function()
  it("knows the request", function()
    assert.equal("one", see("ctx.request.model"))
    assert.equal("two", see("ctx.request.model", { model = "two-2024-08-06" }))
    assert.equal("chat", see("ctx.request.api"))
    assert.equal("embeddings", see("ctx.request.api", { api = "embeddings" }))
    assert.equal("true", see("ctx.request.stream", { stream = true }))
    assert.equal("false", see("ctx.request.stream"))
    assert.equal("nil", see("ctx.request.max_tokens"))
    assert.equal("9", see("ctx.request.max_tokens", { max_tokens = 9 }))
    assert.equal("0.5", see("ctx.request.temperature", { temperature = 0.5 }))
    assert.equal("code", see("ctx.request.task", { task = "code" }))
    assert.equal("800", see("ctx.request.max_latency_ms", { max_latency_ms = 800 }))
    assert.equal("public", see("ctx.request.data"))
    assert.equal("end-user-7", see("ctx.request.user", { user = "end-user-7" }))
    assert.equal("2", see("ctx.request.tools", { uses = { "tools", "hosted_tools" } }))
    assert.equal("request", see("ctx.phase"))
  end)

  it("knows the identity", function()
    local who = { as = { department = "d", team = "t", tier = "gold", roles = { "r1", "r2" }, approvals = { "one" } } }
    assert.equal("ana", see("ctx.identity.user", who))
    assert.equal("d", see("ctx.identity.department", who))
    assert.equal("gold", see("ctx.identity.tier", who))
    assert.equal("nil", see("ctx.identity.region", who))
    assert.equal("true", see("ctx.identity.roles.r2", who))
    assert.equal("nil", see("ctx.identity.roles.r3", who))
    assert.equal("true", see("ctx.identity.approvals.one", who))
    assert.equal("key_example", see("ctx.identity.key_id", who))
    assert.equal("nil", see("ctx.identity.user", { key = "missing" }))
  end)

  it("estimates", function()
    assert.equal("10", see("ctx.estimate.input_tokens", { text = "123456789" }))
    assert.equal("110", see("ctx.estimate.context_tokens", { text = "123456789", max_tokens = 100 }))
    assert.equal("100", see("ctx.estimate.output_tokens", { text = "123456789", max_tokens = 100 }))
  end)

  it("reads text without keeping it", function()
    assert.equal("hello you", see("ctx.request:last_user_text()", { text = "hello you" }))
    assert.equal("9", see("ctx.request:text_bytes()", { text = "hello you" }))
    assert.equal("true", see("ctx.request:contains('lo yo')", { text = "hello you" }))
    assert.equal("false", see("ctx.request:contains('bye')", { text = "hello you" }))
    -- W1: as who reads it sees it, and as it stands
    assert.equal("true", see("ctx.request:contains('lo\\nyou')", { text = '{"a":"{\\"b\\":\\"hello\\\\nyou\\"}"}' }))
    assert.equal("true", see("ctx.request:contains('hello')", { text = "h\226\128\139ello you" }))
    assert.equal("true", see("ctx.request:contains('\\\\u0068ello')", { text = '\\u0068ello' }))
    assert.equal("false", see("ctx.request:contains('bye')", { text = '{"a":"b\\nye"}' }))
    assert.equal("true", see("ctx.request:contains('lo\\nyou')",
      { messages = { { role = "tool", tool_call_id = "1", content = { ["hello\nyou"] = 1 } } } }))
  end)

  it("sees headers, whatever their case, but no secret", function()
    local t = { headers = { ["X-Team"] = "core", Authorization = "Bearer sk-1", Cookie = "a=b", ["X-Api-Key"] = "k" } }
    assert.equal("core", see("ctx.request.headers['x-team']", t))
    assert.equal("nil", see("ctx.request.headers['x-other']", t))
    for _, name in ipairs { "authorization", "Authorization", "cookie", "x-api-key", "proxy-authorization" } do
      assert.truthy(see("ctx.request.headers['" .. name .. "']", t):find("holds a secret", 1, true))
    end
    local r = run("local n = {} for k, v in pairs(ctx.request.headers) do n[#n + 1] = k .. '=' .. v end ctx:annotate('v', table.concat(n, ' '))", t)
    assert.equal("X-Team=core", r.annotations.v)
  end)

  it("walks sets with pairs, and says type table", function()
    local r = run("local n = {} for k, v in pairs(ctx.identity.roles) do n[#n + 1] = k .. tostring(v) end ctx:annotate('v', table.concat(n, ' '))",
      { as = { roles = { "r1", "r2" } } })
    assert.equal("r1true r2true", r.annotations.v)
    assert.equal("table", see("type(ctx)"))
    assert.equal("nil", see("next(ctx.identity.roles)"))
  end)

  it("raises for a name that it does not have, with the nearest", function()
    local cases = {
      ["ctx.identiy"] = "ctx has no field 'identiy' (did you mean 'identity'?)",
      ["ctx.request.max_latency"] = "ctx.request has no field 'max_latency' (did you mean 'max_latency_ms'?)",
      ["ctx.identity.departmnt"] = "ctx.identity has no field 'departmnt' (did you mean 'department'?)",
      ["ctx.identity.cost_center"] = "ctx.identity has no field 'cost_center' (a label of your keys?",
      ["ctx.estimate.cost"] = "ctx.estimate has no field 'cost'",
      ["pairs(ctx)"] = nil,
    }
    for expression, words in pairs(cases) do
      local said = see((expression:gsub("%.([%a_]+)$", "['%1']"))) -- as it is written, it is refused at load
      assert.truthy(said:find(words, 1, true), said)
      assert.truthy(said:find("^policies/a.lua:1: "), said)
    end
  end)

  it("cannot be changed", function()
    for _, body in ipairs { "ctx['x'] = 1", "ctx.request.model = 'two'", "ctx.identity.department = 'x'",
      "ctx.request.headers.x = 'y'", "ctx.identity.roles.admin = true" } do
      assert.faulted(run(body), "ctx is read-only")
    end
    assert.faulted(run("table.insert(ctx, 1)"), "table expected")
    assert.faulted(run("setmetatable(ctx, {})"), "table expected")
  end)

  it("annotates and warns", function()
    local r = run("ctx:annotate('a', 1) ctx:annotate('a', 'two') ctx:warn('old', 'goes\\naway')")
    assert.same({ a = "two" }, r.annotations)
    assert.same({ "old: goes away" }, r.warnings)
    assert.explained_by(r, "a/old")
    assert.faulted(run("ctx:annotate('a', nil)"), "there is no value")
    assert.faulted(run("ctx:annotate(('x'):rep(65), 1)"), "1 to 64 bytes")
    assert.faulted(run("for i = 1, 40 do ctx:annotate('k' .. i, i) end"), "more than 32 annotations")
    assert.faulted(run("ctx:annotate('k', ('x'):rep(10000))"), "more than 8 KB")
    assert.faulted(run("ctx.annotate('k', 1)"), "call it with a colon")
  end)

  it("draws the same random numbers for the same request only", function()
    assert.not_equal(see("math.random()"), see("math.random()"))
    local n = tonumber(see("math.random(6)"))
    assert.truthy(n >= 1 and n <= 6)
    assert.truthy(see("math.random(5, 1)"):find("interval is empty", 1, true))
  end)
end)

describe("enrich", function()
  local function enriching(body, as)
    return gw.load_text {
      chain = { "who", "a" },
      who = "return auth { labels = { 'floor' }, enrich = function(id) " .. body .. " end }",
      a = "return policy { on_request = function(ctx) ctx:annotate('v', tostring(ctx.identity.tier) .. '/' .. tostring(ctx.identity.floor) .. '/' .. tostring(ctx.identity.department)) end }",
    }:request { as = as or {}, model = "one" }
  end

  it("adds what is not there", function()
    assert.equal("gold/3/nil", enriching("return { tier = 'gold', floor = '3' }").annotations.v)
    assert.equal("gold/nil/ops", enriching("if id.user == 'ana' then return { tier = 'gold', department = 'ops' } end").annotations.v)
  end)

  it("never replaces what the key says", function()
    assert.equal("iron/nil/eng", enriching("return { tier = 'gold', department = 'ops' }", { tier = "iron", department = "eng" }).annotations.v)
  end)

  it("may only add fields that exist", function()
    assert.faulted(enriching("return { teir = 'x' }"), "enrich added 'teir', which is no field of an identity")
    assert.faulted(enriching("return { key_id = 'x' }"), "enrich added 'key_id'")
    assert.faulted(enriching("return { tier = 1 }"), "'tier' is a text")
    assert.faulted(enriching("return 'x'"), "enrich returned the text 'x'")
  end)
end)

describe("auth", function()
  local apps = "return apps { known = { department = 'd' }, other = {} }"

  it("gives a default app", function()
    local mg = gw.load_text { apps = apps, chain = { "who" }, who = "return auth { default_app = 'known' }" }
    local r = mg:request { as = { app = false }, model = "one" }
    assert.equal("known", r.app)
    assert.equal("d", r.department)
    assert.equal("other", mg:request({ as = { app = "other" }, model = "one" }).app)
  end)

  it("requires what it says", function()
    local mg = gw.load_text { chain = { "who" }, who = "return auth { require = { 'team' } }" }
    local r = mg:request { model = "one" }
    assert.denied(r, 403, "identity_incomplete")
    assert.equal("key key_example has no team", r.denied.reason)
    assert.allowed(mg:request { as = { team = "t" }, model = "one" })
  end)
end)
