-- Members of requests in OpenAI's API, and what core/wire/fitting.h can say of them: whoever writes one nearly so in
-- moongate.lua's rejects, accepts or renames meant it. Read by core/lua/servers.c.
-- Source: OpenAI API reference, "Create chat completion", "Create completion", "Create embeddings".
return { { names = {
  "audio", "best_of", "dimensions", "echo", "encoding_format", "frequency_penalty", "function_call", "functions",
  "input", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "messages", "messages.name",
  "messages.reasoning_content", "metadata", "modalities", "model", "n", "parallel_tool_calls", "prediction",
  "presence_penalty", "prompt", "prompt_cache_key", "prompt_cache_retention", "random_seed", "reasoning_effort",
  "response_format", "response_format.json_object", "response_format.json_schema", "role.developer", "role.system",
  "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "suffix", "temperature",
  "tool_choice", "tools", "tools.strict", "top_k", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
} } }
