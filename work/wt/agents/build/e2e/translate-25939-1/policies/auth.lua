return auth { keys = { headers = { "authorization", "x-api-key" } } }
