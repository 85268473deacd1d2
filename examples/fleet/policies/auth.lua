return auth { keys = { header = "authorization", scheme = "Bearer" } }
