return chain { "auth", "ratelimit", "budget" }
