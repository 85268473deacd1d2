-- ratelimit { limits = { { "per-user", by = "user", requests = 60, per = "1m" } } }: how often, how much,
-- how many at once.
--
-- All limits of a request are taken together, all or none. A limit lets its requests through evenly: at most a sixth of
-- them at once (`burst` says otherwise), the others as time goes by.
local core, use = ...
local report = use "report"
local schema = use "schema"
local units = use "units"
local policies = use "policies"
local conditions = use "condition"
local scopes = use "scopes"
local limits = use "limits"
local prices = use "prices"
local notes = use "notes"
local raise = use "raise"
local row_checks = use "constructors/row_checks"
local sub = report.sub

local ratelimit = {}

local unit_names = { "requests", "tokens", "concurrent" }
local COUNT_MAX = 1000000000000

local function counter(of_nothing)
  return function(value, path)
    local is_number = type(value) == "number"
    if is_number and value >= 1 and value % 1 == 0 and value <= COUNT_MAX then return value end
    local range = is_number and value > COUNT_MAX and (" to %.0f"):format(COUNT_MAX) or ""
    report.at(path, "bad_limit", ("expected a whole number from 1%s, got %s"):format(range, schema.kind_of(value)),
      value == 0 and of_nothing or schema.near_number(value))
  end
end
local count = counter "a limit of 0 lets nothing through: deny it in access.lua"
local burst = counter "with none at once nothing would pass: burst = 1"

local rates = { rpm = { "requests", "1m" }, rps = { "requests", "1s" }, rph = { "requests", "1h" },
  rpd = { "requests", "1d" }, tpm = { "tokens", "1m" }, tph = { "tokens", "1h" }, tpd = { "tokens", "1d" } }

-- What a field that limits do not have was meant to be.
local function hint(key, value)
  if rates[key] then
    return ("write %s = %s, per = \"%s\""):format(rates[key][1], type(value) == "number" and value or "…",
      rates[key][2])
  end
  if key == "each" then return "did you mean 'by'?" end
  if key == "limit" or key == "max" then return "a limit says of what: requests, tokens or concurrent" end
  if key == 2 then return "a limit has one name, and fields after it" end
  return type(key) == "string" and scopes.is_scope(key)
    and ("for each of them by = \"%s\", for some when = { %s = … }"):format(key, key) or nil
end

local shape = schema.record({ schema.text, by = scopes.by, requests = count, tokens = count, concurrent = count,
  per = units.duration, burst = burst, when = function(value) return value end, mode = schema.mode,
  description = schema.text }, nil, "field of a limit", hint)

-- --- at work ---

-- A sixth, rounded up. The whole limit at once would let twice the limit through in the worst minute; with a sixth it
-- is never more than a sixth over it.
local function burst_of(row, limit)
  return math.ceil(row.burst and math.min(row.burst, limit) or limit / limits.BURST_PART)
end

-- What adjust says for this request, else the row's own.
local function limit_of(f, policy, row, unit)
  local limit = row[unit]
  local adjusted = policy.adjust and policy.adjust(f.ctx, row.views[unit])
  if adjusted == nil then
    if policy.adjust then core.trust() end
    return limit
  end
  if type(adjusted) ~= "number" or not (adjusted >= 1 and adjusted <= COUNT_MAX) then
    error(("adjust returned %s for '%s': a number from 1, or nothing to leave the limit as it is"):format(
      schema.kind_of(adjusted), row.name), 0)
  end
  return math.floor(adjusted)
end

local spell_count = units.many

-- "6,000 tokens a minute"
local function spell_limit(entry)
  return ("%s %s"):format(spell_count(entry.item.limit, entry.item.kind), units.per(entry.row.per_text))
end

-- "2 requests at once, 10 a minute": both are limits, and who waits wants to know which.
local function spell_rate(entry)
  local item = entry.item
  if item.kind == "concurrent" then return spell_count(item.limit, "requests") .. " at a time" end
  if item.burst >= item.limit then return spell_limit(entry) end
  return ("%s at once, %s"):format(spell_count(item.burst, item.kind), (spell_limit(entry):gsub(" %l+", "", 1)))
end

local function spell_wait(seconds)
  if not seconds then return "" end
  if seconds < 120 then return ("; again in %d s"):format(seconds) end
  if seconds < 7200 then return ("; again in %d min"):format(math.ceil(seconds / 60)) end
  return ("; again in %d h"):format(math.ceil(seconds / 3600))
end

local function spell_caller(f, row) return scopes.spell_subject(row.parts, f, true, "everybody") end

local function on_counted(f, entry)
  local item = entry.item
  local what = item.kind == "tokens" and spell_count(item.amount, "tokens") .. ", " or ""
  notes.note(f, entry.policy, entry.row.name, "count", ("%swithin %s for %s"):format(what, spell_rate(entry),
    spell_caller(f, entry.row)), entry.row.mode, entry.row.line)
end

-- Where a gateway counts alone: "5 requests an hour, this gateway's part of 10 while shared counters …".
local function spell_part(entry, part, rate)
  return ("%s %s, this gateway's part of %s while shared counters are out of reach"):format(
    spell_count(part, entry.item.kind), rate, units.count(entry.item.limit))
end

-- Whose limit it is, how much there is of it, what this request wanted, and when to come again.
local function spell_refusal(f, entry, state, reply)
  local item, who = entry.item, spell_caller(f, entry.row)
  if reply.is_too_large then
    return ("a request of %s can never pass: %s is the limit of %s"):format(spell_count(item.amount, "tokens"),
      spell_limit(entry), who)
  end
  if item.kind == "concurrent" then
    if state.part then
      return ("%s is over %s; again when one ends"):format(who, spell_part(entry, state.part, "at a time"))
    end
    return ("%s has %s under way, and may have no more at a time; again when one ends"):format(who,
      spell_count(item.limit, "requests"))
  end
  local wanted = item.kind == "tokens" and (", and this request takes %s"):format(units.count(item.amount)) or ""
  local rate = state.part and spell_part(entry, state.part, units.per(entry.row.per_text)) or spell_rate(entry)
  return ("%s is over %s%s%s"):format(who, rate, wanted, spell_wait(reply.retry_after))
end

local function on_refused(f, entry, state, reply)
  local row = entry.row
  local retry_after = not reply.is_too_large and reply.retry_after or nil
  return notes.deny(f, entry.policy, row.name, { status = 429, code = "rate_limited", retry_after = retry_after },
    spell_refusal(f, entry, state, reply), row.mode, row.line)
end

local function item_of(f, policy, row, unit)
  local key, scope = scopes.key(row.parts, f)
  local limit = limit_of(f, policy, row, unit)
  local item = { kind = unit, limit = limit, scope = scope, rule = row.name, on_loss = policy.on_store_loss,
    observe = row.mode == "observe", key = ("%s%s;%s"):format(row.prefix, key, row.per_text or "") }
  if unit ~= "concurrent" then item.window, item.burst = row.per, burst_of(row, limit) end
  if unit == "requests" then item.amount = 1 end
  if unit == "tokens" then item.amount = prices.tokens(f) end
  return item
end

-- Its requests are made where nobody counts their tokens.
local function refuse_batch(f, policy, row)
  return notes.deny(f, policy, row.name, { status = 403, code = "not_countable" },
    "a batch's tokens cannot be counted here, and they are limited: make its requests one by one", row.mode, row.line)
end

local function collect(f, policy, list)
  for _, row in ipairs(policy.rows) do
    if scopes.applies(row.parts, f) and (not row.matches or row.matches(f)) then
      if f.api == "batches" and row.tokens and refuse_batch(f, policy, row) == "over" then return "over" end
      for _, unit in ipairs(row.units) do
        list[#list + 1] = { policy = policy, row = row, item = item_of(f, policy, row, unit), counted = on_counted,
          refused = on_refused }
      end
    end
  end
end

-- --- at load ---

-- What adjust is shown of a limit: to read only.
local function view_of(row, unit)
  local fields = { name = row.name, limit = row[unit], unit = unit, per = row.per_text or false }
  local view = { __metatable = "limit" }
  function view.__index(_, name)
    if fields[name] == nil then
      raise.error("undefined_name", ("a limit has no field '%s': name, limit, unit, per"):format(tostring(name)), 2)
    end
    return fields[name] or nil
  end
  function view.__newindex() error("a limit cannot be changed: adjust returns what it shall be", 2) end
  return setmetatable({}, view)
end

local function check_units(given, path)
  local list = {}
  for _, unit in ipairs(unit_names) do
    if given[unit] ~= nil then list[#list + 1] = unit end
  end
  if #list == 0 then
    report.at(path, "bad_limit", "a limit says how many: requests = 60, tokens = 200000 or concurrent = 5")
  end
  local is_rate = given.requests ~= nil or given.tokens ~= nil
  if is_rate and given.per == nil then
    report.at(path, "bad_limit", "'per' is missing: how many in what time? per = \"1m\"")
  end
  if not is_rate and #list > 0 and given.per ~= nil then
    report.at(sub(path, "per"), "bad_limit", "concurrent counts what runs at the same time, and has no 'per'")
  end
  return list
end

-- How many of what at once? Where adjust raises limits, a burst may be more than what is written.
local function check_burst(value, given, path, policy)
  if not given.burst then return end
  local number, is_two = given.requests or given.tokens, value.requests ~= nil and value.tokens ~= nil
  if value.requests == nil and value.tokens == nil then
    report.at(path, "bad_limit", "'burst' is how many requests or tokens of a time may come at once",
      "concurrent = 5 alone says how many run at once")
  elseif is_two then
    report.at(path, "bad_limit", "'burst' is of requests or of tokens: write two limits")
  elseif number and given.burst > number and not policy.adjust then
    report.at(path, "bad_limit", ("no more than the limit comes at once: %.0f is more than %.0f"):format(given.burst,
      number))
  end
end

local function compile_row(value, path, policy)
  if type(value) ~= "table" or getmetatable(value) then
    report.at(path, "bad_limit",
      "a limit is a table, { \"name\", by = \"user\", requests = 60, per = \"1m\" }, got " .. schema.kind_of(value))
    return nil
  end
  if type(value[1]) ~= "string" then
    report.at(path, "bad_limit", "a limit begins with its name: { \"per-user\", … }")
  end
  local given = shape(value, path)
  check_burst(value, given, sub(path, "burst"), policy)
  local name = tostring(value[1])
  local row = { name = name, line = report.place(path), path = path, parts = given.by or {}, per = given.per,
    per_text = value.per, burst = given.burst, mode = given.mode or policy.mode, units = check_units(value, path),
    views = {}, prefix = "" }
  if policy.mode == "observe" and row.mode == "enforce" then row.mode = "observe" end
  if value.when ~= nil then
    local condition = conditions.compile(value.when, sub(path, "when"), policy.name .. "/" .. name)
    if condition.called then
      report.at(sub(sub(path, "when"), "called"), "bad_limit",
        "limits count before anything is called: write model = …")
    end
    row.matches, row.is_conditional = condition.test, true
    row.prefix = policy.name .. "/" .. name .. "/"
    row.when = condition
  end
  for _, unit in ipairs(row.units) do
    row[unit] = given[unit]
    if row[unit] then row.views[unit] = view_of(row, unit) end
  end
  return row
end

-- Does a leave b, of the same scope, nothing to do? Of the same unit,
-- and at least as strict in both the long and the short run.
local function shadows(a, b, unit)
  if a == b or not a[unit] or not b[unit] or b.mode == "off" then return false end
  if unit == "concurrent" then return a[unit] < b[unit] or (a[unit] == b[unit] and a.line < b.line) end
  if not a.per or not b.per then return false end
  local rate_a, rate_b = a[unit] / a.per, b[unit] / b.per
  if rate_a == rate_b and burst_of(a, a[unit]) == burst_of(b, b[unit]) then return a.line < b.line end
  return rate_a <= rate_b and burst_of(a, a[unit]) <= burst_of(b, b[unit])
end

local function may_shadow(row) return not row.is_conditional and row.mode == "enforce" end

local function say_limit(row) return ("'%s' is as strict or stricter"):format(row.name) end

local counted = {} -- what the limits of this generation count: unit, scope and time → the first that does

-- Two limits that count the same, one on trial beside another, or for the short run and the long, count it each for
-- itself: the first under the plain key, the others under keys with their names.
local function keep_apart(policy, row)
  local own, is_shared = policy.name .. "/" .. row.name .. "/", false
  for _, unit in ipairs(row.units) do
    local what = ("%s;%s;%s\n%s"):format(unit, row.prefix, row.per_text or "", scopes.identity(row.parts))
    counted[what] = counted[what] or own
    is_shared = is_shared or counted[what] ~= own
  end
  if is_shared then row.prefix = own end
end

local function compile_rows(spec, policy)
  local rows, active, path = {}, {}, sub(nil, "limits")
  if core.describing then return rows, schema.list(shape)(spec.limits, path) end -- for editors: what a row holds
  local list = spec.limits ~= nil and schema.list(function(value) return value end)(spec.limits, path) or {}
  for i, value in ipairs(list) do rows[#rows + 1] = compile_row(value, sub(path, i), policy) end
  row_checks.names(rows, "limits")
  row_checks.sessions(rows, nil, "let a limit by user or key_id stand beside it")
  if not spec.adjust then row_checks.shadows(rows, may_shadow, shadows, say_limit) end
  for _, row in ipairs(rows) do
    if row.mode ~= "off" and not policy.is_off then
      keep_apart(policy, row)
      active[#active + 1] = row
    end
  end
  return active, rows
end

function ratelimit.compile(spec, policy)
  policies.check(spec, { "limits", "adjust", "on_store_loss" })
  policies.compile(spec, policy, { deny = true, only = true, drop = true, pass = true, annotate = true, warn = true,
    record = true })
  if spec.adjust ~= nil then policy.adjust = schema.fn(spec.adjust, sub(nil, "adjust")) end
  if spec.limits == nil or type(spec.limits) == "table" and next(spec.limits) == nil then
    report.at(nil, "bad_limit", "a ratelimit without limits limits nothing",
      "limits = { { \"per-user\", by = \"user\", requests = 60, per = \"1m\" } }")
  end
  policy.rows, policy.written_rows = compile_rows(spec, policy)
  policy.on_store_loss = spec.on_store_loss == nil and "local"
    or limits.on_store_loss(spec.on_store_loss, sub(nil, "on_store_loss"))
  policy.collect, policy.run = collect, limits.run
end

return ratelimit
