-- The gateway of `make demo`: every provider is the mock that runs beside it, so nothing leaves the machine.
-- examples/demo/run.lua gives the mock's address in DEMO_PROVIDER_URL. For a real one write, for example,
--   openai = { kind = "openai", url = "https://api.openai.com/v1", key = env "OPENAI_API_KEY" },
local mock = { kind = "openai", url = env "DEMO_PROVIDER_URL" }

return moongate.config {
  listen    = "127.0.0.1:8090",
  admin     = { listen = "127.0.0.1:8091" },
  data      = "../../build/demo",
  policies  = "../../policies",
  drain     = { grace = "5s" },
  providers = { openai = mock, anthropic = mock, ["local"] = mock },
  -- Where policies/budget.lua sends its notices: { kind = "slack", url = env "SLACK_URL" } in earnest.
  notify    = { slack = { kind = "command", command = { "/usr/bin/logger", "-t", "moongate" } } },
}
