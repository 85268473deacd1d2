-- What it may cost. Spend = recorded cost this period + the estimate of this request.

return budget {
  currency = "USD",

  budgets = {
    { "engineering", department = "engineering", limit = 10000, per = "month" },
    { "sales",       department = "sales",       limit = 5000,  per = "month" },
    { "support",     department = "support",     limit = 4000,  per = "month" },
    { "marketing",   department = "marketing",   limit = 1000,  per = "month" },
    { "every-app",   each = "app",               limit = 2500,  per = "month" },
  },

  default = { each = "department", limit = 500, per = "month" },   -- who has no row above

  thresholds = {
    { at = "80%",  warn = true, notify = { "slack:#ai-spend", "owner" } },
    { at = "95%",  warn = true, only   = { "openai/gpt-4o-mini", "local/*" } },
    { at = "100%", deny = { status = 402, code = "budget_exhausted" } },
  },

  on_store_loss = "local",   -- for 60 s a fifth of what was left, then closed
}
