-- Who is calling: policies/auth.lua and policies/apps.lua.
local gw = require "moongate.test"

describe("auth", function()
  local mg = gw.load { "policies/auth.lua" }
  local function call(t)
    t.model = "gpt-4o-mini"
    return mg:request(t)
  end

  it("lets a live key of a known app in", function()
    local r = call { as = { app = "support-bot", user = "ana", team = "tier1" } }
    assert.allowed(r)
    assert.equal("support-bot", r.app)
    assert.equal("ana", r.user)
    assert.equal("tier1", r.team)
  end)

  it("takes the app's department where the key names none, and the key's where it does", function()
    assert.equal("support", call({ as = { app = "support-bot" } }).department)
    assert.equal("finance", call({ as = { app = "support-bot", department = "finance" } }).department)
  end)

  local keys = {
    { "missing", "no API key: send it in the header 'Authorization: Bearer <key>', 'x-api-key', 'api-key' or 'x-goog-api-key'" },
    { "unknown", "the API key in the header 'Authorization' is not known" },
    { "revoked", "the API key key_example is revoked" },
    { "expired", "the API key key_example has expired" },
  }
  for _, case in ipairs(keys) do
    it("refuses a key that is " .. case[1], function()
      local r = call { key = case[1] }
      assert.denied(r, 401, "invalid_api_key")
      assert.equal(case[2], r.denied.reason)
    end)
  end

  it("believes nothing of a key that is not live", function()
    local r = call { key = "revoked", as = { app = "support-bot", department = "engineering" } }
    assert.is_nil(r.department)
    assert.is_nil(r.app)
  end)

  it("refuses an app that nobody registered", function()
    local r = call { as = { app = "unheard-of", department = "sales" } }
    assert.denied(r, 403, "unknown_app")
    assert.denied(call { as = { app = false, department = "sales" } }, 403, "unknown_app")
  end)

  it("speaks of unknown models only to callers it knows", function()
    assert.denied(mg:request { model = "nothing", key = "missing" }, 401, "invalid_api_key")
    assert.denied(mg:request { model = "nothing" }, 404, "model_not_found")
  end)
end)
