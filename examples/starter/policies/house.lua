-- Rules of our own. Let a new one observe for a week before it acts: mode = "observe".

return policy {
  rules = {
    { "interns-in-office-hours",
      when   = { role = "intern" },
      unless = { days = "mon-fri", hours = "08:00-18:00", zone = "Europe/Berlin" },
      deny   = { 403, "outside_office_hours" },
      reason = "{user} is an intern" },
  },

  examples = {
    { as = { roles = "intern" }, model = "gpt-4o-mini", time = "2025-06-03T12:00:00Z" },
    { as = { roles = "intern" }, model = "gpt-4o-mini", time = "2025-06-08T12:00:00Z", deny = "outside_office_hours" },
    { as = { roles = "lead" },   model = "gpt-4o-mini", time = "2025-06-08T12:00:00Z" },
  },
}
