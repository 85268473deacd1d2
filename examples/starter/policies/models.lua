-- What callers may ask for, where it runs, and what it costs in USD per million tokens.
-- Check the prices against your contract.

return models {
  auto = { virtual = true },    -- "you choose": routing.lua decides

  ["gpt-4o"] = {
    targets = { "openai/gpt-4o" },
    context = 128000,
    price   = usd_per_million { input = "2.50", cached_input = "1.25", output = "10.00" },
  },
  ["gpt-4o-mini"] = {
    targets = { "openai/gpt-4o-mini" },
    context = 128000,
    price   = usd_per_million { input = "0.15", cached_input = "0.075", output = "0.60" },
  },
}
