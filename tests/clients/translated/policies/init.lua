return chain { "auth" }
