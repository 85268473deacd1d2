-- The budgets of the policies, and the periods that they count now: `moongate budgets`.
--
--   use "budgets" { now = 1760000000 }   → JSON { zone, budgets = { … } }, 0
--
-- budget: { policy, name, at, mode, period, start, stop, limit, blocks_at, blocks_part, prefix, parts, is_default,
-- covers_default } with times in seconds since 1970 (0: a session's), amounts in nano-dollars, and in hundredths of a
-- percent the part of the limit at which it refuses. prefix and parts make the keys that it counts under
-- (scripts/scopes.lua): { name } stands for each value, { name, text, key, values } for these alone.
local core, use = ...
local loaded = use "load"
local json = use "json"
local calendar = use "calendar"
local clock = use "clock"
local report = use "report"

local function part_of(part)
  if not part.set then return { name = part.name } end
  return { name = part.name, text = part.text, key = part.key, values = report.keys(part.set) }
end

local function view(policy, row, now)
  local parts = json.raw "[]"
  if #row.parts > 0 then
    parts = {}
    for i, part in ipairs(row.parts) do parts[i] = part_of(part) end
  end
  local start, stop = 0, 0
  if row.period then start, stop = calendar.period(row.period, now, policy.offset_at) end
  return { policy = policy.name, name = row.name, at = ("%s:%d"):format(policy.file, row.line), mode = row.mode,
    period = row.period or "session", start = start, stop = stop, limit = row.limit, blocks_at = row.blocks_at,
    blocks_part = row.blocking and row.blocking.at, prefix = row.prefix, parts = parts,
    is_default = row == policy.default_row, covers_default = row.covers_default or false }
end

return function(q)
  local list = {}
  for _, policy in ipairs(loaded.policies) do
    if policy.kind == "budget" and not policy.is_off and policy.mode ~= "off" then
      for _, row in ipairs(policy.rows) do list[#list + 1] = view(policy, row, q.now) end
      if policy.default_row then list[#list + 1] = view(policy, policy.default_row, q.now) end
    end
  end
  return json.encode { zone = clock.default_zone or "UTC", budgets = #list > 0 and list or json.raw "[]" }, 0
end
