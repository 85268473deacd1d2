-- The spec by which the policy API was designed, as it was written then: it runs on the policies that are shipped.
local gw = require "moongate.test"

describe("access", function()
  local mg = gw.load { "policies/access.lua" }

  it("lets engineering use gpt-4o", function()
    assert.allowed(mg:request { as = { department = "engineering" }, model = "gpt-4o" })
  end)

  it("tells sales why not", function()
    local r = mg:request { as = { department = "sales" }, model = "gpt-4o" }
    assert.denied(r, 403, "department_not_authorized")
    assert.explained_by(r, "access/models.gpt-4o.departments")
    assert.equal("department sales may not use gpt-4o", r.denied.reason)
  end)
end)

describe("budget", function()
  local mg = gw.load { "policies/budget.lua", "policies/routing.lua" }

  it("warns and notifies at 80%", function()
    mg:spend { department = "sales", usd = 4100 }
    local r = mg:request { as = { department = "sales" } }
    assert.allowed(r)
    assert.equal(1, #r.warnings)
    assert.same({ "slack:#ai-spend", "owner" }, mg.sent[1].to)
  end)

  it("narrows to cheap models at 95%", function()
    mg:spend { department = "sales", usd = 4800 }
    local r = mg:request { as = { department = "sales" } }
    assert.explained_by(r, "budget/sales@95%")
    assert.same({ "openai/gpt-4o-mini" }, r.route.targets)
  end)

  it("blocks at 100%, counting this request", function()
    mg:spend { department = "sales", usd = 4999.995 }
    assert.denied(mg:request { as = { department = "sales" }, cost_usd = 0.01 }, 402, "budget_exhausted")
  end)
end)

describe("routing", function()
  local mg = gw.load { "policies/routing.lua" }
  local cases = {
    { "long documents",  { context_tokens = 100001 },  "anthropic/claude-3-5-sonnet" },
    { "code",            { task = "code" },            "openai/gpt-4o" },
    { "fast response",   { max_latency_ms = 800 },     "openai/gpt-4o-mini" },
    { "highest quality", { quality = "high" },         "openai/gpt-4o" },
    { "internal only",   { data = "confidential" },    "local/llama-3.1-70b" },
    { "everything else", {},                           "openai/gpt-4o-mini" },
  }
  for _, c in ipairs(cases) do
    it(c[1] .. " -> " .. c[3], function()
      c[2].model = "auto"
      assert.routed_to(mg:request(c[2]), c[3])
    end)
  end
end)

describe("redaction", function()
  local mg = gw.load { "policies/redaction.lua" }

  it("masks e-mail addresses and staff numbers", function()
    local r = mg:request { text = "write to ana@example.com about EMP-123456" }
    assert.equal("write to [email] about [employee_id]", r.request.messages[1].content)
  end)

  it("asks moderation for the support bot only", function()
    mg:stub("POST https://moderation.internal/v1/check", function(req)
      return { status = 200, json = { flagged = req.json.text:find("attack") ~= nil, category = "violence" } }
    end)
    assert.denied(mg:request { as = { app = "support-bot" }, text = "plan an attack" }, 422, "content_flagged")
    assert.allowed(mg:request { as = { app = "sales-copilot" }, text = "plan an attack" })
  end)

  it("goes on when moderation is down", function()
    mg:stub("POST https://moderation.internal/v1/check", function() return nil, "timeout" end)
    assert.allowed(mg:request { as = { app = "support-bot" }, text = "hello" })
  end)
end)

describe("the whole chain", function()
  local mg = gw.load_chain()                                   -- policies/init.lua, as the gateway loads it

  it("never routes around the access matrix", function()
    local r = mg:request { as = { department = "sales" }, model = "auto", task = "code" }
    assert.same({ "anthropic/claude-3-5-sonnet" }, r.route.targets)   -- gpt-4o dropped for sales
  end)
end)
