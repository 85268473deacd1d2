-- Who may use which model, with what data: policies/access.lua.
local gw = require "moongate.test"

describe("access", function()
  local mg = gw.load { "policies/access.lua", "policies/routing.lua" }

  it("lets engineering use gpt-4o", function()
    assert.allowed(mg:request { as = { department = "engineering" }, model = "gpt-4o" })
  end)

  it("tells sales why not", function()
    local r = mg:request { as = { department = "sales" }, model = "gpt-4o" }
    assert.denied(r, 403, "department_not_authorized")
    assert.explained_by(r, "access/models.gpt-4o.departments")
    assert.equal("department sales may not use gpt-4o", r.denied.reason)
    assert.equal("access", r.denied.policy)
    assert.equal("models.gpt-4o.departments", r.denied.rule)
  end)

  it("treats a dated snapshot as its model", function()
    assert.denied(mg:request { as = { department = "sales" }, model = "gpt-4o-2024-08-06" }, 403, "department_not_authorized")
    local r = mg:request { as = { department = "product" }, model = "gpt-4o-2024-08-06" }
    assert.routed_to(r, "openai/gpt-4o-2024-08-06")
    assert.equal("gpt-4o", r.model)
  end)

  it("refuses callers without a department where departments are named", function()
    assert.denied(mg:request { model = "gpt-4o" }, 403, "department_not_authorized")
    assert.allowed(mg:request { model = "gpt-4o-mini" })
  end)

  it("wants a manager's approval for claude-3-opus", function()
    local researcher = { department = "research" }
    local r = mg:request { as = researcher, model = "claude-3-opus" }
    assert.denied(r, 403, "approval_required")
    assert.equal("claude-3-opus needs the approval of a manager, and this caller has none", r.denied.reason)
    researcher.approvals = { "claude-3-opus" }
    assert.allowed(mg:request { as = researcher, model = "claude-3-opus" })
    assert.allowed(mg:request { as = researcher, model = "claude-3-opus-20240229" })
    researcher.approvals = { "gpt-4o" }
    assert.denied(mg:request { as = researcher, model = "claude-3-opus" }, 403, "approval_required")
    assert.denied(mg:request { as = { department = "sales", approvals = { "claude-3-opus" } }, model = "claude-3-opus" },
      403, "department_not_authorized")
  end)

  it("checks the data class that the seed's code declared and never read", function()
    local as = { department = "engineering" }
    assert.allowed(mg:request { as = as, model = "gpt-4o", data = "internal" })
    local r = mg:request { as = as, model = "gpt-4o", data = "confidential" }
    assert.denied(r, 403, "data_not_allowed")
    assert.explained_by(r, "access/models.gpt-4o.data")
    assert.allowed(mg:request { as = as, model = "claude-3-5-sonnet", data = "confidential" })
    assert.denied(mg:request { as = as, model = "claude-3-5-sonnet", data = "restricted" }, 403, "data_not_allowed")
  end)

  it("keeps restricted data on our own racks", function()
    assert.routed_to(mg:request { as = { department = "sales" }, model = "llama", data = "restricted" },
      "local/llama-3.1-70b")
  end)

  it("keeps contractors from tools, and only them", function()
    local contractor = { department = "contractors" }
    for _, use in ipairs { "tools", "hosted_tools", "remote_mcp" } do
      local r = mg:request { as = contractor, model = "gpt-4o-mini", uses = { use } }
      assert.denied(r, 403, "tools_not_allowed")
      assert.equal("contractors may not run tools through gpt-4o-mini", r.denied.reason)
    end
    assert.allowed(mg:request { as = contractor, model = "gpt-4o-mini", uses = { "images" } })
    assert.allowed(mg:request { as = { department = "sales" }, model = "gpt-4o-mini", uses = { "tools" } })
  end)

  it("lists what a caller may use", function()
    local sales = mg:request { as = { department = "sales" }, api = "models" }
    assert.allowed(sales)
    assert.same({ "auto", "claude-3-5-haiku", "claude-3-5-sonnet", "claude-haiku-4-5", "claude-sonnet-4-5",
      "gpt-4.1-mini", "gpt-4o-mini", "gpt-5-mini", "llama-3.1-70b", "text-embedding-3-small", "text-embedding-ada-002" }, sales.models)
    local research = mg:request { as = { department = "research", approvals = { "claude-3-opus" } }, api = "models" }
    assert.truthy(table.concat(research.models, " "):find("claude-3-opus", 1, true))
    assert.same({ "auto", "llama-3.1-70b" }, mg:request { api = "models", data = "restricted" }.models)
  end)

  it("shows one model to those who may use it, and 404 to the others", function()
    assert.same({ "gpt-4o" }, mg:request { as = { department = "product" }, api = "model", model = "gpt-4o" }.models)
    assert.denied(mg:request { as = { department = "sales" }, api = "model", model = "gpt-4o" }, 404, "model_not_found")
    assert.denied(mg:request { as = { department = "sales" }, api = "model", model = "nothing" }, 404, "model_not_found")
  end)
end)
