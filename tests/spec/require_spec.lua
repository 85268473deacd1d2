-- require: files that several policies share, frozen; only at the top of a file, only from the bundle.
local gw = require "moongate.test"

local function says(files, wanted)
  assert.equal(wanted, table.concat(gw.errors(files), "\n"))
end

local LISTS = 'return { sensitive = { "legal", "hr" }, cheap = { "p/one" }, limit = { words = { most = 3 } } }'

describe("a shared file", function()
  it("serves conditions, verbs and functions of several policies", function()
    local mg = gw.load_text {
      chain = { "a", "b" },
      ["lib/lists"] = LISTS,
      a = [[local lists = require "lib.lists"
        return policy { rules = { { "home", when = { department = lists.sensitive }, only = lists.cheap } } }]],
      b = [[local lists = require "lib.lists"
        return policy { on_request = function(ctx)
          local n, names = 0, {}
          for i, name in ipairs(lists.sensitive) do n, names[i] = n + 1, name end
          for name, value in pairs(lists.limit) do names[#names + 1] = name .. value.most end
          ctx:annotate("seen", table.concat(names, ",") .. "," .. #lists.sensitive .. table.concat(lists.sensitive) .. n)
          return route(lists.cheap)
        end }]] }
    local r = mg:request { as = { department = "hr" }, model = "auto" }
    assert.routed_to(r, "p/one")
    assert.equal("legal,hr,words3,2legalhr2", r.annotations.seen)
  end)

  it("belongs to everybody: nobody changes it", function()
    for _, change in ipairs { "lists.more = 1", "lists.limit.words.most = 9", "table.insert(lists.sensitive, 'x')",
      "table.sort(lists.sensitive)", "setmetatable(lists, {})", "local _, t = ipairs(lists.sensitive) t[1] = 'x'",
      "local _, t = pairs(lists) t.x = 1" } do
      local mg = gw.load_text { ["lib/lists"] = LISTS, a = ([[local lists = require "lib.lists"
        return policy { on_request = function(ctx) %s end }]]):format(change) }
      assert.faulted(mg:request { model = "one" }, "policies/a.lua:2")
    end
    says({ ["lib/lists"] = LISTS, a = 'local l = require "lib.lists"\nl.x = 1\nreturn policy {}' },
      "policies/a.lua:2: what policies/lib/lists.lua returned is shared and cannot be changed: make a copy")
  end)

  it("may itself require another, in no circle", function()
    local mg = gw.load_text { ["lib/one"] = 'return { name = require("lib.two").name }', ["lib/two"] = 'return { name = "p/one" }',
      a = 'local one = require "lib.one"\nreturn policy { rules = { { "r", route = one.name } } }' }
    assert.routed_to(mg:request { model = "auto" }, "p/one")
    says({ ["lib/one"] = 'return { require "lib.two" }', ["lib/two"] = 'return { require "lib.one" }',
      a = 'local one = require "lib.one"\nreturn policy {}' },
      "policies/lib/two.lua:1: require goes in a circle: lib/one → lib/two → lib/one")
  end)

  it("that is wrong or not there is told with its place", function()
    says({ a = 'local x = require "lib.lists"\nreturn policy {}', ["lib/list"] = LISTS, b = 'local x = require "lib.list"\nreturn policy {}' },
      "policies/a.lua:1: require: there is no file policies/lib/lists.lua (did you mean 'lib/list'?)")
    says({ a = 'local x = require "../secrets"\nreturn policy {}' },
      "policies/a.lua:1: require wants a name such as \"lib.dates\" for policies/lib/dates.lua, got \"../secrets\"")
    says({ a = 'local x = require "lib.x"\nreturn policy {}', ["lib/x"] = "return {\n  a = polcy }" },
      "policies/lib/x.lua:2: undefined name 'polcy' (did you mean 'policy'?)")
    says({ a = 'local x = require "lib.x"\nreturn policy {}', ["lib/x"] = "local y = 1" },
      "policies/a.lua:1: policies/lib/x.lua returns nothing: a shared file ends with return { … }")
    says({ a = 'local x = require "lib.x"\nreturn policy {}', ["lib/x"] = "\27LJ\2" },
      "policies/lib/x.lua:1: compiled Lua is refused: a policy is source, for people to read")
    says({ a = 'local x = require "lib.x"\nreturn policy {}', ["lib/x"] = "while true do end" },
      "policies/lib/x.lua:1: stopped after 2000000 bytecodes"
      .. " (an endless loop? if not: moongate.lua sets the budget, policy = { bytecodes = … })")
  end)

  it("cannot be loaded by a request", function()
    local mg = gw.load_text { ["lib/lists"] = LISTS,
      a = 'local first = require "lib.lists"\nreturn policy { on_request = function(ctx) return require("lib.lists") and first end }' }
    assert.faulted(mg:request { model = "one" }, "require is for the top of the file")
  end)

  it("is a part of the models or of the access matrix, and its rows have their places there", function()
    local files = {
      chain = { "access" },
      models = [[return models { require "models.openai", require "models.ours", own = { targets = { "p/own" }, price = free } }]],
      ["models/openai"] = 'return {\n  ["gpt-4o"] = { targets = { "openai/gpt-4o" }, price = free },\n}',
      ["models/ours"] = 'return { llama = { targets = { "p/llama" }, price = usd_per_million { input = "1", output = "2" } } }',
      access = [[return access { models = {
        require "models.rows", own = { departments = any, data = "internal" } } }]],
      ["models/rows"] = 'return {\n  ["gpt-4o"] = { departments = "sales", data = "internal" } }',
    }
    local mg = gw.load_text(files)
    assert.routed_to(mg:request { as = { department = "sales" }, model = "gpt-4o" }, "openai/gpt-4o")
    assert.routed_to(mg:request { model = "own" }, "p/own")
    assert.denied(mg:request { as = { department = "hr" }, model = "gpt-4o" }, 403, "department_not_authorized")
    assert.denied(mg:request { as = { department = "sales" }, model = "llama" }, 403, "model_not_authorized")
    files["models/openai"] = 'return {\n  ["gpt-4o"] = { targets = { "openai/gpt-4o" },\n    contxt = 3, price = free },\n}'
    files["models/rows"] = 'return {\n  ["gpt-4o"] = { departments = any, data = "inner" } }'
    says(files, "policies/models/openai.lua:3:5: gpt-4o.contxt: unknown field 'contxt' (did you mean 'context'?)\n" ..
      "policies/models/rows.lua:2:37: models.gpt-4o.data: unknown data class 'inner' (public, internal, confidential, restricted)")
  end)

  it("as a part has rows by name, none of them twice", function()
    says({ models = 'return models { require "lib.rows", one = { targets = { "p/one" }, price = free } }',
      ["lib/rows"] = 'return { one = { targets = { "p/one" }, price = free } }', a = "return policy {}" },
      "policies/models.lua:1: 'one' stands in policies/lib/rows.lua, and in another part")
    says({ models = 'return models { require "lib.rows" }', ["lib/rows"] = "return { 1 }", a = "return policy {}" },
      'policies/models.lua:1: policies/lib/rows.lua returns rows by name, such as { ["gpt-4o"] = { … } }')
  end)
end)
