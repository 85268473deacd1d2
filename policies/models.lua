-- What callers may ask for, where it runs, and what it costs in USD per million tokens.
--
-- aliases are further names; snapshots are dated names, sent on as they are, that stand under the model's own rules.
-- Prices are list prices with their source and the day they were read: check them against your contract.

local openai    = "https://platform.openai.com/docs/pricing"
local anthropic = "https://docs.anthropic.com/en/docs/about-claude/pricing"

return models {
  auto = { virtual = true },    -- "you choose": routing.lua decides

  -- OpenAI
  ["gpt-4o"] = {
    targets   = { "openai/gpt-4o" },
    snapshots = { "gpt-4o-2024-05-13", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20" },
    context   = 128000,
    price     = { input = "2.50", cached_input = "1.25", output = "10.00" },
    source    = openai, as_of = "2025-11-01",
  },
  ["gpt-4o-mini"] = {
    targets   = { "openai/gpt-4o-mini" },
    snapshots = { "gpt-4o-mini-2024-07-18" },
    context   = 128000,
    price     = { input = "0.15", cached_input = "0.075", output = "0.60" },
    source    = openai, as_of = "2025-11-01",
  },
  ["gpt-4.1"] = {
    targets   = { "openai/gpt-4.1" },
    snapshots = { "gpt-4.1-2025-04-14" },
    context   = 1047576,
    price     = { input = "2.00", cached_input = "0.50", output = "8.00" },
    source    = openai, as_of = "2025-11-01",
  },
  ["gpt-4.1-mini"] = {
    targets   = { "openai/gpt-4.1-mini" },
    snapshots = { "gpt-4.1-mini-2025-04-14" },
    context   = 1047576,
    price     = { input = "0.40", cached_input = "0.10", output = "1.60" },
    source    = openai, as_of = "2025-11-01",
  },
  ["gpt-5"] = {
    targets   = { "openai/gpt-5" },
    snapshots = { "gpt-5-2025-08-07" },
    context   = 400000,
    price     = { input = "1.25", cached_input = "0.125", output = "10.00" },
    source    = openai, as_of = "2025-11-01",
  },
  ["gpt-5-mini"] = {
    targets   = { "openai/gpt-5-mini" },
    snapshots = { "gpt-5-mini-2025-08-07" },
    context   = 400000,
    price     = { input = "0.25", cached_input = "0.025", output = "2.00" },
    source    = openai, as_of = "2025-11-01",
  },
  ["text-embedding-3-small"] = {
    targets   = { "openai/text-embedding-3-small" },
    context   = 8192,
    price     = { input = "0.02", output = "0" },
    source    = openai, as_of = "2025-11-01",
  },

  -- Anthropic
  ["claude-3-5-sonnet"] = {
    targets   = { "anthropic/claude-3-5-sonnet" },
    snapshots = { "claude-3-5-sonnet-20241022" },
    context   = 200000,
    price     = { input = "3.00", cached_input = "0.30", output = "15.00" },
    source    = anthropic, as_of = "2025-11-01",
  },
  ["claude-3-5-haiku"] = {
    targets   = { "anthropic/claude-3-5-haiku" },
    snapshots = { "claude-3-5-haiku-20241022" },
    context   = 200000,
    price     = { input = "0.80", cached_input = "0.08", output = "4.00" },
    source    = anthropic, as_of = "2025-11-01",
  },
  ["claude-3-opus"] = {
    targets   = { "anthropic/claude-3-opus" },
    snapshots = { "claude-3-opus-20240229" },
    context   = 200000,
    price     = { input = "15.00", cached_input = "1.50", output = "75.00" },
    source    = anthropic, as_of = "2025-11-01",
  },
  ["claude-sonnet-4-5"] = {
    targets   = { "anthropic/claude-sonnet-4-5" },
    snapshots = { "claude-sonnet-4-5-20250929" },
    context   = 200000,
    price     = { input = "3.00", cached_input = "0.30", output = "15.00" },
    source    = anthropic, as_of = "2025-11-01",
  },
  ["claude-haiku-4-5"] = {
    targets   = { "anthropic/claude-haiku-4-5" },
    snapshots = { "claude-haiku-4-5-20251001" },
    context   = 200000,
    price     = { input = "1.00", cached_input = "0.10", output = "5.00" },
    source    = anthropic, as_of = "2025-11-01",
  },

  -- Our own racks: any OpenAI-compatible server
  ["llama-3.1-70b"] = {
    targets   = { { "local/llama-3.1-70b", label = "self-hosted" } },
    aliases   = { "llama" },
    context   = 131072,
    price     = { input = "0", output = "0" },
  },
}
