-- What loading says to authors: every mistake has one message with its place and, where there is one, the cure.
local gw = require "moongate.test"

-- The only message of a policy file `a` (or of the given files).
local function says(text, wanted)
  local errors = gw.errors(type(text) == "table" and text or { a = text })
  assert.equal(wanted, table.concat(errors, "\n"))
end

local function policy(body) return "return policy {\n" .. body .. "\n}" end
local function rule(body) return policy("  rules = {\n    { 'r', " .. body .. " },\n  },") end

describe("mistakes in a file", function()
  it("of syntax", function()
    says("return policy {\n  rules = {\n    { 'a', deny = { 403, 'x' } }\n    { 'b' },\n  } }",
      "policies/a.lua:4:5: '}' expected (to close '{' at line 2) near '{'"
      .. " (is a comma missing before it, or at the end of the line above?)") -- a comma is missing
    says("return policy {\n  on_request = function(ctx)\n}", "policies/a.lua:3:1: unexpected symbol near '}'"
      .. " (the 'function' that begins in line 2 has no 'end')")
    says("retrun policy {}", "policies/a.lua:1:1: '=' expected near 'policy' (did you mean 'return'?)")
  end)

  it("of names", function()
    says("return polcy {}", "policies/a.lua:1:8: undefined name 'polcy' (did you mean 'policy'?)")
    says("count = 0\nreturn policy {}", "policies/a.lua:1:1: assignment to global 'count': add 'local'")
    says("local f = io.open('/etc/passwd')\nreturn policy {}", "policies/a.lua:1:11: undefined name 'io' (policies do not touch files)")
    says("local t = os.time()\nreturn policy {}",
      "policies/a.lua:1:11: undefined name 'os' (the time is ctx.time; policies do not touch the machine)")
    says("print('x')\nreturn policy {}", "policies/a.lua:1:1: undefined name 'print' (use log.info(…))")
    says("local h = usage.spend('x')\nreturn policy {}", "policies/a.lua:1:11: undefined name 'usage' (not part of this version)")
    for _, name in ipairs { "debug", "ffi", "jit", "package", "rawset", "rawget", "getmetatable", "getfenv", "setfenv",
      "newproxy", "collectgarbage", "dofile", "loadfile", "module", "string.dump" } do
      local errors = gw.errors { a = ("local x = %s('x')\nreturn policy {}"):format(name) }
      assert.equal(1, #errors, name)
    end
  end)

  it("of libraries that somebody wants to change", function()
    says("string.format = nil\nreturn policy {}", "policies/a.lua:1: the library 'string' cannot be changed")
    says("table.insert(math, 1)\nreturn policy {}",
      "policies/a.lua:1: bad argument #1 to 'insert' (table expected, got userdata)")
    says("setmetatable('', {})\nreturn policy {}",
      "policies/a.lua:1: bad argument #1 to 'setmetatable' (table expected, got string)")
  end)

  it("of return values", function()
    says("local p = policy {}", "policies/a.lua:1:11: the file returns nothing (write: return policy { … })")
    says("return {}", "policies/a.lua:1: the file returns a table (it must end with: return access { … })")
    says("return models {}", "policies/a.lua:1:15: policies/a.lua stands in the chain, and returns models { … }, which is no policy")
    says("return policy", "policies/a.lua: the file returns a function (it must end with: return access { … })")
    says({ a = policy "", models = "return apps {}" },
      "policies/models.lua:1:13: policies/models.lua must return models { … }, and returns apps { … }")
  end)
end)

describe("mistakes in a policy", function()
  it("of fields", function()
    says(policy "  ruls = {},", "policies/a.lua:2:3: ruls: unknown field 'ruls' (did you mean 'rules'?)")
    says(policy "  mode = 'observed',", "policies/a.lua:2:3: mode: expected one of enforce, observe, off, got the text 'observed' (did you mean 'observe'?)")
    says(policy "  on_error = 'pass',", "policies/a.lua:2:3: on_error: expected one of deny, skip, got the text 'pass'")
    says(policy "  on_request = 'x',", "policies/a.lua:2:3: on_request: expected a function, got the text 'x'")
  end)

  it("of rules", function()
    says(rule "when = { user = 'x' }", "policies/a.lua:3:5: rules[1]: this rule has no action: one of annotate, deny, drop, only, pass, record, route, warn")
    says(rule "deny = { 403, 'x' }, drop = { 'p/*' }", "policies/a.lua:3:33: rules[1].drop: a rule has one action, and this one has 'deny' already")
    says(rule "dney = { 403, 'x' }", "policies/a.lua:3:5: rules[1]: this rule has no action: one of annotate, deny, drop, only, pass, record, route, warn\n"
      .. "policies/a.lua:3:12: rules[1].dney: unknown field 'dney' in a rule (did you mean 'deny'?)")
    says(policy "  rules = {\n    { deny = { 403, 'x' } },\n  },", "policies/a.lua:3:5: rules[1]: a rule begins with its name: { \"name\", … }")
    says(policy "  rules = {\n    name = { deny = { 403, 'x' } },\n  },", "policies/a.lua:3:5: rules.name: rules are a list: { \"name\", … } and not name = { … }")
    says(policy "  rules = {\n    { 'x', pass = true },\n    { 'x', pass = true },\n  },",
      "policies/a.lua:4:5: rules[2]: two rules are called 'x'")
  end)

  it("of denials", function()
    says(rule "deny = 403", "policies/a.lua:3:12: rules[1].deny: deny is written { 403, \"code\" } or { status = 403, code = \"…\" }, got 403")
    says(rule "deny = { 200, 'x' }", "policies/a.lua:3:21: rules[1].deny[1]: not a standard HTTP status from 400 on: 200 (403 forbids, 429 asks to come back later)")
    says(rule "deny = { 403, 'Not this' }", "policies/a.lua:3:26: rules[1].deny[2]: a code is made of a-z, 0-9 and _, such as 'department_not_authorized'; got the text 'Not this'")
    says(rule "deny = { 403, 'x', reason = 'y' }", "policies/a.lua:3:31: rules[1].deny.reason: unknown field 'reason' (the reason stands beside deny: reason = \"…\")")
    says(rule "deny = { 403, 'x' }, reason = '{usr}'", "policies/a.lua:3:33: rules[1].reason: {usr} is no field of a request (did you mean 'user'?)")
  end)

  it("of conditions", function()
    says(rule "when = { departmnt = 'x' }, pass = true", "policies/a.lua:3:21: rules[1].when.departmnt: unknown condition 'departmnt' (did you mean 'department'?)")
    says(rule "when = { cost_center = 'x' }, pass = true", "policies/a.lua:3:21: rules[1].when.cost_center: unknown condition 'cost_center' (a label of your keys? name it in auth.lua: labels = { … })")
    says(rule "when = { context_tokens = '100' }, pass = true", "policies/a.lua:3:21: rules[1].when.context_tokens: expected a number of 0 or more, got the text '100' (write 100)")
    says(rule "when = { user = gt(1) }, pass = true", "policies/a.lua:3:21: rules[1].when.user: gt does not fit here: a text is compared with a constant, a list, isnt, none_of, like or any")
    says(rule "when = { data = 'secret' }, pass = true", "policies/a.lua:3:21: rules[1].when.data: unknown data class 'secret' (public, internal, confidential, restricted)")
    says(rule "when = { model = 'tow' }, pass = true", "policies/a.lua:3:21: rules[1].when.model: no model 'tow' in policies/models.lua (did you mean 'two'?)")
    says(rule "when = { model = 'two-2024-08-06' }, pass = true", "policies/a.lua:3:21: rules[1].when.model: 'two-2024-08-06' is a snapshot: name its model, 'two'")
    says(rule "when = { uses = 'tool' }, pass = true", "policies/a.lua:3:21: rules[1].when.uses: expected one of audio, caching, files, hosted_tools, images, remote_mcp, stored, tools, got the text 'tool' (did you mean 'tools'?)")
    says(rule "when = { stream = 'yes' }, pass = true", "policies/a.lua:3:21: rules[1].when.stream: expected true or false, got the text 'yes'")
    says(rule "when = { hours = '7-20' }, pass = true", "policies/a.lua:3:21: rules[1].when.hours: hours are written \"07:00-20:00\", got the text '7-20' (write \"07:00-20:00\")")
    says(rule "when = { days = 'monday' }, pass = true", "policies/a.lua:3:21: rules[1].when.days: days are written \"mon-fri\" or { \"sat\", \"sun\" }, got the text 'monday' (write \"mon\")")
    says(rule "when = { days = 'mon', zone = 'Mars/Olympus' }, pass = true", "policies/a.lua:3:35: rules[1].when.zone: unknown zone 'Mars/Olympus' (\"UTC\", \"+01:00\" or a name such as \"Europe/Berlin\")")
    says(rule "when = 'user', pass = true", "policies/a.lua:3:12: rules[1].when: expected a table of conditions or a function(ctx), got the text 'user'")
    says("return policy { rules = { { 'r', when = { user = gt('1') }, pass = true } } }", "policies/a.lua:1: gt() wants a number, got the text '1' (did you mean gt(1)?)")
    says(rule "when = { called = 'one' }, only = { 'p/*' }", "policies/a.lua:3:21: rules[1].when.called: called is a filter on what is called: its action is deny (only names its targets itself)")
    says(rule "when = { called = 'one' }, drop = { 'p/*' }", "policies/a.lua:3:21: rules[1].when.called: called is a filter on what is called: its action is deny (drop names its targets itself)")
  end)

  it("of targets", function()
    says(rule "route = 'p/oen'", "policies/a.lua:3:12: rules[1].route: no target 'p/oen' in policies/models.lua (did you mean 'p/one'?)")
    says(rule "route = { 'p/one', 'two' }", "policies/a.lua:3:31: rules[1].route[2]: no target 'two' in policies/models.lua (that is a model; it runs at 'p/two')")
    says(rule "only = { 'x/*' }", "policies/a.lua:3:12: rules[1].only: no target 'x/*' in policies/models.lua")
    says(rule "only = { region = 'us' }", "policies/a.lua:3:12: rules[1].only: no target in policies/models.lua is like that")
    says(rule "only = { zone = 'us' }", "policies/a.lua:3:12: rules[1].only: a filter names targets, region or label, not 'zone'")
  end)

  it("of examples", function()
    says(policy "  examples = {\n    { modl = 'one' },\n  },", "policies/a.lua:3:7: examples[1].modl: unknown field 'modl' in an example (did you mean 'model'?)")
    says(policy "  examples = {\n    { model = 'one', deny = 'x' },\n  },", "policies/a.lua:3:5: examples[1]: expected deny x, got route p/one")
    for _, kind in ipairs { "on_error = 'skip'", "mode = 'observe'" } do -- what goes on without it at work is wrong all the same
      says(policy(kind .. ",\n  on_request = function(ctx) local x = ctx.time.hour end,\n  examples = { { model = 'one' } },"),
        "policies/a.lua:3:44: attempt to index field 'time' (a number value) (while examples[1] was decided)")
    end
  end)

  it("all at once, in the order of their places", function()
    local errors = gw.errors {
      a = "return policy {\n  mode = 'x',\n  rules = {\n    { 'r', when = { usr = 'x', teem = 'y' }, pass = true },\n  },\n}",
      b = "return access { models = { three = { departments = any, data = 'public' } } }",
    }
    assert.equal(4, #errors)
    assert.truthy(errors[1]:find("^policies/a.lua:2:3: mode"))
    assert.truthy(errors[2]:find("^policies/a.lua:4:21: rules%[1%].when.usr"))
    assert.truthy(errors[3]:find("^policies/a.lua:4:32: rules%[1%].when.teem"))
    assert.truthy(errors[4]:find("^policies/b.lua:1:28: models.three: no model 'three'"))
  end)
end)

describe("mistakes in the other files", function()
  it("access", function()
    local function access(row) return "return access { models = {\n  " .. row .. ",\n} }" end
    says(access "one = { departments = any }", "policies/a.lua:2:3: models.one: 'data' is missing")
    says(access "one = { data = 'public' }", "policies/a.lua:2:3: models.one: 'departments' is missing")
    says(access "one = { departments = any, data = 'secret' }", "policies/a.lua:2:30: models.one.data: unknown data class 'secret' (public, internal, confidential, restricted)")
    says(access "onne = { departments = any, data = 'public' }", "policies/a.lua:2:3: models.onne: no model 'onne' in policies/models.lua (did you mean 'one'?)")
    says(access "deux = { departments = any, data = 'public' }", "policies/a.lua:2:3: models.deux: 'deux' is an alias of 'two': name the model")
    says(access "auto = { departments = any, data = 'public' }", "policies/a.lua:2:3: models.auto: a virtual model needs no row: what it leads to is checked")
    says("return access { rules = { { 'r', route = 'p/one' } } }", "policies/a.lua:1:34: rules[1].route: a rule here cannot route: annotate, deny, drop, only, pass, record, warn")
  end)

  it("routing", function()
    says("return routing {}", "policies/a.lua:1:16: routing without rules chooses nothing (rules = { { \"default\", route = { … } } })")
    says("return routing { rules = { { 'r', deny = { 403, 'x' } } } }", "policies/a.lua:1:35: rules[1].deny: a rule here cannot deny: route")
    says("return routing { choose_for = { 'aut' }, rules = { { 'r', route = 'p/one' } } }",
      "policies/a.lua:1:33: choose_for[1]: no model 'aut' in policies/models.lua (did you mean 'auto'?)")
  end)

  it("auth", function()
    says("return auth { require = { 'departmnt' } }", "policies/a.lua:1:27: require[1]: 'departmnt' is no field of an identity (did you mean 'department'?)")
    says("return auth { labels = { 'user' } }", "policies/a.lua:1:26: labels[1]: 'user' is a field of every request already")
    says({ a = "return auth { default_app = 'x' }", apps = "return apps { y = {} }" }, "policies/a.lua:1:15: default_app: app 'x' is not in policies/apps.lua")
  end)

  it("models", function()
    local function models(row) return { a = "return policy {}", models = "return models {\n  " .. row .. ",\n}" } end
    says(models "m = { targets = { 'gpt' }, price = usd_per_million { input = 1, output = 1 } }", "policies/models.lua:2:21: m.targets[1]: a target is written provider/model, got the text 'gpt'")
    says(models "m = { targets = { 'p/m' }, price = usd_per_million { input = '1,5', output = 1 } }",
      "policies/models.lua:2:56: m.price.input: a price is USD per million tokens with at most six decimals, such as \"2.50\"; got the text '1,5'")
    says(models "m = { targets = { 'p/m' }, price = usd_per_million { input = 1 } }", "policies/models.lua:2:30: m.price: 'output' is missing")
    says(models "m = { targets = { 'p/m' } }", "policies/models.lua:2:3: warning: m: 'm' has no price: what it costs will not be known"
      .. " (price = usd_per_million { input = \"…\", output = \"…\" }, or price = free)")
    says(models "m = { targets = { 'p/m' }, contxt = 1, price = usd_per_million { input = 1, output = 1 } }", "policies/models.lua:2:30: m.contxt: unknown field 'contxt' (did you mean 'context'?)")
    says(models "m = { virtual = true, targets = { 'p/m' } }", "policies/models.lua:2:25: m.targets: a virtual model has none: routing chooses what answers")
    says(models "a = { targets = { 'p/x' }, price = usd_per_million { input = 1, output = 1 } }, b = { targets = { 'p/x' }, price = usd_per_million { input = 1, output = 1 } }",
      "policies/models.lua:2:101: b.targets[1]: 'p/x' runs both 'a' and 'b', and bears neither's name: whose access row would apply? (list it in one model, or in a model named 'x')")
    says(models "a = { targets = { 'p/a' }, aliases = { 'b' }, price = usd_per_million { input = 1, output = 1 } }, b = { targets = { 'p/b' }, price = usd_per_million { input = 1, output = 1 } }",
      "policies/models.lua:2:42: a.aliases[1]: the name 'b' is taken by 'b'")
  end)

  it("chain", function()
    local function chain(names) return { init = "return chain {\n  " .. names .. ",\n}", a = "return policy {}" } end
    says(chain "'a', 'b'", "policies/init.lua:2:8: [2]: there is no file policies/b.lua")
    says(chain "'a', 'a'", "policies/init.lua:2:8: [2]: 'a' stands in the chain twice")
    says(chain "'models', 'a'", "policies/init.lua:2:3: [1]: 'models' is no policy: it is read in any case")
    says(chain "a = 'a'", "policies/init.lua:1:14: the chain is empty: chain { \"auth\", \"access\", … }\npolicies/init.lua:2:3: a: a chain is a list of names, and has no field 'a'")
    says({ a = "return policy {}", b = "return policy {}", chain = { "a" } },
      "policies/init.lua:1:14: warning: policies/b.lua is not in the chain, and nobody requires it: it has no effect (return chain { \"a\", \"b\" } in policies/init.lua)")
  end)

  it("chain: who counts callers stands behind who says who they are", function()
    local limit = "return ratelimit { limits = { { 'x', by = 'user', requests = 5, per = '1m' } } }"
    local keys = "return auth { keys = { header = 'authorization', scheme = 'Bearer' } }"
    local function load(names) return { init = "return chain {\n  " .. names .. ",\n}", rates = limit, auth = keys,
      spend = "return budget { budgets = { { 'all', limit = 10, per = 'month' } } }" } end
    says(load "'rates', 'spend', 'auth'", "policies/init.lua:2:3: [1]: 'rates' counts for callers, and stands in front of 'auth', which says who calls (let it stand behind 'auth')\n"
      .. "policies/init.lua:2:12: [2]: 'spend' counts for callers, and stands in front of 'auth', which says who calls (let it stand behind 'auth')")
    assert.same({}, gw.errors(load "'auth', 'rates', 'spend'"))
    assert.same({}, gw.errors(load "{ 'rates', mode = 'off' }, 'auth', 'spend'"))
  end)

  it("apps", function()
    says({ a = "return policy {}", apps = "return apps {\n  x = { defaults = { data = 'top' } },\n}" },
      "policies/apps.lua:2:22: x.defaults.data: unknown data class 'top' (public, internal, confidential, restricted)")
    says({ a = "return policy {}", apps = "return apps {\n  x = { departmnt = 'x' },\n}" },
      "policies/apps.lua:2:9: x.departmnt: unknown field 'departmnt' (did you mean 'department'?)")
    local function shares(objects) return { a = "return policy {}", apps = "return apps {\n  x = { objects = " .. objects .. " },\n}" } end
    says(shares "{ 'vs_1' }", "policies/apps.lua:2:21: x.objects[1]: expected name = …, got an entry without a name")
    says(shares "{ p = 'vs_1' }", "policies/apps.lua:2:21: x.objects.p: expected a list, got the text 'vs_1'")
    says(shares "{ p = { 'a b' } }", "policies/apps.lua:2:27: x.objects.p[1]: expected the id of an object, without blanks, of 1 to 256 bytes; got the text 'a b'")
    says(shares "{ p = { 'vs_1' }, q = { 'vs_1' } }", "policies/apps.lua:2:43: x.objects.q[1]: 'vs_1' is at p already: one account has it")
  end)

  it("checks and tests what the chain names as off, and leaves it out", function()
    local texts = { a = "return policy { rules = { { 'r', deny = { 403, 'no' } } }, examples = { { model = 'one', deny = 'no' } } }" }
    texts.init = "return chain { { 'a', mode = 'off' } }"
    assert.same({}, gw.errors(texts))
    assert.allowed(gw.load_text(texts):request { model = "one" })
    texts.init = "return chain { { 'a', mode = 'enforce' } }"
    assert.denied(gw.load_text(texts):request { model = "one" }, 403, "no")
    texts.init = "return chain { { 'a', mode = 'of' } }"
    assert.same({ "policies/init.lua:1:23: [1].mode: expected one of enforce, off, got the text 'of'" }, gw.errors(texts))
    texts.init, texts.a = "return chain { { 'a', mode = 'off' } }", "return policy { rules = { { 'r', den = 1 } } }"
    assert.truthy(gw.errors(texts)[2]:find("unknown field 'den' in a rule", 1, true))
  end)

  it("warns when auth is off", function()
    local _, errors = pcall(gw.load_text, { init = "return chain { { 'who', mode = 'off' } }", who = "return auth {}" })
    assert.truthy(errors.errors[1].text:find("no auth policy in the chain", 1, true))
  end)
end)
