-- Findings carry their code where they are made: what is told of a bundle, by its code. Texts and places: load_spec.lua.
local gw = require "moongate.test"

local function codes(text, wanted)
  assert.equal(wanted, table.concat(gw.codes(type(text) == "table" and text or { a = text }), " "), type(text) == "string" and text or nil)
end

local function policy(body) return "return policy { " .. body .. " }" end
local function rule(body) return policy("rules = { { 'r', " .. body .. " } }") end
local function model(row) return { a = policy "", models = "return models { m = { targets = { 'p/m' }, " .. row .. " } }" } end

describe("the code of", function()
  it("Lua that does not compile is where it is compiled", function()
    codes("return policy {", "MG0101")
    codes("local x = 'open", "MG0101")
    codes("return\n" .. ("x"):rep(10) .. " y", "MG0101")
    codes("local " .. ("a, "):rep(200) .. "a = 1", "MG0101") -- more than a function can hold
    codes({ ["lib/x"] = "return {", a = "require 'lib.x' return policy {}" }, "MG0101")
  end)

  it("what Lua raises is what it says", function()
    codes("local f = nil f() return policy {}", "MG0103")
    codes("local s = ('x').y.z return policy {}", "MG0499")
    codes("table.insert(1, 1) return policy {}", "MG0218")
    codes("while true do end", "MG0105")
    codes("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(100000) .. i end return policy {}", "MG0105")
  end)

  it("what a script raises is its own", function()
    codes("return plicy {}", "MG0103")
    codes("x = 1 return policy {}", "MG0104")
    codes({ ["lib/x"] = "local y = z return {}", a = "require 'lib.x' return policy {}" }, "MG0103")
    codes({ ["lib/x"] = "y = 1 return {}", a = "require 'lib.x' return policy {}" }, "MG0104")
    codes("require 'lib.y' return policy {}", "MG0106")
    codes("return policy 'x'", "MG0102")
    codes("metrics.counter('No', 'x') return policy {}", "MG0218")
    codes(rule "when = { tokens_in = gt('1') }, pass = true", "MG0205")
    codes(rule "when = { department = like(1) }, pass = true", "MG0205")
  end)

  it("a hook that fails in an example is the hook's", function()
    local function hook(body) return policy("on_request = function(ctx) " .. body .. " end, examples = { { } }") end
    codes(hook "deny(403, 'x')", "MG0107")
    codes(hook "return deny(403, 'No')", "MG0208")
    codes(hook "return route 'p/none'", "MG0204")
    codes(hook "return ctx.nothing", "MG0103")
    codes(hook "while true do end", "MG0105")
    codes(hook "return ('x'):rep(2, 3, {}) .. nil", "MG0499")
    codes(hook "return deny(403, 'x')", "MG0201")
  end)

  it("a file and of what it returns", function()
    codes("return {}", "MG0102")
    codes("return models {}", "MG0210")
    codes({ a = policy "", models = "return apps {}" }, "MG0102")
    codes({ a = policy "", chain = { "a", "b" } }, "MG0106")
    codes({ a = policy "", chain = { "a", "a" } }, "MG0210")
    codes({ a = policy "", init = "return chain { 'a', b = 'a' }" }, "MG0210")
    codes({ a = policy "", b = policy "", init = "return chain { 'a' }" }, "MG0304")
  end)

  it("a field", function()
    codes(policy "ruls = {}", "MG0211")
    codes(policy "mode = 'x'", "MG0218")
    codes(policy "rules = {}, examples = { { modl = 'm' } }", "MG0211")
    codes(policy "rules = {}, examples = { { allow = false } }", "MG0208")
    codes({ a = policy "", apps = "return apps { x = { session = { headers = 1 } } }" }, "MG0218")
    codes("return ratelimit { limits = { { 'l', by = {}, requests = 1, per = '1m' } } }", "MG0220")
    codes("return ratelimit { limits = { { 'l', requests = 1 } } }", "MG0220")
    codes("return redaction { custom = { { 'email', like = 'EMP-######' } } }", "MG0219")
    codes("return auth { keys = { headers = {} } }", "MG0222")
    codes(model "price = usd_per_million { input = '1', output = '2', long = { above = 0.5, input = '2', output = '3' } }", "MG0215")
    codes(model "price = usd_per_million '1'", "MG0215")
    codes(model "price = usd_per_million { input = '1', output = '2000' }", "MG0316")
  end)
end)

describe("what follows from a file that does not load", function()
  it("is not told a second time", function()
    codes({ a = rule "when = { model = 'm' }, pass = true", models = "return models {" }, "MG0101")
    codes({ a = rule "when = { department = 'x', no_such = 1 }, route = 'p/m'", models = "return models {" }, "MG0203 MG0101")
  end)
end)
