-- Prices: what a file may say of them, what is refused and where, and what a request may cost by them.
local gw = require "moongate.test"

local function rows(text) return "return models {\n" .. text .. "\n}\n" end
local function price(text) return rows("  m = { targets = { 'p/m' },\n    price = " .. text .. " },") end

-- The only message of models.lua.
local function says(models, wanted)
  assert.equal(wanted, table.concat(gw.errors { a = "return policy {}", models = models }, "\n"))
end
local function is_good(models) says(models, "") end

-- What a hook sees of a request: the text of an expression.
local function see(models, expression, t)
  local mg = gw.load_text { models = models, z = "return policy { on_request = function(ctx) ctx:annotate('v', tostring(" .. expression .. ")) end }" }
  t = t or {}
  t.model, t.as = t.model or "m", { department = "sales" }
  local r = mg:request(t)
  assert.allowed(r)
  return r.annotations.v
end
local COST = "('%.9f'):format(ctx.estimate.cost_usd)"

describe("a price", function()
  it("names its unit, or is refused with the cure", function()
    says(price "{ input = '2.50', output = 10 }", "policies/models.lua:3:5: m.price: a price says its unit; got a table "
      .. "(price = usd_per_million { input = \"2.50\", output = \"10\" })")
    says(price "'2.50'", "policies/models.lua:3:5: m.price: a price says its unit; got the text '2.50' "
      .. "(price = usd_per_million { input = \"2.50\", output = \"10.00\" })")
    says(price "2.5", "policies/models.lua:3:5: m.price: a price says its unit; got 2.5 "
      .. "(price = usd_per_million { input = \"2.50\", output = \"10.00\" })")
    says(price "{}", "policies/models.lua:3:5: m.price: a price says its unit; got a table "
      .. "(price = usd_per_million { input = \"2.50\", output = \"10.00\" })")
    says(price "{ usd_per_million { input = 1, output = 1 }, { input = 1, output = 1 } }",
      "policies/models.lua:3:58: m.price[2]: a price says its unit; got a table (price = usd_per_million { input = \"1\", output = \"1\" })")
    says(rows "  m = { targets = { { 'p/m', price = { input = 1, output = 1 } } } },",
      "policies/models.lua:2:30: m.targets[1].price: a price says its unit; got a table (price = usd_per_million { input = \"1\", output = \"1\" })")
    is_good(price "usd_per_million { input = '2.50', cached_input = '1.25', output = '10.00' }")
    is_good(price "free")
  end)

  it("is whole pico-dollars, from digits", function()
    local function shape(value, place)
      says(price("usd_per_million { input = " .. value .. ", output = 1 }"), ("policies/models.lua:3:31: m.price.input: a price is USD per "
        .. "million tokens with at most six decimals, such as \"2.50\"; got %s"):format(place))
    end
    shape("'1.0000001'", "the text '1.0000001'")
    shape("'-1'", "the text '-1'")
    shape("'1e3'", "the text '1e3'")
    shape("'.5'", "the text '.5'")
    shape("''", "the text ''")
    shape("'1234567'", "the text '1234567'")
    shape("0.1 + 0.2", "0.3")
    shape("0/0", "nan")
    shape("1/0", "inf")
    shape("true", "true")
    is_good(price "usd_per_million { input = 2.5, output = 2499 }")
    assert.equal("0.000000001", see(price "usd_per_million { input = '0.000001', output = '0' }", COST, { input_tokens = 1, max_tokens = 1 }))
    assert.equal("0.000000001", see(price "usd_per_million { input = '0.000001', output = '0' }", COST, { input_tokens = 1000, max_tokens = 1 }))
    assert.equal("0.000000002", see(price "usd_per_million { input = '0.000001', output = '0' }", COST, { input_tokens = 1001, max_tokens = 1 }))
  end)

  it("has known fields, of which input and output are wanted", function()
    says(price "usd_per_million { input = 1, outptu = 1 }", "policies/models.lua:3:5: m.price: 'output' is missing\n"
      .. "policies/models.lua:3:42: m.price.outptu: unknown price 'outptu' (did you mean 'output'?)")
    says(price "usd_per_million { input = 1, output = 1, per_request = '1000' }", "policies/models.lua:3:54: m.price.per_request: a price for one is "
      .. "USD with at most twelve decimals, below 1000, such as \"0.04\"; got the text '1000'")
    is_good(price [[usd_per_million { input = 1, cached_input = "0.1", cache_write = "1.25", cache_write_1h = 2, output = 5, reasoning = 6,
      audio_input = 10, audio_output = 20, image_input = 3, image_output = 30, per_request = "0.001", per_image = "0.000000000001",
      per_search = "0.01", per_tool_call = "0.0025", per_second = "0.0001", per_character = "0.000015" }]])
    is_good(price "usd_per_million { input = 1, output = 5, us = { input = 1.1, output = 5.5 } }")
    says("local p = usd_per_million 'x'\n" .. price "p", "policies/models.lua:1: usd_per_million { input = \"2.50\", output = \"10.00\" } wants a table")
  end)

  it("may stand in a variable or a shared file, and cannot be changed", function()
    is_good("local p = usd_per_million { input = 1, output = 2 }\n" .. price "p")
    assert.same({}, gw.errors { a = "return policy {}", ["lib/prices"] = "return { p = usd_per_million { input = 1, output = 2 } }",
      models = "local prices = require 'lib.prices'\n" .. price "prices.p" })
    says("local p = usd_per_million { input = 1, output = 2 }\np.input = 3\n" .. price "p", "policies/models.lua:2: a price cannot be changed")
  end)

  it("that looks like another unit's is told of", function()
    says(price "usd_per_million { input = '2500', output = '2.50' }", "policies/models.lua:3:47: warning: m.price.output: is a thousandth of "
      .. "input or less: is it USD per million tokens?")
    says(price "usd_per_million { input = '0.001', output = '1' }", "policies/models.lua:3:48: warning: m.price.output: is 1,000 times input "
      .. "or more: is it USD per million tokens?")
    says(price "usd_per_million { input = 1, cached_input = 2, output = 3 }", "policies/models.lua:3:42: warning: m.price.cached_input: tokens "
      .. "from a cache cost more than others: are the two the right way round?")
    is_good(price "usd_per_million { input = '0.02', output = '0' }") -- embeddings
  end)
end)

describe("prices by date", function()
  local function two(first, second) return price("{ usd_per_million { " .. first .. " },\n      usd_per_million { " .. second .. " } }") end

  it("hold from their date on", function()
    local models = two("input = 1, output = 0", "effective = '2026-03-01', input = 2, output = 0")
    local function at(time) return see(models, COST, { input_tokens = 1000000, time = time }) end
    assert.equal("1.000000000", at "2026-02-28T23:59:59Z")
    assert.equal("2.000000000", at "2026-03-01T00:00:00Z")
    models = two("effective = '2026-03-01T12:00:00Z', input = 2, output = 0", "input = 1, output = 0") -- in any order
    assert.equal("1.000000000", at "2026-03-01T11:59:59Z")
    assert.equal("2.000000000", at "2026-03-01T12:00:00Z")
  end)

  it("are unpriced before the first", function()
    says(price "usd_per_million { effective = '2999-01-01', input = 2, output = 0 }", "policies/models.lua:3:5: warning: m.price: has no price "
      .. "before 2999-01-01: until then what it costs will not be known (a price without effective holds from ever)")
    local models = price "{ usd_per_million { effective = '2026-03-01', input = 2, output = 0 } }"
    assert.equal("nil", see(models, "ctx.estimate:cost_of('m')", { time = "2026-02-28T00:00:00Z" }))
    assert.equal("2e-06", see(models, "ctx.estimate:cost_of('m')", { input_tokens = 1, time = "2026-03-01T00:00:00Z" }))
  end)

  it("have dates that exist, and differ", function()
    for _, date in ipairs { "'2026-02-30'", "'2026-3-1'", "'tomorrow'", "20260301", "'2026-03-01T25:00:00Z'", "'2026-03-01 12:00'" } do
      local errors = gw.errors { a = "return policy {}", models = two("input = 1, output = 1", "effective = " .. date .. ", input = 1, output = 1") }
      assert.equal(1, #errors, date)
      assert.truthy(errors[1]:find("^policies/models.lua:4:25: m.price%[2%].effective: a date is written \"2026%-03%-01\""), errors[1])
    end
    says(two("effective = '2026-03-01', input = 1, output = 1", "effective = '2026-03-01', input = 1, output = 1"),
      "policies/models.lua:4:7: m.price[2]: two prices take effect at the same time")
    says(two("input = 1, output = 1", "input = 1, output = 1"),
      "policies/models.lua:4:7: m.price[2]: two prices have no date: the later one says effective = \"2026-03-01\"")
  end)

  it("are refused when they are 1,000 times their predecessor, or a thousandth", function()
    local cure = " (of the wrong unit? if it is meant, say so in the price: correction = true, or price = free)"
    local first, later = "input = '2.50', output = '10.00'", "effective = '2026-03-01', "
    says(two(first, later .. "input = '2500', output = '10.00'"),
      "policies/models.lua:4:51: m.price[2].input: a price is 1000 times its predecessor" .. cure)
    is_good(two(first, later .. "input = '2499', output = '10000'"):gsub("'10000'", "'9999'"))
    says(two(first, later .. "input = '2.50', output = '0.01'"),
      "policies/models.lua:4:67: m.price[2].output: a price is a 1000th of its predecessor" .. cure)
    says(two(first, later .. "input = '2.50', output = '0'"),
      "policies/models.lua:4:67: m.price[2].output: a price is 0, and its predecessor is not" .. cure)
    is_good(two(first, later .. "correction = true, input = '2500', output = '10000'"))
    is_good(two("input = 0, output = 0", later .. "input = 5, output = 5"))
    says(two(first .. ", batch = { input = 1, output = 1 }", later .. first .. ", batch = { input = 1000, output = 1000 }"),
      "policies/models.lua:4:95: m.price[2].batch.input: a price is 1000 times its predecessor" .. cure)
    says(two(first .. ", long = { above = 9, input = 1, output = 1 }", later .. first .. ", long = { above = 9, input = 1, output = 1000 }"),
      "policies/models.lua:4:116: warning: m.price[2].long.output: is 1,000 times input or more: is it USD per million tokens?\n"
      .. "policies/models.lua:4:116: m.price[2].long.output: a price is 1000 times its predecessor" .. cure)
  end)
end)

describe("tiers of service", function()
  local tiers = price [[usd_per_million { input = 10, output = 0, flex = { input = 5, output = 0 }, priority = { input = 20, output = 0,
      long = { above = 1000, input = 40, output = 0 } } }]]
  local function cost(models, tier, tokens)
    return see(models, COST, { input_tokens = tokens or 1000, body = { model = "m", messages = { { role = "user", content = "x" } },
      service_tier = tier } })
  end

  it("are taken when the request asks for one", function()
    assert.equal("0.010000000", cost(tiers, nil))
    assert.equal("0.010000000", cost(tiers, "default"))
    assert.equal("0.010000000", cost(tiers, "flex")) -- cheaper, but its provider may serve the usual one
    local other = price [[usd_per_million { input = 10, output = 0, fast = { input = 30, output = 0 }, provisioned_throughput = { input = 0, output = 0 } }]]
    assert.equal("0.030000000", cost(other, "fast"))
    assert.equal("0.010000000", cost(other, "provisioned_throughput")) -- what is beyond it is on demand
    assert.equal("0.020000000", cost(tiers, "priority"))
    assert.equal("0.040040000", cost(tiers, "priority", 1001))
    assert.equal("0.010010000", cost(tiers, nil, 1001))
    assert.equal("0.010000000", cost(tiers, "batch")) -- the price names none
  end)

  it("are taken when a policy asks for one", function()
    local mg = gw.load_text { models = tiers, a = "return policy { on_request = function(ctx) ctx.request:set('service_tier', 'priority', 'why') end }",
      b = "return policy { on_request = function(ctx) ctx:annotate('v', " .. COST .. ") end }" }
    assert.equal("0.020000000", mg:request({ model = "m", input_tokens = 1000, as = { department = "sales" } }).annotations.v)
  end)

  it("inherit nothing, and are known by name", function()
    says(price "usd_per_million { input = 1, cached_input = '0.1', output = 1, batch = { input = 1, output = 1 } }",
      "policies/models.lua:3:76: m.price.batch: 'cached_input' is missing: the usual rates name it, and the tier 'batch' inherits nothing")
    says(price "usd_per_million { input = 1, output = 1, batch = { input = 1 } }", "policies/models.lua:3:54: m.price.batch: 'output' is missing")
    says(price "usd_per_million { input = 1, output = 1, bacth = { input = 1, output = 1 } }",
      "policies/models.lua:3:54: m.price.bacth: unknown price 'bacth' (did you mean 'batch'?)")
    says(price "usd_per_million { input = 1, output = 1, batch = { input = 1, output = 1, flex = {} } }",
      "policies/models.lua:3:87: m.price.batch.flex: unknown price 'flex'")
  end)
end)

describe("long contexts", function()
  local function cost(long, tokens) return see(price("usd_per_million { input = 1, output = 0, long = " .. long .. " }"), COST, { input_tokens = tokens }) end

  it("begin above a number of tokens, or from it on, for all of them", function()
    assert.equal("0.272000000", cost("{ above = 272000, input = 2, output = 0 }", 272000))
    assert.equal("0.544002000", cost("{ above = 272000, input = 2, output = 0 }", 272001))
    assert.equal("0.200000000", cost("{ from = 200001, input = 2, output = 0 }", 200000))
    assert.equal("0.400002000", cost("{ from = 200001, input = 2, output = 0 }", 200001))
  end)

  it("may be several, in any order", function()
    local long = "{ { above = 200, input = 4, output = 0 }, { above = 100, input = 2, output = 0 } }"
    assert.equal("0.000100000", cost(long, 100))
    assert.equal("0.000202000", cost(long, 101))
    assert.equal("0.000400000", cost(long, 200))
    assert.equal("0.000804000", cost(long, 201))
  end)

  it("say where they begin, once, and inherit nothing", function()
    local function long(text, wanted) says(price("usd_per_million { input = 1, cached_input = 1, output = 1,\n  long = " .. text .. " }"), wanted) end
    long("{ input = 1, cached_input = 1, output = 1 }",
      "policies/models.lua:4:3: m.price.long: a long-context tier says where it begins: above = 272000 (not at it) or from = 200001 (also at it)")
    long("{ above = 1, from = 2, input = 1, cached_input = 1, output = 1 }",
      "policies/models.lua:4:3: m.price.long: a long-context tier says where it begins: above = 272000 (not at it) or from = 200001 (also at it)")
    long("{ above = 1, input = 1, output = 1 }",
      "policies/models.lua:4:3: m.price.long: 'cached_input' is missing: the usual rates name it, and a long-context tier inherits nothing")
    long("{ above = 0.5, input = 1, cached_input = 1, output = 1 }",
      "policies/models.lua:4:12: m.price.long.above: a threshold is a whole number of input tokens; got 0.5")
    long("{ { above = 9, input = 1, cached_input = 1, output = 1 }, { from = 10, input = 1, cached_input = 1, output = 1 } }",
      "policies/models.lua:4:68: m.price.long[2]: two long-context tiers begin at 10 tokens")
    long("7", "policies/models.lua:4:3: m.price.long: long = { above = 272000, input = …, output = … }, or a list of such; got 7")
  end)
end)

describe("an estimate", function()
  it("takes the dearest that may answer, and reasoning for output where that is dearer", function()
    local models = rows [[  auto = { virtual = true },
      m = { targets = { { "p/cheap", price = usd_per_million { input = 1, output = 1 } }, { "p/dear", price = usd_per_million { input = 1, output = 3 } } } },
      r = { targets = { "p/r" }, price = usd_per_million { input = 0, output = 1, reasoning = 5 } },
      g = { targets = { "p/g" }, price = usd_per_million { input = 0, output = 0, per_request = "0.01" } }]]
    assert.equal("0.000031000", see(models, COST, { input_tokens = 1, max_tokens = 10 }))
    assert.equal("0.000050000", see(models, COST, { model = "r", input_tokens = 1, max_tokens = 10 }))
    assert.equal("0.010000000", see(models, COST, { model = "g", input_tokens = 1, max_tokens = 10 }))
    assert.equal("1.3e-05", see(models, "ctx.estimate:cost_of('p/cheap')", { input_tokens = 3, max_tokens = 10 }))
    assert.equal("3.3e-05", see(models, "ctx.estimate:cost_of('m')", { input_tokens = 3, max_tokens = 10 }))
  end)

  it("of a snapshot with its own price is that price's", function()
    local models = rows [[  m = { targets = { "p/m" }, snapshots = { "m-1", { "m-2", price = usd_per_million { input = 9, output = 0 } } },
      price = usd_per_million { input = 1, output = 0 } }]]
    assert.equal("0.000001000", see(models, COST, { model = "m-1", input_tokens = 1 }))
    assert.equal("0.000009000", see(models, COST, { model = "m-2", input_tokens = 1 }))
  end)
end)

-- A request is counted in its first target's vocabulary, in another one only when somebody asks.
describe("an estimate for a target of another vocabulary", function()
  local THREE = "한국어 ภาษาไทย हिन्दी" -- 5 tokens of gpt-4o, 20 of gpt-4; around them stand 7
  local function models(new, old)
    local function at(input) return ('usd_per_million { input = %d, output = 0 }'):format(input) end
    return rows(([[  auto = { virtual = true },
      m = { targets = { { "p/new", counts_as = "gpt-4o", price = %s }, { "p/old", counts_as = "gpt-4", price = %s } } },
      o = { targets = { { "q/old", counts_as = "gpt-4" } }, price = %s },]]):format(at(new), at(old), at(old)))
  end

  it("is that vocabulary's count", function()
    assert.equal("1.2e-05", see(models(1, 1), "ctx.estimate:cost_of('p/new')", { text = THREE }))
    assert.equal("2.7e-05", see(models(1, 1), "ctx.estimate:cost_of('p/old')", { text = THREE }))
    assert.equal("12", see(models(1, 1), "ctx.estimate.input_tokens", { text = THREE }))
    assert.equal("27", see(models(1, 1), "ctx.estimate.input_tokens", { text = THREE, model = "o" }))
  end)

  it("counts as the dearest where it is", function()
    assert.equal("0.000027000", see(models(1, 1), COST, { text = THREE }))
    assert.equal("0.000027000", see(models(2, 1), COST, { text = THREE }))
    assert.equal("0.000036000", see(models(3, 1), COST, { text = THREE }))
    assert.equal("0.001200000", see(models(100, 1), COST, { text = THREE })) -- whatever the other may come to
  end)

  it("of a long text is the same, wherever it is asked for", function()
    local long = (THREE .. "\n"):rep(3000)
    local wanted = see(models(1, 1), COST, { text = long, model = "o" })
    assert.is_true(tonumber(wanted) > 0.05)
    assert.equal(wanted, see(models(1, 1), COST, { text = long }))
    assert.equal(wanted, see(models(1, 1), "('%.9f'):format(ctx.estimate:cost_of('p/old'))", { text = long }))
    local asked = "(function() local seen table.sort({ 1, 2 }, function() seen = ctx.estimate:cost_of('p/old') end) return ('%.9f'):format(seen) end)()"
    assert.equal(wanted, see(models(1, 1), asked, { text = long }))
  end)
end)

describe("ctx.usage", function()
  local models = rows [[  m = { targets = { "p/m" }, price = usd_per_million { input = 10, cached_input = 1, output = 100, reasoning = 200,
      flex = { input = 5, cached_input = "0.5", output = 50, reasoning = 100 } } },
    n = { targets = { "p/n" } }]]
  local function used(answer, model)
    local mg = gw.load_text { models = models, z = [[return policy { on_done = function(ctx)
      local u = ctx.usage
      for _, name in ipairs { "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
        "audio_input_tokens", "audio_output_tokens", "image_input_tokens", "image_output_tokens", "images", "priced", "estimated" } do
        ctx:annotate(name, tostring(u[name]))
      end
      ctx:annotate("cost", u.cost_usd and ("%.9f"):format(u.cost_usd) or "nil")
    end }]] }
    answer.text = "x"
    return mg:respond({ model = model or "m" }, answer).annotations
  end

  it("has every part, and the exact cost", function()
    local v = used { input_tokens = 1000, cached_tokens = 300, output_tokens = 50, reasoning_tokens = 20 }
    assert.same({ "1000", "300", "50", "20", "true", "false" }, { v.input_tokens, v.cached_tokens, v.output_tokens, v.reasoning_tokens,
      v.priced, v.estimated })
    assert.same({ "0", "0", "0", "0", "0", "0" }, { v.cache_write_tokens, v.audio_input_tokens, v.audio_output_tokens, v.image_input_tokens,
      v.image_output_tokens, v.images })
    assert.equal("0.014300000", v.cost) -- (700 × 10 + 300 × 1 + 30 × 100 + 20 × 200) / 1,000,000
  end)

  it("is billed at the tier that was reported", function()
    assert.equal("0.005000000", used({ input_tokens = 1000, output_tokens = 0, service_tier = "flex" }).cost)
    assert.equal("0.010000000", used({ input_tokens = 1000, output_tokens = 0, service_tier = "default" }).cost)
  end)

  it("says what has no rate, no price, or was never said", function()
    local v = used { input_tokens = 1000, output_tokens = 0, audio_input_tokens = 400 }
    assert.same({ "false", "400", "0.006000000" }, { v.priced, v.audio_input_tokens, v.cost }) -- never at the rate of text
    v = used({ input_tokens = 1000, output_tokens = 10 }, "n")
    assert.same({ "1000", "false", "nil" }, { v.input_tokens, v.priced, v.cost })
    v = used {}
    assert.same({ "nil", "nil", "nil", "false", "false", "nil" }, { v.input_tokens, v.output_tokens, v.cached_tokens, v.priced, v.estimated, v.cost })
  end)
end)

describe("what has no price", function()
  local priced = "one = { targets = { 'p/one' }, price = usd_per_million { input = 1, output = 1 } }, none = { targets = { 'p/none' } }"
  local budget = "return budget { budgets = { { 'sales', department = 'sales', limit = 100, per = 'month' } }, zone = 'UTC' }"
  local function ask(models, more)
    local mg = gw.load_text { models = models, a = more and budget:gsub("zone", more .. ", zone") or budget }
    return mg:request { model = "none", as = { department = "sales" }, input_tokens = 1000, max_tokens = 1 }
  end

  it("is listed when files are loaded, target by target", function()
    local cure = " (price = usd_per_million { input = \"…\", output = \"…\" }, or price = free)"
    says(rows("  " .. priced), "policies/models.lua:2:87: warning: none: 'none' has no price: what it costs will not be known" .. cure)
    says(rows "  m = { targets = { { 'p/a', price = free }, 'p/b', 'q/c' } }",
      "policies/models.lua:2:3: warning: m: 'p/b', 'q/c' has no price: what it costs will not be known" .. cure)
  end)

  it("is not called on a budget that blocks, may be, or has the price of [\"*\"]", function()
    assert.denied(ask(rows(priced)), 403, "unpriced")
    local r = ask(rows(priced), "unpriced = 'allow'")
    assert.allowed(r)
    assert.explained_by(r, "a/unpriced")
    r = ask(rows(priced .. ", ['*'] = { price = usd_per_million { input = 1000, output = 0 } }"))
    assert.allowed(r)
    assert.explained_by(r, "a/sales")
    assert.truthy(r.trace[1].reason:find("may cost $1.00", 1, true), r.trace[1].reason)
  end)

  it("has one default, which is a price and nothing else", function()
    says(rows "  ['*'] = { price = usd_per_million { input = 1, output = 1 }, targets = {} },\n  m = { targets = { 'p/m' } },",
      "policies/models.lua:2:64: *.targets: unknown field 'targets'")
    says(rows "  ['*'] = {},\n  m = { targets = { 'p/m' }, price = free },", "policies/models.lua:2:3: *: 'price' is missing")
    is_good(rows "  ['*'] = { price = usd_per_million { input = 1, output = 1 }, source = 'x', as_of = '2026-01-01' },\n  m = { targets = { 'p/m' } },")
  end)
end)
