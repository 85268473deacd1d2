-- The order in which a request meets the policies. Nothing else decides it.

return chain {
  "auth",        -- who is calling
  "access",      -- may they use this model with this data
  { "ratelimit", mode = "off" },    -- how often; checked and tested, and at work once this gateway has counters
  { "budget",    mode = "off" },    -- can they still afford it; the same
  "redaction",   -- what must not leave the building
  "routing",     -- which model answers
  "audit",       -- what we remember
}
