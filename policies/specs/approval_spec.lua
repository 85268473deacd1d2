-- Approvals: what a row of the access matrix asks for, and what lets a caller through.
local gw = require "moongate.test"

local function with(approval, more)
  return gw.load_text { governance = more, access = ([[return access {
    models = {
      one = { departments = any, data = "restricted" },
      two = { departments = { "research" }, data = "confidential", approval = %s },
    },
  }]]):format(approval) }
end

local ana = { user = "ana", department = "research" }

describe("an approval", function()
  it("is told of with all that it takes to get one", function()
    local mg = with [["manager"]]
    local r = mg:request { as = ana, model = "two" }
    assert.denied(r, 403, "approval_required")
    assert.equal("two needs the approval of a manager, and this caller has none", r.denied.reason)
    assert.same({ model = "two", ["for"] = "user:ana", roles = { "manager" }, longest_s = 90 * 86400,
      command = "moongate approvals request two --for 7d --purpose \"…\"" }, r.denied.approval)
  end)

  it("names the second role, the longest time and the purposes", function()
    local mg = with [[{ by = "manager", also = "security", longest = "1d", covers = "app",
      purposes = { "tender", "incident" } }]]
    local r = mg:request { as = { user = "ana", department = "research", app = "crm" }, model = "two" }
    assert.equal("two needs the approval of a manager and of a second person, security, and this caller has none",
      r.denied.reason)
    assert.same({ model = "two", ["for"] = "app:crm", roles = { "manager", "security" }, longest_s = 86400,
      purposes = { "tender", "incident" },
      command = "moongate approvals request two --for 1d --purpose \"tender: …\"" }, r.denied.approval)
  end)

  it("lets through until it ends, to the second, and this caller and model only", function()
    local mg = with [["manager"]]
    mg:clock "2026-01-05T10:00:00Z"
    mg:grant { user = "ana", model = "two", ends = "1h", purpose = "a report on trees" }
    local r = mg:request { as = ana, model = "two" }
    assert.allowed(r)
    assert.equal("gnt_example1", r.grant)
    assert.denied(mg:request { as = { user = "bo", department = "research" }, model = "two" }, 403, "approval_required")
    mg:advance "3599s"
    assert.allowed(mg:request { as = ana, model = "two" })
    mg:advance "1s"
    local over = mg:request { as = ana, model = "two" }
    assert.denied(over, 403, "approval_required")
    assert.equal("gnt_example1", over.denied.approval.expired)
    assert.is_nil(over.grant)
  end)

  it("opens its row and nothing else", function()
    local mg = with [["manager"]]
    mg:grant { user = "ana", model = "two" }
    assert.denied(mg:request { as = { user = "ana", department = "sales" }, model = "two" }, 403,
      "department_not_authorized")
    assert.denied(mg:request { as = ana, model = "two", data = "restricted" }, 403, "data_not_allowed")
  end)

  it("covers what the row says, and the app of a caller without a user", function()
    local mg = with [["manager"]]
    mg:grant { app = "crm", model = "two" }
    assert.denied(mg:request { as = { user = "ana", app = "crm", department = "research" }, model = "two" }, 403)
    assert.allowed(mg:request { as = { user = false, app = "crm", department = "research" }, model = "two" })
    local whole = with [[{ by = "manager", covers = "department" }]]
    whole:grant { user = "ana", model = "two" }
    assert.denied(whole:request { as = ana, model = "two" }, 403, "approval_required")
    whole:grant { department = "research", model = "two" }
    assert.allowed(whole:request { as = ana, model = "two" })
  end)

  it("is for the purposes of the row", function()
    local mg = with [[{ by = "manager", purposes = "tender" }]]
    mg:grant { user = "ana", model = "two", purpose = "curiosity: how it works" }
    assert.denied(mg:request { as = ana, model = "two" }, 403, "approval_required")
    assert.denied(mg:request { as = { user = "ana", department = "research", approvals = { "two" } }, model = "two" },
      403, "approval_required")
    mg:grant { user = "ana", model = "two", purpose = "tender: the town hall" }
    assert.allowed(mg:request { as = ana, model = "two" })
  end)

  it("may be break-glass, which rules can tell", function()
    local mg = gw.load_text { house = [[return policy { rules = {
      { "emergencies are recorded", when = { break_glass = true }, record = { intent = true, texts = { "prompt" } } },
      { "tenders only", when = { approved = true, grant_purpose = isnt "tender", break_glass = false },
        deny = { 403, "not_a_tender" } },
      { "seen", when = { approved = false }, annotate = { approved = "no" } },
    } }]] }
    assert.equal("no", mg:request({ as = ana, model = "two" }).annotations.approved)
    mg:grant { user = "ana", model = "two", purpose = "fun: with words" }
    assert.denied(mg:request { as = ana, model = "two" }, 403, "not_a_tender")
    mg:forget()
    mg:grant { user = "ana", model = "two", purpose = "tender: the town hall" }
    assert.allowed(mg:request { as = ana, model = "two" })
    mg:forget()
    mg:grant { user = "ana", model = "two", purpose = "the pumps are down", break_glass = true }
    local r = mg:request { as = ana, model = "two" }
    assert.allowed(r)
    assert.is_true(r.record.intent and r.record.prompt)
  end)

  it("is a field of the identity", function()
    local mg = gw.load_text { house = [[return policy { on_request = function(ctx)
      local grant = ctx.identity.grants["two"]
      if not grant then return deny(403, "none") end
      ctx:annotate("grant", grant.id .. " " .. grant.purpose .. " " .. grant.ends_at .. tostring(grant.break_glass))
    end }]] }
    mg:clock "2026-01-05T10:00:00Z"
    assert.denied(mg:request { as = ana, model = "two" }, 403, "none")
    mg:grant { user = "ana", model = "two", ends = "1m", purpose = "a report" }
    assert.equal("gnt_example1 a report 1767607260false", mg:request({ as = ana, model = "two" }).annotations.grant)
  end)

  it("is asked for once: what waits is told", function()
    local mg = with [["manager"]]
    local r = mg:request { as = ana, model = "two", grants = { { model = "two", pending = true } } }
    assert.equal("apr_example1", r.denied.approval.pending)
    assert.truthy(r.denied.reason:find("apr_example1 waits for a decision", 1, true))
  end)

  it("is decided again by its record alone", function()
    local mg = with [["manager"]]
    mg:grant { user = "ana", model = "two", purpose = "a report" }
    local _, record = mg:record { as = ana, model = "two" }
    assert.equal("same", mg:replay(record).outcome)
    assert.truthy(record:find('"grant":"gnt_example1"', 1, true))
    assert.equal("denied", with([[{ by = "manager", purposes = "tender" }]]):replay(record).outcome)
  end)
end)

describe("an approval that means nothing", function()
  local function errors(approval, governance)
    return gw.errors { governance = governance, access = ([[return access { models = {
      one = { departments = any, data = "internal", approval = %s } } }]]):format(approval) }
  end

  it("is refused with the nearest word", function()
    assert.truthy(errors([[{ by = "manager", longets = "1d" }]])[1]:find("did you mean 'longest'", 1, true))
    assert.truthy(errors([[{ also = "security" }]])[1]:find("'by' is missing", 1, true))
    assert.truthy(errors([["viewer"]])[1]:find("'viewer' decides nothing", 1, true))
    assert.truthy(errors([[{ by = "manager", covers = "team" }]])[1]:find("one of user, app, department", 1, true))
    assert.truthy(errors([[{ by = "manager", purposes = {} }]])[1]:find("no purpose would do", 1, true))
    assert.truthy(errors([["A Manager"]])[1]:find("a role is a word", 1, true))
  end)

  it("is refused where it is longer than any may be", function()
    local e = errors([[{ by = "manager", longest = "60d" }]], [[return governance { approvals = { longest = "30d" } }]])
    assert.truthy(e[1]:find("policies/access.lua:2", 1, true))
    assert.truthy(e[1]:find("no grant is longer than approvals.longest of policies/governance.lua (30 d)", 1, true))
  end)
end)
