-- What the platform was asked to decide, sample by sample, and what the samples forgot; each with the policy it stands in.
local gw = require "moongate.test"

describe("the router", function()
  local mg = gw.load { "policies/routing.lua" }

  it("chooses as its samples do", function()
    assert.routed_to(mg:request { context_tokens = 100001 }, "anthropic/claude-3-5-sonnet")
    assert.routed_to(mg:request { task = "code" }, "openai/gpt-4o")
    assert.routed_to(mg:request { max_latency_ms = 999 }, "openai/gpt-4o-mini")
    assert.routed_to(mg:request { quality = "high" }, "openai/gpt-4o")
    assert.routed_to(mg:request {}, "openai/gpt-4o-mini")
    assert.routed_to(mg:request { data = "confidential" }, "local/llama-3.1-70b")
  end)

  it("has an opinion on who says nothing of latency: none", function()
    assert.routed_to(mg:request { max_latency_ms = 1000 }, "openai/gpt-4o-mini")
    assert.explained_by(mg:request { max_latency_ms = 1000 }, "routing/default")
  end)

  it("is the same as a function, line for line", function()
    local fn = gw.load_text { router = [[
return policy {
  on_request = function(ctx)
    local req = ctx.request
    if ctx.estimate.context_tokens > 100000 then return route("p/two") end
    if req.task == "code" then return route("q/two") end
    if (req.max_latency_ms or math.huge) < 1000 then return route("p/one") end
    if req.quality == "high" then return route("q/two") end
    return route("p/one")
  end,
}]] }
    assert.routed_to(fn:request { context_tokens = 150000 }, "p/two")
    assert.routed_to(fn:request { task = "code" }, "q/two")
    assert.routed_to(fn:request { max_latency_ms = 500 }, "p/one")
    assert.routed_to(fn:request { quality = "high" }, "q/two")
    assert.routed_to(fn:request {}, "p/one")
  end)
end)

describe("governance", function()
  local mg = gw.load_chain()
  local function try(department, model, more)
    local as = { department = department, approvals = more and more.approvals }
    return mg:request { as = as, model = model, data = more and more.data, task = more and more.task }
  end

  it("lets departments have their models", function()
    for _, department in ipairs { "engineering", "product" } do assert.allowed(try(department, "gpt-4o")) end
    for _, department in ipairs { "sales", "research", "support" } do
      assert.denied(try(department, "gpt-4o"), 403, "department_not_authorized")
    end
  end)

  it("asks for a manager's approval where the matrix says so", function()
    assert.denied(try("research", "claude-3-opus"), 403, "approval_required")
    assert.allowed(try("research", "claude-3-opus", { approvals = { "claude-3-opus" } }))
    assert.denied(try("sales", "claude-3-opus", { approvals = { "claude-3-opus" } }), 403, "department_not_authorized")
  end)

  it("checks the data class it declares", function()
    assert.denied(try("engineering", "gpt-4o", { data = "confidential" }), 403, "data_not_allowed")
  end)

  it("survives a model that nobody listed", function()
    assert.denied(try("engineering", "gpt-99"), 404, "model_not_found")
  end)

  it("holds for dated snapshots", function()
    assert.denied(try("sales", "gpt-4o-2024-08-06"), 403, "department_not_authorized")
    assert.allowed(try("engineering", "gpt-4o-2024-08-06"))
  end)

  it("holds for what the router chooses", function()
    assert.same({ "anthropic/claude-3-5-sonnet" }, try("sales", "auto", { task = "code" }).route.targets)
  end)
end)

describe("costs", function()
  local mg = gw.load { "policies/budget.lua", "policies/routing.lua" }

  it("alert at 80 %, narrow at 95 %, block at 100 %, for each department", function()
    mg:spend { department = "sales", usd = 4100 }
    assert.equal(1, #mg:request({ as = { department = "sales" } }).warnings)
    mg:spend { department = "sales", usd = 700 }
    assert.same({ "openai/gpt-4o-mini" }, mg:request({ as = { department = "sales" } }).route.targets)
    mg:spend { department = "sales", usd = 199.995 }
    assert.denied(mg:request { as = { department = "sales" }, cost_usd = 0.01 }, 402, "budget_exhausted")
    assert.allowed(mg:request { as = { department = "engineering" } })
  end)

  it("are not overrun by requests at the same time", function()
    mg:spend { department = "marketing", usd = 999 }
    local admitted = 0
    for _ = 1, 50 do
      if mg:request({ as = { department = "marketing" }, cost_usd = 0.10, under_way = true }).kind == "allow" then admitted = admitted + 1 end
    end
    assert.is_true(admitted > 0 and admitted <= 10, tostring(admitted))
  end)
end)

describe("rate limits", function()
  it("are per user and per app", function()
    local mg = gw.load { "policies/ratelimit.lua" }
    for _ = 1, 10 do assert.allowed(mg:request { as = { user = "ana" }, model = "gpt-4o-mini" }) end
    local r = mg:request { as = { user = "ana" }, model = "gpt-4o-mini" }
    assert.denied(r, 429, "rate_limited")
    assert.is_true(r.denied.retry_after >= 1)
    assert.allowed(mg:request { as = { user = "bo" }, model = "gpt-4o-mini" })
  end)
end)
