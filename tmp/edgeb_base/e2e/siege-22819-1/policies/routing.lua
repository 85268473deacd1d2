-- Which model answers when the caller leaves the choice to us. The first rule that fits, and has a target that access
-- leaves to this caller, wins; a list is an order of fallbacks.

return routing {
  choose_for = { "auto" },    -- who names a model gets that model

  rules = {
    { "embeddings",
      when   = { api = "embeddings" },
      route  = "openai/text-embedding-3-small",
      reason = "vectors come from one model, or they cannot be compared" },

    { "internal-only",
      when   = { data = at_least "confidential" },
      route  = "local/llama-3.1-70b",
      reason = "{data} data stays on self-hosted models" },

    { "long-context",
      when   = { context_tokens = gt(100000) },
      route  = "anthropic/claude-3-5-sonnet",
      reason = "{context_tokens} tokens need the 200K window" },

    { "code",
      when   = { task = "code" },
      route  = { "openai/gpt-4o", "anthropic/claude-3-5-sonnet" },
      reason = "code goes to the models that are best at it" },

    { "latency-critical",
      when   = { max_latency_ms = lt(1000) },
      route  = "openai/gpt-4o-mini",
      reason = "an answer within {max_latency_ms} ms" },

    { "quality-critical",
      when   = { quality = "high" },
      route  = { "openai/gpt-4o", "anthropic/claude-3-5-sonnet" },
      reason = "the caller asked for quality" },

    { "default",
      route  = { "openai/gpt-4o-mini", "anthropic/claude-3-5-haiku" },
      reason = "cost optimized" },
  },

  examples = {
    { context_tokens = 150000,                         route = "anthropic/claude-3-5-sonnet" },
    { context_tokens = 100000,                         route = "openai/gpt-4o-mini" },
    { task = "code",                                   route = { "openai/gpt-4o", "anthropic/claude-3-5-sonnet" } },
    { max_latency_ms = 500,                            route = "openai/gpt-4o-mini" },
    { quality = "high",                                route = "openai/gpt-4o" },
    { data = "confidential", context_tokens = 150000,  route = "local/llama-3.1-70b" },
    { api = "embeddings",                              route = "openai/text-embedding-3-small" },
    {                                                  route = { "openai/gpt-4o-mini", "anthropic/claude-3-5-haiku" } },
    { model = "gpt-5-mini", task = "code",             route = "openai/gpt-5-mini" },
  },
}
