return models {
  ["gpt-4o-mini"] = { targets = { "openai/gpt-4o-mini" }, context = 128000,
    price = usd_per_million { input = "0.15", output = "0.60" } },
}
