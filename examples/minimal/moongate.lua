-- The smallest gateway that serves a real provider:
--   export OPENAI_API_KEY=sk-…
--   moongate keys create --app demo --department engineering
--   moongate run
return moongate.config {
  policies  = "../../policies",
  providers = {
    openai = { kind = "openai", url = "https://api.openai.com/v1", key = env "OPENAI_API_KEY" },
  },
}
