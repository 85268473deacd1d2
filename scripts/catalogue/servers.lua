-- Servers that speak OpenAI's API of chats with a difference, as kind = "NAME" in moongate.lua means them; read by
-- core/lua/servers.c. A new one is one row: where it is, what it answers with an error for, what it calls otherwise.
--
-- url        where it is; of what one runs oneself, where it listens unless told otherwise
-- rejects    members of a request that it answers with an error for, as core/wire/fitting.h spells them: they are taken
--            out of the caller's body and named in x-moongate-dropped
-- renames    what it calls otherwise; nothing is lost by that
--
-- Only what a source says, each with it: a server that passes over what it does not know is better told all of it.

local function plain(name, url) return { names = { name }, url = url } end

return {
  -- "OpenAI compatibility", Cerebras Inference docs: these five give a 400.
  { names = { "cerebras" }, url = "https://api.cerebras.ai/v1",
    rejects = { "frequency_penalty", "logit_bias", "parallel_tool_calls", "presence_penalty", "service_tier" } },

  -- "Create chat completion", DeepSeek API docs: max_tokens, response_format of type text or json_object, and
  -- messages of system, user, assistant and tool; 422 for others ("This response_format type is unavailable now").
  { names = { "deepseek" }, url = "https://api.deepseek.com",
    rejects = { "response_format.json_schema" },
    renames = { max_completion_tokens = "max_tokens", ["role.developer"] = "system" } },

  -- "OpenAI compatibility", Groq docs: these give a 400, and n that is not 1.
  { names = { "groq" }, url = "https://api.groq.com/openai/v1",
    rejects = { "logit_bias", "logprobs", "messages.name", "n", "top_logprobs" } },

  -- "Chat completion", Mistral API reference, and the 422 "extra_forbidden: Extra inputs are not permitted" that it has
  -- for all else, in messages too. A stream's last event has the usage unasked.
  { names = { "mistral" }, url = "https://api.mistral.ai/v1",
    rejects = { "logit_bias", "logprobs", "messages.name", "messages.reasoning_content", "metadata",
      "safety_identifier", "service_tier", "store", "stream_options", "top_logprobs", "user", "verbosity" },
    renames = { max_completion_tokens = "max_tokens", seed = "random_seed", ["role.developer"] = "system" } },

  -- "OpenAI compatibility", Ollama docs: max_tokens is the bound of an answer; the other name is passed over, and then
  -- it has none.
  { names = { "ollama" }, url = "http://127.0.0.1:11434/v1", renames = { max_completion_tokens = "max_tokens" } },

  -- Of what follows no source says that it rejects something whatever the model is: "API reference", xAI;
  -- "Parameters", OpenRouter; "OpenAI compatibility", Together, Fireworks and Moonshot; "Sonar API", Perplexity;
  -- "OpenAI SDK", Z.ai; "OpenAI compatible", Alibaba Cloud Model Studio; "OpenAI-compatible server", vLLM; "HTTP
  -- server", llama.cpp.
  plain("alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
  plain("fireworks", "https://api.fireworks.ai/inference/v1"),
  plain("llama_cpp", "http://127.0.0.1:8080/v1"),
  plain("moonshot", "https://api.moonshot.ai/v1"),
  plain("openrouter", "https://openrouter.ai/api/v1"),
  plain("perplexity", "https://api.perplexity.ai"),
  plain("together", "https://api.together.xyz/v1"),
  plain("vllm", "http://127.0.0.1:8000/v1"),
  plain("xai", "https://api.x.ai/v1"),
  plain("zai", "https://api.z.ai/api/paas/v4"),
}
