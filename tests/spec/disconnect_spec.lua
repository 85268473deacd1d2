-- on_client_disconnect: what apps and policies may say, and what loading says of the rest.
local gw = require "moongate.test"

local function of_app(word)
  return gw.errors { apps = ('return apps {\n  x = { department = "d",\n    on_client_disconnect = %s },\n}'):format(word), a = "return policy {}" }
end
local function of_policy(word) return gw.errors { a = ("return policy {\n  on_client_disconnect = %s,\n}"):format(word) } end

describe("on_client_disconnect", function()
  it("is cancel or drain, in an app's row and in a policy", function()
    for _, word in ipairs { "cancel", "drain { max_seconds = 1, max_tokens = 1 }", "drain { max_seconds = 3600, max_tokens = 10000000 }" } do
      assert.same({}, of_app(word))
      assert.same({}, of_policy(word))
    end
  end)

  it("is a word, not a text", function()
    assert.same({ "policies/a.lua:2:3: on_client_disconnect: expected cancel, or drain { max_seconds = 30, max_tokens = 4000 };"
      .. " got the text 'cancel' (cancel is a word of its own, without quotes)" }, of_policy '"cancel"')
    assert.same({ "policies/apps.lua:3:5: x.on_client_disconnect: expected cancel, or drain { max_seconds = 30, max_tokens = 4000 };"
      .. " got a table" }, of_app "{ max_seconds = 3 }")
  end)

  it("wants both bounds, whole and within reason", function()
    local cases = {
      ["drain {}"] = "drain: max_seconds is missing: drain { max_seconds = 30, max_tokens = 4000 }",
      ["drain { max_seconds = 30 }"] = "drain: max_tokens is missing: drain { max_seconds = 30, max_tokens = 4000 }",
      ["drain { max_second = 30, max_tokens = 1 }"] = "drain { … } has no field 'max_second' (did you mean 'max_seconds'?)",
      ["drain { max_seconds = 0, max_tokens = 1 }"] = "drain: max_seconds is a whole number from 1 to 3600, got 0",
      ["drain { max_seconds = 1.5, max_tokens = 1 }"] = "drain: max_seconds is a whole number from 1 to 3600, got 1.5",
      ["drain { max_seconds = 1, max_tokens = 1e9 }"] = "drain: max_tokens is a whole number from 1 to 10000000, got 1000000000",
      ["drain { max_seconds = '1m', max_tokens = 1 }"] = "drain: max_seconds is a whole number from 1 to 3600, got the text '1m'",
      ["drain"] = "expected cancel, or drain { max_seconds = 30, max_tokens = 4000 }; got a function",
      ["drain(30)"] = "drain wants its bounds: drain { max_seconds = 30, max_tokens = 4000 }",
    }
    for word, wanted in pairs(cases) do
      local errors = of_policy(word)
      assert.equal(1, #errors, word)
      assert.truthy(errors[1]:find(wanted, 1, true), word .. ": " .. errors[1])
    end
  end)
end)
