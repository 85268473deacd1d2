-- Who must look before something counts: policies/governance.lua.
local gw = require "moongate.test"

local DAY = 86400

describe("the house's rules", function()
  local mg = gw.load_chain()

  it("let an approver look at each prompt", function()
    assert.same({ "approver" }, mg:reviewers "support")
  end)

  it("protect what is in production", function()
    assert.same({ "production" }, mg:governance().prompts.protected)
  end)

  it("bound approvals, and break-glass by an hour", function()
    local approvals = mg:governance().approvals
    assert.equal(7 * DAY, approvals.pending_s)
    assert.equal(90 * DAY, approvals.longest_s)
    assert.same({ by = "admin", longest_s = 3600, close_within_s = 3 * DAY }, approvals.break_glass)
  end)

  it("know the rows that want an approval", function()
    local rows = mg:governance().rows
    assert.equal(1, #rows)
    assert.equal("claude-3-opus", rows[1].model)
    assert.equal("manager", rows[1].by)
    assert.same({ "research" }, rows[1].departments)
    assert.equal("policies/access.lua", rows[1].file)
  end)

  it("review each quarter", function()
    local plan = mg:governance().reviews[1]
    assert.equal("quarterly", plan.name)
    assert.equal("quarter", plan.every)
    assert.equal(14 * DAY, plan.due_s)
    assert.equal("flag", plan.unanswered)
  end)
end)

local function load(text) return gw.load_text { governance = text, house = "return policy {}" } end

describe("rules of governance", function()
  it("are the usual where there is no file", function()
    local rules = load(nil):governance()
    assert.equal("approver", rules.prompts.review[1].by)
    assert.equal(0, #rules.prompts.review[1].departments)
    assert.same({ "production" }, rules.prompts.protected)
    assert.is_false(rules.prompts.tests)
    assert.equal(0, #rules.reviews)
    assert.equal(0, rules.checklist.audit_retention_s)
  end)

  it("ask more people for some departments", function()
    local mg = load [[return governance { prompts = { review = {
      { by = "approver" }, { by = "legal", when = { department = { "claims", "law" } } } } } }]]
    assert.same({ "approver", "legal" }, mg:reviewers "claims")
    assert.same({ "approver" }, mg:reviewers "sales")
  end)

  it("always protect production", function()
    local mg = load [[return governance { prompts = { protected = { "eu" } } }]]
    assert.same({ "production", "eu" }, mg:governance().prompts.protected)
  end)

  it("may have no break-glass", function()
    local mg = load [[return governance { approvals = { break_glass = false } }]]
    assert.is_nil(mg:governance().approvals.break_glass)
  end)
end)

local function errors_of(text)
  return table.concat(gw.errors { governance = text, house = "return policy { mode = \"enforce\" }" }, "\n")
end

local function says(text, ...)
  local found = errors_of(text)
  for _, part in ipairs { ... } do assert.truthy(found:find(part, 1, true), found) end
end

describe("a mistake in them", function()
  it("is told with its place and the nearest right word", function()
    says("return governance {\n  promts = {},\n}", "policies/governance.lua:2", "did you mean 'prompts'")
    says("return governance { prompts = { review = { { bye = \"legal\" } } } }", "unknown field of a reviewer 'bye'")
    says("return governance { prompts = { review = { { by = \"legal\", when = { data = \"x\" } } } } }",
      "unknown condition of a reviewer 'data'")
    says("return governance { checklist = { require = { \"access.row\" } } }", "did you mean 'access.rows'")
    says("return governance { reviews = { { \"q\", every = \"quater\", scope = { \"keys\" } } } }",
      "did you mean 'quarter'")
  end)

  it("is refused where nobody would look", function()
    says("return governance { prompts = { review = {} } }", "some prompts would have no reviewer")
    says("return governance { prompts = { review = { { by = \"legal\", when = { department = \"law\" } } } } }",
      "some prompts would have no reviewer")
    says("return governance { prompts = { review = { { by = \"author\" } } } }", "'author' decides nothing")
  end)

  it("is refused where it goes below the floor", function()
    says("return governance { approvals = { break_glass = { longest = \"2h\" } } }", "at most an hour")
    says("return governance { approvals = { longest = \"30m\", break_glass = { longest = \"1h\" } } }",
      "break-glass may not outlast")
  end)

  it("is refused where two plans have one name, or one reviews nothing", function()
    says([[return governance { reviews = { { "q", every = "year", scope = { "keys" } },
      { "q", every = "year", scope = { "roles" } } } }]], "two plans are called 'q'")
    says([[return governance { reviews = { { "q", every = "year", scope = {} } } }]], "a review of nothing")
  end)

  it("fails its examples", function()
    says([[return governance { examples = { { prompt = { department = "law" }, reviewers = { "legal" } } } }]],
      "expected the reviewers legal, got approver")
  end)

  it("is refused in the chain", function()
    local list = gw.errors { governance = "return governance {}", chain = { "governance" } }
    assert.truthy(list[1]:find("'governance' is no policy: it is read in any case", 1, true), list[1])
  end)
end)
