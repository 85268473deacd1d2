-- The whole chain, as the gateway loads it. `moongate test` runs this; examples in the policy files run at every load.
local gw = require "moongate.test"

describe("the whole chain", function()
  local mg = gw.load_chain()

  it("lets engineers use the large model", function()
    assert.allowed(mg:request { as = { app = "code-tool" }, model = "gpt-4o" })
  end)

  it("tells support why not", function()
    local r = mg:request { as = { app = "helpdesk" }, model = "gpt-4o" }
    assert.denied(r, 403, "department_not_authorized")
    assert.explained_by(r, "access/models.gpt-4o.departments")
    assert.equal("department support may not use gpt-4o", r.denied.reason)
  end)

  it("never routes around the access matrix", function()
    assert.routed_to(mg:request { as = { app = "code-tool" }, model = "auto" }, "openai/gpt-4o")
    assert.routed_to(mg:request { as = { app = "helpdesk" }, model = "auto", task = "code" }, "openai/gpt-4o-mini")
  end)

  it("knows no strangers", function()
    assert.denied(mg:request { key = "unknown", model = "gpt-4o-mini" }, 401, "invalid_api_key")
    assert.denied(mg:request { as = { app = "unheard-of" }, model = "gpt-4o-mini" }, 403, "unknown_app")
  end)
end)

describe("interns", function()
  local mg = gw.load { "policies/house.lua" }

  it("work in office hours", function()
    local function at(time) return mg:request { as = { roles = "intern" }, model = "gpt-4o-mini", time = time } end
    assert.allowed(at "2025-06-03T12:00:00Z")
    assert.denied(at "2025-06-03T22:00:00Z", 403, "outside_office_hours")
  end)
end)
