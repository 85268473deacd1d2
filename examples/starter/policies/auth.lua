-- Who is calling. Everything after this file can rely on app and department being there.

return auth {
  -- As the clients of OpenAI, Anthropic, Azure and Google send it.
  keys    = { headers = { "authorization", "x-api-key", "api-key", "x-goog-api-key" } },
  require = { "app", "department" },

  examples = {
    { as = { app = "helpdesk" } },
    { as = { app = "unheard-of" },                 deny = "unknown_app" },
    { as = { app = "helpdesk" }, key = "missing",  deny = "invalid_api_key" },
  },
}
