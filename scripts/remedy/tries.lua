-- How often a search for remedies may decide: a number for each way to search, and a time for all of them together,
-- because a policy may take its whole limit every time.
--
--   tries.begin()
--   local budget = tries.new(1000)
--   if not tries.take(budget) then … end      -- enough
local core, use = ...

local tries = {}

local SEARCH_MS = 4000
local ends = 0

function tries.begin() ends = core.clock_ms() + SEARCH_MS end

function tries.new(most) return { left = most } end

function tries.take(budget)
  budget.left = budget.left - 1
  return budget.left >= 0 and core.clock_ms() < ends
end

return tries
