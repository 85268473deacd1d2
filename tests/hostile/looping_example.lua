-- An example that never ends.
-- refused: stopped after
return policy { on_request = function() while true do end end, examples = { { model = "one" } } }
