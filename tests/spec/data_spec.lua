-- The data class of a request, where nobody names one and where a header of the house does.
local gw = require "moongate.test"

local APPS = "return apps { x = {}, y = { defaults = { data = 'public' } } }"

local function load(data)
  return gw.load_text { auth = "return auth { data = " .. data .. " }", apps = APPS, chain = { "auth", "a" },
    a = "return policy { on_request = function(ctx) ctx:annotate('data', ctx.request.data) end }" }
end

describe("the data class", function()
  local mg = load "{ default = 'internal', headers = { ['X-Acme'] = { secret = 'restricted', open = 'public' } } }"

  local function class(app, headers, data)
    local r = mg:request { model = "one", as = { app = app }, headers = headers, data = data }
    return r.kind == "allow" and r.annotations.data or r.denied.code .. ": " .. r.denied.reason
  end

  it("is the app's, else the operator's, where nobody says one", function()
    assert.same({ "internal", "public" }, { class "x", class "y" })
    assert.same({ "confidential", "internal" }, { class("x", nil, "confidential"), class("x", nil, "public") })
  end)

  it("is what a header of the house means, and callers only raise it", function()
    assert.same({ "restricted", "internal", "public" }, { class("x", { ["x-acme"] = "secret" }), class("x", { ["x-acme"] = "open" }),
      class("y", { ["X-ACME"] = "open" }) })
    assert.equal("restricted", class("x", { ["x-acme"] = "secret" }, "public"))
    assert.equal("restricted", class("y", { ["x-acme"] = "open" }, "restricted"))
  end)

  it("is not guessed from a value that nobody knows", function()
    assert.equal("invalid_hint: header x-acme: 'hm' stands for no data class", class("y", { ["x-acme"] = "hm" }))
    mg = load "{ headers = { ['x-acme'] = { open = 'public', ['*'] = 'confidential' } } }"
    assert.same({ "confidential", "public" }, { class("x", { ["x-acme"] = "hm" }), class "x" })
  end)

  it("is refused where it cannot be one", function()
    for data, words in pairs { ["{ default = 'internl' }"] = "did you mean 'internal'?", ["{ headers = { authorization = { a = 'public' } } }"] = "no secret",
      ["{ headers = { ['x a'] = { a = 'public' } } }"] = "the name of a header", ["{ headers = { x = {} } }"] = "which value stands for which class?",
      ["{ headers = { x = 'public' } }"] = "expected a table of names" } do
      local errors = table.concat(gw.errors { auth = "return auth { data = " .. data .. " }", chain = { "auth" } }, "\n")
      assert.truthy(errors:find(words, 1, true), errors)
    end
  end)
end)
