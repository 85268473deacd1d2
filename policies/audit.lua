-- What we remember beyond the record that every request leaves anyway. If this file fails, requests go on.

return policy {
  on_error = "skip",

  rules = {
    { "customer-facing",
      when     = { app = { "sales-copilot", "support-bot" } },
      annotate = { audience = "customers" } },
    { "restricted data",
      when   = { data = at_least "restricted" },
      record = { durability = "local", intent = true } }, -- who, what and why stand on the disk before it is sent
  },

  on_request = function(ctx)
    if ctx.request.model == "claude-3-opus" then
      ctx:annotate("approved_for", ctx.identity.user or ctx.identity.app)
    end
  end,

  examples = {
    { as = { app = "support-bot" },                    model = "gpt-4o-mini" },
    { as = { app = "code-assistant", user = "ana" },   model = "claude-3-opus" },
  },
}
