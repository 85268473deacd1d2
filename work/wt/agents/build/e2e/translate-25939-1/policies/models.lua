return models {
  auto    = { virtual = true },
  claude  = { targets = { "anthropic/claude-sonnet-4-5" }, context = 200000, price = usd_per_million { input = "1", output = "1" } },
  strict  = { targets = { "anthropic/claude-3-5-haiku" }, context = 200000, on_dropped = "refuse",
    price = usd_per_million { input = "1", output = "1" } },
  gpt     = { targets = { "openai/gpt-4o" }, context = 200000, price = usd_per_million { input = "1", output = "1" } },
  gpt5    = { targets = { "openai/gpt-5" }, context = 200000, price = usd_per_million { input = "1", output = "1" } },
  dear    = { targets = { "anthropic/claude-dear" }, context = 200000, price = usd_per_million { input = "0", output = "100000" } },
  tiers   = { targets = { "anthropic/claude-haiku-4-5" }, context = 200000,
    price = usd_per_million { input = "10", output = "10", flex = { input = "1", output = "1" } } },
  hurried = { targets = { "anthropic/claude-hurried" }, context = 200000,
    price = usd_per_million { input = "0", output = "100000", flex = { input = "0", output = "1" } } },
  closed  = { targets = { "anthropic/claude-closed" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
}
