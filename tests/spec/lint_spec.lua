-- Which rules lint calls unreachable, and which it must not.
local gw = require "moongate.test"

-- "2: by 'a'" for each rule that is said never to be reached.
local function unreachable(rules, extra)
  local list = {}
  local texts = { house = "return policy { " .. (extra or "") .. " examples = {}, rules = { " .. rules .. " } }" }
  for _, said in ipairs(gw.errors(texts)) do
    local i, by = said:match("rules%[(%d+)%]: never reached: '([^']*)'")
    if i then list[#list + 1] = i .. ": by '" .. by .. "'" end
  end
  return list
end

local function rule(name, when, more) return ("{ %q, when = { %s }, %s }"):format(name, when, more or 'deny = { 403, "x" }') end

describe("a rule", function()
  it("is never reached behind one that holds wherever it does", function()
    for earlier, later in pairs {
      ['app = { "a", "b" }'] = 'app = "a", stream = true', ['app = isnt "a"'] = 'app = "b"', ['app = like "a*"'] = 'app = { "ab", "ac" }',
      ['data = at_least "internal"'] = 'data = none_of { "public" }', ["context_tokens = gt(5)"] = "context_tokens = ge(6)",
      ['role = { "a", "b" }'] = 'role = "a"', ['label = none_of { "a" }'] = 'label = none_of { "a", "b" }', ["tier = any"] = 'app = "x"',
      ['hours = "08:00-18:00"'] = 'hours = "08:00-18:00", app = "x"',
    } do
      assert.same({ "2: by 'first'" }, unreachable(rule("first", earlier) .. ", " .. rule("second", later)), earlier .. " | " .. later)
    end
    assert.same({ "2: by 'first'" }, unreachable('{ "first", when = { app = "a" }, unless = { role = "x" }, pass = true }, '
      .. '{ "second", when = { app = "a" }, unless = { role = { "x", "y" } }, annotate = { a = "b" } }'))
  end)

  it("is reached where the two only look alike", function()
    for earlier, later in pairs {
      ['role = isnt "a"'] = 'role = "b"', ['uses = none_of { "tools" }'] = 'uses = "images"', ['label = { "a" }'] = 'label = "b"',
      ["share = '50%'"] = "share = '50%', app = 'x'", -- each rule draws its own
      ['app = like "a*"'] = 'app = isnt "b"', ["max_latency_ms = ge(0)"] = "max_latency_ms = isnt(5)",
    } do
      assert.same({}, unreachable(rule("first", earlier) .. ", " .. rule("second", later)), earlier .. " | " .. later)
    end
    assert.same({}, unreachable('{ "first", when = { app = "a" }, unless = { role = { "x", "y" } }, pass = true }, '
      .. '{ "second", when = { app = "a" }, unless = { role = "x" }, annotate = { a = "b" } }'))
  end)

  it("is reached behind a denial of what is called, or one that is only observed", function()
    local both = rule("first", 'called = "one"') .. ", " .. rule("second", 'called = "one", app = "x"', 'annotate = { a = "b" }')
    assert.same({}, unreachable((both:gsub('called = "one", app', "app"))))
    assert.same({}, unreachable(rule("first", 'called = "one"') .. ", " .. rule("second", 'called = "one"')))
    local observed = rule("first", 'app = "a"', 'deny = { 403, "x" }, mode = "enforce"') .. ", " .. rule("second", 'app = "a"')
    assert.same({ "2: by 'first'" }, unreachable(observed))
    assert.same({}, unreachable(observed, 'mode = "observe",'))
  end)
end)
