-- One configuration for every gateway of the fleet. What differs is given to each: MOONGATE_LISTEN,
-- MOONGATE_ADMIN_LISTEN, MOONGATE_DATA_DIR.
return moongate.config {
  policies  = "policies",
  data      = "data",
  redis     = { url = env "FLEET_REDIS_URL", gateways = 2, timeout = "1s" },
  providers = { openai = { kind = "openai", url = env "FLEET_PROVIDER_URL" } },
}
