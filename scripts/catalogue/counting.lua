-- How models count tokens, by the beginning of their names; read by core/lua/counting.c, the fields are those of
-- core/wire/count_rules.h.
--
-- A name is looked at from its beginning and behind each "/", ":" and "." (openai/gpt-4o, ft:gpt-4o,
-- us.anthropic.claude-…), without regard to case; the longest beginning that fits decides.
-- What fits none is counted in o200k_base, as an estimate.
--
-- `limit` is what a family calls the bound of its answers where it takes one name only, or some of those who serve it
-- do: by that max_tokens, a policy's or the caller's, is written for it. Without it both are taken, and the caller's
-- own stays.
--
-- Sources. Names of the bound: OpenAI, "Reasoning models" (max_tokens is refused); Mistral, chat completions (other
-- members are refused); DeepSeek, chat completions (they are passed over); Ollama,
-- OpenAI compatibility, of models whose weights are open (max_tokens alone; vLLM and llama.cpp take it too).
-- Vocabularies: tiktoken, model.py. Tokens
-- around messages, names and functions: OpenAI Cookbook, "How to count tokens with tiktoken", corrected by what 400
-- recorded requests were billed. Factors: the median of provider's tokens to o200k_base tokens over recorded texts of
-- 40 tokens and more. Pictures: OpenAI "Images and vision", Anthropic "Vision", Google "Understand and count tokens".
-- Only `exact` families are counted as their provider does; the rest says so.

-- --- pictures ---

local function tiles(base, tile)
  return { rule = "tiles", low_tokens = base, base_tokens = base, unit_tokens = tile, unit_pixels = 512,
    long_edge = 2048, short_edge = 768, unknown_tokens = base + 8 * tile }
end

local function patches(factor_milli)
  return { rule = "patches", unit_pixels = 32, units_max = 1536, factor_milli = factor_milli,
    unknown_tokens = math.ceil(1536 * factor_milli / 1000) }
end

local function area(long_edge, most)
  return { rule = "area", unit_pixels = 750, long_edge = long_edge, units_max = most, unknown_tokens = most }
end

local blocks = { rule = "blocks", unit_tokens = 258, unit_pixels = 768, short_edge = 384, unknown_tokens = 258 * 16 }
local fixed = { rule = "fixed", unknown_tokens = 1600 }

-- --- families ---

-- fields: what differs from OpenAI's chat models
local function family(names, fields)
  local f = { names = names, vocabulary = "o200k_base", factor_milli = 1000, request_tokens = 3, message_tokens = 3,
    name_tokens = 1, tool_tokens = 0, tools_tokens = 9, tools_system_tokens = -4, call_tokens = 7,
    choice_tokens = 7, no_choice_tokens = 1,
    audio_bytes = 1600, file_bytes = 32, image = fixed } -- ten tokens a second of MP3; a page of PDF has some 50 KB
  for name, value in pairs(fields) do f[name] = value end
  return f
end

-- No public vocabulary: factor_milli tokens for 1,000 of o200k_base.
local function near(names, factor_milli, fields)
  local f = family(names, fields or {})
  f.factor_milli = factor_milli
  f.tools_system_tokens, f.choice_tokens, f.no_choice_tokens = 0, 0, 0
  return f
end

local function claude(names, factor_milli, tools_tokens, image)
  return near(names, factor_milli,
    { request_tokens = 3, message_tokens = 3, tool_tokens = 25, tools_tokens = tools_tokens,
    call_tokens = 35, image = image or area(1568, 1600) })
end

-- The request's own tokens are one fewer, and functions are introduced at more length.
local reasoning = { exact = true, request_tokens = 2, tools_tokens = 89, tools_system_tokens = 0, call_tokens = 12,
  limit = "max_completion_tokens" }
local function reasons(names, image, fields)
  local f = family(names, reasoning)
  f.image = image
  for name, value in pairs(fields or {}) do f[name] = value end
  return f
end

return {
  -- OpenAI
  family({ "gpt-4o", "chatgpt-4o" }, { exact = true, role_free = true, image = tiles(85, 170) }),
  family({ "gpt-4o-mini" }, { exact = true, role_free = true, image = tiles(2833, 5667) }),
  family({ "gpt-4.1", "gpt-4.5" }, { exact = true, image = tiles(85, 170) }),
  family({ "gpt-4.1-mini" }, { exact = true, image = patches(1620) }),
  family({ "gpt-4.1-nano" }, { exact = true, image = patches(2460) }),
  family({ "gpt-4o-search", "gpt-4o-mini-search", "gpt-4o-audio", "gpt-4o-mini-audio", "gpt-4o-realtime" },
    { image = tiles(85, 170) }),
  reasons({ "gpt-5" }, tiles(70, 140)),
  reasons({ "gpt-5.5", "gpt-5.6" }, tiles(70, 140), { tools_tokens = 12 }),
  reasons({ "gpt-5-mini" }, patches(1620)),
  reasons({ "gpt-5-nano" }, patches(2460)),
  reasons({ "o1", "o3" }, tiles(75, 150)),
  reasons({ "o3-mini", "o4-mini" }, patches(1720)),
  reasons({ "o1-mini" }, fixed, { exact = false, request_tokens = 10 }),
  -- its format opens with a system message of its own
  family({ "gpt-oss" }, { request_tokens = 64, call_tokens = 12, limit = "max_tokens" }),
  family({ "gpt-4", "gpt-3.5", "gpt-35" }, { vocabulary = "cl100k_base", exact = true, image = tiles(85, 170) }),
  family({ "gpt-3.5-turbo-0301" }, { vocabulary = "cl100k_base", exact = true, message_tokens = 4, name_tokens = -1 }),
  family({ "text-embedding-3", "text-embedding-ada-002", "davinci-002", "babbage-002" },
    { vocabulary = "cl100k_base", exact = true }),

  -- Anthropic: a vocabulary a generation; tools come with a prompt of their own, and each as JSON
  claude({ "claude" }, 1150, 515),
  claude({ "claude-haiku-4-5", "claude-haiku-4.5" }, 1150, 260),
  claude({ "claude-3-haiku", "claude-3-5-haiku", "claude-3.5-haiku", "claude-haiku-3" }, 1290, 245),
  claude({ "claude-3-opus" }, 1180, 515),
  claude({ "claude-3-5-sonnet", "claude-3.5-sonnet", "claude-3-7-sonnet", "claude-3.7-sonnet" }, 1180, 300),
  claude({ "claude-opus-4-7", "claude-opus-4-8", "claude-opus-4.7", "claude-opus-4.8" }, 1430, 515, area(2576, 4784)),

  -- Google: nothing stands around a message
  near({ "gemini" }, 1055, { request_tokens = 0, message_tokens = -1, audio_bytes = 500, image = blocks }),
  near({ "gemini-3" }, 1040, { request_tokens = 0, message_tokens = -1, audio_bytes = 500,
    image = { rule = "fixed", unknown_tokens = 1120 } }),
  near({ "gemma" }, 1055, { limit = "max_tokens" }),

  -- Others. Some begin each request with a system message, or tools with a prompt, that the caller does not write.
  near({ "llama", "meta-llama-" }, 1055, { limit = "max_tokens" }),
  near({ "llama-3.", "llama3.", "llama3-1", "llama3-2", "llama3-3", "meta-llama-3." }, 1055,
    { request_tokens = 30, tools_tokens = 112, limit = "max_tokens" }),
  near({ "llama-4", "llama4" }, 1020, { tools_tokens = 640, limit = "max_tokens" }),
  near({ "mistral", "mixtral", "ministral", "codestral", "devstral", "magistral", "pixtral" }, 1030,
    { request_tokens = 1, message_tokens = 0, tools_tokens = 34, limit = "max_tokens" }),
  near({ "mistral-tiny", "open-mistral-7b" }, 1230, { request_tokens = 1, message_tokens = 0, limit = "max_tokens" }),
  near({ "deepseek" }, 1025, { request_tokens = 1, message_tokens = 1, tools_tokens = 240, limit = "max_tokens" }),
  near({ "deepseek-v4" }, 1025, { request_tokens = 80, message_tokens = 1, tools_tokens = 240, limit = "max_tokens" }),
  near({ "qwen", "qwq" }, 1020, { tools_tokens = 240, limit = "max_tokens" }),
}
