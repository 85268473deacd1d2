return models {
  ["of-openai"]    = { targets = { "o/gpt-4o" }, price = free },
  ["of-compatible"] = { targets = { "c/gpt-4o" }, price = free },
  ["of-anthropic"] = { targets = { "a/claude-sonnet-4-5" }, price = free },
}
