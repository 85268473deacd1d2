-- No Lua at all.
-- refused: near
return policy { on_request = functin() end }
