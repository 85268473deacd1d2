-- What explain shows of a decision: every rule with what it saw, and only what the gateway would do itself.
local gw = require "moongate.test"

local function said(mg, t) return mg:explain(t, "text") end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text) end
end

local function step(answer, policy, rule)
  for _, p in ipairs(answer.policies) do
    for _, s in ipairs(p.steps) do
      if p.name == policy and s.rule == rule then return s end
    end
  end
end

describe("explain", function()
  it("shows each condition of a rule that did not apply, with the value it saw", function()
    local mg = gw.load_text { a = [[return policy { rules = {
      { "many", when = { department = "sales", context_tokens = gt(100), role = "lead", uses = "tools", stream = true, hours = "08:00-18:00" },
        deny = { 403, "x" } },
      { "but", when = { department = "ops" }, unless = { tier = { "gold", "silver" } }, deny = { 403, "y" } },
      { "fn", when = function(ctx) return ctx.request.stream end, deny = { 403, "z" } },
    } }]] }
    local t = { as = { department = "ops", roles = { "dev" }, tier = "gold" }, model = "one", context_tokens = 5, time = "2025-06-03T06:00:00Z" }
    local answer = mg:explain(t)
    local seen = {}
    for _, c in ipairs(step(answer, "a", "many").conditions) do seen[c.key] = { c.holds, type(c.seen) == "table" and (c.seen[1] or "none") or c.seen } end
    assert.same({ department = { false, "ops" }, context_tokens = { false, 5 }, role = { false, "dev" }, uses = { false, "none" },
      stream = { false, false }, hours = { false, "Tuesday 2025-06-03T06:00:00Z" } }, seen)
    has(said(mg, t), "unless tier is gold or silver (here gold)", "the function at policies/a.lua:5 said no")
    assert.is_false(step(answer, "a", "fn").applies)
  end)

  it("follows the chain as it is at work: what init.lua turns off decides nothing", function()
    local files = { init = 'return chain { "a", { "off", mode = "off" }, "b" }', a = 'return policy { rules = { { "a", annotate = { x = "y" } } } }',
      off = 'return policy { rules = { { "never", deny = { 403, "never" } } } }', b = 'return policy { rules = { { "b", deny = { 403, "b" } } } }' }
    local mg = gw.load_text(files)
    local answer = mg:explain { model = "one" }
    assert.denied(mg:request { model = "one" }, 403, "b")
    assert.equal("b", answer.verdict.code)
    assert.same({ "passed", "off", "denied" }, { answer.policies[1].state, answer.policies[2].state, answer.policies[3].state })
    files.b = 'return policy { rules = {} }'
    mg = gw.load_text(files)
    assert.equal("allow", mg:explain({ model = "one" }).verdict.kind)
  end)

  it("says what only shows when a target is called, and calls no service", function()
    local mg = gw.load_text { a = [[return policy {
      on_request = function() local _, err = http.post("https://m.example/check", { json = { a = 1 } }) if err then return deny(503, "down") end end,
      on_attempt = function() end,
    }]] }
    local text = said(mg, { model = "one" })
    has(text, "503 down", "POST https://m.example/check", "not called here: decided as if it gave no answer")
    mg = gw.load_text { a = "return policy {\n  on_attempt = function() end,\n}" }
    has(said(mg, { model = "one" }), "on_attempt of a may still pass over a target when it is called: policies/a.lua:2")
  end)

  it("names observed rules, later proposals and what takes targets away", function()
    local mg = gw.load_text { chain = { "a", "routing" }, a = [[return policy { rules = {
      { "watch", mode = "observe", deny = { 403, "x" } },
      { "home", only = { "local/*" }, reason = "stays here" },
    } }]], routing = [[return routing { rules = { { "first", route = { "p/one", "local/own" } }, { "second", route = "p/two" } } }]] }
    local answer = mg:explain { model = "auto" }
    assert.same({ "local/own" }, answer.verdict.targets)
    assert.same({ { target = "p/one", by = "a/home", reason = "stays here", proposed_by = "routing/first" } }, answer.candidates)
    assert.equal("observe", step(answer, "a", "watch").mode)
    has(said(mg, { model = "auto" }), "[only observed]", "✓ first", "p/one  stays here")
    assert.is_nil(step(answer, "routing", "second"))
  end)

  it("knows who took a target away, whatever rules and reasons are called", function()
    local mg = gw.load_text { chain = { "a", "routing" }, a = [[return policy { rules = {
      { "eu: home", only = { "local/*" }, reason = "stays (at home): always" },
      { "nobody (else)", when = { called = "local/*" }, deny = { 403, "x" }, reason = "no: never" },
    } }]], routing = [[return routing { rules = { { "first", route = { "p/one", "local/own" } } } }]] }
    local answer = mg:explain { model = "auto" }
    assert.same({ { target = "p/one", by = "a/eu: home", reason = "stays (at home): always", proposed_by = "routing/first" },
      { target = "local/own", by = "a/nobody (else)", reason = "no: never", proposed_by = "routing/first" } }, answer.candidates)
    assert.equal("no target is left: p/one (a/eu: home: stays (at home): always); local/own (a/nobody (else): no: never)", answer.verdict.reason)
    local edits = {}
    for _, one in ipairs(answer.remedies) do edits[#edits + 1] = one.text end
    assert.truthy(table.concat(edits, "; "):find("only observe the rule", 1, true), table.concat(edits, "; "))
  end)

  it("leaves what serves requests as it was", function()
    local mg = gw.load_text { a = 'return policy { rules = { { "r", when = { department = "sales" }, deny = { 403, "x" } } } }' }
    local before = mg:request { as = { department = "sales" }, model = "one" }
    mg:explain { as = { department = "sales" }, model = "one" }
    local after = mg:request { as = { department = "sales" }, model = "one" }
    assert.same({ before.code, before.rule, #before.trace }, { after.code, after.rule, #after.trace })
  end)
end)
