-- budget { … }: who is covered, what is blocked, narrowed, warned of and told.
local gw = require "moongate.test"

local apps = "return apps { shop = { department = 'sales', session = { idle = '1h' } }, desk = { department = 'support' } }"

local function budget(rows, more) return "return budget { budgets = { " .. rows .. " }" .. (more and ", " .. more or "") .. " }" end
local function with(rows, more) return gw.load_text { apps = apps, a = budget(rows, more), b = "return routing { rules = { { 'r', route = { 'p/two', 'local/own' } } } }" } end

local function ask(mg, identity, t)
  t = t or {}
  t.as, t.model = identity, t.model or "one"
  return mg:request(t)
end

local sales = { department = "sales" }
local row = "{ 'sales', department = 'sales', limit = 100, per = 'month' }"

describe("a budget", function()
  local mg = with(row)

  it("blocks what does not fit, and counts what did", function()
    mg:clock "2025-06-30T12:00:00Z"
    mg:spend { department = "sales", usd = 99 }
    assert.allowed(ask(mg, sales, { cost_usd = 0.6 }))
    local r = ask(mg, sales, { cost_usd = 0.5 })
    assert.denied(r, 402, "budget_exhausted")
    assert.equal("sales has used $99.60 of $100 this month, and this request may cost $0.50; again on 1 July", r.denied.reason)
    assert.equal("sales@100%", r.denied.rule)
    assert.explained_by(r, "a/sales@100%")
    assert.allowed(ask(mg, sales, { cost_usd = 0.4 })) -- to the last cent
    assert.denied(ask(mg, sales, { cost_usd = 0.000000001 }), 402)
  end)

  it("lets what costs nothing pass when it is used up", function()
    mg:spend { department = "sales", usd = 100 }
    assert.denied(ask(mg, sales), 402)
    assert.allowed(ask(mg, sales, { model = "own" }))
  end)

  it("is nobody else's", function()
    mg:spend { department = "sales", usd = 100 }
    assert.allowed(ask(mg, { department = "support" }))
  end)

  it("begins again with the period", function()
    mg:clock "2025-01-31T23:59:59Z"
    mg:spend { department = "sales", usd = 100 }
    assert.denied(ask(mg, sales), 402)
    mg:advance "1s"
    assert.allowed(ask(mg, sales))
  end)

  it("takes nothing for a request that is denied after it", function()
    local late = gw.load_text { chain = { "a", "no" }, a = budget(row), no = "return policy { rules = { { 'no', when = { task = 'x' }, deny = { 403, 'no' } } } }" }
    late:spend { department = "sales", usd = 99 }
    assert.denied(ask(late, sales, { cost_usd = 1, task = "x" }), 403)
    assert.allowed(ask(late, sales, { cost_usd = 1 }))
  end)

  it("counts what requests under way hold, and says when only they stand in the way", function()
    mg:clock "2025-06-30T12:00:00Z"
    mg:spend { department = "sales", usd = 50 }
    assert.allowed(ask(mg, sales, { cost_usd = 40, under_way = true }))
    local r = ask(mg, sales, { cost_usd = 20 })
    assert.denied(r, 429, "budget_contended")
    assert.equal(1, r.denied.retry_after)
    assert.equal("sales has used $50.00 and holds $40.00 of $100 this month, and this request may cost $20.00; again when requests under way have ended",
      r.denied.reason)
    assert.allowed(ask(mg, sales, { cost_usd = 10 }))
    mg:spend { department = "sales", usd = 1184.5 }
    r = ask(mg, sales, { cost_usd = 60 })
    assert.denied(r, 402, "budget_exhausted")
    assert.truthy(r.denied.reason:find("^sales has used %$1,2%d+%.50 and holds %$40%.00 of %$100 this month, and this request may cost %$60%.00; again on 1 July$"),
      r.denied.reason)
  end)

  it("estimates with prices in integers, rounded up once", function()
    mg:spend { department = "sales", usd = 99.999999991 }
    -- 10 tokens in (3 for the request, 3 and the role's for the message, 3 of text) at 1 USD a million, 3 out at 2: 16
    -- micro-dollars; 9 nano-dollars are left
    assert.denied(ask(mg, sales, { text = "12345678", max_tokens = 3 }), 402)
    local cents = with "{ 'sales', department = 'sales', limit = '0.000016', per = 'month' }"
    assert.allowed(ask(cents, sales, { text = "12345678", max_tokens = 3 }))
    local r = ask(cents, sales, { text = "1", max_tokens = 1 })
    assert.denied(r, 402)
    assert.truthy(r.denied.reason:find("sales has used $0.000016 of $0.000016 this month, and this request may cost $0.00001;", 1, true), r.denied.reason)
  end)

  it("says of what is dearer than all of it that it never fits", function()
    local r = ask(mg, sales, { cost_usd = 100.01 })
    assert.denied(r, 402, "budget_exhausted")
    assert.equal("sales has used $0.00 of $100 this month, and this request may cost $100.01: more than all of it", r.denied.reason)
  end)

  it("names the day in its zone", function()
    local berlin = with(row, "zone = 'Europe/Berlin'")
    berlin:clock "2025-06-30T21:59:59Z"
    berlin:spend { department = "sales", usd = 100 }
    assert.truthy(ask(berlin, sales).denied.reason:find("; again on 1 July", 1, true))
  end)

  it("takes an answer of 4096 tokens when the request sets no max_tokens, or what assumed_output_tokens says", function()
    local small = with "{ 'sales', department = 'sales', limit = '0.0082', per = 'month' }"
    assert.denied(ask(small, sales, { text = "1234" }), 402) -- 4096 × 2 + 9 × 1 micro-dollars
    assert.allowed(ask(small, sales, { text = "1234", max_tokens = 4000 }))
    assert.allowed(ask(with "{ 'sales', department = 'sales', limit = '0.008201', per = 'month' }", sales, { text = "1234" }))
    assert.allowed(ask(with("{ 'sales', department = 'sales', limit = '0.002', per = 'month' }", "assumed_output_tokens = 500"), sales, { text = "1234" }))
  end)

  it("takes the dearest model that may answer", function()
    local models = "return models { auto = { virtual = true }, dear = { targets = { 'p/dear' }, price = usd_per_million { input = 0, output = 100 } }," ..
      " cheap = { targets = { 'p/cheap' }, price = usd_per_million { input = 0, output = 1 } } }"
    local function chain(drop)
      return gw.load_text { models = models, chain = { "no", "a", "b" }, a = budget "{ 'all', limit = '0.05', per = 'day' }",
        no = "return policy { rules = { " .. drop .. " } }", b = "return routing { rules = { { 'r', route = { 'p/dear', 'p/cheap' } } } }" }
    end
    assert.denied(chain(""):request { max_tokens = 1000 }, 402)
    assert.routed_to(chain("{ 'd', drop = { 'p/dear' } }"):request { max_tokens = 1000 }, "p/cheap")
  end)
end)

describe("scopes", function()
  it("each counts for itself, by one field or several", function()
    local mg = with "{ 'apps', each = 'app', limit = 10, per = 'day' }"
    mg:spend { app = "shop", usd = 10 }
    local r = ask(mg, { app = "shop" })
    assert.denied(r, 402)
    assert.truthy(r.denied.reason:find("shop has used $10.00 of $10 today, and", 1, true), r.denied.reason)
    assert.allowed(ask(mg, { app = "desk" }))
    local both = with "{ 'both', each = { 'team', 'model' }, limit = 10, per = 'week' }"
    both:spend { team = "t", model = "one", usd = 10 }
    assert.denied(ask(both, { team = "t" }), 402)
    assert.allowed(ask(both, { team = "t" }, { model = "two" }))
    assert.allowed(ask(both, { team = "u" }))
  end)

  it("several values of one row count together", function()
    local mg = with("{ 'pair', team = { 't1', 't2' }, limit = 10, per = 'month' }",
      "default = { each = 'team', limit = 100, per = 'month' }")
    assert.allowed(ask(mg, { team = "t1" }, { cost_usd = 6 }))
    assert.denied(ask(mg, { team = "t2" }, { cost_usd = 6 }), 402)
    assert.allowed(ask(mg, { team = "t3" }, { cost_usd = 60 }))
    assert.allowed(ask(mg, { team = "t1+t2" }, { cost_usd = 96 })) -- one that is only called so
    assert.denied(ask(mg, { team = "t1+t2" }, { cost_usd = 6 }), 402)
    assert.allowed(ask(mg, { team = "t2" }, { cost_usd = 4 }))
  end)

  it("nobody is everybody", function()
    local mg = with "{ 'company', limit = 10, per = 'year' }"
    assert.allowed(ask(mg, { team = "t1" }, { cost_usd = 6 }))
    local r = ask(mg, { user = "bob" }, { cost_usd = 6 })
    assert.denied(r, 402)
    assert.truthy(r.denied.reason:find("company has used $6.00 of $10 this year, and", 1, true), r.denied.reason)
  end)

  it("default is for those without a row", function()
    local mg = with(row .. ", { 'apps', each = 'app', limit = 500, per = 'month' }", "default = { each = 'department', limit = 5, per = 'month' }")
    assert.allowed(ask(mg, sales, { cost_usd = 6 }))
    local r = ask(mg, { department = "support" }, { cost_usd = 6 })
    assert.denied(r, 402)
    assert.equal("default@100%", r.denied.rule)
    r = ask(mg, { app = false, department = false }, { cost_usd = 6 })
    assert.denied(r, 402)
    assert.truthy(r.denied.reason:find("^whoever has no department has used", 1), r.denied.reason)
  end)

  it("a row with a condition counts what falls under it only", function()
    local mg = with "{ 'code', department = 'sales', limit = 10, per = 'month', when = { task = 'code' } }"
    mg:spend { department = "sales", usd = 100, budget = "code" }
    assert.denied(ask(mg, sales, { task = "code" }), 402)
    assert.allowed(ask(mg, sales, { cost_usd = 60 }))
    local fresh = with "{ 'code', department = 'sales', limit = 10, per = 'month', when = { task = 'code' } }"
    assert.allowed(ask(fresh, sales, { cost_usd = 60 }))
    assert.allowed(ask(fresh, sales, { cost_usd = 10, task = "code" }))
    assert.denied(ask(fresh, sales, { cost_usd = 1, task = "code" }), 402)
  end)

  it("a session's budget lasts until it is idle", function()
    local mg = with "{ 's', each = 'session', limit = 10 }, { 'u', each = 'user', limit = 1000, per = 'day' }"
    local shop = { app = "shop" }
    assert.allowed(ask(mg, shop, { session = "s1", cost_usd = 6 }))
    mg:advance "50m"
    assert.allowed(ask(mg, shop, { session = "s1", cost_usd = 3 }))
    mg:advance "50m"
    local r = ask(mg, shop, { session = "s1", cost_usd = 6 })
    assert.denied(r, 402)
    assert.truthy(r.denied.reason:find("s1 has used $9.00 of $10 in its session, and this request may cost $6.00; again in another session", 1, true), r.denied.reason)
    assert.allowed(ask(mg, shop, { session = "s2", cost_usd = 6 }))
    assert.allowed(ask(mg, shop, { cost_usd = 60 }))
    mg:advance "61m"
    assert.allowed(ask(mg, shop, { session = "s1", cost_usd = 6 }))
  end)
end)

describe("periods", function()
  local function over(per, spent_at, asked_at, zone)
    local mg = with("{ 'x', limit = 10, per = '" .. per .. "' }", zone and "zone = '" .. zone .. "'")
    mg:clock(spent_at)
    mg:spend { usd = 10 }
    mg:clock(asked_at)
    return ask(mg, {}).kind == "deny"
  end

  it("are the calendar's", function()
    assert.is_true(over("day", "2025-06-03T00:00:00Z", "2025-06-03T23:59:59Z"))
    assert.is_false(over("day", "2025-06-03T23:59:59Z", "2025-06-04T00:00:00Z"))
    assert.is_true(over("week", "2025-06-02T00:00:00Z", "2025-06-08T23:59:59Z"))
    assert.is_false(over("week", "2025-06-08T23:59:59Z", "2025-06-09T00:00:00Z"))
    assert.is_true(over("month", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"))
    assert.is_false(over("month", "2024-02-29T23:59:59Z", "2024-03-01T00:00:00Z"))
    assert.is_true(over("quarter", "2025-10-01T00:00:00Z", "2025-12-31T23:59:59Z"))
    assert.is_false(over("quarter", "2025-09-30T23:59:59Z", "2025-10-01T00:00:00Z"))
    assert.is_true(over("year", "2025-01-01T00:00:00Z", "2025-12-31T23:59:59Z"))
    assert.is_false(over("year", "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"))
  end)

  it("begin at midnight of their zone, in summer and in winter", function()
    assert.is_false(over("day", "2025-06-03T21:59:59Z", "2025-06-03T22:00:00Z", "Europe/Berlin"))
    assert.is_true(over("day", "2025-06-03T22:00:00Z", "2025-06-04T21:59:59Z", "Europe/Berlin"))
    assert.is_false(over("month", "2025-01-31T22:59:59Z", "2025-01-31T23:00:00Z", "Europe/Berlin"))
    -- the day on which clocks go back has 25 hours
    assert.is_true(over("day", "2025-10-25T22:00:00Z", "2025-10-26T22:59:59Z", "Europe/Berlin"))
    assert.is_false(over("day", "2025-10-26T22:59:59Z", "2025-10-26T23:00:00Z", "Europe/Berlin"))
    -- a month that begins in summer and ends in winter
    assert.is_true(over("month", "2025-09-30T22:00:00Z", "2025-10-31T22:59:59Z", "Europe/Berlin"))
    assert.is_false(over("month", "2025-09-30T21:59:59Z", "2025-09-30T22:00:00Z", "Europe/Berlin"))
    assert.is_false(over("month", "2025-10-31T22:59:59Z", "2025-10-31T23:00:00Z", "Europe/Berlin"))
  end)

  it("begin with the clocks' change where clocks skip midnight, east and west of Greenwich", function()
    for zone, border in pairs { ["America/Havana"] = "2026-03-08T05:00:00Z", ["Atlantic/Azores"] = "2026-03-29T01:00:00Z",
      ["America/Santiago"] = "2026-09-06T04:00:00Z", ["Africa/Cairo"] = "2026-04-23T22:00:00Z" } do
      local before = border:gsub("(%d%d):00:00Z", function(hour) return ("%02d:59:59Z"):format(hour - 1) end)
      assert.is_false(over("day", before, border, zone), zone)
      assert.is_true(over("day", before:gsub("59:59Z", "00:00Z"), before, zone), zone)
    end
  end)

  it("and conditions on hours share the zone", function()
    local mg = gw.load_text { a = budget("{ 'x', limit = 10, per = 'day' }", "zone = 'Europe/Berlin'"),
      n = "return policy { rules = { { 'night', when = { hours = '00:00-01:00' }, deny = { 403, 'night' } } } }" }
    mg:clock "2025-06-03T22:30:00Z"
    assert.denied(ask(mg, {}), 403, "night")
  end)
end)

describe("thresholds", function()
  local three = [[thresholds = { { at = "100%", deny = { 402, "no_money" } }, { at = "50%", warn = true, notify = "owner" },
    { at = "80%", warn = "be brief", only = { "local/*" }, notify = { "slack:#x", "owner" } } }]]

  it("warn of the highest, and narrow from theirs on", function()
    local mg = with(row, three)
    mg:spend { department = "sales", usd = 49 }
    local r = ask(mg, sales, { model = "auto" })
    assert.same({}, r.warnings)
    mg:spend { department = "sales", usd = 1 }
    r = ask(mg, sales, { model = "auto" })
    assert.same({ "budget: sales has used 50% of its $100 this month" }, r.warnings)
    assert.same({ "p/two", "local/own" }, r.route.targets)
    mg:spend { department = "sales", usd = 30 }
    r = ask(mg, sales, { model = "auto" })
    assert.same({ "budget: be brief" }, r.warnings)
    assert.same({ "local/own" }, r.route.targets)
    assert.explained_by(r, "a/sales@80%")
    mg:spend { department = "sales", usd = 20 }
    assert.denied(ask(mg, sales), 402, "no_money")
  end)

  it("hold even if a higher one does less", function()
    local mg = with(row, "thresholds = { { at = '80%', only = 'local/*' }, { at = '90%', warn = true } }")
    mg:spend { department = "sales", usd = 95 }
    assert.same({ "local/own" }, ask(mg, sales, { model = "auto" }).route.targets)
  end)

  it("make room: what is too dear may fit with the models that are left", function()
    local models = "return models { auto = { virtual = true }, dear = { targets = { 'p/dear' }, price = usd_per_million { input = 0, output = 100 } }," ..
      " cheap = { targets = { 'p/cheap' }, price = usd_per_million { input = 0, output = 1 } } }"
    local function mg(more)
      return gw.load_text { models = models, a = budget("{ 'all', limit = 1, per = 'day' }", "thresholds = { { at = '50%', only = 'p/cheap' }, { at = '100%', deny = { 402, 'x' } } }" .. (more or "")),
        b = "return routing { rules = { { 'r', route = { 'p/dear', 'p/cheap' } } } }" }
    end
    local one = mg()
    one:spend { usd = 0.95 }
    local r = one:request { max_tokens = 1000 } -- 0.10 at the dear one, 0.001 at the cheap
    assert.allowed(r)
    assert.same({ "p/cheap" }, r.route.targets)
    local only = 0
    for _, e in ipairs(r.trace) do
      if e.verb == "only" then only = only + 1 end
    end
    assert.equal(1, only)
    assert.denied(one:request { model = "dear", max_tokens = 1000 }, 402, "x")
    one:spend { usd = 0.0495 }
    r = one:request { max_tokens = 1000 }
    assert.denied(r, 402, "x")
    assert.equal("deny", r.trace[1].verb) -- nothing is narrowed that does not help
    assert.allowed(mg(", on_low_budget = 'shrink'"):request { model = "cheap", max_tokens = 2000000 })
  end)

  it("tell once for each budget, threshold and period", function()
    local mg = with(row, three)
    mg:clock "2025-06-03T12:00:00Z"
    mg:spend { department = "sales", usd = 60 }
    for _ = 1, 3 do ask(mg, sales) end
    assert.equal(1, #mg.sent)
    assert.same({ "owner" }, mg.sent[1].to)
    assert.equal("50%", mg.sent[1].threshold)
    assert.equal("sales has used 60% of its $100 this month", mg.sent[1].text)
    mg:spend { department = "sales", usd = 25 }
    for _ = 1, 3 do ask(mg, sales) end
    assert.equal(2, #mg.sent)
    assert.same({ "slack:#x", "owner" }, mg.sent[2].to)
    mg:clock "2025-07-03T12:00:00Z"
    ask(mg, sales)
    assert.equal(2, #mg.sent)
    mg:spend { department = "sales", usd = 90 } -- from nothing past both: one notice, the higher
    for _ = 1, 3 do ask(mg, sales) end
    assert.equal(3, #mg.sent)
    assert.equal("80%", mg.sent[3].threshold)
  end)

  it("tell of nothing that is only held, and say it as held", function()
    local mg = with(row, three)
    local r = ask(mg, sales, { cost_usd = 99 })
    assert.same({ "budget: be brief" }, r.warnings)
    mg:spend { department = "sales", usd = 10 }
    r = ask(mg, sales, { cost_usd = 45 })
    assert.same({ "budget: sales has used 10% and holds 45% of its $100 this month" }, r.warnings)
    assert.same({}, mg.sent)
    ask(mg, sales, { cost_usd = 40 })
    assert.equal(1, #mg.sent)
    assert.equal("sales has used 55% of its $100 this month", mg.sent[1].text)
  end)

  it("that deny tell of a budget that is used up, and of no request that is too dear", function()
    local mg = with(row, [[thresholds = { { at = "80%", notify = "owner" }, { at = "100%", deny = { 402, "no_money" }, notify = "owner" } }]])
    assert.denied(ask(mg, sales, { cost_usd = 101 }), 402, "no_money")
    mg:spend { department = "sales", usd = 79 }
    assert.denied(ask(mg, sales, { cost_usd = 22 }), 402, "no_money")
    assert.same({}, mg.sent)
    mg:spend { department = "sales", usd = 17 }
    assert.denied(ask(mg, sales, { cost_usd = 5 }), 402, "no_money")
    assert.same({ "80%", "100%" }, { mg.sent[1].threshold, mg.sent[2].threshold })
  end)

  it("that deny may tell too", function()
    local mg = with(row, "thresholds = { { at = '100%', deny = { 402, 'no_money' }, notify = 'owner' } }")
    mg:spend { department = "sales", usd = 100 }
    for _ = 1, 3 do assert.denied(ask(mg, sales), 402, "no_money") end
    assert.equal(1, #mg.sent)
  end)

  it("may stand in a row, and deny elsewhere than at 100%", function()
    local mg = with "{ 'sales', department = 'sales', limit = 100, per = 'month', thresholds = { { at = '120%', deny = { 402, 'far_over' } } } }"
    mg:spend { department = "sales", usd = 119 }
    assert.allowed(ask(mg, sales, { cost_usd = 1 }))
    local r = ask(mg, sales, { cost_usd = 1.5 })
    assert.denied(r, 402, "far_over")
    assert.truthy(r.denied.reason:find("sales has used $120.00 of $120 this month (120% of $100), and this request may cost $1.50;", 1, true), r.denied.reason)
  end)

  it("without one that denies it never blocks", function()
    local mg = with(row, "thresholds = { { at = '100%', warn = true } }")
    mg:spend { department = "sales", usd = 1000 }
    local r = ask(mg, sales)
    assert.allowed(r)
    assert.equal(1, #r.warnings)
  end)
end)

describe("modes", function()
  it("observe warns nobody and blocks nothing, but says what it would have done", function()
    local mg = with("{ 'sales', department = 'sales', limit = 100, per = 'month', mode = 'observe' }", "thresholds = { { at = '50%', warn = true, only = 'local/*', notify = 'owner' }, { at = '100%', deny = { 402, 'x' } } }")
    mg:spend { department = "sales", usd = 60 }
    local r = ask(mg, sales)
    assert.allowed(r)
    assert.same({}, r.warnings)
    assert.explained_by(r, "a/sales@50%")
    mg:spend { department = "sales", usd = 60 }
    r = ask(mg, sales)
    assert.allowed(r)
    assert.explained_by(r, "a/sales@100%")
    assert.truthy(r.trace[1].reason:find("sales has used $120.01 of $100 this month, and this request may cost $", 1, true), r.trace[1].reason)
    assert.same({}, mg.sent)
  end)
end)

describe("models without a price", function()
  local models = "return models { auto = { virtual = true }, free = { targets = { 'p/free' } }, one = { targets = { 'p/one' }, price = usd_per_million { input = 1, output = 1 } } }"
  local function mg(more) return gw.load_text { models = models, a = budget(row, more), b = "return routing { rules = { { 'r', route = { 'p/free', 'p/one' } } } }" } end

  it("are not called on a budget that blocks, unless it says so", function()
    local r = ask(mg(), sales, { model = "free" })
    assert.denied(r, 403, "unpriced")
    assert.equal("it has no price, so it cannot be kept within a budget: give it a price in policies/models.lua, or say "
      .. "unpriced = \"allow\" in policies/a.lua", r.denied.reason)
    assert.explained_by(r, "a/sales")
    assert.same({ "p/one" }, ask(mg(), sales, { model = "auto" }).route.targets)
    assert.allowed(ask(mg(), { department = "other" }, { model = "free" }))
    assert.allowed(ask(mg(), sales, { model = "free", api = "count_tokens" })) -- nobody pays for that
    r = ask(mg "unpriced = 'allow'", sales, { model = "free" })
    assert.allowed(r)
    assert.explained_by(r, "a/unpriced")
    assert.same({}, r.warnings)
  end)
end)

describe("on_low_budget", function()
  it("shrink answers as long as what is left pays for", function()
    local mg = with("{ 'sales', department = 'sales', limit = '0.01', per = 'month' }", "on_low_budget = 'shrink'")
    mg:spend { department = "sales", usd = 0.009 }
    local r = ask(mg, sales, { text = "12345678", max_tokens = 4000 })
    assert.allowed(r)
    -- 1000 micro-dollars, less 10 for ten tokens in, at 2 for each token out
    assert.explained_by(r, "a/sales")
    assert.equal("max_tokens 495 is what is left of the budget", r.trace[1].reason)
    mg:spend { department = "sales", usd = 0.001 }
    assert.denied(ask(mg, sales, { text = "12345678", max_tokens = 4000 }), 402)
  end)
end)

describe("ctx", function()
  local function see(expression, prepare, t)
    local mg = gw.load_text { chain = { "a", "z" }, a = budget(row .. ", { 'apps', each = 'app', limit = 10, per = 'day' }"),
      z = "return policy { on_request = function(ctx) ctx:annotate('v', tostring(" .. expression .. ")) end }" }
    mg:clock "2025-06-03T12:00:00Z"
    if prepare then prepare(mg) end
    local r = ask(mg, sales, t)
    if r.kind == "fault" then return r.fault end
    return r.annotations.v
  end
  local function spend(mg) mg:spend { department = "sales", usd = 40, held_usd = 10 } end

  it("estimates what a request costs, here and elsewhere", function()
    assert.equal("1.6e-05", see("ctx.estimate.cost_usd", nil, { text = "12345678", max_tokens = 3 }))
    assert.equal("0.5", see("ctx.estimate.cost_usd", nil, { cost_usd = 0.5 }))
    assert.equal("1.6e-05", see("ctx.estimate:cost_of('two')", nil, { text = "12345678", max_tokens = 3 }))
    assert.equal("0", see("ctx.estimate:cost_of('local/own')"))
    assert.truthy(see("ctx.estimate:cost_of(tostring 'tow')"):find("no model or target 'tow' in policies/models.lua", 1, true))
  end)

  it("estimates for the target that is about to be called", function()
    local mg = gw.load_text { chain = { "z" }, models = "return models { m = { targets = { { 'p/dear', price = usd_per_million { input = 0, output = 100 } }, { 'p/cheap', price = usd_per_million { input = 0, output = 1 } } } } }",
      z = "return policy { on_attempt = function(ctx, target) ctx:annotate(target.name, tostring(ctx.estimate.cost_usd)) if target.name == 'p/dear' then return deny(403, 'dear') end end }" }
    local r = mg:respond({ model = "m", max_tokens = 1000 }, { text = "x" })
    assert.same({ ["p/dear"] = "0.1", ["p/cheap"] = "0.001" }, r.annotations)
  end)

  it("knows the budgets", function()
    assert.equal("100 40 10 50", see("ctx.budget.department.limit .. ' ' .. ctx.budget.department.spent .. ' ' .. ctx.budget.department.reserved .. ' ' .. ctx.budget.department.remaining", spend, { model = "own" }))
    assert.equal("50", see("ctx.budget.department.used", spend, { model = "own" }))
    assert.equal("1751328000", see("('%d'):format(ctx.budget.department.resets_at)")) -- 1 July, midnight
    assert.equal("10", see("ctx.budget.app.limit"))
    assert.equal("nil", see("ctx.budget.user"))
    assert.truthy(see("ctx.budget['depatment']"):find("ctx.budget has no field 'depatment' (did you mean 'department'?)", 1, true))
  end)
end)

describe("an answer", function()
  it("costs what it really did", function()
    local mg = with(row)
    local function respond(cost) return mg:respond({ as = sales, model = "one", cost_usd = 60 }, { text = "x", cost_usd = cost }) end
    assert.allowed(respond(10))
    assert.allowed(respond(35))
    assert.denied(respond(1), 402) -- 45 are spent, and 60 may come
    assert.allowed(ask(mg, sales, { cost_usd = 55 }))
  end)
end)

describe("any row of requests", function()
  it("is let through exactly as long as all of it fits", function()
    math.randomseed(20261124)
    local mg = with(row)
    local spent, held, seen = 0, 0, { allow = 0, deny = 0 }
    local function cents(n) return n / 100 end
    for i = 1, 400 do
      local cost, what = math.random(0, 900), math.random(3)
      local fits = spent + held + cost <= 10000
      local t = { as = sales, model = "one", cost_usd = cents(cost), under_way = what == 2 or nil }
      local really = math.random(0, cost)
      local r = what == 3 and mg:respond(t, { text = "x", cost_usd = cents(really) }) or mg:request(t)
      assert.equal(fits and "allow" or "deny", r.kind, i)
      if not fits then
        assert.equal(spent + cost <= 10000 and "budget_contended" or "budget_exhausted", r.denied.code)
      elseif what == 2 then held = held + cost
      else spent = spent + (what == 3 and really or cost) end
      seen[r.kind] = seen[r.kind] + 1
      if i % 40 == 0 then
        mg:forget()
        spent, held = 0, 0
      end
    end
    assert.truthy(seen.allow > 50 and seen.deny > 50)
  end)
end)

