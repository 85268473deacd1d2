-- Grants as examples and specs tell them, turned into what core.simulate takes.
--
--   grants = { { model = "claude-3-opus", ends = "1h", purpose = "tender: the town hall" } }
--
-- model: by its own name · ends: after that long, or "2025-06-10T00:00:00Z"; 30 days when it is not said · purpose ·
-- covers: "user" (the usual), "app", "department" · break_glass = true · pending = true: a request that waits.
local core, use = ...
local calendar = use "calendar"
local raise = use "raise"

local granting = {}

local kinds = { model = "string", ends = "string number", purpose = "string", covers = "string", id = "string",
  break_glass = "boolean", pending = "boolean" }
local coverings = { user = true, app = true, department = true }
local seconds = { s = 1, m = 60, h = 3600, d = 86400 }

function granting.instant(time)
  if type(time) == "number" then return time end
  local year, month, day, hour, minute, second = tostring(time):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)Z$")
  if not year then return nil end
  local days = calendar.days_of(year + 0, month + 0, day + 0)
  return days * 86400 + hour * 3600 + minute * 60 + second
end

local function bad(text, ...) raise.error("bad_value", text:format(...), 0) end

local function check(one)
  if type(one) ~= "table" then bad("grants: { { model = \"…\", ends = \"1h\" } }, got a %s", type(one)) end
  for name, value in pairs(one) do
    if not kinds[name] then
      bad("a grant has no field '%s': model, ends, purpose, covers, break_glass, pending", tostring(name))
    end
    if not kinds[name]:find(type(value), 1, true) then bad("grants: %s is a %s", name, kinds[name]) end
  end
  if not one.model then bad("grants: model is missing") end
  if one.covers and not coverings[one.covers] then bad("grants: covers is user, app or department") end
end

-- Seconds from when the request comes; or nil, and seconds since 1970.
local function end_of(one)
  local count, unit = tostring(one.ends or "30d"):match("^(%d+)([smhd])$")
  if count then return count * seconds[unit] end
  local at = granting.instant(one.ends)
  if not at then bad("grants: ends is \"1h\" or \"2025-06-10T00:00:00Z\", got %s", tostring(one.ends)) end
  return nil, math.floor(at)
end

function granting.of(list)
  local out = {}
  for i, one in ipairs(list) do
    check(one)
    local lasts, ends_at = end_of(one)
    out[i] = { model = one.model, id = one.id or ("%s_example%d"):format(one.pending and "apr" or "gnt", i),
      covers = one.covers or "user", lasts_s = lasts, ends_at = ends_at, purpose = one.purpose or "for a spec",
      state = one.pending and "pending" or one.break_glass and "glass" or "active" }
  end
  return out
end

return granting
