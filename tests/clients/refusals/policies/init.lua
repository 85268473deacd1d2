return chain { "auth", "refuse" }
