local priced = usd_per_million { input = "3", cached_input = "0.3", cache_write = "3.75", output = "15" }

return models {
  ["of-openai"]    = { targets = { "o/gpt-4o" }, price = free },
  ["of-compatible"] = { targets = { "c/gpt-4o" }, price = free },
  ["of-amazon"]    = { targets = { "b/us.amazon.nova-lite-v1:0" }, price = free }, -- by Converse
  ["of-gemini"]    = { targets = { "g/gemini-3-flash-preview" }, price = free },
  ["of-anthropic"] = { targets = { "a/claude-sonnet-4-5" }, price = free },
  ["session-chat"]      = { targets = { "c/gpt-4.1" }, price = priced }, -- session.mjs
  ["session-thinking"]  = { targets = { "c/deepseek-reasoner" }, price = priced },
  ["session-gemini"]    = { targets = { "g/gemini-3.5-flash" }, price = priced },
  ["session-anthropic"] = { targets = { "a/claude-haiku-4-5" }, price = priced },
}
