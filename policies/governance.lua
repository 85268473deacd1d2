-- Who must look before something counts: read by whoever keeps prompts, approvals and reviews, and decides no request.
-- The registry has a floor of its own below all this: another person's eyes, break-glass of an hour at most.

return governance {
  prompts = {
    review    = { { by = "approver" } },    -- each line is met by another person, none of them an author
    protected = { "production" },           -- labels that point at approved versions only
    tests     = "optional",                 -- "required": all cases passed on this very text
  },

  approvals = {
    pending = "7d", longest = "90d",        -- of a request; of a grant, where the row in access.lua says no less
    break_glass = { by = "admin", longest = "1h", close_within = "3d" },
  },

  reviews = {
    { "quarterly", every = "quarter", scope = { "rows", "grants", "keys", "roles" }, by = "approver",
      due = "14d", unused = "90d", unanswered = "flag" },
  },

  checklist = {
    require = { "access.rows", "data.classes", "approvals.sensitive", "audit.trail", "reviews.current" },
    audit_retention = "183d",
  },

  examples = {
    { prompt = { department = "support" }, reviewers = { "approver" } },
  },
}
