-- How often: policies/ratelimit.lua.
local gw = require "moongate.test"

describe("ratelimit", function()
  local mg = gw.load { "policies/ratelimit.lua" }

  local function pass(t, most)
    t.model = t.model or "gpt-4o-mini"
    for i = 1, most do
      local r = mg:request(t)
      if r.kind ~= "allow" then return i - 1, r end
    end
    return most
  end

  it("lets a user ask ten times at once, and once a second", function()
    local passed, r = pass({}, 20)
    assert.equal(10, passed)
    assert.denied(r, 429, "rate_limited")
    assert.explained_by(r, "ratelimit/per-user")
    assert.equal(1, r.denied.retry_after)
    mg:advance "5s"
    assert.equal(5, (pass({}, 20)))
  end)

  it("lets gold callers ask five times as often", function()
    assert.equal(50, (pass({ as = { tier = "gold" } }, 60)))
  end)

  it("keeps an app within its tokens, model by model", function()
    assert.allowed(mg:request { model = "gpt-4o-mini", context_tokens = 150000 })
    local r = mg:request { model = "gpt-4o-mini", context_tokens = 50000 }
    assert.denied(r, 429, "rate_limited")
    assert.explained_by(r, "ratelimit/tokens-per-app")
    assert.allowed(mg:request { model = "gpt-5-mini", context_tokens = 50000 })
  end)

  it("is careful with claude-3-opus alone", function()
    for i = 1, 17 do
      assert.allowed(mg:request { as = { user = "u" .. i, department = "research" }, model = "claude-3-opus" })
    end
    local r = mg:request { as = { user = "last", department = "research" }, model = "claude-3-opus" }
    assert.denied(r, 429, "rate_limited")
    assert.explained_by(r, "ratelimit/opus-is-scarce")
    assert.allowed(mg:request { as = { user = "last", department = "research" }, model = "gpt-5" })
  end)
end)
