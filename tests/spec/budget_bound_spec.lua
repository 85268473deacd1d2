-- How long an answer may be under a budget { … }: what is held for it is the most that it can cost.
local gw = require "moongate.test"

local function budget(rows, more) return "return budget { budgets = { " .. rows .. " }" .. (more and ", " .. more or "") .. " }" end
local function with(rows, more) return gw.load_text { a = budget(rows, more), b = "return routing { rules = { { 'r', route = { 'p/two', 'local/own' } } } }" } end

local function ask(mg, identity, t)
  t = t or {}
  t.as, t.model = identity, t.model or "one"
  return mg:request(t)
end

local sales = { department = "sales" }
local row = "{ 'sales', department = 'sales', limit = 100, per = 'month' }"

describe("a bound of nothing", function()
  it("holds what an answer is taken to have: some servers read it as no bound", function()
    local mg = gw.load_text { b = "return budget { budgets = { { 'all', limit = '0.001', per = 'month' } }, " ..
      "thresholds = { { at = '100%', deny = { 402, 'budget_exhausted' } } }, assumed_output_tokens = 1000 }",
      models = "return models { one = { targets = { 'openai/one' }, price = usd_per_million { input = '0', output = '2' } } }" }
    for api, max in pairs { completions = 0, chat = 0 } do
      assert.denied(mg:request { model = "one", api = api, text = "x", max_tokens = max }, 402, "budget_exhausted")
    end
    assert.allowed(mg:request { model = "one", api = "completions", text = "x", max_tokens = 400 })
  end)
end)

describe("what is held", function()
  it("is the dearest that its input may be billed as", function()
    local function mg(limit)
      return gw.load_text { models = [[return models { one = { targets = { "p/one" },
        price = usd_per_million { input = "3", cache_write = "3.75", cache_write_1h = "6", audio_input = "9", output = "0" } } }]],
        a = budget("{ 'all', limit = '" .. limit .. "', per = 'day' }") }
    end
    local function held(uses) -- of a thousand tokens
      local it = mg(1)
      local nano = it:request { uses = uses, text = ("word "):rep(1000), max_tokens = 1 }
      assert.allowed(nano)
      return tonumber(gw.trace(nano):match("may cost %$([%d.]+)"))
    end
    local plain, cached = held(), held "caching"
    assert.is_true(cached > 1.9 * plain and cached < 2.2 * plain, cached .. " of " .. plain)
    assert.is_true(held "audio" > 2.9 * plain)
  end)
end)

describe("a budget", function()
  local mg = with(row)

  it("takes each of several answers to be as long", function()
    local function two(limit)
      local it = with("{ 'sales', department = 'sales', limit = '" .. limit .. "', per = 'month' }")
      return it:request { as = sales, body = '{"model":"one","n":3,"max_tokens":100,"messages":[{"role":"user","content":"1234"}]}' }
    end
    assert.allowed(two "0.000609") -- 3 × 100 × 2 + 9 × 1 micro-dollars
    assert.denied(two "0.000608", 402)
  end)

  it("bounds the answer of who does not, to what is held for it; not what costs nothing, nor where nothing blocks", function()
    local function bound(r)
      assert.allowed(r)
      for _, entry in ipairs(r.trace) do
        if entry.verb == "bound" then return entry.reason, entry.rule end
      end
    end
    local reason, rule = bound(ask(mg, sales))
    assert.equal("max_tokens 4096 is added: money is held for no more", reason)
    assert.equal("sales", rule)
    assert.equal("max_tokens 77 is added: money is held for no more", bound(ask(with(row, "assumed_output_tokens = 77"), sales)))
    assert.is_nil(bound(ask(mg, sales, { max_tokens = 9000 })))
    assert.is_nil(bound(ask(mg, sales, { model = "own" })))
    assert.is_nil(bound(ask(mg, { department = "support" })))
    assert.is_nil(bound(ask(with(row, "thresholds = { { at = '100%', warn = true } }"), sales)))
    assert.is_nil(bound(ask(with(row, "mode = 'observe'"), sales)))
  end)

  it("adds no more than the model has room for beside the input", function()
    local models = "return models { one = { targets = { 'p/one' }, context = 100, price = usd_per_million { input = 1, output = 2 } } }"
    local r = ask(gw.load_text { models = models, a = budget(row) }, sales, { text = "1234" })
    assert.allowed(r)
    assert.equal("max_tokens 91 is added: money is held for no more", r.trace[2].reason)
  end)

  it("keeps what later policies set within what is held", function()
    local function most(value, t)
      local it = gw.load_text { chain = { "a", "z" }, a = budget(row), z = ("return policy { on_request = function(ctx) ctx.request:set('max_tokens', %s)"
        .. " ctx:annotate('v', tostring(ctx.request.max_tokens)) end }"):format(value) }
      return ask(it, sales, t).annotations.v
    end
    assert.equal("4096", most "5000")
    assert.equal("4096", most "nil")
    assert.equal("300", most "300")
    assert.equal("70", most("500", { max_tokens = 70 }))
  end)

  it("takes a slice of a stream's output, and all of an answer that comes whole", function()
    local small = "{ 'sales', department = 'sales', limit = '0.000042', per = 'month' }"
    local function sliced(slice) return with(small, "stream = { slice = " .. slice .. " }") end
    local t = { text = "12345678", max_tokens = 1000, stream = true } -- 10 micro-dollars in, 2 a token out
    assert.allowed(ask(sliced(16), sales, t))
    assert.denied(ask(sliced(17), sales, t), 402)
    assert.denied(ask(sliced(16), sales, { text = "12345678", max_tokens = 1000 }), 402)
    assert.allowed(ask(sliced(64), sales, { text = "12345678", max_tokens = 16, stream = true }))
  end)

  it("takes the widest slice of several budgets, and none where one of them has none", function()
    local function sliced(other)
      return gw.load_text { chain = { "a", "b" }, b = budget("{ 'all', each = 'app', limit = 1, per = 'month' }", other),
        a = budget("{ 'sales', department = 'sales', limit = '0.000042', per = 'month' }", "stream = { slice = 16 }") }
    end
    local t = { text = "12345678", max_tokens = 1000, stream = true }
    assert.allowed(ask(sliced "stream = { slice = 16 }", sales, t))
    assert.denied(ask(sliced "stream = { slice = 17 }", sales, t), 402)
    assert.denied(ask(sliced(), sales, t), 402)
  end)

  it("does so of budgets that were admitted before others, too", function()
    local function sliced(first)
      return gw.load_text { chain = { "a", "r", "b" }, r = "return routing { rules = { { 'r', route = { 'p/two' } } } }",
        a = budget("{ 'all', each = 'app', limit = 1, per = 'month' }", first),
        b = budget("{ 'sales', department = 'sales', limit = '0.000042', per = 'month' }", "stream = { slice = 16 }") }
    end
    local t = { text = "12345678", max_tokens = 1000, stream = true }
    assert.allowed(ask(sliced "stream = { slice = 16 }", sales, t))
    assert.denied(ask(sliced(), sales, t), 402)
  end)
end)
