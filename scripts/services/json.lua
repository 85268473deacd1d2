-- json.encode(value), json.decode(text), json.array {}, json.object {}, json.null.
--
-- Keys are written in their order, so equal tables give equal texts. null is read as nil (in a list it stays json.null,
-- so that the others keep their places); a whole number beyond 2^53 is read as its digits.
-- decode gives nil and what is wrong.
local core, use = ...
local raise = use "raise"

local json = {}

json.words = {
  encode = function(value)
    if value == nil then
      raise.error("bad_value", "json.encode(value): there is no value; json.null stands for null", 0)
    end
    return core.json_encode(value)
  end,
  decode = function(text)
    if type(text) ~= "string" then
      raise.error("bad_value", "json.decode(text) wants a text, got a " .. type(text), 0)
    end
    return core.json_decode(text)
  end,
  array = function(list) return core.json_array(list or {}) end,
  object = function(table) return core.json_object(table or {}) end,
  null = core.json_null,
}

return json
