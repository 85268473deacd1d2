-- The gateway of `make bench`: one worker, the shipped policies with limits far away, everything on that is on by default.
local upstream = { kind = "openai", url = env "BENCH_UPSTREAM_URL" }

return moongate.config {
  workers   = 1,
  policies  = "../../policies",
  drain     = { grace = "1s" },
  limits    = { connections = 20000 },
  providers = { openai = upstream, anthropic = upstream, ["local"] = upstream },
}
