-- Budgets beside each other, and beside limits: what is counted once, and what one refuses.
local gw = require "moongate.test"

local function budget(rows) return "return budget { budgets = { " .. rows .. " } }" end
local function with(rows) return gw.load_text { a = budget(rows), b = "return routing { rules = { { 'r', route = { 'p/two', 'local/own' } } } }" } end

local function ask(mg, identity) return mg:request { as = identity, model = "one" } end

local sales = { department = "sales" }
local row = "{ 'sales', department = 'sales', limit = 100, per = 'month' }"

describe("budgets of the same scope and period", function()
  it("are one sum: what is spent counts once", function()
    local mg = with "{ 'now', department = 'sales', limit = 100, per = 'day' }, { 'trial', department = 'sales', limit = 50, per = 'day', mode = 'observe' }"
    local passed = 0
    for _ = 1, 30 do
      local r = mg:respond({ as = sales, model = "one", cost_usd = 5 }, { text = "x", cost_usd = 5 })
      passed = passed + (r.kind == "allow" and 1 or 0)
    end
    assert.equal(20, passed)
  end)
end)

describe("a threshold that denies", function()
  it("is 402 unless it says otherwise, and gives its own reason", function()
    local mg = with "{ 'sales', department = 'sales', limit = 5, per = 'month', thresholds = { { at = '100%', deny = { code = 'broke' }, reason = 'ask the desk of {department}' } } }"
    mg:spend { department = "sales", usd = 5 }
    local r = ask(mg, sales)
    assert.denied(r, 402, "broke")
    assert.equal("ask the desk of sales", r.denied.reason)
  end)
end)

describe("a budget of several together", function()
  it("counts what each of them spends, in whatever order they stand", function()
    for _, names in ipairs { "'sales', 'ops'", "'ops', 'sales'" } do
      local mg = with("{ 'both', department = { " .. names .. " }, limit = 10, per = 'month' }")
      mg:spend { department = "sales", usd = 6 }
      mg:spend { department = "ops", usd = 5 }
      mg:spend { department = "sale", usd = 100 }
      local r = ask(mg, sales)
      assert.denied(r, 402)
      assert.truthy(r.denied.reason:find("ops+sales has used $11.00 of $10", 1, true), r.denied.reason)
    end
  end)
end)

describe("ctx.budget", function()
  it("is of the budget that refuses, not of a stricter one on trial", function()
    local mg = gw.load_text { a = budget "{ 'trial', department = 'sales', limit = 5, per = 'day', mode = 'observe' }, { 'sales', department = 'sales', limit = 50, per = 'month' }",
      b = "return policy { on_request = function(ctx) ctx:annotate('limit', tostring(ctx.budget.department.limit)) end }" }
    assert.equal("50", ask(mg, sales).annotations.limit)
  end)
end)

describe("a default", function()
  local function counted(rows, t)
    local mg, names = with(rows .. " }, default = { each = 'department', limit = 10, per = 'month'"), {}
    t.model = t.model or "one"
    for _, entry in ipairs(mg:request(t).trace) do
      if entry.verb == "count" then names[#names + 1] = entry.rule end
    end
    return names
  end

  it("holds for whom no row is as broad", function()
    local narrow = "{ 'two', department = 'sales', model = 'two', limit = 5, per = 'month' }"
    assert.same({ "default" }, counted(narrow, { as = sales }))
    assert.same({ "two", "default" }, counted(narrow, { as = sales, model = "two" }))
    assert.same({ "wide" }, counted("{ 'wide', department = { 'sales', 'ops' }, limit = 5, per = 'month' }", { as = sales }))
    assert.same({ "all", "default" }, counted("{ 'all', limit = 5, per = 'month' }", { as = sales }))
  end)

  it("goes on where a row is on trial", function()
    assert.same({ "sales", "default" }, counted("{ 'sales', department = 'sales', limit = 5, per = 'month', mode = 'observe' }", { as = sales }))
    assert.same({}, gw.errors { a = "return budget { budgets = { { 'each', each = 'department', limit = 5, per = 'month', mode = 'observe' } }, "
      .. "default = { each = 'department', limit = 10, per = 'month' } }" })
  end)
end)

describe("with limits in the same chain", function()
  local mg = gw.load_text { a = "return ratelimit { limits = { { 'x', requests = 60, per = '1m' } } }", b = budget(row) }

  it("what one refuses, the other does not count", function()
    mg:spend { department = "sales", usd = 100 }
    for _ = 1, 20 do assert.denied(ask(mg, sales), 402) end
    local passed = 0
    for _ = 1, 20 do
      if ask(mg, { department = "other" }).kind == "allow" then passed = passed + 1 end
    end
    assert.equal(10, passed)
  end)
end)
