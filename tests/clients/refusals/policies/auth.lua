return auth { keys = { headers = { "authorization" } } }
