-- Top-ups of budgets as specs and files of requests tell them, turned into those of store/topups.h:
--
--   topups = { { budget = "sales", usd = 100 }, { budget = "each-app", scope = { app = "crm" }, usd = "2.50",
--              ends = "2025-06-30T00:00:00Z" } }
--
--   use "explain/topups" { topups = …, now = 1748952000 }   → JSON, 0
--
-- budget: the row's name, "default", with its policy in front where two policies have one of that name. scope: what the
-- row counts each of; a row for one scope alone needs none. ends: else 30 days from now on. Those with `nano` are what
-- they are to become. Raises with a text for people.
local core, use = ...
local loaded = use "load"
local json = use "json"
local report = use "report"
local request = use "request"
local scopes = use "scopes"
local units = use "units"

local LASTS = 30 * 86400
local NANO_MAX = 4000000000000000 -- LIMIT_TOPUP_NANO

local function bad(text, ...) error(("topups: " .. text):format(...), 0) end

-- --- which budget ---

-- Rows by both names; of one that several policies have, false.
local function rows_by_name()
  local rows = {}
  for _, policy in ipairs(loaded.policies) do
    for _, row in ipairs(policy.kind == "budget" and policy.written_rows or {}) do
      rows[row.id] = row
      if rows[row.name] == nil then rows[row.name] = row else rows[row.name] = false end
    end
  end
  return rows
end

local function row_of(name)
  local rows = rows_by_name()
  local row = rows[name or ""]
  if row then return row end
  if row == false then bad("several policies have a budget '%s': name it POLICY/%s", name, name) end
  local near = report.nearest(name, report.keys(rows))
  bad("no budget is called '%s'%s", tostring(name), near and ": " .. near or "")
end

-- --- whose ---

local function check_scope(row, scope)
  local parts = {}
  for _, part in ipairs(row.parts) do
    parts[part.name] = true
    if not part.text and scope[part.name] == nil then
      bad("'%s' counts each %s: scope = { %s = … }", row.name, part.name, part.name)
    end
  end
  for _, name in ipairs(report.keys(scope)) do
    if not parts[name] then bad("'%s' does not count by '%s'", row.name, name) end
  end
end

-- Also as scripts/scopes.lua writes it.
local function scope_of(row, scope)
  if type(scope) == "string" then return scope end
  if scope ~= nil and type(scope) ~= "table" then bad("scope is a table, { app = \"crm\" }") end
  check_scope(row, scope or {})
  return (scopes.key(row.parts, scope or {}))
end

-- --- how much, until when ---

local function nano_of(usd)
  local text = type(usd) == "number" and ("%.14g"):format(usd) or usd
  local whole, part = tostring(text):match("^(%d+)%.?(%d*)$")
  local nano = whole and #part <= 9 and whole * 1000000000 + (part .. "000000000"):sub(1, 9)
  if nano and nano > 0 and nano <= NANO_MAX then return nano end
  bad("usd is an amount, 100 or \"2.50\", up to %s; got %s", units.dollars_exactly(NANO_MAX), tostring(usd))
end

local known = { budget = true, scope = true, usd = true, ends = true }

local function read(given, now)
  if type(given) ~= "table" then bad("each is a table, { budget = \"sales\", usd = 100 }") end
  if given.nano then return given end
  for _, name in ipairs(report.keys(given)) do
    if not known[name] then
      bad("unknown field '%s'%s", tostring(name),
        (report.nearest(name, report.keys(known)) or ""):gsub("^(.+)$", ": %1"))
    end
  end
  local row = row_of(given.budget)
  local ends_at = given.ends and request.seconds_of(given.ends) or now + LASTS
  return { id = "topup_example", budget = row.id, scope = scope_of(row, given.scope), nano = nano_of(given.usd),
    starts_at = 0, ends_at = math.floor(ends_at) }
end

local function bad_list() bad("a list, { { budget = \"sales\", usd = 100 } }") end

return function(q)
  local list = {}
  if type(q.topups) ~= "table" then bad_list() end
  for i, given in ipairs(q.topups) do list[i] = read(given, q.now) end
  if #list == 0 and next(q.topups) and not q.topups._raw then bad_list() end
  return #list > 0 and json.encode(list) or "[]", 0
end
