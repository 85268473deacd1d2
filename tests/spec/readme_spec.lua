-- What policies/README.md shows must work as it stands there.
local gw = require "moongate.test"

local function blocks()
  local file = assert(io.open("policies/README.md"))
  local text, list = file:read("*a"), {}
  file:close()
  for block in text:gmatch("```lua\n(.-)```") do list[#list + 1] = block end
  return list
end

describe("policies/README.md", function()
  local list = blocks()
  local models = assert(io.open("policies/models.lua")):read("*a")

  it("shows two policies and a spec", function() assert.equal(3, #list) end)

  it("a whole policy: it loads, and its examples hold", function()
    assert.same({}, gw.errors { interns = list[1], models = models })
    local broken = list[1]:gsub("08:00%-18:00", "08:00-11:00")
    assert.equal(1, #gw.errors { interns = broken, models = models })
  end)

  it("a hook", function()
    local mg = gw.load_text { a = list[2] }
    assert.denied(mg:request { model = "one" }, 400, "max_tokens_wanted")
    assert.allowed(mg:request { model = "one", max_tokens = 5 })
    assert.allowed(mg:request { as = { tier = "gold" }, model = "one" })
  end)

  it("a spec", function()
    local mg = gw.load_text { interns = list[1], models = models }
    local r = mg:request { as = { roles = "intern" }, model = "gpt-4o", time = "2025-06-03T12:00:00Z" }
    assert.denied(r, 403, "no_target_left")
    assert.explained_by(r, "interns/cheap-for-interns")
  end)
end)
