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
    "chain", "models", "apps", "auth", "access", "ratelimit", "budget", "redaction", "routing", "policy",
    "http", "json", "cache", "time", "metrics", "trace", "together",
  },
}
files["examples/starter/policies"] = files["policies"]
files["tests/clients/refusals/policies"] = files["policies"]
files["examples/fleet/policies"] = files["policies"]
files["examples/starter/policies/specs"] = files["policies/specs"]
files["tests/bench/wrk.lua"].globals = { "request", "done", "delay" }
-- They run inside of Redis, behind the locals of common.lua.
files["core/store/redis"] = {
  std = "lua51", read_globals = {
    "redis", "struct", "cmsgpack", "KEYS", "ARGV",
    "call", "format", "floor", "time", "now_s", "now_ns", "BILLION", "EXACT", "MOST", "REQUESTS", "TOKENS", "CONCURRENT", "MONEY",
    "OK", "REFUSED", "NOT_SEEDED", "CLOCK", "FENCED", "NOT_HELD", "OPEN", "SETTLED",
    "LEASE", "DEAD", "is_more", "total", "plus", "minus", "cell_of", "ahead_of", "doubles", "each_taken", "new_change", "add_money", "set_tokens", "write_fields",
    "give_back", "apply", "keep_until", "in_pieces",
  },
}
files["core/store/redis/common.lua"].ignore = { "211" }
