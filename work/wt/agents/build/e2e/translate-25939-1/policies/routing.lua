return routing { choose_for = { "auto" }, rules = { { "all", route = { "openai/gpt-4o", "anthropic/claude-sonnet-4-5" } } } }
