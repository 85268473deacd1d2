-- The hooks after the request: what they see, what they may say, and what loading says of them.
local gw = require "moongate.test"

local MODELS = [[return models {
  ["one"] = { targets = { { "p/one", region = "us" }, { "q/two", region = "eu", label = "own" } }, price = usd_per_million { input = 1, output = 2 } } }]]

local function load(body) return gw.load_text { models = MODELS, x = "return policy {" .. body .. "}" } end

describe("a policy that is off", function()
  it("says nothing, in its rules or its hooks", function()
    local file = 'return policy { mode = %q, rules = { { "r", deny = { 403, "no" } } }, on_request = function() return deny(403, "no") end }'
    assert.allowed(gw.load_text({ a = file:format("off") }):request { model = "one" })
    assert.allowed(gw.load_text({ a = file:format("observe") }):request { model = "one" })
    assert.denied(gw.load_text({ a = file:format("enforce") }):request { model = "one" }, 403, "no")
  end)

  it("and is auth is told of: callers come in without a key", function()
    local mg = gw.load_text { auth = 'return auth { mode = "off" }' }
    assert.truthy(mg.errors[1].text:find("no auth policy", 1, true))
    assert.allowed(mg:request { model = "one", key = "missing" })
  end)
end)

describe("on_attempt", function()
  it("sees the target and skips it", function()
    local mg = load [[ on_attempt = function(ctx, target)
      ctx:annotate(target.name, ("%s %s %s %s %s"):format(target.provider, target.model, tostring(target.region),
        tostring(target.labels.own), ctx.phase))
      if target.region == "us" then return deny(403, "not_us") end
    end ]]
    local r = mg:respond({ model = "one" }, { text = "hi" })
    assert.same({ ["p/one"] = "p one us nil attempt", ["q/two"] = "q two eu true attempt" }, r.annotations)
    assert.is_nil(r.answer)
    assert.equal("hi", r.delivered)
    assert.explained_by(r, "x/on_attempt")
  end)

  it("that denies all of them refuses", function()
    local r = load("on_attempt = function() return deny(451, 'nowhere', 'not here') end"):respond({ model = "one" })
    assert.same({ "deny", 451, "nowhere", "not here", "attempt" }, { r.answer.kind, r.answer.status, r.answer.code, r.answer.reason, r.answer.phase })
    assert.equal("denied", r.outcome)
    assert.equal("", r.delivered)
  end)

  it("may deny or pass, and nothing else", function()
    local r = load("on_attempt = function() return route('p/one') end"):respond({ model = "one" })
    assert.truthy(r.answer.fault:find("on_attempt may deny or pass; route(…) belongs into on_request", 1, true), r.answer.fault)
    r = load("on_attempt = function() local _ = deny(403, 'lost') end"):respond({ model = "one" })
    assert.truthy(r.answer.fault:find("deny(…) was built but not returned", 1, true), r.answer.fault)
    assert.is_nil(load("on_attempt = function() return pass() end"):respond({ model = "one" }).answer)
    r = load("on_attempt = function(ctx, target) target.name = 'x' end"):respond({ model = "one" })
    assert.truthy(r.answer.fault:find("cannot be changed", 1, true), r.answer.fault)
  end)

  it("observes without acting, and is skipped when it fails and says so", function()
    local r = load("mode = 'observe', on_attempt = function() return deny(403, 'no') end"):respond({ model = "one" }, { text = "hi" })
    assert.equal("hi", r.delivered)
    assert.explained_by(r, "x/on_attempt")
    r = load("on_error = 'skip', on_attempt = function() error('oops') end"):respond({ model = "one" }, { text = "hi" })
    assert.equal("hi", r.delivered)
    r = load("mode = 'off', on_attempt = function() error('oops') end"):respond({ model = "one" }, { text = "hi" })
    assert.equal("hi", r.delivered)
  end)
end)

describe("on_delta and on_response", function()
  it("see text, usage, route; and refuse", function()
    local mg = load [[ buffer = false,
      on_delta = function(ctx, text) if text:find("bad") then return deny(403, "bad_word") end end,
      on_response = function(ctx)
        ctx:annotate("v", ("%s|%d|%s|%s|%s|%d|%.6f|%s"):format(ctx.response:text(), ctx.response.status, ctx.response.model,
          ctx.response.provider, ctx.response.finish_reason, ctx.usage.output_tokens, ctx.usage.cost_usd, ctx.route.rule))
      end ]]
    local r = mg:respond({ model = "one", stream = true }, { chunks = { "a ", "good ", "day" }, input_tokens = 10,
      output_tokens = 20, finish_reason = "stop" })
    assert.equal("a good day|200|one|p|stop|20|0.000050|models/one", r.annotations.v)
    assert.equal("a good day", r.delivered)
    r = mg:respond({ model = "one", stream = true }, { chunks = { "a ", "bad ", "day" } })
    assert.equal("bad_word", r.answer.code)
    assert.equal("delta", r.answer.phase)
    assert.equal("a ", r.delivered)
  end)

  it("see answers of the API that was asked", function()
    local mg = load [[ buffer = false,
      on_delta = function(ctx, text) if text:find("bad") then return deny(403, "bad_word") end end,
      on_response = function(ctx) ctx:annotate("v", ctx.response:text() .. " " .. ctx.response.finish_reason) end ]]
    for api, word in pairs { chat = "stop", messages = "end_turn", responses = "completed", generate_content = "STOP" } do
      local function respond(answer, stream) return mg:respond({ model = "one", api = api, stream = stream }, answer) end
      assert.equal("good day " .. word, respond({ text = "good day" }).annotations.v)
      assert.equal("good day " .. word, respond({ chunks = { "good ", "day" } }, true).annotations.v)
      assert.equal("good day", respond({ chunks = { "good ", "day" } }, true).delivered)
      local r = respond({ chunks = { "a ", "bad ", "day" } }, true)
      assert.same({ "bad_word", "delta", "a " }, { r.answer.code, r.answer.phase, r.delivered })
      assert.equal("no", respond({ status = 500, text = "no" }).delivered)
    end
  end)

  it("hold streams with buffer = true", function()
    local mg = load [[ buffer = true, on_response = function(ctx)
      if ctx.response:text():find("bad") then return deny(422, "bad_word") end end ]]
    assert.equal("", mg:respond({ model = "one", stream = true }, { chunks = { "a ", "bad ", "day" } }).delivered)
    assert.equal("fine", mg:respond({ model = "one", stream = true }, { chunks = { "fi", "ne" } }).delivered)
    assert.equal("bad_word", mg:respond({ model = "one" }, { text = "a bad day" }).answer.code)
  end)

  it("that deny must say what becomes of streams", function()
    local errors = gw.errors { x = "return policy {\n  on_response = function(ctx)\n    return deny(403, 'late')\n  end,\n}" }
    assert.equal(1, #errors)
    assert.truthy(errors[1]:find("on_response denies, but the text of a stream has gone out by then", 1, true), errors[1])
    for _, extra in ipairs { "buffer = true,", "buffer = false,", "mode = 'observe'," } do
      assert.same({}, gw.errors { x = "return policy { " .. extra .. " on_response = function(ctx) return deny(403, 'late') end }" })
    end
    assert.same({}, gw.errors { x = "return policy { on_response = function(ctx)\n -- deny(403) is not for here\n log.info('deny(1)') end }" })
    assert.truthy(gw.errors({ x = "return policy { buffer = true }" })[1]:find("there is none", 1, true))
  end)
end)

describe("on_done", function()
  local mg
  setup(function()
    mg = load [[
      on_request = function(ctx) if ctx.request:contains("refuse") then return deny(403, "no") end end,
      on_done = function(ctx)
        ctx:annotate("v", tostring(ctx.outcome) .. " " .. tostring(ctx.response.status) .. " " .. tostring(ctx.route.target))
        return route "p/one"
      end ]]
  end)

  it("runs after everything, and its answer counts for nothing", function()
    assert.equal("ok 200 p/one", mg:respond({ model = "one" }, { text = "x" }).annotations.v)
    assert.equal("denied 403 nil", mg:respond({ model = "one", text = "refuse" }).annotations.v)
    assert.equal("upstream_error 500 p/one", mg:respond({ model = "one" }, { status = 500 }).annotations.v)
    assert.equal("client_closed 200 p/one", mg:respond({ model = "one" }, { text = "x", outcome = "client_closed" }).annotations.v)
  end)
end)

describe("ctx", function()
  local function said(hook, expression)
    local r = load(hook .. " = function(ctx) return " .. expression .. " end"):respond({ model = "one" }, { text = "x" })
    return r.fault or r.answer and r.answer.fault
  end

  it("tells from when on something is there", function()
    assert.truthy(said("on_request", "ctx.response.status"):find("ctx.response is there from on_delta on", 1, true))
    assert.truthy(said("on_request", "ctx.outcome"):find("ctx.outcome is there from on_done on", 1, true))
    assert.truthy(said("on_attempt", "ctx.usage"):find("ctx.usage is there from on_delta on", 1, true))
    assert.truthy(said("on_request", "ctx.route"):find("ctx.route is there from on_attempt on", 1, true))
    assert.truthy(said("on_response", "ctx.response['sttaus']"):find("did you mean 'status'?", 1, true))
    assert.truthy(said("on_response", "ctx.request:set('max_tokens', 1)"):find("comes too late", 1, true))
  end)

  it("keeps what enrich added and the key says in every phase", function()
    local mg2 = gw.load_text { models = MODELS, chain = { "a", "x" }, a = "return auth { labels = { 'cost_center' }, enrich = function() return { cost_center = 'c9' } end }",
      x = "return policy { on_done = function(ctx) ctx:annotate('v', ctx.identity.cost_center .. ctx.identity.user .. ctx.request:last_user_text()) end }" }
    assert.equal("c9anahello", mg2:respond({ model = "one" }, { text = "x" }).annotations.v)
  end)
end)

describe("ctx.request:set", function()
  local function set(arguments, t)
    t = t or {}
    t.model = "one"
    return load("on_request = function(ctx) local function same(...) return ... end ctx.request:set(same(" .. arguments .. ")) ctx:annotate('v', tostring(ctx.request.max_tokens)) end"):request(t)
  end

  it("changes what later rules see", function()
    assert.equal("7", set("'max_tokens', 7").annotations.v)
    assert.equal("nil", set("'max_tokens', nil", { max_tokens = 9 }).annotations.v)
    assert.explained_by(set("'max_tokens', 7, 'why'"), "x/max_tokens")
    for _, arguments in ipairs { "'temperature', 0.5", "'stop', { 'a', 'b' }", "'user', 'x'", "'seed', 3", "'parallel_tool_calls', false" } do
      assert.allowed(set(arguments))
    end
  end)

  it("takes only what is a policy's to choose", function()
    for arguments, words in pairs { ["'model', 'x'"] = "return route(…)", ["'messages', {}"] = "redaction", ["'max_token', 1"] = "did you mean 'max_tokens'",
      ["'max_tokens', 0"] = "a whole number from 1", ["'temperature', 'hot'"] = "a number", ["'stream', false"] = "the caller's",
      ["'stop', {}"] = "a text or a list of texts" } do
      assert.faulted(set(arguments), words)
    end
  end)

  it("does nothing when it is only observed", function()
    local r = load("mode = 'observe', on_request = function(ctx) ctx.request:set('max_tokens', 7) ctx:annotate('v', tostring(ctx.request.max_tokens)) end"):request { model = "one" }
    assert.equal("nil", r.annotations.v)
  end)
end)
