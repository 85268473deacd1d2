-- What diff says of two bundles: in rules, with the direction. Where it says "loosens" or "tightens", random requests agree.
local gw = require "moongate.test"
local random = dofile("tests/lib/random_policies.lua")

local SEED = tonumber(os.getenv("DIFF_SEED") or "20261124")
local BUNDLES = tonumber(os.getenv("DIFF_BUNDLES") or "40")

local apps = 'return apps { a = { department = "sales", defaults = { data = "internal" } }, b = {}, c = {} }'

local function bundle(texts)
  local all = { apps = texts.apps or apps, models = texts.models }
  local chain = {}
  for _, name in ipairs { "auth", "access", "house", "routing" } do
    if texts[name] then
      all[name] = "return " .. texts[name]
      chain[#chain + 1] = name
    end
  end
  all.chain = texts.chain or chain
  return gw.load_text(all)
end

-- "policy how what: text [effect]" for each change.
local function changes(old, new)
  local list = {}
  for i, c in ipairs(gw.diff(bundle(old), bundle(new)).changes) do
    if c._raw then break end
    list[i] = ("%s %s %s: %s%s"):format(c.policy, c.how, c.what, c.text, c.effect and " [" .. c.effect .. "]" or "")
  end
  return list
end

local function house(rules) return { house = "policy { rules = { " .. rules .. " } }" } end
local function access(text) return { access = "access { " .. text .. " }" } end

describe("diff", function()
  it("gives no direction to what is changed in a policy that enforces nothing", function()
    local function limits(mode, n)
      return gw.load_text { models = 'return models { one = { targets = { "p/one" }, price = free } }', apps = apps,
        ratelimit = ('return ratelimit { limits = { { "x", by = "user", requests = %d, per = "1m" } } }'):format(n),
        init = ('return chain { { "ratelimit", mode = "%s" } }'):format(mode) }
    end
    local function effects(old, new)
      local list = {}
      for i, change in ipairs(gw.diff(old, new).changes) do list[i] = change.what .. " " .. tostring(change.effect) end
      return table.concat(list, ", ")
    end
    assert.equal("row x tightens", effects(limits("enforce", 60), limits("enforce", 6)))
    assert.equal("row x nil", effects(limits("off", 60), limits("off", 6)))
    assert.equal("mode loosens, row x nil", effects(limits("enforce", 60), limits("off", 6)))
  end)

  it("sees a policy that the chain turns off", function()
    local text = 'return policy { rules = { { "a", deny = { 403, "x" } } } }'
    local on, off = gw.load_text { house = text, init = 'return chain { "house" }' }, gw.load_text { house = text, init = 'return chain { { "house", mode = "off" } }' }
    local list = gw.diff(on, off).changes
    assert.equal(1, #list)
    assert.equal("mode: enforce → off loosens", list[1].what .. ": " .. list[1].text .. " " .. list[1].effect)
    assert.equal("tightens", gw.diff(off, on).changes[1].effect)
  end)

  it("is silent about comments, layout and examples", function()
    local old = { house = 'policy { rules = { { "a", when = { app = "a" }, deny = { 403, "x" } } } }' }
    local new = { house = 'policy {\n  -- why\n  rules = {\n    { "a", deny = { 403, "x" }, when = { app = { "a" } } } },\n examples = {} }' }
    assert.same({}, changes(old, old))
    assert.truthy(gw.diff(bundle(old), bundle(old), "text"):find("the same files", 1, true))
    local said = gw.diff(bundle(old), bundle(new), "text")
    assert.truthy(said:find("the rules do not", 1, true), said)
  end)

  it("compares rows of the matrix", function()
    local old = access 'models = { one = { departments = { "a", "b" }, data = "internal", approval = "manager" }, two = { departments = any, data = "public" } }'
    assert.same({ "access changed row one: approval manager → nothing [loosens]", "access changed row one: data internal → confidential [loosens]",
      "access changed row one: departments a, b → a [tightens]", "access added row own: data internal, departments any [loosens]",
      "access removed row two: data public, departments any [tightens]" },
      changes(old, access 'models = { one = { departments = "a", data = "confidential" }, own = { departments = any, data = "internal" } }'))
    assert.same({ "access changed default: nothing → allow [loosens]" },
      changes(access 'models = {}', access 'models = {}, default = "allow"'))
    assert.same({ "access changed row one: departments a → b [unknown]" }, changes(access 'models = { one = { departments = "a", data = "public" } }',
      access 'models = { one = { departments = "b", data = "public" } }'))
  end)

  it("orders conditions of every kind", function()
    local function way(old, new, field)
      field = field or "when"
      local list = changes(house(('{ "r", %s = %s, deny = { 403, "x" } }'):format(field, old)), house(('{ "r", %s = %s, deny = { 403, "x" } }'):format(field, new)))
      assert.equal(1, #list, table.concat(list, "\n"))
      return list[1]:match("%[(%l+)%]$")
    end
    assert.equal("tightens", way('{ app = "a" }', '{ app = { "a", "b" } }'))
    assert.equal("loosens", way('{ app = { "a", "b" } }', '{ app = "a" }'))
    assert.equal("tightens", way('{ app = "a" }', '{ app = isnt "b" }'))
    assert.equal("loosens", way('{ app = none_of { "b" } }', '{ app = none_of { "b", "c" } }'))
    assert.equal("tightens", way('{ app = "a", stream = true }', '{ app = "a" }'))
    assert.equal("tightens", way("{ context_tokens = gt(10) }", "{ context_tokens = ge(10) }"))
    assert.equal("loosens", way("{ context_tokens = lt(10) }", "{ context_tokens = lt(9) }"))
    assert.equal("tightens", way("{ context_tokens = between(5, 9) }", "{ context_tokens = ge(5) }"))
    assert.equal("unknown", way("{ context_tokens = gt(5) }", "{ context_tokens = lt(9) }"))
    assert.equal("tightens", way('{ data = at_least "confidential" }', '{ data = at_least "internal" }'))
    assert.equal("loosens", way('{ data = at_least "confidential" }', '{ data = "restricted" }'))
    assert.equal("unknown", way('{ app = "a", stream = true }', '{ app = { "a", "b" }, stream = true, task = "x" }'))
    assert.equal("tightens", way('{ app = "a" }', '{ app = like "a*" }'))
    assert.equal("unknown", way('{ app = like "a*" }', '{ app = like "*a" }'))
    assert.equal("unknown", way('{ hours = "08:00-18:00" }', '{ hours = "08:00-18:00", zone = "+01:00" }'))
    assert.equal("unknown", way("function() return true end", "function() return false end"))
    assert.equal("loosens", way('{ app = "a" }', '{ app = { "a", "b" } }', "unless"))
    assert.equal("tightens", way('{ app = { "a", "b" } }', '{ app = "b" }', "unless"))
  end)

  -- key → a condition, another that no order joins to it, and a request that the first refuses and the second lets through
  local several = {
    role = { '"admin"', 'isnt "intern"', { as = { roles = { "admin", "intern" } } } },
    label = { '"minors"', 'none_of { "eu" }', { label = { "minors", "eu" } } },
    uses = { '"tools"', 'isnt "images"', { uses = { "tools", "images" } } },
    contains = { '"secret plan"', 'isnt "weather"', { text = "the secret plan, and the weather" } },
    called = { '"two"', 'isnt "p/two"', { model = "two" } },
  }

  it("does not take one of several values for the only one", function()
    for key, case in pairs(several) do
      local function refusing(value) return house(('{ "r", when = { %s = %s }, deny = { 403, "x" } }'):format(key, value)) end
      local old, new, t = refusing(case[1]), refusing(case[2]), case[3]
      t.model = t.model or "one"
      assert.denied(bundle(old):request(t), 403, "x")
      assert.allowed(bundle(new):request(t))
      for _, pair in ipairs { { old, new }, { new, old } } do
        local said = changes(pair[1], pair[2])[1]
        assert.truthy(said:find("[unknown]", 1, true), said)
      end
    end
  end)

  it("orders what has several values at once by any of them", function()
    for key, value in pairs { role = "x", label = "x", uses = "tools", contains = "x" } do
      local other = key == "uses" and "audio" or "y"
      local function way(old, new)
        return changes(house(('{ "r", when = { %s = %s }, deny = { 403, "x" } }'):format(key, old)),
          house(('{ "r", when = { %s = %s }, deny = { 403, "x" } }'):format(key, new)))[1]:match("%[(%l+)%]$")
      end
      local one, both = ("%q"):format(value), ("{ %q, %q }"):format(value, other)
      assert.equal("tightens", way(one, both))
      assert.equal("loosens", way("none_of { " .. one .. " }", "none_of " .. both))
      assert.equal("unknown", way("none_of { " .. one .. " }", one))
      assert.equal("tightens", way(one, "any"))
    end
  end)

  it("compares what is called, and only and drop, by the targets they mean", function()
    local function way(rule, old, new)
      local list = changes(house(rule:format(old)), house(rule:format(new)))
      return list[1] and (list[1]:match("%[(%l+)%]$") or "nothing")
    end
    local deny = '{ "r", when = { called = %s }, deny = { 403, "x" } }'
    assert.equal("tightens", way(deny, '"p/two"', '"two"'))
    assert.is_nil(way(deny, 'like "p/*"', '{ "p/one", "p/two" }'))
    assert.equal("tightens", way(deny, '"p/one"', 'isnt "q/two"'))
    assert.equal("unknown", way('{ "r", only = %s }', '{ region = "eu" }', '{ "p/one" }'))
    assert.equal("tightens", way('{ "r", only = %s }', '{ "p/*", "q/two" }', '"two"'))
    assert.equal("loosens", way('{ "r", drop = %s }', '{ "p/*" }', '"p/one"'))
  end)

  it("knows whole numbers, the four classes and the share that a rule draws", function()
    local function way(old, new)
      local said = changes(house('{ "r", when = { ' .. old .. ' }, deny = { 403, "x" } }'), house('{ "r", when = { ' .. new .. ' }, deny = { 403, "x" } }'))
      return said[1] and said[1]:match("%[(%l+)%]$")
    end
    assert.is_nil(way("context_tokens = gt(5)", "context_tokens = ge(6)"))
    assert.is_nil(way("context_tokens = between(5, 6)", "context_tokens = { 5, 6 }"))
    assert.equal("tightens", way("max_latency_ms = ge(6)", "max_latency_ms = gt(5)"))
    assert.is_nil(way('data = none_of { "public" }', 'data = at_least "internal"'))
    assert.equal("loosens", way('data = none_of { "public" }', 'data = { "internal", "confidential" }'))
    assert.equal("tightens", way('clearance = "restricted"', 'clearance = at_least "confidential"'))
    assert.equal("tightens", way('user = like "a*"', "user = isnt 'b'"))
    assert.equal("unknown", way('user = like "a*"', "user = isnt 'ab'"))
    assert.equal("unknown", way("share = '10%'", "share = '10%', sticky = 'key'"))
  end)

  it("sees that a function changed by what stands around it", function()
    local function with(limit) return { house = ("(function()\nlocal limit = %d\nreturn policy { rules = { { 'r', when = function(ctx) return limit > 5 end, deny = { 403, 'x' } } } } end)()"):format(limit) } end
    assert.same({}, changes(with(5), with(5)))
    assert.same({ "house changed rule r: when: function changed (cannot be compared) [unknown]" }, changes(with(5), with(6)))
  end)

  it("knows what each verb does", function()
    assert.same({ "house added rule r: deny 403 x [tightens]" }, changes(house '{ "q", annotate = { a = "b" } }', house '{ "q", annotate = { a = "b" } }, { "r", deny = { 403, "x" } }'))
    assert.same({ "house removed rule r: only p/one [loosens]" }, changes(house '{ "q", annotate = { a = "b" } }, { "r", only = "p/one" }', house '{ "q", annotate = { a = "b" } }'))
    assert.same({ "house changed rule r: only p/one → only p/one or p/two [loosens]" }, changes(house '{ "r", only = "p/one" }', house '{ "r", only = { "p/one", "p/two" } }'))
    assert.same({ "house changed rule r: drop p/one → drop p/one or p/two [tightens]" }, changes(house '{ "r", drop = "p/one" }', house '{ "r", drop = { "p/one", "p/two" } }'))
    assert.same({ "house changed rule r: mode enforce → observe [loosens]" }, changes(house '{ "r", deny = { 403, "x" } }', house '{ "r", deny = { 403, "x" }, mode = "observe" }'))
    assert.same({ "house changed rule r: deny 403 x → deny 429 x" }, changes(house '{ "r", deny = { 403, "x" } }', house '{ "r", deny = { 429, "x" } }'))
    assert.same({ "house changed rule r: reason 'a' → 'b'" }, changes(house '{ "r", deny = { 403, "x" }, reason = "a" }', house '{ "r", deny = { 403, "x" }, reason = "b" }'))
    assert.same({ "house moved rules: a, b → b, a" }, changes(house '{ "a", drop = "p/one" }, { "b", drop = "p/two" }', house '{ "b", drop = "p/two" }, { "a", drop = "p/one" }'))
  end)

  it("compares limits, budgets and what is redacted", function()
    local function limits(row) return { house = 'ratelimit { limits = { { "u", by = "user", ' .. row .. ', per = "1m" } } }' } end
    assert.same({ "house changed row u: requests 60 → 90 (+50 %) [loosens]" }, changes(limits "requests = 60", limits "requests = 90"))
    assert.same({ 'house changed row u: when nothing → app a [loosens]' }, changes(limits "requests = 60", limits 'requests = 60, when = { app = "a" }'))
    local function budget(rows) return { house = "budget { " .. rows .. " }" } end
    local one, two = '{ "sales", department = "sales", limit = 5, per = "month" }', '{ "ops", department = "ops", limit = 9, per = "month" }'
    assert.same({ "house added row ops: ops, department ops, limit 9, per month [tightens]" },
      changes(budget("budgets = { " .. one .. " }"), budget("budgets = { " .. one .. ", " .. two .. " }")))
    local rest = ', default = { each = "department", limit = %d, per = "month" }'
    assert.same({ "house changed row default: limit 3 → 2 (-33.33 %) [tightens]", "house added row ops: ops, department ops, limit 9, per month [unknown]" },
      changes(budget("budgets = { " .. one .. " }" .. rest:format(3)), budget("budgets = { " .. one .. ", " .. two .. " }" .. rest:format(2))))
    assert.same({ "house changed row sales: mode nothing → observe [unknown]" }, -- the default takes its place
      changes(budget("budgets = { " .. one .. " }" .. rest:format(3)), budget("budgets = { " .. one:gsub(" }$", ', mode = "observe" }') .. " }" .. rest:format(3))))
    assert.same({ "house changed row u: burst nothing → 30 [loosens]" }, changes(limits "requests = 60", limits "requests = 60, burst = 30"))
    assert.same({ "house changed row u: burst nothing → 10" }, changes(limits "requests = 60", limits "requests = 60, burst = 10"))
    local trial = { house = 'ratelimit { limits = { { "u", by = "user", requests = 60, per = "1m" }, { "t", by = "user", requests = 5, per = "1m", mode = "observe" } } }' }
    assert.same({ "house added row t: t, by user, mode observe, per 1m, requests 5" }, changes(limits "requests = 60", trial))
    local function redaction(actions) return { house = 'redaction { detect = { "email", "phone" }, request = { ' .. actions .. ' } }' } end
    assert.same({ "house changed request email: mask → deny [tightens]", "house changed request phone: mask → allow [loosens]" },
      changes(redaction 'email = "mask", phone = "mask"', redaction 'email = "deny", phone = "allow"'))
  end)

  it("compares models, apps, the chain and functions", function()
    local function models(price) return 'return models { one = { targets = { "p/one" }, price = usd_per_million { input = ' .. price .. ', output = 2 } } }' end
    local rest = house '{ "q", annotate = { a = "b" } }'.house
    assert.same({ "models changed model one: price input 2 → 3 (+50 %)" }, changes({ house = rest, models = models(2) }, { house = rest, models = models(3) }))
    assert.same({ "apps changed app a: defaults data internal → public [loosens]", "apps added app d: nothing [loosens]" },
      changes({ house = rest }, { house = rest, apps = 'return apps { a = { department = "sales", defaults = { data = "public" } }, b = {}, c = {}, d = {} }' }))
    assert.same({ "chain removed policy access: access with 0 rules [loosens]" }, changes({ house = rest, access = "access { models = {} }" }, { house = rest }))
    assert.same({ "chain moved order: access, house → house, access" }, changes({ house = rest, access = "access { models = {} }" },
      { house = rest, access = "access { models = {} }", chain = { "house", "access" } }))
    local function hook(body) return { house = "policy { on_request = function(ctx)\n" .. body .. "\nend }" } end
    assert.same({ "house changed on_request: function changed (cannot be compared) [unknown]" }, changes(hook "return", hook "return deny(403, 'x')"))
    assert.same({}, changes(hook "return", hook "    return"))
    assert.same({ "house changed mode: enforce → observe [loosens]", "house changed on_error: deny → skip [loosens]" },
      changes({ house = 'policy { rules = {} }' }, { house = 'policy { rules = {}, on_error = "skip", mode = "observe" }' }))
  end)
end)

-- --- by chance ---

local mutations = {
  function(files) files.access.models[random.pick { "one", "two", "own" }] = random.row() end,
  function(files) files.access.models[random.pick { "one", "two", "own" }] = nil end,
  function(files) files.access.default = random.pick { "deny", "allow" } end,
  function(files) table.remove(files.house.rules, random.number(#files.house.rules)) end,
  function(files)
    local rule = random.rule(9, { "deny", "only", "drop", "pass" })
    table.insert(files.house.rules, random.number(#files.house.rules + 1), rule)
  end,
  function(files) files.house.rules[random.number(#files.house.rules)].when = random.conditions(3) end,
  function(files)
    local rule = random.pick(files.house.rules)
    rule.unless = random.chance(50) and random.conditions(2) or nil
  end,
  function(files) random.pick(files.house.rules).mode = random.pick { "enforce", "observe", "off" } end,
}

-- "loosens", "tightens", nothing, or "unknown" for both at once.
local function direction(list)
  local all
  for _, change in ipairs(list) do
    if change.how == "moved" or change.effect == "unknown" then return "unknown" end
    if change.effect and all and all ~= change.effect then return "unknown" end
    all = change.effect or all
  end
  return all
end

local function check_pair(before, after, said, told)
  for _ = 1, 25 do
    local t = random.request()
    local was, is = before:request(t).kind == "allow", after:request(t).kind == "allow"
    if said == "loosens" and was and not is or said == "tightens" and is and not was or not said and was ~= is then
      error(("seed %d: diff says %s, and this goes from %s to %s\n%s\n%s"):format(SEED, tostring(said or "nothing"), tostring(was), tostring(is),
        gw.diff(before, after, "text"), after:explain(t, "text")), 0)
    end
    if was ~= is then told[said or "nothing"] = (told[said or "nothing"] or 0) + 1 end
  end
end

describe("the direction", function()
  it("is what random requests see", function()
    random.seed(SEED)
    local told = {}
    for _ = 1, BUNDLES do
      local files, chain = random.bundle()
      local before = gw.load_text(random.texts(files, chain))
      for _ = 1, 4 do
        local changed = random.copy(files)
        random.pick(mutations)(changed)
        local after = gw.load_text(random.texts(changed, chain))
        local list = gw.diff(before, after).changes
        check_pair(before, after, direction(list._raw and {} or list), told)
      end
    end
    assert.is_true((told.loosens or 0) > 20 and (told.tightens or 0) > 20, "too few requests told anything")
  end)
end)
