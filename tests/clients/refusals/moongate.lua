-- The gateway of tests/clients/README.md's table: it refuses what it is asked to refuse.
-- run.lua gives the mock's address in MOCK_URL; nobody listens at the account "closed". No account is passed over for
-- having failed before: each case must see its own failure, in whatever order they come.
return moongate.config {
  listen    = "127.0.0.1:0",
  admin     = { listen = "127.0.0.1:0" },
  workers   = 1,
  policies  = "policies",
  limits    = { body = "64KB" },
  providers = {
    account = { kind = "openai", url = env "MOCK_URL", key = "sk-bad", breaker = false },
    closed  = { kind = "openai", url = "http://127.0.0.1:9/v1", breaker = false },
    claude  = { kind = "anthropic", url = env "MOCK_URL", key = "sk-bad", breaker = false },
    shut    = { kind = "anthropic", url = "http://127.0.0.1:9/v1", breaker = false },
    good    = { kind = "anthropic", url = env "MOCK_URL", key = "sk-good", breaker = false },
    google  = { kind = "gemini", url = env "MOCK_URL", key = "sk-good", breaker = false },
  },
}
