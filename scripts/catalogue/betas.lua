-- Previews of Anthropic's API (anthropic-beta) that its hosts take, by the beginning of their names; read by
-- core/lua/betas.c. A host that is asked for one it does not know refuses the whole request ("invalid beta flag"), so
-- those are left out, and told in x-moongate-dropped.
--
-- bedrock          Amazon Bedrock's InvokeModel takes it, as "anthropic_beta" in the body
--
-- Source: Amazon Bedrock user guide, "Anthropic Claude Messages API: request and response", "Beta headers". What is
-- generally available there without a preview's name (prompt caching, fine-grained streaming of tools) is not listed.
return {
  { names = {
    "computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24", "token-efficient-tools-2025-02-19",
    "interleaved-thinking-2025-05-14", "output-128k-2025-02-19", "dev-full-thinking-2025-05-14",
    "context-1m-2025-08-07", "context-management-2025-06-27",
    "effort-2025-11-24", "tool-search-tool-2025-10-19", "tool-examples-2025-10-29",
    "compact-2026-01-12" }, bedrock = true },
}
