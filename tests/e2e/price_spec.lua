-- moongate price: what so many tokens cost, in exact figures.
local cjson = require("cjson")
local command = require("tests.e2e.kit.command")
local workdir = require("tests.e2e.kit.workdir")

local run, has = command.run, command.has

local dir
before_each(function() dir = workdir.new("price") end)
after_each(function() dir:remove() end)

describe("moongate price", function()
  -- Figures of its own, so that a new catalogue changes nothing here.
  local MODELS = [[
return models {
  auto = { virtual = true },
  small = { targets = { "openai/small", { "local/small", price = free }, { "p/none" } }, aliases = { "tiny" },
    price = { usd_per_million { input = "2.50", cached_input = "0.25", output = "10",
        long = { above = 1000, input = "5", cached_input = "0.50", output = "20" } },
      usd_per_million { effective = "2026-03-01", input = "3", output = "12", flex = { input = "1", output = "6" } } },
    source = "https://example.com/pricing", as_of = "2026-02-01" },
  nothing = { targets = { "p/nothing" } },
}
]]
  before_each(function()
    dir:write("p/models.lua", MODELS)
    dir:write("p/init.lua", 'return chain { "a" }\n')
    dir:write("p/a.lua", "return policy {}\n")
  end)
  local function price(...) return run(dir.root, "price", "--policies", "p", ...) end

  it("says the exact amount, part by part, and whose price it is", function()
    local out, code = price("openai/small", "--in", "1000", "--cached", "201", "--out", "7", "--at", "2026-02-28")
    assert.equal(0, code, out)
    has(out, "openai/small  0.00211775 USD\n")                  -- (799 × 2.50 + 201 × 0.25 + 7 × 10) / 1,000,000
    has(out, "  input                    799 × 2.50       0.0019975\n")
    has(out, "  cached_input             201 × 0.25       0.00005025\n")
    has(out, "  output                     7 × 10.00      0.00007\n")
    assert.truthy(out:find("\n  price %x%x%x%x%x%x%x%x%x%x%x%x  read 2026%-02%-01  https://example.com/pricing"), out)
    out = price("openai/small", "--in", "1001", "--out", "1", "--at", "2026-02-28T23:59:59Z")
    has(out, "openai/small  0.005025 USD")
    has(out, "\n  long-context rates\n")
  end)

  it("rounds up once, to a nano-dollar, and holds what no fraction does", function()
    has((price("openai/small", "--in", "3000000000000001", "--at", "2026-03-01")), "openai/small  9000000000.000003 USD")
    dir:write("p/models.lua", 'return models { m = { targets = { "p/m" }, price = usd_per_million { input = "0.000001", output = "0.000001" } } }\n')
    has((price("m", "--in", "1")), "p/m  0.000000001 USD")
    has((price("m", "--in", "500", "--out", "500")), "p/m  0.000000001 USD")
    has((price("m", "--in", "500", "--out", "501")), "p/m  0.000000002 USD")
  end)

  it("counts what is paid for by the piece", function()
    dir:write("p/models.lua", 'return models { m = { targets = { "p/m" }, price = usd_per_million { input = "1", output = "1", ' ..
      'per_search = "0.01", us = { input = "2", output = "2", per_search = "0.02" } } } }\n')
    local out, code = price("m", "--in", "1000000", "--searches", "3")
    assert.equal(0, code, out)
    has(out, "p/m  1.03 USD")
    has((price("m", "--in", "1000000", "--searches", "3", "--tier", "us")), "p/m  2.06 USD")
    out, code = price("m", "--in", "1000000", "--tool-calls", "1")
    assert.equal(1, code, out)
  end)

  it("takes a model's targets, a tier and a date", function()
    local out, code = price("tiny", "--in", "1000000", "--tier", "flex", "--at", "2026-03-01")
    assert.equal(0, code, out)
    has(out, "openai/small  1 USD")
    has(out, "\n  tier flex\n  effective 2026-03-01\n")
    has(out, "local/small  0 USD")
    has(out, "p/none  1 USD")
    out, code = price("openai/small", "--in", "1000000", "--tier", "batch", "--at", "2026-03-01")
    assert.equal(1, code, out)
    has(out, "openai/small  3 USD")
    has(out, "the price names no tier 'batch': the usual rates were taken")
  end)

  it("says it as one document", function()
    local out, code = price("openai/small", "--in", "1000", "--out", "500", "--reasoning", "100", "--at", "2026-03-01", "--json")
    assert.equal(0, code, out)
    local target = cjson.decode(out).targets[1]
    assert.same({ "known", "9000000", "0.009", "2026-03-01", "small" }, { target.state, target.cost_nano, target.cost_usd, target.effective, target.model })
    assert.same({ part = "input", count = 1000, usd = "0.003", usd_per_million = "3.00" }, target.lines[1])
    assert.same({ "output", 400, "reasoning", 100 }, { target.lines[2].part, target.lines[2].count, target.lines[3].part, target.lines[3].count })
  end)

  it("says what is unpriced, and what has no rate", function()
    local out, code = price("nothing", "--in", "5")
    assert.equal(1, code)
    has(out, "p/nothing  unpriced: policies/models.lua has no price for it")
    out, code = price("openai/small", "--in", "10", "--cache-write", "4", "--at", "2026-02-28")
    assert.equal(1, code)
    has(out, "openai/small  0.000015 USD, and what has no rate")
    has(out, "cache_write                4 × no rate")
    assert.equal("incomplete", cjson.decode((price("openai/small", "--in", "10", "--cache-write", "4", "--json"))).targets[1].state)
  end)

  it("says what it cannot read", function()
    local function refuses(wanted, ...)
      local out, code = price(...)
      assert.equal(2, code, out)
      has(out, wanted)
    end
    refuses("there is no model or target 'smal': did you mean 'small'?", "smal", "--in", "1")
    refuses("'auto' runs nowhere of its own, routing chooses: name a model", "auto", "--in", "1")
    refuses("--in takes a whole number, 0 or more, not `-5`", "small", "--in=-5")
    refuses("--out takes a whole number, 0 or more, not `1.5`", "small", "--out", "1.5")
    refuses("--in takes a whole number, 0 or more, not `9007199254740993`", "small", "--in", "9007199254740993")
    refuses("of 5 tokens in, 6 are named", "small", "--in", "5", "--cached", "6")
    refuses("--at is written 2026-03-01", "small", "--in", "5", "--at", "March")
    refuses("that is more than can be counted", "small", "--in", "9007199254740992")
    refuses("say which model or target", "--in", "5")
  end)
end)
