-- What models take beyond what their API has words for, by the beginning of their names; read by core/lua/traits.c, the
-- fields are those of core/wire/translate/traits.h. A request that comes in another API is written by these. Names are
-- found as in scripts/catalogue/counting.lua, hosts' names too ("us.anthropic.claude-…", an inference profile's ARN,
-- "claude-…@20250929"); of what fits none only that is asked which every model takes.
--
-- publisher        whose API it is spoken to in also where others host it, as Amazon and Google do: "anthropic",
--                  "google"
-- responses        "alone": accounts of OpenAI and Azure have it in the Responses API and nowhere else; "translated":
--                  those of OpenAI are asked in it by clients of others' APIs, for its chats refuse tools of a model
--                  that may think
-- predicts         Google's platform embeds with it by an API of its own alone (:predict)
-- output           tokens of one answer at most
-- fixed_sampling   temperature, top_p, top_k are refused
-- one_sampling     temperature and top_p are refused together
-- no_stop          stop texts are refused
-- thinking         "budget": so many tokens; "adaptive": as many as it likes, by its effort (Anthropic's API)
--                  (Gemini: at least thinking_least, at most thinking_most, none at all where rest is true); "level": a
--                  word of Google's for its effort
-- efforts          words that it knows for how much it is to think
-- schema           answers and tool inputs that fit a JSON schema (Anthropic's API)
-- schema_with_tools  … answers also where there are tools (Google's API)
-- penalties        frequency and presence penalties (Google's API)
-- signed_calls     a call of a tool that is given back must have its signature (Google's API)
-- late_system      system text in the middle of a conversation (Anthropic's API)
-- developer        system text is the developer's (OpenAI's API)
-- plain_content    texts of one message are one string (OpenAI's API)
-- reasoning        what it thought is given back to it, as reasoning_content (OpenAI's API)
-- cache            how a part is marked up to which the prompt is cached
-- top_k, effort    what its own fields for those are called (Amazon's Converse)
-- result_status    a tool's result may say that the tool failed (Amazon's Converse)
--
-- Sources. Anthropic: "Models overview" (output), "Building with extended thinking", "Adaptive thinking", "Effort",
-- "Structured outputs", "What's new" of each generation (sampling, system messages). OpenAI: model pages (output),
-- "Reasoning models" (efforts, sampling, stop, developer messages), "Prompt caching"; its chats' errors
-- "This model is only supported in v1/responses and not in v1/chat/completions" ("alone"), "Function tools with
-- reasoning_effort are not supported for gpt-5.4 in /v1/chat/completions" ("translated"). DeepSeek: "Thinking mode".
-- Amazon: Converse, ToolResultBlock (status); Nova, "Complete request schema" (topK), "Extended thinking" (with effort
-- "high" no length and no temperature may be given: it is not asked for), "Prompt caching".
-- Google: "Gemini models" (output), "Gemini thinking" (budgets, levels), "Thought signatures" (calls), "Structured
-- outputs" (schemas, and tools beside them: Gemini 3). All but Gemini 2.0 answer that penalties are not enabled.

local function with(base, fields)
  local both = {}
  for name, value in pairs(base) do both[name] = value end
  for name, value in pairs(fields) do both[name] = value end
  return both
end

-- base: what a family has that differs in little
local function like(base, names, fields) return with(with(base, fields or {}), { names = names }) end

-- A cache marker has Anthropic's own form wherever its models are: aggregators of OpenAI's API take it too.
local anthropics = { publisher = "anthropic", cache = "cache_control", top_k = "top_k", result_status = true }
local claude = with(anthropics, { one_sampling = true })
local thinking = with(claude, { output = 64000, thinking = "budget" })
local fitting = with(thinking, { schema = true })
local adaptive = with(claude, { output = 128000, thinking = "adaptive", schema = true,
  efforts = { "low", "medium", "high", "max" } })
local newest = with(anthropics, { output = 128000, thinking = "adaptive", schema = true,
  fixed_sampling = true, efforts = { "low", "medium", "high", "xhigh", "max" } })

local gemini2 = { publisher = "google", output = 65536, thinking = "budget", schema = true }
local gemini3 = { publisher = "google", output = 65536, thinking = "level", schema = true, schema_with_tools = true,
  signed_calls = true }

local chat = { output = 16384 }
local reasoning = { output = 100000, fixed_sampling = true, no_stop = true, developer = true,
  efforts = { "low", "medium", "high" } }
local responder = with(reasoning, { responses = "alone" })

return {
  -- Anthropic. What is not named is taken for one of the newest, without what only some of them have.
  like(newest, { "claude" }, { output = 64000, efforts = { "low", "medium", "high" } }),
  like(claude, { "claude-3-haiku", "claude-3-sonnet", "claude-3-opus", "claude-haiku-3", "claude-2" },
    { output = 4096 }),
  like(claude, { "claude-3-5", "claude-3.5" }, { output = 8192 }),
  like(thinking, { "claude-3-7", "claude-3.7", "claude-sonnet-4-0", "claude-sonnet-4-2", "claude-sonnet-4@" }),
  like(thinking, { "claude-opus-4-0", "claude-opus-4-2", "claude-opus-4@" }, { output = 32000 }),
  like(fitting, { "claude-opus-4-1", "claude-opus-4.1" }, { output = 32000 }),
  like(fitting, { "claude-sonnet-4-5", "claude-sonnet-4.5", "claude-haiku-4-5", "claude-haiku-4.5",
    "claude-opus-4-5", "claude-opus-4.5" }),
  like(adaptive, { "claude-opus-4-6", "claude-opus-4.6", "claude-sonnet-4-6", "claude-sonnet-4.6" }),
  like(newest, { "claude-opus-4-7", "claude-opus-4.7" }),
  like(newest, { "claude-opus-4-8", "claude-opus-4.8", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5" },
    { late_system = true }),

  -- OpenAI
  like(chat, { "gpt-4o", "chatgpt-4o", "gpt-4.5" }),
  like(chat, { "gpt-4.1" }, { output = 32768 }),
  like(chat, { "gpt-4" }, { output = 8192 }),
  like(chat, { "gpt-4-turbo", "gpt-4-1106", "gpt-4-0125", "gpt-3.5", "gpt-35" }, { output = 4096 }),
  like(reasoning, { "o1", "o3", "o4" }),
  like(reasoning, { "gpt-5" }, { output = 128000, efforts = { "minimal", "low", "medium", "high" } }),
  like(reasoning, { "gpt-5.1" }, { output = 128000, efforts = { "none", "low", "medium", "high" } }),
  like(reasoning, { "gpt-5.2", "gpt-5.3" },
    { output = 128000, efforts = { "none", "low", "medium", "high", "xhigh" } }),
  like(reasoning, { "gpt-5.4", "gpt-5.5" },
    { output = 128000, efforts = { "none", "low", "medium", "high", "xhigh" }, responses = "translated" }),
  like(reasoning, { "gpt-5.6" }, { output = 128000, responses = "translated", cache = "prompt_cache_breakpoint",
    efforts = { "none", "low", "medium", "high", "xhigh", "max" } }),
  -- … that answer in the Responses API alone
  like(responder, { "o1-pro", "o3-pro", "o3-deep-research", "o4-mini-deep-research", "codex-mini" }),
  like(responder, { "gpt-5-pro" }, { output = 272000, efforts = { "high" } }),
  like(responder, { "gpt-5-codex", "gpt-5.1-codex" }, { output = 128000 }),
  like(responder, { "gpt-5.1-codex-max", "gpt-5.2-codex", "gpt-5.3-codex" },
    { output = 128000, efforts = { "low", "medium", "high", "xhigh" } }),
  like(responder, { "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro" },
    { output = 128000, efforts = { "medium", "high", "xhigh" } }),
  { names = { "computer-use-preview" }, responses = "alone", output = 1024 },
  { names = { "gpt-oss" }, effort = "reasoning_effort", efforts = { "low", "medium", "high" } },

  -- Amazon
  { names = { "nova-" }, cache = "cachePoint", top_k = "inferenceConfig.topK", result_status = true },
  { names = { "nova-2" }, cache = "cachePoint", top_k = "inferenceConfig.topK", result_status = true,
    effort = "reasoningConfig", efforts = { "none", "low", "medium" } },

  -- Google. What is not named is taken for one of Gemini 3, without what only some of them have.
  like(gemini3, { "gemini" }, { efforts = { "low", "high" } }),
  { names = { "gemini-1" }, publisher = "google", output = 8192 },
  { names = { "gemini-2.0" }, publisher = "google", output = 8192, penalties = true },
  like(gemini2, { "gemini-2.5" }, { thinking_least = 128, thinking_most = 24576 }),
  like(gemini2, { "gemini-2.5-pro" }, { thinking_least = 128, thinking_most = 32768 }),
  like(gemini2, { "gemini-2.5-flash" }, { thinking_least = 1, thinking_most = 24576, rest = true }),
  like(gemini2, { "gemini-2.5-flash-lite" }, { thinking_least = 512, thinking_most = 24576, rest = true }),
  like(gemini3, { "gemini-3-pro" }, { efforts = { "low", "high" } }),
  like(gemini3, { "gemini-3.1-pro", "gemini-3.5-pro" }, { efforts = { "low", "medium", "high" } }),
  like(gemini3, { "gemini-3-flash", "gemini-3.1-flash", "gemini-3.5-flash" },
    { efforts = { "minimal", "low", "medium", "high" } }),
  { names = { "gemini-embedding" }, publisher = "google" },
  { names = { "gemini-embedding-001", "text-embedding-004", "text-embedding-005", "text-multilingual-embedding" },
    publisher = "google", predicts = true },

  -- Others
  { names = { "deepseek" }, plain_content = true, reasoning = true },
}
