-- `moongate explain`: the command, its forms of question, its exit codes, and that a record leads back to its decision.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, name = "explain" }
end)
teardown(function()
  g:stop()
  m:stop()
end)

local function explain(want, ...)
  local out, code = g:command("explain", ...)
  assert.equal(want, code, out)
  return out
end

local function explained(want, ...)
  local words = { ... }
  words[#words + 1] = "--json"
  return cjson.decode(explain(want, unpack(words)))
end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text) end
end

describe("explain", function()
  it("opens with the verdict, then the policies in order, then what would let it through", function()
    local out = explain(1, "--as", "sales/ana", "--model", "gpt-5")
    assert.truthy(out:find("^✕ 403 department_not_authorized  department sales may not use gpt%-5  policies/access%.lua:%d+\n"), out)
    has(out, "app sales-copilot  department sales  user ana  model gpt-5", "✓ auth", "✕ access", "– routing      not reached",
      "To let it through", "call as department engineering or product", 'departments = { "engineering", "product", "sales" },')
    assert.is_nil(out:find("\27", 1, true), "colours into a pipe")
    assert.truthy(explain(1, "--as", "sales/ana", "--model", "gpt-5", "--color", "always"):find("\27[31m", 1, true))
  end)

  it("shows rules that did not apply with the value that was seen, and targets that were passed over", function()
    local out = explain(0, "--as", "sales/ana", "--model", "auto", "--task", "code", "--tokens", "5000")
    has(out, "✓ route anthropic/claude-3-5-sonnet  by routing/code", "context_tokens is more than 100000 (here 5000)",
      "Targets that were not used", "openai/gpt-4o  department sales may not use gpt-4o")
  end)

  it("says the same as JSON", function()
    local answer = explained(1, "--as", "app=sales-copilot,user=ana", "--model", "gpt-5")
    assert.equal("deny", answer.verdict.kind)
    assert.equal("access", answer.verdict.policy)
    assert.equal("models.gpt-5.departments", answer.verdict.rule)
    assert.truthy(answer.verdict.at:find("^policies/access%.lua:%d+$"))
    assert.equal("sales", answer.facts.department)
    local states = {}
    for _, policy in ipairs(answer.policies) do states[policy.name] = policy.state end
    assert.equal("denied", states.access)
    assert.equal("not reached", states.routing)
    assert.same({ set = { model = "auto" } }, answer.remedies[1].change)
    local allowed = explained(0, "--as", "engineering/bo", "--model", "gpt-5")
    assert.same({ "openai/gpt-5" }, allowed.verdict.targets)
    assert.is_nil(allowed.remedies)
  end)

  it("takes every fact of a request as a flag", function()
    local answer = explained(1, "--as", "department=contractors,user=bo,role=dev,role=lead,cost_center=77", "--model", "gpt-4o-mini",
      "--uses", "tools,images", "--data=internal", "--quality", "high", "--max-latency-ms", "900", "--stream", "--max-tokens", "50",
      "--time", "2025-06-03T12:00:00Z", "--api", "chat", "--text", "hello there")
    assert.equal("tools_not_allowed", answer.verdict.code)
    assert.same({ "dev", "lead" }, answer.facts.role)
    assert.same({ "tools", "images" }, answer.facts.uses)
    assert.equal("77", answer.facts.cost_center)
    assert.equal(1748952000, answer.facts.time)
    assert.equal("internal", answer.facts.data)
    assert.equal(900, answer.facts.max_latency_ms)
    assert.equal(50, answer.facts.max_tokens)
    assert.is_true(answer.facts.stream)
    assert.equal("deny", explained(1, "--key", "revoked", "--model", "auto").verdict.kind)
  end)

  it("supposes that budgets and limits are used", function()
    local flags = { "--as", "sales/ana", "--model", "gpt-4o-mini", "--time", "2025-06-03T12:00:00Z" }
    local function spent(code, how) return explained(code, "--spent", how, unpack(flags)) end
    assert.equal("budget/sales@100%", (function(v) return v.policy .. "/" .. v.rule end)(spent(1, "sales=5000").verdict))
    assert.equal("send it on Tuesday 2025-07-01T00:00:00Z", spent(1, "sales=100%").remedies[1].text)
    assert.equal("allow", spent(0, "85%").verdict.kind)
    has(explain(2, "--spent", "saels=1", unpack(flags)), "no limit and no budget is called 'saels': did you mean 'sales'?")
  end)

  it("reads a body, a request, and standard input", function()
    g.dir:write("body.json", '{"model":"gpt-5","stream":true,"messages":[{"role":"user","content":"hi"}],"stop":[],"user":null}')
    local answer = explained(1, "body.json", "--as", "sales/ana")
    assert.equal("department_not_authorized", answer.verdict.code)
    assert.is_true(answer.facts.stream)
    assert.equal("deny", explained(1, "body.json", "--as", "engineering/bo", "--data", "restricted").verdict.kind)
    g.dir:write("request.json", '{"as":{"department":"research","approvals":["claude-3-opus"]},"model":"claude-3-opus","task":"code"}')
    assert.equal("allow", explained(0, "request.json").verdict.kind)
    local process = dofile("tests/lib/process.lua")
    local out, code = process.run { "sh", "-c", ("%s/%s/moongate explain - --as sales/ana <body.json"):format(
      require("posix.unistd").getcwd(), os.getenv("B") or "build"), cwd = g.dir.root, env = g.env, seconds = 30 }
    assert.equal(1, code, out)
    has(out, "403 department_not_authorized")
  end)

  it("finds the record of a past request, and decides it again", function()
    local key = g:new_key { app = "sales-copilot", department = "sales", user = "ana" }
    local answer
    require("tests.e2e.kit.expect").eventually(function()
      answer = g:chat({ model = "gpt-5", max_tokens = 7, metadata = { moongate = { task = "code" } },
        tools = { { type = "function", ["function"] = { name = "f" } } } }, { key = key, headers = { { "X-Moongate-Data", "confidential" } } })
      return answer.status == 403
    end, 2, "a key that is known")
    g:record(answer.id)
    local out = explain(1, answer.id)
    has(out, "✕ 403 department_not_authorized", "recorded  20", "decided again  the same today")
    local again = explained(1, answer.id)
    assert.equal(answer.id, again.recorded.id)
    assert.is_true(again.recorded.agrees)
    assert.is_true(again.recorded.same_policies)
    assert.same({ "same", 0 }, { again.again.outcome, #again.again.differences })
    assert.equal("ana", again.facts.user)
    assert.equal(answer.id, explained(1, "--last").recorded.id)
    assert.same({ "code", "confidential", 7, { "tools" } }, { again.facts.task, again.facts.data, again.facts.max_tokens, again.facts.uses })
  end)

  it("names the key that was not known as what would have to change, though nobody read what was asked", function()
    local answer = g:chat({ model = "gpt-4o-mini" }, { key = "mgk_" .. ("x"):rep(43) })
    assert.equal(401, answer.status)
    g:record(answer.id)
    local out = explain(1, "--last")
    has(out, "✕ 401 invalid_api_key", "model auto is assumed", "decided again  the same today",
      "send a key that is known, not revoked and not expired (`moongate keys list`)")
  end)

  it("says when the policies are others now, and what was noted then", function()
    local denied = g:chat { model = "claude-3-opus" }
    g:record(denied.id)
    local before = g.dir:read("policies/access.lua")
    local opened = before:gsub('(%["claude%-3%-opus"%] *= { departments = ){ "research" }(, data = "confidential"), approval = "manager"', "%1any%2")
    assert.are_not.equal(before, opened)
    g.dir:write("policies/access.lua", (opened:gsub("examples = %b{}", "examples = {}")))
    local out, code = g:command("explain", denied.id)
    g.dir:write("policies/access.lua", before)
    assert.equal(1, code, out)
    assert.truthy(out:find("^✕ 403 department_not_authorized  .-  by access/models%.claude%-3%-opus%.departments  as recorded 20"), out)
    assert.truthy(out:find("\n  decided again, from what the record holds:  ✓ route"), out)
    has(out, "the policies have changed since", "what was noted then", "access/models.claude-3-opus.departments  deny",
      "cannot be decided again: it needs counters, redaction") -- which came behind what denied
  end)

  it("explains a folder alone, whatever accounts there are", function()
    g.dir:write("elsewhere/readme", "")
    local process = dofile("tests/lib/process.lua")
    local out, code = process.run { require("posix.unistd").getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate", "explain",
      "--policies", "../policies", "--as", "engineering/bo", "--model", "gpt-4o", cwd = g.dir.root .. "/elsewhere", seconds = 30 }
    assert.equal(0, code, out)
    has(out, "✓ route openai/gpt-4o")
  end)

  it("refuses what it cannot read, with a cure", function()
    local function says(text, ...) has(explain(2, ...), text) end
    says("say which request: flags, a file, or an id")
    says("did you mean `--model`?", "--modle", "x")
    says("`req_nobody` is no request's id", "req_nobody")
    says("no request", "req_0199f3a2-7c41-7000-8000-000000000000")
    says("--last and `x.json` are two requests", "--last", "x.json")
    says("nowhere.json: No such file", "nowhere.json")
    says("--tokens wants a number, got 'many'", "--tokens", "many")
    says("a request has no 'modle': did you mean 'model'?", "--set", "modle=x")
    says("time is written \"2025-06-03T12:00:00Z\"", "--time", "noon")
    says("nowhere.lua: No such file", "--model", "auto", "-c", "nowhere.lua")
    says("none of tools, hosted_tools", "--uses", "magic")
    g.dir:write("cut.json", '{"model":')
    says("cut.json:1:", "cut.json")
    g.dir:write("broken/init.lua", "return chain { \"x\" }")
    says("do not load", "--policies", "broken", "--model", "auto")
  end)

  it("has its help in 24 lines", function()
    local out, code = g:command("help", "explain")
    local _, lines = out:gsub("\n", "")
    assert.equal(0, code)
    assert.is_true(lines < 24, "lines: " .. lines)
  end)
end)
