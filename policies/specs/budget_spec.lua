-- What it may cost: policies/budget.lua.
local gw = require "moongate.test"

describe("budget", function()
  local mg = gw.load { "policies/budget.lua", "policies/routing.lua" }

  it("says nothing below 80%", function()
    mg:spend { department = "sales", usd = 3900 }
    local r = mg:request { as = { department = "sales" } }
    assert.allowed(r)
    assert.same({}, r.warnings)
    assert.same({}, mg.sent)
  end)

  it("warns each request from 80%, and tells people once", function()
    mg:spend { department = "sales", usd = 4100 }
    for _ = 1, 3 do
      local r = mg:request { as = { department = "sales" } }
      assert.same({ "budget: sales has used 82% of its $5,000 this month" }, r.warnings)
    end
    assert.equal(1, #mg.sent)
    assert.same({ "slack:#ai-spend", "owner" }, mg.sent[1].to)
  end)

  it("leaves the cheap models from 95%", function()
    mg:spend { department = "engineering", usd = 9500 }
    local r = mg:request { as = { department = "engineering" }, task = "code" }
    assert.routed_to(r, "openai/gpt-4o-mini")
    assert.denied(mg:request { as = { department = "engineering" }, model = "gpt-4o" }, 403, "no_target_left")
  end)

  it("blocks at 100%, until the month is over", function()
    mg:clock "2025-06-30T23:59:00Z"
    mg:spend { department = "marketing", usd = 1000 }
    assert.denied(mg:request { as = { department = "marketing" } }, 402, "budget_exhausted")
    mg:advance "1m"
    assert.allowed(mg:request { as = { department = "marketing" } })
  end)

  it("gives departments without a row 500 USD", function()
    mg:spend { department = "legal", usd = 500 }
    local r = mg:request { as = { department = "legal" } }
    assert.denied(r, 402, "budget_exhausted")
    assert.explained_by(r, "budget/default@100%")
    assert.allowed(mg:request { as = { department = "finance" } })
  end)

  it("keeps each app within its own, whoever pays", function()
    mg:spend { app = "support-bot", usd = 2500 }
    assert.denied(mg:request { as = { app = "support-bot", department = "support" } }, 402, "budget_exhausted")
    assert.allowed(mg:request { as = { app = "demo", department = "support" } })
  end)
end)
