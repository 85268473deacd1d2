-- Who is calling. Everything after this file can rely on app and department being there.

return auth {
  keys    = { header = "authorization", scheme = "Bearer" },
  require = { "app", "department" },

  examples = {
    { as = { app = "helpdesk" } },
    { as = { app = "unheard-of" },                 deny = "unknown_app" },
    { as = { app = "helpdesk" }, key = "missing",  deny = "invalid_api_key" },
  },
}
