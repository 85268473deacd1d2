-- A hold's record, made by store/counters/plan.h: whose it is, its state, how many cells and sums it has taken from,
-- where the names of its sums begin; of each cell tokens, part of the window, how many it runs; of each sum its amount,
-- billions and rest; then the names: cells, and of each sum its key and field.
local HEAD, OPEN = 24, 111 -- where its first number is; "o", of one that is settled "s"
local forms = {}

-- All that is behind its head, in one list: 3 of each cell, 2 of each sum, names.
local function hold_of(record)
  local cells, sums = record:byte(18, 19)
  local kind = cells * 256 + sums
  local form = forms[kind]
  if not form then
    form = "<" .. ("d"):rep(3 * cells + 2 * sums) .. ("I4c0"):rep(cells + 2 * sums)
    forms[kind] = form
  end
  return { unpacked(form, record, HEAD) }, cells, sums
end

local function amount_of(billions, rest)
  if billions < 9007199 then return billions * 1000000000 + rest end
  return ("%.0f%09.0f"):format(billions, rest)
end
