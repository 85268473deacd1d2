std = "luajit"
max_line_length = 160
codes = true
self = false
exclude_files = { "build", "tests/data", "tests/hostile", "**/node_modules" }
-- Tables of cases read better a case a line.
files["tests/**/*_spec.lua"] = { std = "+busted", max_line_length = 240 }
files["policies/specs"] = { std = "luajit+busted", max_line_length = 240 }
-- The one file that makes string what policies see of it.
files["scripts/sandbox.lua"].ignore = { "122/string", "142/string", "143/string", "211/core", "211/use" }
-- Specs may not end the run they are part of.
files["scripts/test/run.lua"].ignore = { "122/os", "122/_G" }
-- Every script is handed the same two; not each needs both.
files["scripts"].ignore = { "211/core", "211/use" }
files["**/moongate.lua"].read_globals = { "moongate", "env", "file" }
-- What scripts/sandbox.lua gives to policies.
files["policies"] = {
  std = "none",
  read_globals = {
    "string", "table", "math", "bit", "log", "pairs", "ipairs", "type", "tostring", "tonumber", "select", "unpack", "next",
    "error", "assert", "require", "gt", "ge", "lt", "le", "any", "between", "isnt", "none_of", "like", "at_least", "usd_per_million", "free",
    "deny", "route", "only", "drop", "pass",
    "chain", "models", "apps", "auth", "access", "ratelimit", "budget", "redaction", "routing", "policy", "governance",
    "http", "json", "cache", "time", "metrics", "trace", "together",
  },
}
files["examples/starter/policies"] = files["policies"]
files["tests/clients/refusals/policies"] = files["policies"]
files["tests/clients/translated/policies"] = files["policies"]
files["examples/fleet/policies"] = files["policies"]
files["examples/starter/policies/specs"] = files["policies/specs"]
files["tests/bench/wrk.lua"].globals = { "request", "done", "delay" }
-- They run inside of Redis, each with the parts that it names.
files["core/store/counters/redis"] = {
  std = "lua51", read_globals = {
    "redis", "struct", "KEYS", "ARGV", "call", "unpacked", "pack", "floor", "time", "now_s", "now_ns", "EXACT", "MOST", "exact",
    "HEAD", "OPEN", "hold_of", "amount_of", "meet", "each_piece", "read_met", "hold_money", "move", "give_back",
    "write_met", "keep_until", "each_period", "lose", "lose_all", "lose_session", "widen", "KEPT_S",
  },
  globals = { "cells", "sums" },
}
files["core/store/counters/redis/parts"].ignore = { "211" }
