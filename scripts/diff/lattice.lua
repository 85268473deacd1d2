-- Which of two conditions holds for more requests.
--
--   lattice.conditions(old, new) → "same", "wider", "narrower" or "other"      -- lists of terms; nil stands for always
--   lattice.exceptions(old, new)            -- of `unless`: nil stands for never
--   lattice.lists(old, new)                 -- plain lists of names
--
-- What cannot be ordered is "other": nobody is told that a change is harmless when it is only not understood.
local core, use = ...
local implies = use "condition/implies"

local lattice = {}

function lattice.is_equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if key ~= "_line" and not lattice.is_equal(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if key ~= "_line" and a[key] == nil then return false end
  end
  return true
end

function lattice.conditions(old, new)
  local is_within, is_around = implies(old, new), implies(new, old)
  if is_within then return is_around and "same" or "wider" end
  return is_around and "narrower" or "other"
end

local turned = { wider = "narrower", narrower = "wider", same = "same", other = "other" }

function lattice.exceptions(old, new)
  if old == nil or new == nil then
    if old == new then return "same" end
    local given = old or new
    return implies.never(given) and "same" or old == nil and "narrower" or "wider"
  end
  return turned[lattice.conditions(old, new)]
end

local function as_term(list)
  return { { key = "list", op = "one_of", values = type(list) == "table" and list or { list }, many_valued = true } }
end

function lattice.lists(old, new) return lattice.conditions(as_term(old), as_term(new)) end

return lattice
