return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key" } } }
