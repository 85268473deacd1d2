-- The order in which a request meets the policies. Nothing else decides it.

return chain {
  "auth",       -- who is calling
  "access",     -- may they use this model with this data
  "house",      -- rules of our own
  "routing",    -- which model answers
}
