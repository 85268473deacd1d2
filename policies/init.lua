-- The order in which a request meets the policies. Nothing else decides it.

return chain {
  "auth",        -- who is calling
  "access",      -- may they use this model with this data
  "ratelimit",   -- how often
  "budget",      -- can they still afford it
  "redaction",   -- what must not leave the building
  "routing",     -- which model answers
  "audit",       -- what we remember
}
