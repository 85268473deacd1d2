-- The order in which a request meets the policies. Nothing else decides it.

return chain {
  "auth",        -- who is calling
  "access",      -- may they use this model with this data
  -- later versions add here: how often (ratelimit), can they still afford it (budget), what must not leave (redaction)
  "routing",     -- which model answers
  "audit",       -- what we remember
}
