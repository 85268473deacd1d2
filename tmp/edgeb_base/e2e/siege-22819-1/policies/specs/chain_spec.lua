-- The whole chain, as the gateway loads it.
local gw = require "moongate.test"

describe("the whole chain", function()
  local mg = gw.load_chain()
  mg:stub("POST https://moderation.internal/v1/check", { status = 200, json = { flagged = false } })

  it("loads without a warning", function()
    assert.same({}, mg.errors)
  end)

  it("never routes around the access matrix", function()
    local r = mg:request { as = { department = "sales" }, model = "auto", task = "code" }
    assert.same({ "anthropic/claude-3-5-sonnet" }, r.route.targets) -- gpt-4o dropped for sales
    assert.explained_by(r, "routing/code")
    local skipped
    for _, entry in ipairs(r.trace) do
      if entry.verb == "skip" then skipped = entry.reason end
    end
    assert.equal("openai/gpt-4o (access/models.gpt-4o.departments: department sales may not use gpt-4o)", skipped)
  end)

  it("tries the next rule when one has no target left", function()
    local r = mg:request { as = { department = "sales" }, model = "auto", max_latency_ms = 500, data = "internal" }
    assert.routed_to(r, "openai/gpt-4o-mini")
  end)

  it("gives the seed's departments what its governance says", function()
    local function try(department, model) return mg:request { as = { department = department }, model = model } end
    assert.allowed(try("engineering", "gpt-4o"))
    assert.allowed(try("product", "gpt-4o"))
    assert.denied(try("sales", "gpt-4o"), 403, "department_not_authorized")
    assert.denied(try("research", "gpt-4o"), 403, "department_not_authorized")
    assert.denied(try("research", "claude-3-opus"), 403, "approval_required")
    assert.denied(try("engineering", "claude-3-opus"), 403, "department_not_authorized")
  end)

  it("answers an unlisted model with 404 instead of failing", function()
    assert.denied(mg:request { model = "gpt-9" }, 404, "model_not_found")
  end)

  it("takes an app's defaults, which callers can only raise", function()
    local bot = { app = "support-bot" }
    assert.routed_to(mg:request { as = bot }, "openai/gpt-4o-mini")
    assert.routed_to(mg:request { as = bot, data = "confidential" }, "local/llama-3.1-70b")
    assert.denied(mg:request { as = bot, data = "public", model = "nothing" }, 404)
    assert.routed_to(mg:request { as = { app = "code-assistant" } }, "openai/gpt-4o")
  end)

  it("refuses a data class that nobody knows", function()
    local r = mg:request { data = "secrt" }
    assert.denied(r, 400, "invalid_hint")
    assert.denied(mg:request { max_latency_ms = "soon" }, 400, "invalid_hint")
  end)

  it("remembers what audit.lua notes", function()
    assert.same({ audience = "customers" }, mg:request({ as = { app = "support-bot" } }).annotations)
    local r = mg:request { as = { department = "research", approvals = { "claude-3-opus" } }, model = "claude-3-opus" }
    assert.same({ approved_for = "ana" }, r.annotations)
  end)

  it("reads hints from the body too", function()
    local body = [[{"model":"auto","metadata":{"moongate":{"task":"code"}},"messages":[{"role":"user","content":"x"}]}]]
    assert.routed_to(mg:request { body = body }, "openai/gpt-4o")
  end)
end)
