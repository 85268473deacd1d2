-- What if budgets and limits had been used already: `moongate explain --spent`.
local gw = require "moongate.test"

local chain = {
  a = [[return ratelimit { limits = {
    { "per-user", by = "user", requests = 60, per = "1m" },
    { "tokens", by = "app", tokens = 6000, per = "1m" },
    { "at-once", by = "user", concurrent = 3 } } }]],
  b = [[return budget { zone = "Europe/Berlin", budgets = {
    { "sales", department = "sales", limit = 100, per = "week" },
    { "each-app", each = "app", limit = "0.50", per = "month" } },
    thresholds = { { at = "80%", warn = true }, { at = "90%", only = "p/one" }, { at = "100%", deny = { 402, "no_money" } } } }]],
  c = [[return routing { rules = { { "r", route = { "p/two", "p/one" } } } }]],
}

local mg = gw.load_text(chain)
local t = { as = { department = "sales", app = "crm", user = "ana" }, model = "auto", max_tokens = 100, time = "2025-06-03T12:00:00Z" }

local function reasons(answer)
  local list = {}
  for _, policy in ipairs(answer.policies) do
    for _, step in ipairs(policy.steps) do list[#list + 1] = ("%s %s: %s"):format(step.rule or "", step.verb or "", step.reason or "") end
  end
  return table.concat(list, "\n")
end

local function remedies(answer)
  local list = {}
  for _, one in ipairs(answer.remedies or {}) do list[#list + 1] = one.text end
  return table.concat(list, "\n")
end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text) end
end

describe("what is spent", function()
  it("crosses thresholds, of the budget that is named", function()
    local answer = mg:explain(t, "brief", { "sales=95" })
    assert.same({ "p/one" }, answer.verdict.targets)
    has(reasons(answer), "sales count: sales has used 95% of its $100 this week", "sales@80% warn:", "sales@90% only:",
      "each-app count: within $0.50 this month for crm")
    assert.same({ "p/two", "p/one" }, mg:explain(t, "brief", { "sales=79%" }).verdict.targets)
  end)

  it("refuses, and names the end of the period and a limit that would do", function()
    local answer = mg:explain(t, "json", { "sales=$100.50" })
    assert.equal("no_money", answer.verdict.code)
    has(answer.verdict.reason, "sales has used $100.50 of $100 this week", "again on 9 June")
    has(remedies(answer), "send it on Sunday 2025-06-08T22:00:00Z", "raise limit of sales from 100 to 110")
    answer = mg:explain(t, "json", { "each-app=0.5" })
    has(remedies(answer), "raise limit of each-app from 0.50 to 0.55")
  end)

  it("is of every budget where none is named", function()
    has(mg:explain(t, "brief", { "100%" }).verdict.reason, "sales has used $100.00 of $100 this week")
    has(reasons(mg:explain(t, "brief", { "85%" })), "sales@80% warn:", "each-app@80% warn:")
    has(mg:explain(t, "brief", { "10%", "each-app=0.5" }).verdict.reason, "crm has used $0.50 of $0.50 this month")
  end)

  it("of a limit came just now: come again when it lets through", function()
    local answer = mg:explain(t, "json", { "per-user=12" })
    assert.equal("rate_limited", answer.verdict.code)
    assert.equal(3, answer.verdict.retry_after_s)
    has(remedies(answer), "come again in 3 s", "call as another user")
    assert.equal("allow", mg:explain(t, "brief", { "per-user=9" }).verdict.kind)
    has(mg:explain(t, "brief", { "tokens=2000" }).verdict.reason, "app crm is over 1,000 tokens at once, 6,000 a minute")
    has(mg:explain(t, "brief", { "at-once=3" }).verdict.reason, "user ana has 3 requests under way")
  end)

  it("is nothing again in the next question, and nobody else's", function()
    assert.equal("deny", mg:explain(t, "brief", { "sales=100" }).verdict.kind)
    has(reasons(mg:explain(t, "brief")), "sales count: sales has used 0% of its $100 this week")
  end)

  it("says what it does not know, and what the request does not come to", function()
    assert.has_error(function() mg:explain(t, "brief", { "saels=5" }) end, "no limit and no budget is called 'saels': did you mean 'sales'?")
    assert.has_error(function() mg:explain(t, "brief", { "5x" }) end, "--spent is written 4900, 95% or NAME=4900, got '5x'")
    local other = { as = { department = "legal", app = "crm", user = "eve" }, model = "auto" }
    has(table.concat(mg:explain(other, "brief", { "sales=95" }).notes, "\n"), "nothing of sales is used: this request does not come to it")
  end)
end)
