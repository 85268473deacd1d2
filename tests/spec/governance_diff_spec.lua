-- What `moongate diff` says of rules of governance, and of approvals in the access matrix.
local gw = require "moongate.test"

local house = "return policy {}"

local function diff(old, new)
  local a, b = gw.load_text { governance = old, house = house }, gw.load_text { governance = new, house = house }
  local list = {}
  for i, change in ipairs(gw.diff(a, b).changes) do
    list[i] = ("%s %s %s"):format(change.effect or "-", change.what, change.text)
  end
  return list, gw.diff(a, b).changes
end

describe("a diff of governance", function()
  it("is empty where what was the usual is written out", function()
    assert.same({}, (diff(nil, [[return governance { prompts = { review = { { by = "approver" } },
      protected = { "production" }, tests = "optional" },
      approvals = { pending = "7d", longest = "90d", break_glass = { by = "admin", longest = "1h" } } }]])))
  end)

  it("marks fewer eyes, longer grants and break-glass as loosening, with their places", function()
    local list, changes = diff([[return governance { prompts = { review = { { by = "approver" }, { by = "legal" } } },
      approvals = { break_glass = false } }]], [[return governance {
      prompts = { review = { { by = "approver" } } },
      approvals = { longest = "100d" } }]])
    assert.same({ "loosens reviewer legal", "loosens longest 90d → 100d", "loosens break_glass is there" }, list)
    assert.equal("policies/governance.lua:2", changes[1].at)
    assert.equal("policies/governance.lua:3", changes[2].at)
  end)

  it("marks more eyes, tests, labels, reviews and facts as tightening", function()
    assert.same({ "tightens reviewer legal for claims", "tightens protected production → production, eu",
      "tightens tests optional → required", "tightens break_glass longest 1h → 1800s", "tightens review q every year",
      "tightens checklist require nothing → audit.trail", "tightens audit_retention nothing → 183d" }, (diff(nil,
      [[return governance { prompts = { review = { { by = "approver" }, { by = "legal", when = { department = "claims" } } },
        protected = { "eu" }, tests = "required" }, approvals = { break_glass = { longest = "30m" } },
        reviews = { { "q", every = "year", scope = { "keys" } } },
        checklist = { require = { "audit.trail" }, audit_retention = "183d" } }]])))
  end)

  it("compares plans field by field", function()
    local function plan(text) return ("return governance { reviews = { { \"q\", %s } } }"):format(text) end
    assert.same({ "loosens review q every month → quarter", "tightens review q unanswered flag → revoke",
      "loosens review q scope grants, keys → keys", "loosens review q due 14d → 30d" },
      (diff(plan [[every = "month", scope = { "grants", "keys" }]],
        plan [[every = "quarter", scope = { "keys" }, due = "30d", unanswered = "revoke"]])))
    assert.same({ "loosens review q every month" },
      (diff(plan [[every = "month", scope = { "keys" }]], "return governance {}")))
  end)
end)

local function access(approval)
  return gw.load_text { access = ([[return access { models = {
    one = { departments = any, data = "internal"%s } } }]]):format(approval and ", approval = " .. approval or "") }
end

describe("a diff of approvals", function()
  local function effect(old, new)
    local list = gw.diff(access(old), access(new)).changes
    return #list == 1 and (list[1].effect or "none") or #list
  end

  it("has a direction where there is one", function()
    assert.equal("tightens", effect(nil, [["manager"]]))
    assert.equal("loosens", effect([["manager"]], nil))
    assert.equal("unknown", effect([["manager"]], [["security"]]))
    assert.equal("tightens", effect([["manager"]], [[{ by = "manager", also = "security" }]]))
    assert.equal("loosens", effect([[{ by = "manager", longest = "7d" }]], [[{ by = "manager", longest = "30d" }]]))
    assert.equal("tightens", effect([["manager"]], [[{ by = "manager", longest = "7d" }]]))
    assert.equal("loosens", effect([[{ by = "m", purposes = "a" }]], [[{ by = "m", purposes = { "a", "b" } }]]))
    assert.equal("loosens", effect([["manager"]], [[{ by = "manager", covers = "department" }]]))
    assert.equal("unknown", effect([[{ by = "m", longest = "7d" }]],
      [[{ by = "m", longest = "30d", also = "security" }]]))
  end)
end)
