-- What is said about sensitive requests must not repeat what they say: above the class "internal", texts for the log,
-- the record and metrics that copy a longer run of the request's or the answer's own words are withheld.
--
--   core.annotate(name, withhold(f, value))
local core, use = ...
local schema = use "schema"

local highest = schema.class_rank.internal

return function(f, text)
  if #text < 16 or schema.class_rank[f.data] <= highest or not core.copies_text(text) then return text end
  return ("[withheld: it repeats text of a request with %s data]"):format(f.data)
end
