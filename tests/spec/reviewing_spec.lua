-- What access reviews ask of policies: the cells of the matrix, and the patch that takes some away.
local gw = require "moongate.test"

local TEXT = [==[
-- who may
return access {
  models = {
    ["gpt-4o"] = { departments = { "engineering", "product" }, data = "internal" },   -- a, b } "c"
    mini       = { departments = any, data = "internal" },
    ["o3.pro"] = {
      departments = "research", -- one
      data = "internal", approval = "manager",
    },
    large = { data = "internal", departments = { 'sales', --[[ } ]] "a\"}b", "x" } },
  },
  default = "deny",
}
]==]

local MODELS = [[local function m(name) return { targets = { "openai/" .. name }, context = 8000, price = free } end
return models { ["gpt-4o"] = m "gpt-4o", mini = m "mini", ["o3.pro"] = m "o3.pro", large = m "large" }]]

local function load(access) return gw.load_text { access = access or TEXT, models = MODELS } end

local function rows(g)
  local list = {}
  for i, row in ipairs(g:reviewing({}).rows) do
    list[i] = ("%s %s %s:%d %s"):format(row.department, row.model, row.file, row.line, row.data or "-")
  end
  return list
end

local function patch(answers, access)
  local said = load(access):reviewing { answers = answers }
  return said.files[1] and said.files[1].text, said.diff, said.left
end

local function revoke(department, model) return { department = department, model = model, decision = "revoke" } end

-- The old text's lines that the diff takes away, and those that it puts there.
local function moved(diff)
  local gone, come = {}, {}
  for line in diff:gmatch("[^\n]+") do
    if line:find("^%-[^%-]") then gone[#gone + 1] = line:sub(2) elseif line:find("^%+[^+]") then come[#come + 1] = line:sub(2) end
  end
  return gone, come
end

describe("the cells of a matrix", function()
  it("are each department of a row, and one for all where it is for any", function()
    assert.same({ "engineering gpt-4o policies/access.lua:4 internal", "product gpt-4o policies/access.lua:4 internal",
      "a\"}b large policies/access.lua:10 internal", "sales large policies/access.lua:10 internal",
      "x large policies/access.lua:10 internal", "* mini policies/access.lua:5 internal",
      "research o3.pro policies/access.lua:6 internal" }, rows(load()))
  end)

  it("are those that every matrix of the chain lets pass", function()
    local g = gw.load_text { models = MODELS, access = TEXT,
      narrow = 'return access { models = { mini = { departments = { "product" }, data = "internal" } }, default = "deny" }',
      init = 'return chain { "access", "narrow" }' }
    assert.same({ "product mini policies/narrow.lua:1 internal" }, rows(g))
  end)

  it("are everything where the default allows it", function()
    assert.same({ "* * policies/access.lua:1 -" }, rows(load 'return access { default = "allow" }'))
  end)
end)

describe("a patch", function()
  it("takes departments from a row, and leaves all else as it is written", function()
    local text, diff, left = patch { revoke("product", "gpt-4o"), revoke("a\"}b", "large") }
    local gone, come = moved(diff)
    assert.equal(0, #left)
    assert.same({ '    ["gpt-4o"] = { departments = { "engineering", "product" }, data = "internal" },   -- a, b } "c"',
      '    large = { data = "internal", departments = { \'sales\', --[[ } ]] "a\\"}b", "x" } },' }, gone)
    assert.same({ '    ["gpt-4o"] = { departments = { "engineering" }, data = "internal" },   -- a, b } "c"',
      '    large = { data = "internal", departments = { "sales", "x" } },' }, come)
    assert.same({ "engineering gpt-4o policies/access.lua:4 internal", "sales large policies/access.lua:10 internal",
      "x large policies/access.lua:10 internal", "* mini policies/access.lua:5 internal",
      "research o3.pro policies/access.lua:6 internal" }, rows(load(text)))
  end)

  it("takes the whole row where nobody is left, with what stands on its lines", function()
    local text, diff = patch { revoke("research", "o3.pro"), revoke("*", "mini") }
    assert.equal(TEXT:gsub("    mini[^\n]*\n", ""):gsub('    %["o3.pro"%].-\n    },\n', ""), text)
    assert.equal("--- a/policies/access.lua\n+++ b/policies/access.lua\n@@ -2,11 +2,6 @@", diff:match("^[^\n]*\n[^\n]*\n[^\n]*"))
  end)

  it("makes of a row for any one for some", function()
    local text = patch { { department = "*", model = "mini", decision = "reduce", departments = { "sales", "product" } } }
    assert.truthy(text:find('mini       = { departments = { "sales", "product" }, data = "internal" },', 1, true))
  end)

  it("says where to look where code made the row, or the default lets all pass", function()
    local _, diff, left = patch({ revoke("b", "mini") }, [[local rows = { mini = { departments = { "a", "b" }, data = "internal" } }
return access { models = rows, default = "deny" }]])
    assert.equal("", diff)
    assert.equal(1, #left)
    assert.truthy(left[1].why:find("made by code", 1, true))
    assert.truthy(left[1].at:find("^policies/access.lua:%d"))
    local _, _, open = patch({ revoke("a", "mini") },
      'return access { models = { mini = { departments = "a", data = "internal" } }, default = "allow" }')
    assert.truthy(open[1].why:find("the default allows it", 1, true))
  end)

  it("is right without a last line end, and of rows on one line", function()
    local text, diff = patch({ revoke("a", "mini"), revoke("a", "large") },
      'return access { models = { mini = { departments = { "a", "b" }, data = "internal" }, large = { departments = "a", data = "internal" } } }')
    assert.equal('return access { models = { mini = { departments = { "b" }, data = "internal" },  } }', text)
    assert.equal(2, select(2, diff:gsub("\n\\ No newline at end of file\n", "")))
  end)
end)
