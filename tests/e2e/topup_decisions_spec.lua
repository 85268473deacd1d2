-- What a top-up changes of decisions: the limit that a request meets, what is said of it, and what its record makes of it
-- when it is decided again; counted on one machine, and by several gateways in one Redis.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

-- A token of output costs a dime, and input nothing: what a request may cost is what it asks for.
local BUDGET = [[return budget {
  budgets = { { "sales", department = "sales", limit = %s, per = "month" }, { "apps", each = "app", limit = 1000, per = "month" } },
  thresholds = { { at = "50%%", warn = true }, { at = "100%%", deny = { status = 402, code = "budget_exhausted" } } },
} ]]
local function policies(limit) return fleet.policies { budget = BUDGET:format(limit) } end
local ADDED = "$10 of it a top-up until "

local function has(text, part) assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text) end

local function ask(g, dollars, stream) return g:ask { json = fleet.body { tokens = dollars * 10, stream = stream } } end

local function add(g, usd)
  local out, code = g:command("topup", "department sales", usd, "--until", "30d", "--reason", "quarter end")
  assert.equal(0, code, out)
  return out:match("topup_%w+"), out
end

-- Asked again and again until all workers say so; what costs nothing changes nothing.
local function limit_becomes(g, dollars)
  expect.eventually(function()
    for _ = 1, 8 do
      local r = g:ask { json = fleet.body { tokens = 100000 } } -- more than all of it
      if not gateway.error_of(r).message:find((" of $%d this month"):format(dollars), 1, true) then return nil end
    end
    return true
  end, 10, ("a limit of $%d"):format(dollars))
end

-- Refused for what is spent: while some of it is only held, room may come back, and that is another answer.
local function is_refused(g, usd)
  return expect.eventually(function()
    local r = ask(g, usd)
    return r.status ~= 429 and r
  end, 10, "what was held to be spent")
end

describe("a top-up at one gateway", function()
  local m, g, refused, raised

  setup(function()
    m = mock.start {}
    g = gateway.start { mock = m, name = "topup-decisions", workers = 2, policies = policies(10),
      key = { app = "crm", department = "sales" } }
    assert.equal(200, ask(g, 8).status)
    refused = is_refused(g, 5)
    add(g, "10")
    limit_becomes(g, 20)
    raised = ask(g, 5, true)
  end)
  teardown(function()
    g:stop()
    m:stop()
  end)

  it("is what a request meets, and what it is told", function()
    assert.equal(402, refused.status)
    has(gateway.error_of(refused).message, "sales has used $8.00 of $10 this month, and this request may cost $5.00; again on ")
    assert.equal(200, raised.status)
    has(raised:get("x-moongate-warning"), "sales has used 40% and holds 25% of its $20 this month (" .. ADDED)
    local r = is_refused(g, 8)
    assert.equal(402, r.status)
    has(gateway.error_of(r).message, "sales has used $13.00 of $20 this month (" .. ADDED)
  end)

  it("is in its record, in what explains it, and in nothing of requests before it", function()
    local then_, now = g:record(refused.id), g:record(raised.id)
    assert.is_nil(then_.asked.topups)
    local noted = now.asked.topups["budget/sales;department=sales"]
    assert.same({ 10e9, 1 }, { noted[1], noted[3] })
    has(g:command("explain", raised.id), "of its $20 this month (" .. ADDED)
    has(g:command("explain", refused.id), "of $10 this month, and this request may cost $5.00")
    local changed = g:command("explain", raised.id, "--set", "cost_usd=5", "--spent", "sales=14") -- with what was added then
    has(changed, "sales has used 70% of its $20 this month (" .. ADDED)
  end)

  it("is what commands reckon with", function()
    local of = {}
    for _, one in ipairs(g:json("budgets").budgets) do of[one.budget] = one end
    assert.same({ 20, 20, 10, 65 }, { of.sales.limit_usd, of.sales.refuses_at_usd, of.sales.topup_usd, of.sales.percent })
    assert.equal("string", type(of.sales.topup_ends_at))
    assert.same({ 1000, 0, cjson.null }, { of.apps.limit_usd, of.apps.topup_usd, of.apps.topup_ends_at })
    has(g:command("budgets"), "\t$20.00\t+$10.00 until 20")
    local limits = cjson.decode((g:command("limits", "--app", "crm", "--department", "sales", "--model", "dear", "--max-tokens", "10", "--json")))
    assert.equal("gateway", limits.counted_by)
    for _, one in ipairs(limits.limits) do
      if one.rule == "sales" then
        assert.same({ 20, 7, 10 }, { one.limit_usd, one.left_usd, one.topup_usd })
        has(one.allows, "$20 this month (" .. ADDED)
      end
    end
    local told = g:command("explain", "--as", "app=crm,department=sales", "--model", "dear", "--set", "cost_usd=5", "--spent", "sales=13")
    has(told, "sales has used 65% of its $20 this month (" .. ADDED)
    told = g:command("explain", "--as", "app=crm,department=sales", "--model", "dear", "--set", "cost_usd=5", "--spent", "sales=100%")
    has(told, "sales has used $20.00 of $20 this month (" .. ADDED)
  end)

  it("is replayed with each record, and by other policies too", function()
    local out, code = g:command("replay", "--json")
    assert.equal(0, code, out)
    g.dir:write("drafts/init.lua", policies(10)["init.lua"])
    for name, text in pairs(policies(5)) do g.dir:write("drafts/" .. name, text) end
    out, code = g:command("replay", "--policies", "drafts", "--json")
    assert.equal(1, code, out)
    -- $8 of 5 are too much; $5 beside 8 are within 5 and 10, and $8 beside 13 are not, as before.
    local sums = cjson.decode(out:match("{.*}"))
    assert.equal(1, sums.newly_denied, out)
    assert.equal(0, sums.newly_allowed + sums.not_replayable, out)
  end)

  it("beside another is one of two, also in what explains a record of then", function()
    add(g, "3")
    limit_becomes(g, 23)
    local r = ask(g, 100)
    has(gateway.error_of(r).message, "$13 of it 2 top-ups, the first until ")
    has(g:command("explain", r.id), "$13 of it 2 top-ups, the first until ")
    local ids = {}
    for _, one in ipairs(g:json("topup", "list").topups) do ids[one.nano] = one.id end
    assert.equal(0, select(2, g:command("topup", "end", ids[3e9])))
    limit_becomes(g, 20)
  end)

  it("is over when it is ended, and the record of then stays what it was", function()
    local id = assert(g:command("topup", "list"):match("topup_%w+"))
    assert.equal(0, select(2, g:command("topup", "end", id)))
    limit_becomes(g, 10)
    assert.equal(402, ask(g, 1).status)
    assert.equal(0, select(2, g:command("replay", "--json")))
  end)
end)

describe("a top-up in a fleet", function()
  it("is of the gateway that was told, by one sum for all", function()
    local f = fleet.start { gateways = 2, name = "topup-fleet", policies = policies(10), key = { app = "crm", department = "sales" } }
    f:connected()
    assert.equal(200, ask(f[1], 8).status)
    f:agrees()
    assert.equal(402, ask(f[1], 5).status)
    add(f[1], "10")
    limit_becomes(f[1], 20)
    assert.equal(200, ask(f[1], 5).status)
    f:agrees() -- what is held yet would be room that may come back: 429
    local r = ask(f[2], 1)
    assert.equal(402, r.status)
    has(gateway.error_of(r).message, "sales has used $13.00 of $10 this month, and")
    local _, said = add(f[2], "10")
    has(said, "$13.00 were spent in this period") -- at the other
    limit_becomes(f[2], 20)
    assert.equal(200, ask(f[2], 7).status)
    f:agrees()
    assert.equal(402, ask(f[1], 1).status)
    f:agrees(20)
    f:stop()
  end)
end)
