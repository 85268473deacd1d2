-- The shipped limits and budgets as they are, in the real gateway: what they refuse, with what words, and what a budget
-- writes into a request that does not say how long its answer may be. The mock's journal says what was called.
local cjson = require("cjson")
local crowd = require("tests.e2e.kit.crowd")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local socket = require("socket")

local m, g

local function ask(model, more)
  local json = { model = model, messages = { { role = "user", content = "Hello!" } } }
  for name, value in pairs(more or {}) do json[name] = value end
  return json
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 2, name = "shipped", limits = "shipped" }
end)
teardown(function()
  g:stop()
  m:stop()
end)

-- What the provider saw of the one request, and the answer.
local function sent(json, key)
  local since = m:mark()
  local r = g:ask { json = json, key = key }
  assert.equal(200, r.status, r.body)
  local seen = m:requests(since)
  assert.equal(1, #seen)
  return cjson.decode(seen[1].body), r
end

describe("the shipped limits", function()
  it("let a user ask ten times at once, and tell who asks more often when to come again", function()
    local key = g:new_key { app = "demo", user = "quick" }
    local since, statuses, from = m:mark(), {}, socket.gettime()
    local refused
    crowd.run(function(all)
      for _ = 1, 60 do
        all.add(function()
          local r = g:ask { key = key, json = ask "gpt-4o-mini" }
          statuses[r.status] = (statuses[r.status] or 0) + 1
          if r.status == 429 then refused = r end
        end)
      end
    end, 30)
    assert.equal(60, statuses[200] + statuses[429])
    local seconds = math.floor(socket.gettime() - from) -- each gives one back
    assert.is_true(statuses[200] >= 10 and statuses[200] <= 10 + seconds and statuses[429] > 0, statuses[200])
    assert.equal(statuses[200], #m:requests(since))
    local e = gateway.error_of(refused)
    assert.equal("rate_limited", e.code)
    assert.equal("ratelimit per-user", e.policy .. " " .. e.rule)
    assert.truthy(e.message:find("^user quick is over 10 requests at once, 60 a minute; again in %d+ s$"), e.message)
    assert.equal(e.message:match("again in (%d+)"), refused:get("retry-after"))
    local denied = g:record(refused.id)
    assert.equal("denied", denied.outcome)
    assert.equal(e.message, denied.decision.reason)
    local why = g:command("explain", refused.id)
    for _, text in ipairs { "decided again  the same today", "  – budget       not reached", ("come again %s s after %s, or raise the limit  policies/ratelimit.lua:")
      :format(refused:get("retry-after"), denied.time) } do
      assert.truthy(why:find(text, 1, true), text .. " is not in\n" .. why)
    end
    assert.equal(200, g:ask({ key = g:new_key { app = "demo", user = "patient" }, json = ask "gpt-4o-mini" }).status)
  end)
end)

describe("what is asked of nobody", function()
  it("is explained by the limits that apply, and by nothing of what they have left", function()
    local out, code = g:command("explain", "--as", "sales/ann", "--model", "gpt-4o-mini")
    assert.equal(0, code, out)
    for _, text in ipairs { "per-user                     count  within 10 requests at once, 60 a minute for user ann  policies/ratelimit.lua:5",
      "sales                        count  within $5,000 this month for sales; this request may cost $0.00246  policies/budget.lua:8" } do
      assert.truthy(out:find(text, 1, true), text .. " is not in\n" .. out)
    end
    assert.is_nil(out:find("has used", 1, true))
  end)
end)

describe("the shipped budgets", function()
  it("write into a request how long its answer may be, as its model calls it, and tell the caller", function()
    local body, r = sent(ask "gpt-4o-mini")
    assert.equal(4096, body.max_tokens)
    assert.is_nil(body.max_completion_tokens)
    assert.truthy(r:get("x-moongate-max-tokens"):find("^4096; added by budget: "), r:get("x-moongate-max-tokens"))
    body = sent(ask "gpt-5") -- it reasons, and takes no max_tokens
    assert.equal(4096, body.max_completion_tokens)
    assert.is_nil(body.max_tokens)
    body = sent(ask("gpt-4o-mini", { max_tokens = cjson.null }))
    assert.equal(4096, body.max_tokens)
  end)

  it("leave what a request says of itself, and what costs nothing", function()
    local body, r = sent(ask("gpt-4o-mini", { max_tokens = 9000 }))
    assert.equal(9000, body.max_tokens)
    assert.is_nil(r:get("x-moongate-max-tokens"))
    body, r = sent(ask("gpt-4o-mini", { max_completion_tokens = 7 }))
    assert.equal(7, body.max_completion_tokens)
    assert.is_nil(body.max_tokens)
    assert.is_nil(r:get("x-moongate-max-tokens"))
    body = sent(ask "llama")
    assert.is_nil(body.max_tokens)
  end)

  it("refuse with what was used, of how much, and until when, after a change of one line", function()
    local key = g:new_key { app = "sales-copilot", user = "ann" }
    sent(ask("gpt-4o-mini", { max_tokens = 100 }), key)
    local before = g.dir:read("policies/budget.lua")
    g.dir:write("policies/budget.lua", (before:gsub('(department = "sales", *limit = )5000', '%1"0.00246"')))
    local out, code = g:reload()
    assert.equal(0, code, out)
    local since = m:mark()
    local r = g:ask { key = key, json = ask "gpt-4o-mini" }
    assert.equal(402, r.status, r.body)
    local e = gateway.error_of(r)
    assert.equal("budget_exhausted", e.code)
    assert.equal("budget sales@100%", e.policy .. " " .. e.rule)
    assert.truthy(e.message:find("^sales has used %$0%.0000%d+ of %$0%.00246 this month, and this request may cost %$0%.00246; again on 1 %u%l+$"), e.message)
    assert.equal("false", r:get("x-should-retry"))
    assert.equal(0, #m:requests(since))
    g:record(r.id)
    local why = g:command("explain", r.id)
    assert.truthy(why:find("come again when it says, ask for less, or raise the limit  policies/budget.lua:", 1, true), why)
    sent(ask("gpt-4o-mini", { max_tokens = 100 }), key) -- a shorter answer has room
    g.dir:write("policies/budget.lua", before)
    assert.equal(0, (select(2, g:reload())))
    sent(ask "gpt-4o-mini", key)
  end)
end)
