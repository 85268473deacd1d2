return chain { "auth", "access", "budget", "routing" }
