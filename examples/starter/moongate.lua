-- Where the gateway listens, and which providers it may call. Then:
--   export OPENAI_API_KEY=…
--   moongate keys create --app helpdesk
--   moongate run
return moongate.config {
  listen    = "127.0.0.1:8090",
  admin     = { listen = "127.0.0.1:8091" },
  policies  = "policies",
  data      = "data",
  gate      = { specs = true }, -- nothing goes live whose specs fail
  providers = {
    openai = { kind = "openai", url = "https://api.openai.com/v1", key = env "OPENAI_API_KEY" },
  },
}
