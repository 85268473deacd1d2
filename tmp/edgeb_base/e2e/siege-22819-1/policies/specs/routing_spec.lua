-- Which model answers: policies/routing.lua, the seed's router and its routing table.
local gw = require "moongate.test"

describe("routing", function()
  local mg = gw.load { "policies/routing.lua" }

  local cases = {
    { "long documents",              { context_tokens = 100001 },                        "anthropic/claude-3-5-sonnet" },
    { "just not long documents",     { context_tokens = 100000 },                        "openai/gpt-4o-mini" },
    { "code",                        { task = "code" },                                  "openai/gpt-4o" },
    { "fast response",               { max_latency_ms = 800 },                           "openai/gpt-4o-mini" },
    { "no latency said",             {},                                                 "openai/gpt-4o-mini" },
    { "highest quality",             { quality = "high" },                               "openai/gpt-4o" },
    { "quality, but quickly",        { quality = "high", max_latency_ms = 500 },         "openai/gpt-4o-mini" },
    { "code before latency",         { task = "code", max_latency_ms = 500 },            "openai/gpt-4o" },
    { "long code",                   { task = "code", context_tokens = 200000 },         "anthropic/claude-3-5-sonnet" },
    { "internal only",               { data = "confidential" },                          "local/llama-3.1-70b" },
    { "internal only, however long", { data = "restricted", context_tokens = 120000 },   "local/llama-3.1-70b" },
    { "embeddings",                  { api = "embeddings" },                             "openai/text-embedding-3-small" },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. " -> " .. case[3], function()
      assert.routed_to(mg:request(case[2]), case[3])
    end)
  end

  it("gives an order of fallbacks", function()
    assert.same({ "openai/gpt-4o-mini", "anthropic/claude-3-5-haiku" }, mg:request().route.targets)
  end)

  it("leaves a named model alone", function()
    assert.same({ "openai/gpt-4.1" }, mg:request { model = "gpt-4.1", task = "code" }.route.targets)
  end)

  it("counts what may be answered as context", function()
    local text = ("word "):rep(97000) -- as many tokens, and a few for the message
    assert.routed_to(mg:request { text = text }, "openai/gpt-4o-mini")
    assert.routed_to(mg:request { text = text, max_tokens = 4000 }, "anthropic/claude-3-5-sonnet")
  end)

  it("says why", function()
    local r = mg:request { context_tokens = 150000 }
    assert.explained_by(r, "routing/long-context")
    assert.equal("150000 tokens need the 200K window", r.trace[#r.trace].reason)
  end)
end)
