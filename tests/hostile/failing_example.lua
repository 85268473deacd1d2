-- An example that is not so.
-- refused: examples[1]
return policy { rules = { { "no", deny = { 403, "no" } } }, examples = { { model = "one" } } }
