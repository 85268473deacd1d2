local priced = usd_per_million { input = "3", cached_input = "0.3", cache_write = "3.75", output = "15" }

return models {
  ["of-openai"]    = { targets = { "o/gpt-4o" }, price = free },
  ["of-compatible"] = { targets = { "c/gpt-4o" }, price = free },
  ["of-amazon"]    = { targets = { "b/us.amazon.nova-lite-v1:0" }, price = free }, -- by Converse
  ["of-responses"] = { targets = { "r/gpt-5-codex" }, price = free },
  ["of-gemini"]    = { targets = { "g/gemini-3-flash-preview" }, price = free },
  ["of-anthropic"] = { targets = { "a/claude-sonnet-4-5" }, price = free },
  ["session-chat"]      = { targets = { "c/gpt-4.1" }, price = priced }, -- session.mjs
  ["session-thinking"]  = { targets = { "c/deepseek-reasoner" }, price = priced },
  ["session-responses"] = { targets = { "r/gpt-5.1-codex" }, price = priced },
  ["session-gemini"]    = { targets = { "g/gemini-3.5-flash" }, price = priced },
  ["session-anthropic"] = { targets = { "a/claude-haiku-4-5" }, price = priced },

  judge         = { targets = { "o/moderation" }, price = free }, -- side.mjs, side_client.py
  files         = { targets = { "o/files" }, price = free }, batches = { targets = { "o/batches" }, price = free },
  paint         = { targets = { "o/gpt-image-1" }, price = usd_per_million { input = "5", output = "0", image_output = "40" } },
  ["paint-old"] = { targets = { "o/dall-e-2" }, price = usd_per_million { input = "0", output = "0", per_image = "0.02" } },
  say           = { targets = { "o/tts-1" }, price = usd_per_million { input = "0", output = "0", per_character = "0.000015" } },
  hear          = { targets = { "o/whisper-1" }, price = usd_per_million { input = "0", output = "0", per_second = "0.0001" } },
  ["hear-new"]  = { targets = { "o/gpt-4o-transcribe" }, price = usd_per_million { input = "2.5", audio_input = "6", output = "10" } },
}
