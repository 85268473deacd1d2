-- Tokens before the call: which model's way of counting holds, and what policies see of it.
local gw = require "moongate.test"

local SEE = [[return policy { on_request = function(ctx)
  ctx:annotate("seen", ("%d %s"):format(ctx.estimate.input_tokens, tostring(ctx.estimate.estimated)))
end }]]

local function see(models, t)
  local mg = gw.load_text { models = "return models {\n" .. models .. "\n}", z = SEE }
  local r = mg:request(t)
  return r.kind == "fault" and r.fault or r.annotations.seen
end

local function row(name, target, more)
  return ("[%q] = { targets = { %q }, price = free%s },"):format(name, target, more or "")
end

-- Three for the request, three and one for the message and its role, and "Hello, world!": four.
local HELLO = "Hello, world!"

describe("tokens of a request", function()
  it("are exact where the provider's vocabulary is public", function()
    assert.equal("11 false", see(row("gpt-4o", "openai/gpt-4o"), { model = "gpt-4o", text = HELLO }))
    assert.equal("11 false", see(row("gpt-4", "openai/gpt-4"), { model = "gpt-4", text = HELLO }))
    assert.equal("10 false", see(row("gpt-5", "openai/gpt-5"), { model = "gpt-5", text = HELLO })) -- one fewer a request
  end)

  it("are those of the deployment's name, else of the model's", function()
    assert.equal("11 false", see(row("ours", "azure/gpt-4o-2024-08-06"), { model = "ours", text = HELLO }))
    assert.equal("11 false", see(row("gpt-4o", "azure/prod-east-2"), { model = "gpt-4o", text = HELLO }))
    assert.equal("11 false", see(row("ft", "openai/ft:gpt-4o-mini:acme::7p4lURel"), { model = "ft", text = HELLO }))
  end)

  it("of a name that says nothing are an estimate, unless counts_as says what it is", function()
    assert.equal("11 true", see(row("ours", "azure/prod-east-2"), { model = "ours", text = HELLO }))
    assert.equal("11 false", see(row("ours", "azure/prod-east-2", ", counts_as = 'gpt-4o'"), { model = "ours", text = HELLO }))
    assert.equal("10 false", see("ours = { targets = { { 'azure/prod', counts_as = 'gpt-5' } }, price = free },", { model = "ours", text = HELLO }))
  end)

  it("are an estimate without a public vocabulary, or with what no rule knows", function()
    assert.truthy(see(row("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"), { model = "claude-sonnet-4-5", text = HELLO }):find(" true", 1, true))
    assert.truthy(see(row("gpt-4o", "openai/gpt-4o"), { model = "gpt-4o", text = HELLO, uses = "tools" }):find(" true", 1, true))
  end)

  it("of an alias and a snapshot are the model's", function()
    local models = "['gpt-5'] = { targets = { 'openai/gpt-5' }, aliases = { 'best' }, snapshots = { 'gpt-5-2025-08-07' }, price = free },"
    assert.equal("10 false", see(models, { model = "best", text = HELLO }))
    assert.equal("10 false", see(models, { model = "gpt-5-2025-08-07", text = HELLO }))
  end)
end)

describe("counts_as", function()
  it("names a model whose way of counting is known", function()
    assert.same({ "policies/models.lua:2:37: ours.counts_as: counts_as names a model whose way of counting is known, such as \"gpt-4o\""
      .. " or \"claude-sonnet-4-5\"; got the text 'gtp-4o'" },
      gw.errors { models = "return models {\n  ours = { targets = { 'azure/x' }, counts_as = 'gtp-4o', price = free } }", z = SEE })
  end)
end)

describe("the cost of a request", function()
  it("is that of the target which counts and costs most", function()
    local mg = gw.load_text { models = [[return models {
      m = { targets = { { "openai/gpt-4o", price = usd_per_million { input = "1", output = "0" } },
        { "anthropic/claude-opus-4-8", price = usd_per_million { input = "1", output = "0" } } } } }]],
      z = [[return policy { on_request = function(ctx)
        ctx:annotate("seen", ("%.9f %.9f %.9f"):format(ctx.estimate.cost_usd, ctx.estimate:cost_of("openai/gpt-4o"), ctx.estimate:cost_of("anthropic/claude-opus-4-8")))
      end }]] }
    local seen = mg:request({ model = "m", text = ("word "):rep(1000) }).annotations.seen
    local all, one, other = seen:match("(%S+) (%S+) (%S+)")
    assert.equal("0.001008000", one) -- 3 + 3 + 1 + 1,000 words and the last space
    assert.equal(all, other)
    assert.truthy(tonumber(other) > 1.4 * tonumber(one), seen)
  end)
end)
