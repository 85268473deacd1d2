-- How often. Limits hold for the whole fleet: evenly over their time, a sixth of them at once.

return ratelimit {
  limits = {
    { "per-user",        by = "user",             requests = 60,      per = "1m" },
    { "per-app",         by = "app",              requests = 600,     per = "1m" },
    { "tokens-per-app",  by = { "app", "model" }, tokens   = 200000,  per = "1m" },
    { "opus-is-scarce",  by = "department",       requests = 100,     per = "1h",
                         when = { model = "claude-3-opus" } },
  },

  -- Gold apps get five times everything.
  adjust = function(ctx, limit)
    if ctx.identity.tier == "gold" then return limit.limit * 5 end
  end,

  on_store_loss = "local",   -- each gateway enforces its share until the counters are back
}
