-- The gateway of `make bench`, row "durable": nothing waits for the ledger.
local upstream = { kind = "openai", url = env "BENCH_UPSTREAM_URL" }

return moongate.config {
  workers   = 1,
  policies  = "../../../policies",
  drain     = { grace = "1s" },
  ledger    = { durability = "async" },
  limits    = { connections = 20000 },
  providers = { openai = upstream, anthropic = upstream, ["local"] = upstream },
}
