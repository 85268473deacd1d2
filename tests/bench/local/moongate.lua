-- The gateway of `make bench`, row "durable": answers wait for the ledger's commit.
local upstream = { kind = "openai", url = env "BENCH_UPSTREAM_URL" }

return moongate.config {
  workers   = 1,
  policies  = "../../../policies",
  drain     = { grace = "1s" },
  ledger    = { durability = "local" },
  limits    = { connections = 20000 },
  providers = { openai = upstream, anthropic = upstream, ["local"] = upstream },
}
