-- What callers may ask for, where it runs, and what it costs in USD per million tokens.
--
-- aliases are further names; snapshots are dated names, sent on as they are, that stand under the model's own rules.
-- Prices are list prices with their source and the day they were read: check them against your contract. They are here
-- where two independent readings of the vendor's page agree; a part without a rate is not guessed, its cost is flagged.
-- A model that access.lua has no row for belongs to nobody yet; optional: nobody misses it where moongate.lua has no
-- account of its provider.

local openai    = "https://developers.openai.com/api/docs/pricing"
local anthropic = "https://platform.claude.com/docs/en/about-claude/pricing"
local google    = "https://ai.google.dev/gemini-api/docs/pricing"
local mistral   = "https://mistral.ai/pricing"
local deepseek  = "https://api-docs.deepseek.com/quick_start/pricing"
local groq      = "https://groq.com/pricing"

-- Several models of a family cost the same.
local opus_4_5   = usd_per_million { input = "5.00", cached_input = "0.50", cache_write = "6.25", cache_write_1h = "10.00", output = "25.00" }
local old_opus   = usd_per_million { input = "15.00", cached_input = "1.50", cache_write = "18.75", cache_write_1h = "30.00", output = "75.00" }
local old_sonnet = usd_per_million { input = "3.00", cached_input = "0.30", cache_write = "3.75", cache_write_1h = "6.00", output = "15.00" }

return models {
  auto = { virtual = true },    -- "you choose": routing.lua decides

  -- OpenAI
  ["gpt-4o"] = {
    targets   = { "openai/gpt-4o" },
    snapshots = { "gpt-4o-2024-08-06", "gpt-4o-2024-11-20",
                  { "gpt-4o-2024-05-13", price = usd_per_million { input = "5.00", output = "15.00" } } },
    context   = 128000,
    price     = usd_per_million { input = "2.50", cached_input = "1.25", output = "10.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-4o-mini"] = {
    targets   = { "openai/gpt-4o-mini" },
    snapshots = { "gpt-4o-mini-2024-07-18" },
    context   = 128000,
    price     = usd_per_million { input = "0.15", cached_input = "0.075", output = "0.60" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-4.1"] = {
    targets   = { "openai/gpt-4.1" },
    snapshots = { "gpt-4.1-2025-04-14" },
    context   = 1047576,
    price     = usd_per_million { input = "2.00", cached_input = "0.50", output = "8.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-4.1-mini"] = {
    targets   = { "openai/gpt-4.1-mini" },
    snapshots = { "gpt-4.1-mini-2025-04-14" },
    context   = 1047576,
    price     = usd_per_million { input = "0.40", cached_input = "0.10", output = "1.60" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-4.1-nano"] = {
    targets   = { "openai/gpt-4.1-nano" },
    snapshots = { "gpt-4.1-nano-2025-04-14" },
    context   = 1047576,
    price     = usd_per_million { input = "0.10", cached_input = "0.025", output = "0.40" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5"] = {
    targets   = { "openai/gpt-5" },
    snapshots = { "gpt-5-2025-08-07" },
    context   = 400000,
    price     = usd_per_million { input = "1.25", cached_input = "0.125", output = "10.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5-mini"] = {
    targets   = { "openai/gpt-5-mini" },
    snapshots = { "gpt-5-mini-2025-08-07" },
    context   = 400000,
    price     = usd_per_million { input = "0.25", cached_input = "0.025", output = "2.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5-nano"] = {
    targets   = { "openai/gpt-5-nano" },
    snapshots = { "gpt-5-nano-2025-08-07" },
    context   = 400000,
    price     = usd_per_million { input = "0.05", cached_input = "0.005", output = "0.40" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.1"] = {
    targets   = { "openai/gpt-5.1" },
    snapshots = { "gpt-5.1-2025-11-13" },
    context   = 400000,
    price     = usd_per_million { input = "1.25", cached_input = "0.125", output = "10.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.2"] = {
    targets   = { "openai/gpt-5.2" },
    snapshots = { "gpt-5.2-2025-12-11" },
    context   = 400000,
    price     = usd_per_million { input = "1.75", cached_input = "0.175", output = "14.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.4"] = {
    targets   = { "openai/gpt-5.4" },
    snapshots = { "gpt-5.4-2026-03-05" },
    context   = 1050000,
    price     = usd_per_million { input = "2.50", cached_input = "0.25", output = "15.00",
      long     = { above = 272000, input = "5.00", cached_input = "0.50", output = "22.50" },
      priority = { input = "5.00", cached_input = "0.50", output = "30.00" } },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.4-mini"] = {
    targets   = { "openai/gpt-5.4-mini" },
    snapshots = { "gpt-5.4-mini-2026-03-17" },
    context   = 400000,
    price     = usd_per_million { input = "0.75", cached_input = "0.075", output = "4.50",
      priority = { input = "1.50", cached_input = "0.15", output = "9.00" } },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.4-nano"] = {
    targets   = { "openai/gpt-5.4-nano" },
    snapshots = { "gpt-5.4-nano-2026-03-17" },
    context   = 400000,
    price     = usd_per_million { input = "0.20", cached_input = "0.02", output = "1.25" },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.5"] = {
    targets   = { "openai/gpt-5.5" },
    snapshots = { "gpt-5.5-2026-04-23" },
    context   = 1050000,
    price     = usd_per_million { input = "5.00", cached_input = "0.50", output = "30.00",
      long     = { above = 272000, input = "10.00", cached_input = "1.00", output = "45.00" },
      priority = { input = "12.50", cached_input = "1.25", output = "75.00" } },
    source    = openai, as_of = "2026-08-21",
  },
  ["gpt-5.6-terra"] = {
    targets   = { "openai/gpt-5.6-terra" },
    context   = 1050000,
    price     = {
      usd_per_million { input = "2.50", cached_input = "0.25", output = "15.00",
        long = { above = 272000, input = "5.00", cached_input = "0.50", output = "22.50" } },
      usd_per_million { effective = "2026-07-30", input = "2.00", cached_input = "0.20", output = "12.00",
        long = { above = 272000, input = "4.00", cached_input = "0.40", output = "18.00" } },
    },
    source    = openai, as_of = "2026-08-21",
  },
  ["o3"] = {
    targets   = { "openai/o3" },
    snapshots = { "o3-2025-04-16" },
    context   = 200000,
    price     = usd_per_million { input = "2.00", cached_input = "0.50", output = "8.00" },
    source    = openai, as_of = "2026-08-21",
  },
  ["o4-mini"] = {
    targets   = { "openai/o4-mini" },
    snapshots = { "o4-mini-2025-04-16" },
    context   = 200000,
    price     = usd_per_million { input = "1.10", cached_input = "0.275", output = "4.40" },
    source    = openai, as_of = "2026-08-21",
  },
  ["text-embedding-3-small"] = {
    targets   = { "openai/text-embedding-3-small" },
    context   = 8192,
    price     = usd_per_million { input = "0.02", output = "0" },
    source    = openai, as_of = "2026-08-21",
  },
  ["text-embedding-3-large"] = {
    targets   = { "openai/text-embedding-3-large" },
    context   = 8192,
    price     = usd_per_million { input = "0.13", output = "0" },
    source    = openai, as_of = "2026-08-21",
  },
  -- Some libraries ask for this one when they are told nothing. Its vectors mean nothing to the others'.
  ["text-embedding-ada-002"] = {
    targets   = { "openai/text-embedding-ada-002" },
    context   = 8192,
    price     = usd_per_million { input = "0.10", output = "0" },
    source    = openai, as_of = "2026-08-21",
  },

  -- Anthropic
  ["claude-3-haiku"] = {
    targets   = { "anthropic/claude-3-haiku" },
    snapshots = { "claude-3-haiku-20240307" },
    context   = 200000,
    price     = usd_per_million { input = "0.25", cached_input = "0.03", cache_write = "0.30", cache_write_1h = "0.50", output = "1.25" },
    source    = anthropic, as_of = "2026-07-29",
  },
  ["claude-3-5-sonnet"] = {
    targets   = { "anthropic/claude-3-5-sonnet" },
    snapshots = { "claude-3-5-sonnet-20241022" },
    context   = 200000,
    price     = old_sonnet,
    source    = anthropic, as_of = "2026-07-29",
  },
  ["claude-3-5-haiku"] = {
    targets   = { "anthropic/claude-3-5-haiku" },
    snapshots = { "claude-3-5-haiku-20241022" },
    context   = 200000,
    price     = usd_per_million { input = "0.80", cached_input = "0.08", cache_write = "1.00", cache_write_1h = "1.60", output = "4.00" },
    source    = anthropic, as_of = "2026-07-29",
  },
  ["claude-3-opus"] = {
    targets   = { "anthropic/claude-3-opus" },
    snapshots = { "claude-3-opus-20240229" },
    context   = 200000,
    price     = old_opus,
    source    = anthropic, as_of = "2026-07-29",
  },
  ["claude-opus-4-1"] = {
    targets   = { "anthropic/claude-opus-4-1" },
    snapshots = { "claude-opus-4-1-20250805" },
    context   = 200000,
    price     = old_opus,
    source    = anthropic, as_of = "2026-10-24",
  },
  ["claude-sonnet-4-5"] = {
    targets   = { "anthropic/claude-sonnet-4-5" },
    snapshots = { "claude-sonnet-4-5-20250929" },
    context   = 200000,    -- 1000000 where the account has the beta: then the long rates hold
    price     = usd_per_million { input = "3.00", cached_input = "0.30", cache_write = "3.75", cache_write_1h = "6.00", output = "15.00",
      long = { above = 200000, input = "6.00", cached_input = "0.60", cache_write = "7.50", cache_write_1h = "12.00", output = "22.50" } },
    source    = anthropic, as_of = "2026-07-29",
  },
  ["claude-haiku-4-5"] = {
    targets   = { "anthropic/claude-haiku-4-5" },
    snapshots = { "claude-haiku-4-5-20251001" },
    context   = 200000,
    price     = usd_per_million { input = "1.00", cached_input = "0.10", cache_write = "1.25", cache_write_1h = "2.00", output = "5.00" },
    source    = anthropic, as_of = "2026-10-24",
  },
  ["claude-opus-4-5"] = {
    targets   = { "anthropic/claude-opus-4-5" },
    snapshots = { "claude-opus-4-5-20251101" },
    context   = 200000,
    price     = opus_4_5,
    source    = anthropic, as_of = "2026-10-24",
  },
  ["claude-opus-4-8"] = {
    targets   = { "anthropic/claude-opus-4-8" },
    context   = 1000000,
    price     = opus_4_5,
    source    = anthropic, as_of = "2026-10-24",
  },
  ["claude-opus-5-5"] = {
    targets   = { "anthropic/claude-opus-5-5" },
    context   = 1000000,
    price     = usd_per_million { input = "4.00", cached_input = "0.20", cache_write = "5.00", cache_write_1h = "8.00", output = "20.00" },
    source    = anthropic, as_of = "2026-10-24",
  },
  ["claude-sonnet-5-5"] = {
    targets   = { "anthropic/claude-sonnet-5-5" },
    context   = 1000000,
    price     = {
      usd_per_million { input = "2.00", cached_input = "0.20", cache_write = "2.50", cache_write_1h = "4.00", output = "10.00" },
      usd_per_million { effective = "2026-10-07",
        input = "2.00", cached_input = "0.10", cache_write = "2.50", cache_write_1h = "4.00", output = "10.00" },
    },
    source    = anthropic, as_of = "2026-10-24",
  },
  ["claude-haiku-5-5"] = {
    targets   = { "anthropic/claude-haiku-5-5" },
    context   = 1000000,
    price     = usd_per_million { input = "0.10", cached_input = "0.01", cache_write = "0.125", cache_write_1h = "0.20", output = "0.50",
      long = { above = 100000, input = "0.50", cached_input = "0.05", cache_write = "0.625", cache_write_1h = "1.00", output = "2.50" } },
    source    = anthropic, as_of = "2026-10-24",
  },

  -- Google. Pictures count at the rate of text, audio at its own.
  ["gemini-2.5-pro"] = {
    targets   = { "gemini/gemini-2.5-pro" },
    context   = 1048576,
    price     = usd_per_million { input = "1.25", image_input = "1.25", cached_input = "0.125", output = "10.00",
      long = { above = 200000, input = "2.50", image_input = "2.50", cached_input = "0.25", output = "15.00" } },
    source    = google, as_of = "2026-08-05", optional = true,
  },
  ["gemini-2.5-flash"] = {
    targets   = { "gemini/gemini-2.5-flash" },
    context   = 1048576,
    price     = usd_per_million { input = "0.30", image_input = "0.30", audio_input = "1.00", cached_input = "0.03", output = "2.50" },
    source    = google, as_of = "2026-08-05", optional = true,
  },
  ["gemini-2.5-flash-lite"] = {
    targets   = { "gemini/gemini-2.5-flash-lite" },
    context   = 1048576,
    price     = usd_per_million { input = "0.10", image_input = "0.10", audio_input = "0.30", cached_input = "0.01", output = "0.40" },
    source    = google, as_of = "2026-08-05", optional = true,
  },
  ["gemini-3-flash-preview"] = {
    targets   = { "gemini/gemini-3-flash-preview" },
    context   = 1048576,
    price     = usd_per_million { input = "0.50", image_input = "0.50", audio_input = "1.00", cached_input = "0.05", output = "3.00" },
    source    = google, as_of = "2026-08-05", optional = true,
  },
  ["gemini-3.1-pro-preview"] = {
    targets   = { "gemini/gemini-3.1-pro-preview" },
    context   = 1048576,
    price     = usd_per_million { input = "2.00", image_input = "2.00", cached_input = "0.20", output = "12.00",
      long = { above = 200000, input = "4.00", image_input = "4.00", cached_input = "0.40", output = "18.00" } },
    source    = google, as_of = "2026-08-05", optional = true,
  },

  -- Others
  ["mistral-large"] = {
    targets   = { "mistral/mistral-large-2512" },
    context   = 262144,
    price     = usd_per_million { input = "0.50", output = "1.50" },
    source    = mistral, as_of = "2026-07-02", optional = true,
  },
  ["mistral-small"] = {
    targets   = { "mistral/mistral-small-2603" },
    context   = 256000,
    price     = usd_per_million { input = "0.15", output = "0.60" },
    source    = mistral, as_of = "2026-07-02", optional = true,
  },
  ["codestral"] = {
    targets   = { "mistral/codestral-latest" },
    context   = 256000,
    price     = usd_per_million { input = "0.30", output = "0.90" },
    source    = mistral, as_of = "2026-07-02", optional = true,
  },
  ["deepseek-v4-flash"] = {
    targets   = { "deepseek/deepseek-v4-flash" },
    context   = 1000000,
    price     = usd_per_million { input = "0.14", cached_input = "0.0028", output = "0.28" },
    source    = deepseek, as_of = "2026-07-02", optional = true,
  },
  ["llama-3.3-70b"] = {
    targets   = { "groq/llama-3.3-70b-versatile" },
    context   = 131072,
    price     = usd_per_million { input = "0.59", output = "0.79" },
    source    = groq, as_of = "2026-07-02", optional = true,
  },
  ["gpt-oss-120b"] = {
    targets   = { "groq/openai/gpt-oss-120b" },
    context   = 131072,
    price     = usd_per_million { input = "0.15", cached_input = "0.075", output = "0.60" },
    source    = groq, as_of = "2026-07-02", optional = true,
  },

  -- Our own racks: any OpenAI-compatible server
  ["llama-3.1-70b"] = {
    targets   = { { "local/llama-3.1-70b", label = "self-hosted" } },
    aliases   = { "llama" },
    context   = 131072,
    price     = free,
  },
}
