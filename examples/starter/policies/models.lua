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
  -- For POST /v1/files and /v1/batches, at the account that is to keep them ("Files and batches", policies/README.md):
  -- files = { targets = { "openai/files" }, price = free }, batches = { targets = { "openai/batches" }, price = free },
}
