-- The approval that a row of the access matrix wants: `approval = "manager"`, or
--
--   approval = { by = "manager", also = "security", longest = "30d", covers = "user", purposes = { "tender" } }
--
-- by: a role whose scope covers the caller's department; also: a second person of that role; longest: of a grant;
-- covers: whose it is: the user's ("user", the usual; of a caller without one the app's), the app's, the department's;
-- purposes: words, one of which the written purpose begins with ("tender: the new town hall").
--
--   local read = approval.shape(value, path)        -- { by, also, longest, covers, purposes }
--   approval.of(f, name, read)                      -- what lets this caller through: a grant, or the key's own; nil
--   approval.unknown()                              -- nobody can tell: it may be revoked at another gateway
--   approval.refusal(f, name, read)                 -- the reason for people, and the object for programs as JSON
local core, use = ...
local governance = use "constructors/governance"
local governing = use "governing"
local grants = use "grants"
local json = use "json"
local report = use "report"
local schema = use "schema"
local units = use "units"
local sub = report.sub

local approval = {}

local role = governance.role

local word = schema.shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and value:find("^[%w_%-]+$") and #value <= 64 then return value end
  report.at(path, "bad_value", "a purpose is one word of letters, digits, _ and -, such as \"tender\"; got "
    .. schema.kind_of(value))
end)

-- What a whole row may ask for stands in policies/governance.lua.
local longest = schema.shape({ kind = "string" }, function(value, path)
  local seconds = units.duration(value, path)
  local most = seconds and not core.describing and governing.rules().approvals.longest
  if not most or seconds <= most then return seconds end
  report.at(path, "bad_time", ("no grant is longer than approvals.longest of policies/governance.lua (%d d), got %q")
    :format(most / governance.DAY, value))
end)

local record = schema.record({ by = role, also = role, longest = longest,
  covers = schema.choice { "user", "app", "department" }, purposes = schema.one_or_list(word) }, { "by" },
  "field of an approval")

approval.shape = schema.shape({ kind = "any_of", of = { role, record } }, function(value, path)
  local read = type(value) == "table" and record(value, path) or type(value) ~= "table" and { by = role(value, path) }
  if not read or not read.by then return nil end
  if read.purposes and #read.purposes == 0 then
    report.at(sub(path, "purposes"), "missing_field", "no purpose would do: name some, or leave it out")
  end
  read.covers, read.longest = read.covers or "user", read.longest or governing.rules().approvals.longest
  return read
end)

-- --- at work ---

local function fits(f, read, grant)
  if grant.break_glass then return true end
  -- His own also where the key says no user, and the registry whose it is.
  local is_apps = read.covers == "user" and not f.user and grant.covers == "app"
  if grant.covers ~= read.covers and not is_apps then return false end
  if not read.purposes then return true end
  for _, purpose in ipairs(read.purposes) do
    if grant.purpose_word == purpose then return true end
  end
  return false
end

function approval.unknown() return core.approvals_unknown() end

local own = { is_own = true } -- of the key itself, which says no purpose

function approval.of(f, name, read)
  if not read.purposes and core.is_approved(name) then return own end
  for _, grant in ipairs(grants.of(f, name)) do
    if fits(f, read, grant) then return grant end
  end
end

local function who_is_asked(read)
  local text = "a " .. read.by
  return read.also and text .. " and of a second person, " .. read.also or text
end

-- Whom a grant would be given to, as the registry names subjects.
local function subject(f, read)
  local kind = read.covers == "user" and not f.user and "app" or read.covers
  return f[kind] and kind .. ":" .. f[kind]
end

local function spelt(seconds)
  if seconds % governance.DAY == 0 then return seconds / governance.DAY .. "d" end
  if seconds % 3600 == 0 then return seconds / 3600 .. "h" end
  return seconds % 60 == 0 and seconds / 60 .. "m" or seconds .. "s"
end

local WEEK = 7 * 86400

-- With a purpose's word in front, where one is asked for.
local function command(name, read)
  local purpose = read.purposes and read.purposes[1] .. ": …" or "…"
  return ("moongate approvals request %s --for %s --purpose \"%s\""):format(name,
    spelt(math.min(read.longest, WEEK)), purpose)
end

function approval.refusal(f, name, read)
  local state = grants.state(f, name)
  local reason = ("%s needs the approval of %s, and this caller has none"):format(name, who_is_asked(read))
  if state.pending then reason = reason .. (": %s waits for a decision"):format(state.pending)
  elseif state.expired then reason = reason .. (" any more: %s has ended"):format(state.expired) end
  return reason, json.encode { model = name, ["for"] = subject(f, read), roles = { read.by, read.also },
    longest_s = read.longest, purposes = read.purposes, pending = state.pending, expired = state.expired,
    url = grants.url(name), command = command(name, read) }
end

return approval
