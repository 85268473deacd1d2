-- A fleet's notices, each once, whoever crosses a threshold and whatever becomes of a ledger; and a budget that is used up
-- has no side door.
local cjson = require("cjson")
local calls = require("tests.e2e.kit.calls")
local crowd = require("tests.e2e.kit.crowd")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local hooks = require("tests.e2e.kit.hooks")

local f, hook

after_each(function()
  if f then f:stop() end
  if hook then hook:stop() end
  f, hook = nil, nil
end)

local function waiting()
  local sum = 0
  for _, g in ipairs(f) do sum = sum + g:metrics():value "moongate_notices_waiting" end
  return sum
end

-- A ledger that is killed before it has noted that a notice was taken sends it again, as the same.
local function senders(notices)
  local count, seen = 0, {}
  for _, said in ipairs(notices) do
    local id = said.gateway .. " " .. said.id
    if not seen[id] then count = count + 1 end
    seen[id] = true
  end
  return count
end

local function ask(g, tokens) return g:ask { json = fleet.body { tokens = tokens } } end

local function ask_at_once(count, tokens)
  return crowd.statuses(count, 60, function(i) return ask(f[i % #f + 1], tokens) end)
end

describe("a notice of a fleet's budget", function()
  it("goes out once for each threshold, when many cross it at once at all gateways, and over ledgers that die", function()
    hook = hooks.start()
    f = fleet.start { gateways = 4, name = "notices", config = { notify = { ops = { kind = "webhook", url = hook.url } } },
      policies = fleet.policies { budget = [[return budget {
        budgets = { { "app", each = "app", limit = 10, per = "month" } },
        thresholds = { { at = "80%", notify = { "ops:team-a" } },
          { at = "100%", notify = { "ops:team-a" }, deny = { 402, "budget_exhausted" } } } }]] } }
    assert.same({ [200] = 50 }, ask_at_once(50, 2))
    for _ = 1, 2 do
      for _, g in ipairs(f) do g:kill_ledger() end
      ask_at_once(40, 2) -- all of them over it
    end
    f:connected()
    expect.eventually(function() return hook:notices()["100%"] and waiting() == 0 end, 60, "the notices")
    for _, g in ipairs(f) do expect.eventually(function() return ask(g, 2).status == 402 end, 20, "the end") end
    expect.eventually(function() return waiting() == 0 end, 20, "all of them sent")
    f:agrees()
    local by = hook:notices()
    assert.same({ 1, 1 }, { senders(by["80%"]), senders(by["100%"]) })
  end)
end)

describe("a fleet's budget that is spent while Redis is silent", function()
  it("is told of when Redis is back, once, although nobody asks any more", function()
    hook = hooks.start()
    f = fleet.start { gateways = 2, at_least = 2, name = "silent", timeout = "200ms",
      config = { notify = { ops = { kind = "webhook", url = hook.url } } },
      policies = fleet.policies { budget = [[return budget {
        budgets = { { "app", each = "app", limit = 10, per = "month" } }, on_store_loss = "open",
        thresholds = { { at = "80%", notify = { "ops:team-a" } }, { at = "200%", notify = { "ops:team-a" } },
          { at = "100%", notify = { "ops:team-a" }, deny = { 402, "budget_exhausted" } } } }]] } }
    for _, g in ipairs(f) do assert.equal(200, ask(g, 1).status) end
    f:agrees()
    f.redis:stop_answering()
    for _ = 1, 6 do
      for _, g in ipairs(f) do assert.equal(200, ask(g, 10).status) end
    end
    assert.same({}, hook:notices())
    f.redis:answer()
    expect.eventually(function() return hook:notices()["100%"] and waiting() == 0 end, 60, "the notices")
    f:agrees()
    local by = hook:notices()
    assert.same({ 1, 1 }, { senders(by["80%"]), senders(by["100%"]) })
    assert.is_nil(by["200%"])
  end)
end)

describe("a fleet's budget that is used up", function()
  local MODELS = [[
local price = ]] .. calls.PRICE .. [[

return models {
  auto = { virtual = true },
  dear = { targets = { "openai/dear", "anthropic/dear-too", { "local/dear", price = price } }, context = 128000, price = price,
    aliases = { "costly" }, snapshots = { "dear-2026-01-01", { "dear-2025-01-01", price = price } } },
  ["also-dear"] = { targets = { "anthropic/also-dear" }, context = 128000, price = price, aliases = { "second" } },
}
]]
  local ROUTING = [[return routing { choose_for = { "auto" },
  rules = { { "default", route = { "openai/dear", "anthropic/also-dear" }, reason = "both" } } }]]

  -- As the gateway lists them, and what names there are besides.
  local function names()
    local list = { "costly", "second", "dear-2026-01-01", "dear-2025-01-01", "auto" }
    local said = f[1]:ask { method = "GET", path = "/v1/models" }
    for _, model in ipairs(cjson.decode(said.body).data) do list[#list + 1] = model.id end
    assert.is_true(#list >= 7, said.body)
    return list
  end

  it("refuses at every gateway, on every path, by every name, and nobody is called", function()
    local files = dimes.policies { budget = dimes.budget(10) }
    files["models.lua"], files["routing.lua"] = MODELS, ROUTING
    files["init.lua"] = 'return chain { "auth", "routing", "budget" }\n'
    f = fleet.start { gateways = 2, name = "doors", workers = 2, policies = files }
    local r = f[1]:ask { json = fleet.body { tokens = 50, script = "usage_tokens=200" } }
    assert.equal(200, r.status, r.body)
    f:agrees()
    local since = f.mock:mark()
    local connections = f.mock:state().connections
    for _, call in ipairs(calls.all()) do
      for _, name in ipairs(names()) do
        for _, stream in ipairs { false, true } do
          r = f[2]:ask(calls.of(call, name, stream))
          local where = ("%s %s: %s"):format(call.path, name, r.body)
          assert.equal(402, r.status, where)
          assert.is_truthy(r.body:find("budget_exhausted", 1, true), where)
        end
      end
    end
    assert.equal(0, f.mock:bytes_seen(since))
    assert.equal(connections, f.mock:state().connections)
    f:agrees()
  end)
end)
