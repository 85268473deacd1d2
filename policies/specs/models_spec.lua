-- The catalogue: policies/models.lua. Every price says where and when it was read, and a few of them are added up.
local gw = require "moongate.test"

local function text_of(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local models = text_of("policies/models.lua")

describe("the catalogue", function()
  it("has a price for every model, with its source and its day", function()
    local free = {}
    local function same(value) return value end
    local rows = setfenv(assert(loadstring(models)), { models = same, usd_per_million = same, free = free })()
    local count = 0
    for name, row in pairs(rows) do
      if not row.virtual then
        assert.truthy(row.price, name)
        assert.is_true(row.price == free or row.source:find("^https://") ~= nil, name)
        assert.is_true(row.price == free or row.as_of:find("^2%d%d%d%-%d%d%-%d%d$") ~= nil, name)
        assert.truthy(row.context, name)
        count = count + 1
      end
    end
    assert.is_true(count > 30)
  end)

  local mg = gw.load_text { models = models,
    a = "return policy { on_request = function(ctx) ctx:annotate('usd', ('%.9f'):format(ctx.estimate.cost_usd)) end }" }
  local function cost(model, input, output, more)
    local t = more or {}
    t.model, t.input_tokens, t.max_tokens, t.as = model, input, output, { department = "engineering" }
    if output == 0 then t.api = "completions" end -- a chat's bound of nothing is none
    return mg:request(t).annotations.usd
  end

  it("costs what the vendors say", function()
    assert.equal("0.012500000", cost("gpt-4o", 1000, 1000))
    assert.equal("0.020000000", cost("gpt-4o-2024-05-13", 1000, 1000))
    assert.equal("0.090000000", cost("claude-3-opus", 1000, 1000))
    assert.equal("0.000000000", cost("llama", 1000, 1000))
  end)

  it("takes long contexts whole, from just beyond their threshold", function()
    assert.equal("0.680000000", cost("gpt-5.4", 272000, 0))
    assert.equal("1.360005000", cost("gpt-5.4", 272001, 0))
    assert.equal("0.250000000", cost("gemini-2.5-pro", 200000, 0))
    assert.equal("0.500002500", cost("gemini-2.5-pro", 200001, 0))
  end)

  it("knows from when a price holds", function()
    assert.equal("0.000002500", cost("gpt-5.6-terra", 1, 0, { time = "2026-07-29T23:59:59Z" }))
    assert.equal("0.000002000", cost("gpt-5.6-terra", 1, 0, { time = "2026-07-30T00:00:00Z" }))
  end)
end)
