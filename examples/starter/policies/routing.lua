-- Which model answers a caller who asks for "auto". The first rule that fits, and has a target that access leaves to this
-- caller, wins.

return routing {
  choose_for = { "auto" },

  rules = {
    { "code",
      when   = { task = "code" },
      route  = "openai/gpt-4o",
      reason = "code goes to the model that is best at it" },

    { "default",
      route  = "openai/gpt-4o-mini",
      reason = "cost optimized" },
  },

  examples = {
    { task = "code",                        route = "openai/gpt-4o" },
    {                                       route = "openai/gpt-4o-mini" },
    { model = "gpt-4o-mini", task = "code", route = "openai/gpt-4o-mini" },
  },
}
