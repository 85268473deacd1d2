-- The gateway whose clients speak another API than their models' providers. run.lua gives the mock's address in MOCK_URL, and what Amazon's
-- paths stand behind in MOCK_ROOT.
return moongate.config {
  listen    = "127.0.0.1:0",
  admin     = { listen = "127.0.0.1:0" },
  workers   = 1,
  policies  = "policies",
  providers = {
    o = { kind = "openai", url = env "MOCK_URL", key = "sk-good" },
    c = { kind = "openai_compatible", url = env "MOCK_URL", key = "sk-good" },
    a = { kind = "anthropic", url = env "MOCK_URL", key = "sk-good" },
    b = { kind = "bedrock", url = env "MOCK_ROOT", key = "sk-good", breaker = false },
    r = { kind = "openai_responses", url = env "MOCK_URL", key = "sk-good", breaker = false },
    g = { kind = "gemini", url = env "MOCK_URL", key = "sk-good", breaker = false }, -- whose faults are many
  },
}
