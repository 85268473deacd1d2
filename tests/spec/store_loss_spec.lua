-- on_store_loss: what limits and budgets do while the counters that gateways share are out of reach.
local gw = require "moongate.test"

local function budget(more)
  return gw.load_text { a = "return budget { budgets = { { 'sales', department = 'sales', limit = 100, per = 'month' } }"
    .. (more and ", " .. more or "") .. " }" }
end
local function limit(more) return gw.load_text { a = "return ratelimit { limits = { { 'x', by = 'user', requests = 1, per = '1h' } }, " .. more .. " }" } end

local function ask(mg, identity, t)
  t.as, t.model = identity, "one"
  return mg:request(t)
end

local sales = { department = "sales" }

describe("a budget", function()
  local function lost(mode)
    local mg = budget(mode and "on_store_loss = '" .. mode .. "'")
    mg:spend { department = "sales", usd = 99 }
    mg:store_down()
    return mg
  end

  it("local gives a fifth of what was left away for a minute, then refuses", function()
    local mg = lost()
    local r = ask(mg, sales, { cost_usd = 0.1 })
    assert.allowed(r)
    assert.equal("shared counters are out of reach: counted by this gateway alone", r.trace[1].reason)
    r = ask(mg, sales, { cost_usd = 0.11 })
    assert.denied(r, 503, "limits_unavailable")
    assert.equal(5, r.denied.retry_after)
    assert.equal("shared counters are out of reach, and the part that this gateway counts alone is used up", r.denied.reason)
    assert.denied(ask(mg, sales, { cost_usd = 0.95 }), 402) -- that is more than was left at all
    mg:advance "59s"
    assert.allowed(ask(mg, sales, { cost_usd = 0.1 }))
    assert.denied(ask(mg, sales, { cost_usd = 0.01 }), 503)
    mg:advance "1s"
    r = ask(mg, sales, { cost_usd = 0.01 })
    assert.denied(r, 503, "limits_unavailable")
    assert.equal("shared counters are out of reach", r.denied.reason)
    mg:store_up()
    assert.allowed(ask(mg, sales, { cost_usd = 0.8 }))
  end)

  it("what is only observed refuses nothing, and says what it would", function()
    local mg = budget("mode = 'observe', on_store_loss = 'closed'")
    mg:spend { department = "sales", usd = 1 }
    mg:store_down()
    local r = ask(mg, sales, { cost_usd = 0.1 })
    assert.allowed(r)
    assert.equal("deny", r.trace[1].verb)
    assert.equal("observe", r.trace[1].mode)
    assert.equal("shared counters are out of reach", r.trace[1].reason)
  end)

  it("open lets pass, closed refuses", function()
    local r = ask(lost "open", sales, { cost_usd = 50 })
    assert.allowed(r)
    assert.equal("lost", r.trace[1].verb)
    assert.denied(ask(lost "closed", sales, { cost_usd = 0.1 }), 503, "limits_unavailable")
  end)
end)
describe("a limit", function()
  local function after_loss(mode)
    local mg = limit("on_store_loss = '" .. mode .. "'")
    mg:request { model = "one" }
    mg:store_down()
    return mg:request { model = "one" }, mg
  end

  it("open lets pass, and says so", function()
    local r = after_loss "open"
    assert.allowed(r)
    assert.equal("shared counters are out of reach: let pass", r.trace[1].reason)
  end)

  it("closed refuses with 503", function()
    local r = after_loss "closed"
    assert.denied(r, 503, "limits_unavailable")
    assert.equal(5, r.denied.retry_after)
  end)

  it("local goes on counting", function()
    local r, mg = after_loss "local"
    assert.denied(r, 429)
    assert.allowed(mg:request({ as = { user = "bob" }, model = "one" }))
    mg:redis_up()
    assert.denied(mg:request { model = "one" }, 429)
  end)
end)
