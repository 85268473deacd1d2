-- Who is calling. Everything after this file can rely on app and department being there.

return auth {
  -- Keys are looked up by their hash before any policy runs; no policy ever sees one. The first of these headers that a
  -- request has counts: as a bearer token in authorization, bare in the others (Anthropic's clients, Azure's, Google's).
  keys = { headers = { "authorization", "x-api-key", "api-key", "x-goog-api-key" } },

  -- People who come with a token of your identity provider instead of a key:
  -- jwt = {
  --   issuer   = "https://login.example.com",                  -- exactly as the token's iss says it
  --   audience = "moongate",
  --   jwks     = "https://login.example.com/.well-known/jwks.json",   -- or file "login.json", beside this file
  --   claims   = { user = "sub", department = "dept", roles = "groups" },
  --   default_app = "demo",                                    -- for tokens that name none
  -- },

  require = { "app", "department" },

  -- Labels of our keys that other files may use like any field of the identity.
  labels = { "cost_center" },

  -- Add to what the key says; nothing here can replace it.
  enrich = function(id)
    if id.department == "contractors" then
      return { clearance = "public", tier = "bronze" }
    end
  end,

  examples = {
    { as = { app = "support-bot" } },                                  -- the app's department counts
    { as = { app = "support-bot", department = "contractors" } },
    { as = { app = "unheard-of" },                                     deny = "unknown_app" },
    { as = { app = "support-bot" },                key = "missing",    deny = "invalid_api_key" },
    { as = { app = "support-bot" },                key = "unknown",    deny = "invalid_api_key" },
    { as = { app = "support-bot" },                key = "revoked",    deny = "invalid_api_key" },
    { as = { app = "support-bot" },                key = "expired",    deny = "invalid_api_key" },
  },
}
