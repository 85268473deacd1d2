-- Rules, verbs, modes and the order of things, on policies written here.
local gw = require "moongate.test"

local function policy(rules) return "return policy { rules = { " .. rules .. " } }" end
local function hook(body) return "return policy { on_request = function(ctx) " .. body .. " end }" end
local function with(texts) return gw.load_text(texts) end

describe("the chain", function()
  it("is walked in its own order, not the files'", function()
    local texts = { a = policy "{ 'a', deny = { 403, 'from_a' } }", b = policy "{ 'b', deny = { 403, 'from_b' } }" }
    texts.chain = { "b", "a" }
    assert.denied(with(texts):request { model = "one" }, 403, "from_b")
    texts.chain = { "a", "b" }
    assert.denied(with(texts):request { model = "one" }, 403, "from_a")
  end)

  it("ends at the first denial", function()
    local r = with({ a = policy "{ 'no', deny = { 403, 'no' } }", b = hook "ctx:annotate('b', 1)" }):request { model = "one" }
    assert.same({}, r.annotations)
  end)

  it("lets a model's own targets answer when nobody routes", function()
    assert.same({ "p/two", "q/two" }, with({ a = policy "" }):request({ model = "two" }).route.targets)
    assert.same({ "p/two", "q/two" }, with({ a = policy "" }):request({ model = "deux" }).route.targets)
    assert.same({ "p/two-2024-08-06", "q/two-2024-08-06" },
      with({ a = policy "" }):request({ model = "two-2024-08-06" }).route.targets)
  end)

  it("has nothing to say about auto without routing", function()
    assert.denied(with({ a = policy "" }):request { model = "auto" }, 403, "no_target_left")
  end)
end)

describe("verbs in rules", function()
  it("deny with status, code and reason", function()
    local mg = with { a = policy "{ 'r', when = { user = 'ana' }, deny = { 429, 'slow_down' }, reason = '{user} asks for {model} too often' }" }
    local r = mg:request { model = "one" }
    assert.denied(r, 429, "slow_down")
    assert.equal("ana asks for one too often", r.denied.reason)
    assert.explained_by(r, "a/r")
    assert.allowed(mg:request { as = { user = "bob" }, model = "one" })
  end)

  it("deny with a table", function()
    local r = with({ a = policy "{ 'r', deny = { status = 402, code = 'pay', retry_after = 30 }, reason = 'x' }" }):request { model = "one" }
    assert.denied(r, 402, "pay")
  end)

  it("only narrows, and two narrow further", function()
    local mg = with { a = policy "{ 'p', only = { 'p/*' } }, { 'q', when = { user = 'q' }, only = { 'q/*' } }" }
    assert.same({ "p/two" }, mg:request({ model = "two" }).route.targets)
    assert.denied(mg:request { as = { user = "q" }, model = "two" }, 403, "no_target_left")
  end)

  it("only by region and by label", function()
    assert.same({ "local/own" }, with({ a = policy "{ 'eu', only = { region = 'eu' } }" }):request({ model = "own" }).route.targets)
    assert.denied(with({ a = policy "{ 'eu', only = { region = 'eu' } }" }):request { model = "one" }, 403, "no_target_left")
    assert.routed_to(with({ a = policy "{ 'sh', only = { label = 'self-hosted' } }" }):request { model = "own" }, "local/own")
  end)

  it("drop removes", function()
    assert.same({ "q/two" }, with({ a = policy "{ 'p', drop = { 'p/*' } }" }):request({ model = "two" }).route.targets)
  end)

  it("drop of a target drops its snapshots", function()
    assert.same({ "q/two-2024-08-06" }, with({ a = policy "{ 'p', drop = { 'p/two' } }" }):request({ model = "two-2024-08-06" }).route.targets)
  end)

  it("route proposes, and the first proposal with a target left wins", function()
    local mg = with {
      a = policy "{ 'one', route = { 'p/one' } }",
      b = policy "{ 'two', route = { 'p/two' } }",
      c = policy "{ 'c', when = { user = 'c' }, drop = { 'p/one' } }",
    }
    local r = mg:request { model = "own" }
    assert.routed_to(r, "p/one")
    assert.explained_by(r, "b/two")
    assert.routed_to(mg:request { as = { user = "c" }, model = "own" }, "p/two") -- the filter came after the choice
  end)

  it("pass skips the rest of its policy and nothing else", function()
    local mg = with {
      a = policy "{ 'vip', when = { user = 'vip' }, pass = true }, { 'no', deny = { 403, 'no' } }",
      b = policy "{ 'b', annotate = { b = 1 } }",
    }
    assert.denied(mg:request { model = "one" }, 403, "no")
    local r = mg:request { as = { user = "vip" }, model = "one" }
    assert.allowed(r)
    assert.same({ b = "1" }, r.annotations)
  end)

  it("annotate and warn", function()
    local r = with({ a = policy "{ 'x', annotate = { team = 'core', n = 3 } }, { 'w', warn = { 'old', '{model} goes away' } }" }):request { model = "one" }
    assert.same({ team = "core", n = "3" }, r.annotations)
    assert.same({ "old: one goes away" }, r.warnings)
  end)
end)

describe("verbs in hooks", function()
  it("deny, route, only, drop, pass by return", function()
    assert.denied(with({ a = hook "return deny(403, 'no', 'because')" }):request { model = "one" }, 403, "no")
    assert.denied(with({ a = hook "return deny { status = 429, code = 'later', retry_after = 5 }" }):request { model = "one" }, 429, "later")
    assert.routed_to(with({ a = hook "return route('p/two', { reason = 'x' })" }):request { model = "one" }, "p/two")
    assert.same({ "q/two" }, with({ a = hook "return only { 'q/*' }" }):request({ model = "two" }).route.targets)
    assert.same({ "p/two" }, with({ a = hook "return drop 'q/*'" }):request({ model = "two" }).route.targets)
    assert.allowed(with({ a = hook "return pass('fine')" }):request { model = "one" })
    assert.allowed(with({ a = hook "" }):request { model = "one" })
  end)

  it("an unreturned verb is a fault that names its line", function()
    local r = with({ a = "return policy {\n  on_request = function(ctx)\n    local _ = deny(403, 'no')\n  end,\n}" }):request { model = "one" }
    assert.faulted(r, "policies/a.lua:3: deny(…) was built but not returned: write 'return deny(…)'")
  end)

  it("wrong arguments are faults with the cure", function()
    local cases = {
      ["return deny(200, 'x')"] = "not a standard HTTP status",
      ["return deny(403, 'Not Fine')"] = "a code is made of a-z, 0-9 and _",
      ["return deny(403)"] = "a code is made of",
      ["return route('p/thre')"] = "no target 'p/thre' in policies/models.lua",
      ["return route {}"] = "route wants a target or a list",
      ["return only {}"] = "the list is empty",
      ["return only { 'x/*' }"] = "no target 'x/*'",
      ["return drop { regoin = 'eu' }"] = "not 'regoin'",
      ["local d = 'no' return d"] = "on_request returned the text 'no'",
      ["return {}"] = "on_request returned a table",
      ["return not false"] = "on_request returned true",
    }
    for body, words in pairs(cases) do
      body = body:gsub("(%a+)%s*(%b())", "%1(same%2)"):gsub("(%a+) (%b{})", function(word, list)
        return word == "return" and "return " .. list or word .. "(same(" .. list .. "))"
      end) -- what is written in the call is refused at load
      assert.faulted(with({ a = "local function same(...) return ... end " .. hook(body) }):request { model = "one" }, words)
    end
  end)

  it("a decision cannot be changed, nor kept for another request", function()
    assert.faulted(with({ a = hook "local d = deny(403, 'no') d.status = 200 return d" }):request { model = "one" }, "a decision cannot be changed")
    local mg = with { a = "local kept return policy { keeps_state = true, on_request = function() kept = kept or deny(403, 'no') return kept end }" }
    assert.denied(mg:request { model = "one" }, 403, "no")
    assert.faulted(mg:request { model = "one" }, "made for another request")
  end)

  it("verbs are for hooks, not for the top of a file", function()
    local errors = gw.errors { a = "deny(403, 'x')\nreturn policy {}" }
    assert.equal(1, #errors)
    assert.truthy(errors[1]:find("policies/a.lua:1: this works while a request is being decided", 1, true))
  end)
end)

describe("modes", function()
  it("observe decides and does nothing", function()
    local mg = with { a = "return policy { mode = 'observe', rules = { { 'd', deny = { 403, 'no' } }, { 'o', only = { 'q/*' } }, "
      .. "{ 'r', route = 'p/one' }, { 'a', annotate = { x = 1 } } } }" }
    local r = mg:request { model = "two" }
    assert.same({ "p/two", "q/two" }, r.route.targets)
    assert.same({}, r.annotations)
    for _, rule in ipairs { "d", "o", "r", "a" } do assert.explained_by(r, "a/" .. rule) end
    assert.equal("observe", r.trace[1].mode)
  end)

  it("per rule", function()
    local mg = with { a = policy "{ 'd', mode = 'observe', deny = { 403, 'no' } }, { 'e', mode = 'off', deny = { 403, 'no' } }" }
    local r = mg:request { model = "one" }
    assert.allowed(r)
    assert.explained_by(r, "a/d")
    assert.is_not.explained_by(r, "a/e")
  end)

  it("a policy that observes makes its rules observe", function()
    assert.allowed(with({ a = "return policy { mode = 'observe', rules = { { 'd', mode = 'enforce', deny = { 403, 'no' } } } }" }):request { model = "one" })
  end)

  it("a hook of an observing policy only observes", function()
    local r = with({ a = "return policy { mode = 'observe', on_request = function() return deny(403, 'no', 'x') end }" }):request { model = "one" }
    assert.allowed(r)
    assert.explained_by(r, "a/on_request")
  end)

  it("per row of the matrix", function()
    local mg = with { a = [[return access { models = {
      one = { departments = { 'x' }, data = 'public', mode = 'observe' },
      two = { departments = { 'x' }, data = 'public', mode = 'off' },
      own = { departments = { 'x' }, data = 'public' } } }]] }
    local r = mg:request { model = "one" }
    assert.allowed(r)
    assert.explained_by(r, "a/models.one.departments")
    assert.allowed(mg:request { model = "two" })
    assert.denied(mg:request { model = "own" }, 403, "department_not_authorized")
  end)
end)

describe("routing", function()
  local routing = "return routing { rules = { { 'code', when = { task = 'code' }, route = { 'p/one', 'p/two' } }, { 'rest', route = { 'q/two' } } } }"

  it("a rule whose targets are all taken does not match", function()
    local mg = with { a = policy "{ 'x', when = { user = 'x' }, drop = { 'p/*' } }", b = routing }
    assert.same({ "p/one", "p/two" }, mg:request({ task = "code" }).route.targets)
    local r = mg:request { as = { user = "x" }, task = "code" }
    assert.routed_to(r, "q/two")
    assert.explained_by(r, "b/code")
  end)

  it("none left is 403 with every reason", function()
    local r = with({ a = policy "{ 'x', only = { 'local/*' } }", b = routing }):request { task = "code" }
    assert.denied(r, 403, "no_target_left")
    assert.truthy(r.denied.reason:find("p/one (a/x: only local/*)", 1, true))
    assert.truthy(r.denied.reason:find("q/two (a/x: only local/*)", 1, true))
  end)

  it("chooses only for the models it names", function()
    local named = routing:gsub("rules =", "choose_for = { 'auto', 'own' }, rules =")
    assert.routed_to(with({ b = named }):request { model = "own" }, "q/two")
    assert.routed_to(with({ b = routing }):request { model = "own" }, "local/own")
  end)

  it("a provider that is not configured is no target", function()
    local mg = with { b = routing, providers = { "q" } }
    local r = mg:request { task = "code" }
    assert.routed_to(r, "q/two")
    assert.denied(mg:request { model = "one" }, 503, "no_target")
    assert.same({ "q/two" }, mg:request({ model = "two" }).route.targets)
    assert.same({ "auto", "two" }, mg:request({ api = "models" }).models)
  end)
end)

describe("called", function()
  local denied = "{ 'no-two', when = { user = 'ana', called = 'two' }, deny = { 403, 'not_two' }, reason = 'no two for {user}' }"

  it("denies the model that was asked for, its aliases and snapshots", function()
    local mg = with { a = policy(denied) }
    for _, name in ipairs { "two", "deux", "two-2024-08-06" } do
      local r = mg:request { model = name }
      assert.denied(r, 403, "not_two")
      assert.equal("no two for ana", r.denied.reason)
    end
    assert.allowed(mg:request { as = { user = "bob" }, model = "two" })
    assert.allowed(mg:request { model = "one" })
  end)

  it("filters what auto may lead to", function()
    local mg = with { a = policy(denied), b = "return routing { rules = { { 'r', route = { 'p/two', 'p/one' } } } }" }
    assert.same({ "p/one" }, mg:request({ model = "auto" }).route.targets)
    assert.same({ "p/two", "p/one" }, mg:request({ as = { user = "bob" }, model = "auto" }).route.targets)
  end)

  it("names targets and patterns", function()
    local mg = with { a = policy "{ 'y', when = { called = { 'p/*' } }, deny = { 403, 'no_p' } }" }
    assert.denied(mg:request { model = "one" }, 403, "no_p")
  end)
end)

describe("access", function()
  local matrix = [[return access { models = {
    one = { departments = { "red", "blue" }, data = "internal" },
    two = { departments = any, data = "confidential" } } }]]

  it("denies a model without a row, unless the default is allow", function()
    local r = with({ a = matrix }):request { as = { department = "red" }, model = "own" }
    assert.denied(r, 403, "model_not_authorized")
    assert.explained_by(r, "a/default")
    local open = matrix:gsub("access {", "access { default = 'allow',")
    assert.allowed(with({ a = open }):request { as = { department = "red" }, model = "own" })
  end)

  it("takes a target for the model of its name, wherever that stands among those that list it", function()
    local mg = with { models = [[return models { a = { targets = { "p/z" } }, b = { targets = { "p/z" } }, z = { targets = { "p/z" } },
      ["*"] = { price = free } }]], a = [[return access { models = { a = { departments = any, data = "public" },
      b = { departments = any, data = "public" }, z = { departments = "red", data = "public" } } }]] }
    assert.denied(mg:request { as = { department = "blue" }, model = "a" })
    assert.allowed(mg:request { as = { department = "red" }, model = "b" })
  end)

  it("filters every candidate of a free-form route", function()
    local mg = with { a = matrix, b = hook "return route { 'p/one', 'local/own', 'p/two' }" }
    assert.same({ "p/one", "p/two" }, mg:request({ as = { department = "red" }, model = "two" }).route.targets)
    assert.same({ "p/two" }, mg:request({ as = { department = "green" }, model = "two" }).route.targets)
  end)

  it("stands over targets that another model lists too", function()
    local models = [[return models {
      one = { targets = { "p/one" }, price = usd_per_million { input = 1, output = 1 } },
      two = { targets = { "p/two" }, price = usd_per_million { input = 1, output = 1 } },
      group = { targets = { "p/one", "p/two" }, price = usd_per_million { input = 1, output = 1 } } }]]
    local mg = with { models = models, a = matrix:gsub("two =", "group = { departments = any, data = 'restricted' }, two =") }
    assert.same({ "p/two" }, mg:request({ as = { department = "green" }, model = "group" }).route.targets)
    assert.same({ "p/one", "p/two" }, mg:request({ as = { department = "red" }, model = "group" }).route.targets)
  end)
end)
