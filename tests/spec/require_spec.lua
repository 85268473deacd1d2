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
end)
