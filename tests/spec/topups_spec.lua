-- Top-ups: a budget's limit is raised for one scope until it ends, and every threshold with it.
local gw = require "moongate.test"

local apps = "return apps { shop = { department = 'sales', session = { idle = '1h' } }, desk = { department = 'support' } }"

local function budget(rows, more) return "return budget { budgets = { " .. rows .. " }" .. (more and ", " .. more or "") .. " }" end

local function load(files)
  local mg = gw.load_text(files)
  mg:clock "2025-06-03T12:00:00Z"
  return mg
end

local function with(rows, more) return load { apps = apps, budget = budget(rows, more), routing = "return routing { rules = { { 'r', route = { 'p/two', 'local/own' } } } }" } end

local function ask(mg, identity, t)
  t = t or {}
  t.as, t.model = identity, t.model or "one"
  return mg:request(t)
end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text) end
end

local sales, support = { department = "sales" }, { department = "support" }
local row = "{ 'sales', department = 'sales', limit = 100, per = 'month' }"
local ten = { { budget = "sales", usd = 10, ends = "2025-06-10T00:00:00Z" } }

describe("a top-up", function()
  local mg = with(row)
  before_each(function()
    mg:spend { department = "sales", usd = 99 }
  end)

  it("raises the limit, and the refusal says so", function()
    assert.denied(ask(mg, sales, { cost_usd = 5 }), 402)
    assert.allowed(ask(mg, sales, { cost_usd = 5, topups = ten }))
    local r = ask(mg, sales, { cost_usd = 7, topups = ten })
    assert.denied(r, 402, "budget_exhausted")
    assert.equal("sales has used $104.00 of $110 this month ($10 of it a top-up until 9 June), and this request may cost $7.00; again on 1 July",
      r.denied.reason)
    assert.equal("sales@100%", r.denied.rule)
    assert.allowed(ask(mg, sales, { cost_usd = 6, topups = ten })) -- to the last cent
    assert.denied(ask(mg, sales, { cost_usd = 0.000000001, topups = ten }), 402)
  end)

  it("is over from its end on", function()
    mg:clock "2025-06-09T23:59:59Z"
    assert.allowed(ask(mg, sales, { cost_usd = 5, topups = ten }))
    mg:advance "1s"
    local r = ask(mg, sales, { cost_usd = 1, topups = ten })
    assert.denied(r, 402)
    has(r.denied.reason, "of $100 this month, and")
  end)

  it("is of one scope and of one budget", function()
    local each = with("{ 'each', each = 'department', limit = 100, per = 'month' }, { 'all', limit = 300, per = 'month' }")
    local given = { { budget = "each", scope = { department = "support" }, usd = 50 } }
    each:spend { department = "sales", usd = 100 }
    each:spend { department = "support", usd = 100 }
    assert.denied(ask(each, sales, { cost_usd = 1, topups = given }), 402)
    assert.allowed(ask(each, support, { cost_usd = 50, topups = given }))
    assert.denied(ask(each, support, { cost_usd = 1, topups = given }), 402)
    assert.denied(ask(each, support, { cost_usd = 51, topups = { given[1], { budget = "each", scope = { department = "support" }, usd = 50 } } }), 402)
    assert.allowed(ask(each, support, { cost_usd = 50, topups = { given[1], { budget = "each", scope = { department = "support" }, usd = 50 } } }))
  end)

  it("is of each budget for itself, where several have one scope", function()
    local both = with(row .. ", { 'day', department = 'sales', limit = 20, per = 'day' }")
    local month, day = { budget = "sales", usd = 1000 }, { budget = "day", usd = 5 }
    assert.denied(ask(both, sales, { cost_usd = 24, topups = { month } }), 402)
    local r = ask(both, sales, { cost_usd = 24, topups = { month, day } })
    assert.allowed(r)
    has(gw.trace(r), "budget/sales: count sales has used 0% of its $1,100 this month ($1,000 of it a top-up until 3 July, 12:00); this request may cost $24.00",
      "budget/day: count sales has used 0% of its $25 today ($5 of it a top-up until 3 July, 12:00); this request may cost $24.00")
    r = ask(both, sales, { cost_usd = 2, topups = { month, day } })
    assert.equal("day@100%", r.denied.rule)
  end)

  it("of the default is of whom the default is for", function()
    local mine = with(row, "default = { each = 'department', limit = 10, per = 'month' }")
    local given = { { budget = "default", scope = { department = "support" }, usd = 5 } }
    assert.allowed(ask(mine, support, { cost_usd = 15, topups = given }))
    assert.denied(ask(mine, support, { cost_usd = 1, topups = given }), 402)
    assert.denied(ask(mine, { department = "law" }, { cost_usd = 11, topups = given }), 402)
  end)

  it("of a session is of that session", function()
    local talk = with("{ 'talk', each = 'session', limit = 10 }, { 'user', each = 'user', limit = 1000, per = 'month' }")
    local given = { { budget = "talk", scope = { session = "s1" }, usd = 5 } }
    assert.denied(ask(talk, sales, { cost_usd = 12, session = "s2", topups = given }), 402)
    local r = ask(talk, sales, { cost_usd = 12, session = "s1", topups = given })
    assert.allowed(r)
    has(gw.trace(r), "s1 has used 0% of its $15 in its session ($5 of it a top-up until")
  end)

  it("is of several together, and of everybody", function()
    local many = with("{ 'two', department = { 'sales', 'support' }, limit = 10, per = 'month' }, { 'all', limit = 12, per = 'month' }")
    assert.denied(ask(many, sales, { cost_usd = 15, topups = { { budget = "two", usd = 5 } } }), 402)
    assert.allowed(ask(many, sales, { cost_usd = 15, topups = { { budget = "two", usd = 5 }, { budget = "all", usd = 3 } } }))
  end)

  it("says how many there are, and when the first ends", function()
    local r = ask(mg, sales, { cost_usd = 1, topups = { ten[1], { budget = "sales", usd = "20.50", ends = "2026-02-01T00:00:00Z" } } })
    has(gw.trace(r), "of its $130.50 this month ($30.50 of it 2 top-ups, the first until 9 June)")
    r = ask(mg, sales, { cost_usd = 1, topups = { { budget = "sales", usd = 1, ends = "2026-02-01T10:05:00Z" } } })
    has(gw.trace(r), "$1 of it a top-up until 1 February 2026, 10:05")
    r = ask(mg, sales, { cost_usd = 1, topups = { { budget = "sales", usd = 1, ends = "2026-02-01T00:00:30Z" } } })
    has(gw.trace(r), "$1 of it a top-up until 1 February 2026, 00:00")
  end)

  it("names the year where it is another, whoever asked before", function()
    local given = { { budget = "sales", usd = 1, ends = "2026-02-01T00:00:00Z" } }
    for _ = 1, 2 do
      has(gw.trace(ask(mg, sales, { cost_usd = 1, topups = given, time = "2025-12-31T23:59:59Z" })), "until 31 January 2026)")
      has(gw.trace(ask(mg, sales, { cost_usd = 1, topups = given, time = "2026-01-01T00:00:00Z" })), "until 31 January)")
    end
    local other = { { budget = "sales", usd = 2, ends = "2026-02-01T00:00:00Z" } }
    has(gw.trace(ask(mg, sales, { cost_usd = 1, topups = other, time = "2026-01-01T00:00:00Z" })), "of its $102 this month ($2 of it a top-up until 31 January)")
    has(gw.trace(ask(mg, sales, { cost_usd = 1, time = "2026-01-01T00:00:00Z" })), "of its $100 this month;")
  end)

  it("ends by the days of the budget's zone", function()
    local berlin = with(row, "zone = 'Europe/Berlin'")
    local r = ask(berlin, sales, { cost_usd = 1, topups = { { budget = "sales", usd = 1, ends = "2025-06-09T22:00:00Z" } } })
    has(gw.trace(r), "$1 of it a top-up until 9 June)")
  end)
end)

describe("with a top-up", function()
  local thresholds = [[thresholds = { { at = "50%", warn = true, notify = { "slack:#a" } }, { at = "80%", only = "local/own" },
    { at = "120%", deny = { status = 402, code = "gone" } } }]]
  local given = { { budget = "sales", usd = 100, ends = "2025-06-10T00:00:00Z" } }
  local mg = with(row, thresholds)

  it("every threshold is as large a part of the raised limit", function()
    mg:spend { department = "sales", usd = 90 }
    assert.equal(1, #ask(mg, sales).warnings)
    assert.same({ "local/own" }, ask(mg, sales, { model = "auto" }).route.targets)
    assert.same({}, ask(mg, sales, { topups = given }).warnings)
    assert.same({ "p/two", "local/own" }, ask(mg, sales, { model = "auto", topups = given }).route.targets)
    mg:spend { department = "sales", usd = 15 }
    has(ask(mg, sales, { topups = given }).warnings[1], "sales has used 52% of its $200 this month ($100 of it a top-up until 9 June)")
    mg:spend { department = "sales", usd = 60 }
    assert.same({ "local/own" }, ask(mg, sales, { model = "auto", topups = given }).route.targets)
    local r = ask(mg, sales, { cost_usd = 76, topups = given, model = "own" })
    assert.denied(r, 402, "gone")
    has(r.denied.reason, "of $240 this month (120% of $200, $100 of it a top-up until 9 June), and this request")
    assert.allowed(ask(mg, sales, { cost_usd = 74, topups = given, model = "own" }))
  end)

  it("a threshold's notice goes out once in a period, whatever the limit is then", function()
    mg:spend { department = "sales", usd = 60 }
    ask(mg, sales)
    assert.equal(1, #mg.sent)
    ask(mg, sales, { topups = given }) -- below half of it again
    mg:spend { department = "sales", usd = 50 }
    ask(mg, sales, { topups = given })
    assert.equal(1, #mg.sent)
  end)

  it("a notice says of which limit", function()
    mg:spend { department = "sales", usd = 110 }
    ask(mg, sales, { topups = given })
    has(mg.sent[1].text, "sales has used 55% of its $200 this month ($100 of it a top-up until 9 June)")
  end)

  it("a request is cheaper, or its answer shorter, only beyond the raised limit", function()
    local small = with("{ 'sales', department = 'sales', limit = '0.001', per = 'month' }", "on_low_budget = 'shrink'")
    local r = ask(small, sales, { text = "12345678", max_tokens = 1000 })
    assert.is_true(r.request.max_tokens < 1000)
    assert.equal(1000, ask(small, sales, { text = "12345678", max_tokens = 1000, topups = { { budget = "sales", usd = "0.01" } } }).request.max_tokens)
    small:forget()
    r = ask(small, sales, { text = "12345678", max_tokens = 10000, topups = { { budget = "sales", usd = "0.01" } } })
    assert.is_true(r.request.max_tokens > 5000 and r.request.max_tokens < 5500)
  end)

  it("a budget that only observes says what it would have refused", function()
    local trial = with("{ 'sales', department = 'sales', limit = 100, per = 'month', mode = 'observe' }")
    trial:spend { department = "sales", usd = 150 }
    local r = ask(trial, sales, { topups = given })
    assert.allowed(r)
    has(gw.trace(r), "budget/sales: count sales has used 75% of its $200 this month ($100 of it a top-up until 9 June)")
    r = ask(trial, sales, { cost_usd = 51, topups = given })
    assert.allowed(r)
    has(gw.trace(r), "budget/sales@100%: deny sales has used $150.01 of $200 this month ($100 of it a top-up until 9 June)")
  end)

  it("a gateway that counts alone gives away its part of the raised limit", function()
    local alone = with(row)
    alone:spend { department = "sales", usd = 100 }
    alone:store_down()
    assert.denied(ask(alone, sales, { cost_usd = 19 }), 402)
    assert.allowed(ask(alone, sales, { cost_usd = 19, topups = given }))
    assert.denied(ask(alone, sales, { cost_usd = 2, topups = given }), 503, "limits_unavailable")
  end)

  it("ctx.budget has both", function()
    local see = load { chain = { "budget", "z" }, budget = budget(row .. ", { 'more', department = 'sales', limit = 150, per = 'year' }"),
      z = [[return policy { on_request = function(ctx)
        local b = ctx.budget.department
        ctx:annotate('v', b.limit .. ' ' .. b.topup .. ' ' .. b.used .. ' ' .. b.remaining)
      end }]] }
    see:spend { department = "sales", usd = 40 }
    assert.equal("100 0 40 60", ask(see, sales, { model = "own" }).annotations.v)
    assert.equal("110 10 40 70", ask(see, sales, { model = "own", topups = ten }).annotations.v)
    assert.equal("150 0 40 110", ask(see, sales, { model = "own", topups = given }).annotations.v) -- the strictest of now
  end)
end)

describe("explain", function()
  local mg = with(row)
  local t = { as = { department = "sales" }, model = "one", cost_usd = 5, time = "2025-06-03T12:00:00Z" }
  local raised = { as = t.as, model = "one", cost_usd = 5, time = t.time, topups = ten }

  it("decides with them", function()
    has(mg:explain(raised, "text", { "sales=0" }), "sales has used 0% of its $110 this month ($10 of it a top-up until 9 June); this request may cost $5.00")
    assert.equal("deny", mg:explain(t, "brief", { "sales=99" }).verdict.kind)
    assert.equal("allow", mg:explain(raised, "brief", { "sales=99" }).verdict.kind)
    has(mg:explain(raised, "brief", { "sales=100%" }).verdict.reason, "has used $110.00 of $110 this month ($10 of it a top-up until 9 June)")
  end)
end)

describe("a remedy", function()
  local function remedies(mg, t, spent)
    local list = {}
    for _, one in ipairs(mg:explain(t, "json", spent).remedies or {}) do list[#list + 1] = one.text end
    return table.concat(list, "\n")
  end
  local t = { as = { department = "sales", app = "shop" }, model = "one", cost_usd = 0.2, time = "2025-06-03T12:00:00Z" }

  it("is a top-up of the budget that refused, as large as was seen to do", function()
    local mg = with(row .. ", { 'each', each = { 'app', 'user' }, limit = '0.5', per = 'day' }")
    has(remedies(mg, t, { "sales=105" }), 'add to the budget: moongate topup "department sales" 10 --budget budget/sales --until 1d --reason …')
    has(remedies(mg, t, { "sales=150" }), '"department sales" 100 --budget')
    has(remedies(mg, t, { "each=0.5" }), 'moongate topup "app shop, user ana" 0.50 --budget budget/each')
    local more = { as = t.as, model = "one", cost_usd = 0.2, time = t.time, topups = { { budget = "sales", usd = 50 } } }
    has(remedies(mg, more, { "sales=150" }), '"department sales" 10 --budget') -- beside what is added already
  end)

  it("is none of what a top-up does not help against", function()
    local mg = gw.load_text { apps = apps, budget = budget(row), other = "return policy { rules = { { 'no', deny = { 403, 'no' } } } }" }
    assert.is_nil(remedies(mg, t):find("topup", 1, true))
    assert.is_nil(remedies(with(row), t, { "sales=5000" }):find("topup", 1, true))
  end)
end)

describe("what specs say of top-ups", function()
  local mg = load { apps = apps, a = budget(row .. ", { 'apps', each = 'app', limit = 1, per = 'day' }"), b = budget(row) }
  local function why(topups)
    local ok, text = pcall(ask, mg, sales, { topups = topups })
    return not ok and text or "nothing"
  end

  it("is of a budget that there is, and of a scope that it counts", function()
    has(why { { budget = "aps", usd = 1 } }, "topups: no budget is called 'aps': did you mean 'apps'?")
    has(why { { budget = "sales", usd = 1 } }, "several policies have a budget 'sales': name it POLICY/sales")
    has(why { { budget = "a/sales", usd = 1 } }, "nothing")
    has(why { { budget = "apps", usd = 1 } }, "'apps' counts each app: scope = { app = … }")
    has(why { { budget = "apps", scope = { ap = "x", app = "x" }, usd = 1 } }, "'apps' does not count by 'ap'")
    has(why { { budget = "apps", scope = "app=x", usd = 1 } }, "nothing")
    has(why { { budget = "a/sales", usd = "1.0000000001" } }, "usd is an amount")
    has(why { { budget = "a/sales", usd = 0 } }, "usd is an amount")
    has(why { { budget = "a/sales", usd = 4000001 } }, "up to $4,000,000")
    has(why { { budget = "a/sales", usd = 1, untl = "x" } }, "unknown field 'untl'")
    has(why { budget = "a/sales", usd = 1 }, "a list")
    has(why {}, "nothing")
    has(why { "x" }, "each is a table")
  end)
end)

describe("examples", function()
  it("count nothing, and know no top-ups", function()
    local errors = gw.errors { apps = apps, a = budget(row, "examples = { { topups = { { budget = 'sales', usd = 1 } }, allow = true } }") }
    has(table.concat(errors, "\n"), "examples[1].topups: examples count nothing, so top-ups are told in specs")
  end)
end)

describe("a record", function()
  local mg = with(row)
  local other = with("{ 'sales', department = 'sales', limit = 50, per = 'month' }")
  local renamed = with("{ 'selling', department = 'sales', limit = 100, per = 'month' }")
  local function record(topups, cost)
    mg:spend { department = "sales", usd = 100 }
    local r, text = mg:record { as = sales, model = "one", cost_usd = cost, time = "2025-06-03T12:00:00Z", topups = topups }
    return text, r
  end

  it("has what was added, and is decided by that again", function()
    local text, r = record(ten, 9)
    assert.allowed(r)
    has(text, '"topups":{"budget/sales;department=sales":[10000000000,1749513600,1]}')
    assert.equal("same", mg:replay(text).outcome)
    mg:forget()
    text, r = record(ten, 11)
    assert.denied(r, 402)
    assert.equal("same", mg:replay(text).outcome)
    mg:forget()
    text = record(ten, 9)
    assert.equal("denied", other:replay(text).outcome) -- 50 and 10 are not enough
    assert.equal("denied", renamed:replay(text).outcome) -- nobody gave that one a top-up
  end)

  it("without them is as it was", function()
    local text, r = record(nil, 9)
    assert.denied(r, 402)
    assert.is_nil(text:find("topup", 1, true))
    assert.equal("same", mg:replay(text).outcome)
  end)
end)

-- A budget with a top-up decides as one whose limit is that much larger; only its words differ.
describe("by chance, a raised limit", function()
  local SEED, ROUNDS, REQUESTS = tonumber(os.getenv("TOPUPS_SEED") or "20261130"), 60, 12
  local state = SEED % 2147483646 + 1
  local function random(n)
    state = state * 16807 % 2147483647 -- Park and Miller
    return state % n + 1
  end
  local function pick(list) return list[random(#list)] end

  local scopes = { "department = 'sales'", "department = { 'sales', 'support' }", "each = 'department'", "each = { 'app', 'user' }",
    "", "each = 'session'", "user = 'ana', each = 'app'" }
  local function thresholds()
    local list = { { 30, "warn = true, notify = { 'slack:#a' }" }, { 60, "drop = 'p/two'" }, { 70, "only = { 'local/own', 'p/one' }" }, { 85, "warn = 'soon'" } }
    local texts = {}
    for _, one in ipairs(list) do
      if random(2) == 1 then texts[#texts + 1] = ("{ at = '%d%%', %s }"):format(one[1] + random(9), one[2]) end
    end
    if random(5) > 1 then texts[#texts + 1] = ("{ at = '%d%%', deny = { 402, 'gone' } }"):format(95 + random(30)) end
    if #texts == 0 then return "currency = 'USD'" end
    return "thresholds = { " .. table.concat(texts, ", ") .. " }"
  end

  local function rows(limits, shapes)
    local list = {}
    for i, shape in ipairs(shapes) do
      list[i] = ("{ 'b%d', %s limit = '%s', %s mode = '%s' }"):format(i, shape.scope ~= "" and shape.scope .. "," or "", limits[i],
        shape.scope:find("session", 1, true) and "" or ("per = '%s',"):format(shape.per), shape.mode)
    end
    return table.concat(list, ", ")
  end

  local function plain(r)
    local trace = {}
    for i, e in ipairs(r.trace) do trace[i] = ("%s/%s %s %s"):format(e.policy, e.rule or "", e.verb, e.mode or "") end
    return { kind = r.kind, code = r.denied and r.denied.code, status = r.denied and r.denied.status, targets = r.route.targets,
      warnings = #r.warnings, max_tokens = r.request and r.request.max_tokens, trace = trace }
  end

  it("decides as a larger limit, and its record says so again", function()
    local kinds, raised_words = {}, 0
    for round = 1, ROUNDS do
      local limits, larger, added, shapes = {}, {}, {}, {}
      for i = 1, random(3) do
        limits[i], added[i] = random(40), random(60)
        larger[i] = limits[i] + added[i]
        shapes[i] = { scope = pick(scopes), per = pick { "day", "week", "month" }, mode = pick { "enforce", "enforce", "observe" } }
      end
      local more = thresholds() .. (random(2) == 1 and ", on_low_budget = 'shrink'" or "")
      local given = {}
      local who = { department = "sales", app = "shop", user = "ana" }
      for i, shape in ipairs(shapes) do
        local scope = {}
        for name in (shape.scope:match("each = (.*)") or ""):gmatch("'(%l+)'") do scope[name] = name == "session" and "s1" or who[name] end
        given[i] = { budget = "b" .. i, scope = next(scope) and scope or nil, usd = added[i] }
      end
      local a, b = with(rows(limits, shapes), more), with(rows(larger, shapes), more)
      for _ = 1, REQUESTS do
        local t = { as = who, model = pick { "one", "auto" }, session = "s1", cost_usd = random(4) > 1 and random(30) or nil, max_tokens = random(2) == 1 and random(9) * 1000000 or nil }
        local raised = { topups = given }
        for name, value in pairs(t) do raised[name] = value end
        local mine, record = a:record(raised)
        local other = b:record(t)
        assert.same(plain(other), plain(mine), ("seed %d, round %d"):format(SEED, round))
        local again = a:replay(record)
        assert.equal("same", again.outcome, ("seed %d, round %d: %s"):format(SEED, round, record))
        assert.equal(#b.sent, #a.sent)
        kinds[mine.kind] = (kinds[mine.kind] or 0) + 1
        for _, e in ipairs(mine.trace) do raised_words = raised_words + (tostring(e.reason):find("of it a top-up until", 1, true) and 1 or 0) end
      end
    end
    assert.is_true(kinds.allow > 100 and kinds.deny > 100 and raised_words > 500)
  end)
end)
