-- budget { budgets = { { "sales", department = "sales", limit = 5000, per = "month" } }, thresholds = { … } }:
-- what it may cost.
--
-- What was spent in the period, what requests under way hold, and what this one may cost, stay within the limit
-- together. A row is for one scope, `department = "sales"`, or for each of many, `each = "app"`;
-- `default` is for those without a row. What a request's top-ups add to a row's limit stands in its item: item.whole is
-- the limit with them, by which every threshold is reckoned, and item.limit what is let through.
local core, use = ...
local report = use "report"
local schema = use "schema"
local units = use "units"
local calendar = use "calendar"
local clock = use "clock"
local facts = use "facts"
local edits = use "edits"
local policies = use "policies"
local conditions = use "condition"
local scopes = use "scopes"
local limits = use "limits"
local thresholds = use "thresholds"
local topups = use "topups"
local prices = use "prices"
local notes = use "notes"
local reasons = use "reasons"
local checks = use "constructors/budget_checks"
local words = use "constructors/budget_words"
local sub = report.sub

local budget = {}

local SESSION_IDLE = 2 * 3600

-- What a row without parts counts under: the ledger charges no key that is empty. Others have a "=" or "/".
local EVERYBODY = "everybody"

facts.cost_nano = function(f) return (prices.estimate(f)) end
facts.cost_nano_of = prices.nano

-- --- at work ---

-- What an answer may cost is held, so none may be longer; what costs nothing may be as long as it likes.
local function bound_output(f, entry)
  local row, item = entry.row, entry.item
  if not item.limit or item.observe or item.amount == 0 or f.known_cost_nano or not edits.is_written(f) then return end
  local most = prices.output_bound(f)
  if core.output_bound() == math.max(1, most) then return end
  if edits.bound_output(f, most, entry.policy, "it holds money for no more where the request names no max_tokens") then
    notes.note(f, entry.policy, row.name, "bound", ("max_tokens %d is added: money is held for no more"):format(most),
      row.mode, row.line)
  end
end

-- state.spent and .held hold what was taken for this request too.
local function on_counted(f, entry, state, reply)
  local row, used = entry.row, state.spent + state.held
  local reason = words.usage(f, entry, state.spent, used - entry.item.amount)
  local is_unspent = reply.is_unspent or state.is_unspent
  local said = is_unspent and ("within %s for %s"):format(words.whole(row, entry.item), words.scope(f, row)) or reason
  notes.note(f, entry.policy, row.name, "count", ("%s; this request may cost %s"):format(said,
    units.dollars(entry.item.amount)), row.mode, row.line)
  bound_output(f, entry)
  thresholds.apply(f, entry, state.spent, used)
end

local contended = { status = 429, code = "budget_contended", retry_after = 1 }

local function on_refused(f, entry, state, reply)
  local row = entry.row
  local reason = words.refusal(f, entry, state, reply)
  if reply.is_contended then
    return notes.deny(f, entry.policy, row.name, contended, reason, row.mode, row.line)
  end
  local one = row.blocking
  thresholds.notify_refusal(f, entry, state.spent, reason)
  return notes.deny(f, entry.policy, row.name .. "@" .. one.text, one.deny,
    reasons.text(one.reason, f) or one.deny.reason or reason, row.mode, row.line)
end

-- What is held of the answer: all that may come, or of a stream a slice at a time, if all of its budgets say so.
local function reserve(f) core.reserve(prices.output_tokens(f), f._slice or 0, f._cuts) end

-- Held is the widest of their slices, of those that were admitted before, too; each of these goes on with its own until
-- core.reserve asks for more. The stream is cut as soon as one of them says so.
local function agree_on_slice(f, policy)
  local slice = f.stream and edits.is_written(f) and policy.slice
  if not f._has_budget then f._has_budget, f._slice, f._cuts = true, slice, policy.cuts
  else
    f._slice = slice and f._slice and math.max(slice, f._slice)
    f._cuts = f._cuts or policy.cuts
  end
end

-- After a change of what may be called or answered: what it costs now, everywhere.
local function estimate_again(f, list)
  local cost = prices.held(f, f._slice)
  reserve(f)
  for _, entry in ipairs(list) do
    if entry.item.kind == "money" then entry.item.amount = cost end
    if entry.item.kind == "tokens" then entry.item.amount = prices.tokens(f) end
  end
end

-- What the budgets of a request leave at least, without it.
local function left_of(list, reply)
  local left = math.huge
  for i, entry in ipairs(list) do
    local item, state = entry.item, reply.states[i]
    if item.kind == "money" and item.limit and not item.observe then
      left = math.min(left, item.limit - state.spent - state.held)
    end
  end
  return left
end

-- on_low_budget = "shrink": once, with an answer as long as what is left pays for.
local function shrink(f, list, reply, entry)
  if entry.is_shrunk or not edits.is_written(f) then return false end
  for _, other in ipairs(list) do other.is_shrunk = true end
  local most = prices.affordable(f, left_of(list, reply))
  if not most or f.max_tokens and f.max_tokens <= most then return false end
  notes.note(f, entry.policy, entry.row.name, "shrink", ("max_tokens %d is what is left of the budget"):format(most),
    entry.row.mode, entry.row.line)
  f._policy = entry.policy
  edits.set(f.ctx_request, "max_tokens", most, "what is left of the budget")
  f._policy = false
  estimate_again(f, list)
  return true
end

-- A request that does not fit: with the cheaper models that thresholds leave it may, or with a shorter answer.
local function reconsider(f, list, reply)
  local entry = list[reply.failed]
  local item, state = entry.item, reply.states[reply.failed]
  if item.kind ~= "money" or reply.is_contended or reply.is_closed or f.known_cost_nano then return false end
  local used = state.spent + state.held
  local left = item.limit - used
  local usage = words.usage(f, entry, state.spent, used)
  local has_narrowed = thresholds.try_narrowing(f, entry, used + item.amount, usage, function()
    local cost, _, is_any = prices.held(f, f._slice)
    return is_any and cost <= left
  end)
  if has_narrowed then
    estimate_again(f, list)
    return true
  end
  return entry.policy.shrinks and shrink(f, list, reply, entry)
end

-- Unpriced is a state and no number: what it costs cannot be kept within anything.
local unpriced = { status = 403, code = "unpriced" }

local function refuse_unpriced(policy, row)
  local filter = { policy = policy, rule = row.name, deny = unpriced, line = row.line,
    reason = words.unpriced(policy) }
  function filter.check(f, target)
    local has, lacks = prices.has(target)
    if has then return nil end
    filter.reason = words.unpriced(policy, f.api, lacks)
    return filter.reason, row.name
  end
  return filter
end

local function note_unpriced(f, policy, target)
  notes.note(f, policy, "unpriced", "warn",
    ("%s has no price: what it costs is not known, and not counted"):format(target.name), policy.mode, policy.line)
end

-- What is let through is the same part of the limit with its top-ups. raised is kept with the row: many requests have
-- the same.
local function complete(policy, row, raised)
  raised.whole = row.limit + raised.nano
  raised.spelt = words.of_raised(row, raised)
  if not row.blocking then return end
  raised.limit = thresholds.nano(raised.whole, row.blocking.at)
  raised.words = words.of_row(policy, row, { whole = raised.whole, limit = raised.limit, raised = raised })
end

local function raise(f, policy, row, item, scope)
  local raised = topups.find(row.id, scope, f.time, policy.offset_at, row.raised)
  if not raised then return end
  if raised ~= row.raised then complete(policy, row, raised) end
  row.raised = raised
  item.raised, item.whole, item.limit, item.words = raised, raised.whole, raised.limit, raised.words
end

local function item_of(f, policy, row, cost)
  local key, scope = scopes.key(row.parts, f)
  local item = { kind = "money", key = row.prefix .. key, scope = scope, rule = row.name, amount = cost,
    limit = row.blocks_at, whole = row.limit, on_loss = policy.on_store_loss, observe = row.mode == "observe",
    words = row.words }
  if row.words then item.who = words.scope(f, row) end
  if core.has_topups() then raise(f, policy, row, item, key) end
  if row.period then item.start, item.stop = calendar.period(row.period, f.time, policy.offset_at)
  else
    local app = facts.apps and facts.apps[f.app]
    item.idle = app and app.session and app.session.idle or SESSION_IDLE
  end
  if row.words then item.again = words.again(policy, row, item.stop) end
  return item
end

-- The rows that hold for a request; the default where none of its own scope does.
local function applying(f, policy)
  local rows, is_covered = {}, false
  for _, row in ipairs(policy.rows) do
    if scopes.applies(row.parts, f) then
      is_covered = is_covered or row.covers_default
      if not row.matches or row.matches(f) then rows[#rows + 1] = row end
    end
  end
  local default = policy.default_row
  if default and not is_covered and (not default.matches or default.matches(f)) then rows[#rows + 1] = default end
  return rows
end

local function has_money(list)
  for _, entry in ipairs(list) do
    if entry.item.kind == "money" then return true end
  end
  return false
end

local function collect(f, policy, list)
  local is_free = limits.is_free(f)
  local rows = limits.is_counting() and not is_free and applying(f, policy) or {}
  if #rows == 0 then return end
  local filters = f._filters
  if policy.unpriced == "deny" then
    for _, row in ipairs(rows) do
      if row.blocks_at and row.mode == "enforce" then
        filters[#filters + 1] = refuse_unpriced(policy, row)
        break
      end
    end
  end
  local waiting = f._limits or {}
  local earlier = has_money(waiting)
  agree_on_slice(f, policy)
  if earlier then estimate_again(f, waiting) end
  local cost, without_price = prices.held(f, f._slice)
  reserve(f)
  if without_price and policy.unpriced == "allow" and not f.known_cost_nano then
    note_unpriced(f, policy, without_price)
  end
  for _, row in ipairs(rows) do
    list[#list + 1] = { policy = policy, row = row, item = item_of(f, policy, row, cost), counted = on_counted,
      passed = thresholds.await_all,
      refused = on_refused, retry = reconsider }
  end
end

-- --- ctx.budget ---

local all = {} -- the budgets of this generation

-- Does a say more of what is left than b? One that refuses before one on trial, then the strictest.
local function is_closer(a, b)
  if not b then return true end
  if a.observe ~= b.observe then return b.observe end
  return a.whole < b.whole
end

-- Of the one whose scope is this field alone.
local function item_about(f, name)
  local found
  for _, policy in ipairs(all) do
    for _, row in ipairs(applying(f, policy)) do
      if #row.parts == 1 and row.parts[1].name == name then
        local item = item_of(f, policy, row, 0)
        if is_closer(item, found) then found = item end
      end
    end
  end
  return found
end

function facts.budget_of(f, name)
  local item = limits.is_counting() and item_about(f, name)
  local reply = item and limits.peek(item, "ctx.budget")
  local state = reply and reply.states[1]
  if not state then return nil end
  local used = state.spent + state.held
  local function usd(nano) return nano / 1000000000 end
  return core.proxy("ctx.budget." .. name,
    { limit = usd(item.whole), topup = usd(item.raised and item.raised.nano or 0), spent = usd(state.spent),
    reserved = usd(state.held), used = usd(used), remaining = usd(math.max(0, item.whole - used)),
    resets_at = item.stop })
end

-- --- at load ---

local own_fields = { limit = units.usd, per = schema.choice(calendar.names), each = scopes.by, mode = schema.mode,
  description = schema.text, when = function(value) return value end,
  thresholds = function(value, path) return thresholds.compile(value, path) end }

-- The fields of a row, its scope's names aside.
local function read_fields(value, path)
  local names = scopes.names()
  for _, name in ipairs(report.keys(own_fields)) do names[#names + 1] = name end
  local given = {}
  for key in pairs(value) do
    if type(key) ~= "string" and type(key) ~= "number" then
      report.at(path, "unknown_field", "a budget's fields have names; one here has " .. schema.kind_of(key))
    end
  end
  for _, key in ipairs(report.keys(value)) do
    if own_fields[key] then given[key] = own_fields[key](value[key], sub(path, key))
    elseif not scopes.is_scope(key) or key == "session" then
      report.at(sub(path, key), "unknown_field", ("unknown field '%s' in a budget"):format(key),
        key == "session" and "a session's budget is written each = \"session\""
        or key == "by" and "did you mean 'each'?" or report.nearest(key, names)
        or "a label of your keys? name it in auth.lua: labels = { … }")
    end
  end
  if value.limit == nil then report.at(path, "bad_limit", "'limit' is missing: limit = 5000, in USD") end
  if given.limit == 0 then
    report.at(sub(path, "limit"), "bad_limit", "a budget of 0 lets nothing through: deny it in access.lua")
  end
  return given
end

local function check_period(value, parts, path)
  local by_session = false
  for _, part in ipairs(parts) do by_session = by_session or part.name == "session" end
  if by_session and value.per ~= nil then
    report.at(sub(path, "per"), "bad_limit", "a session's budget lasts as long as the session: leave 'per' out")
  elseif not by_session and value.per == nil then
    report.at(path, "bad_limit", "'per' is missing: day, week, month, quarter or year")
  end
end

local function add_condition(row, value, path, policy)
  if value.when == nil then return end
  local condition = conditions.compile(value.when, sub(path, "when"), policy.name .. "/" .. row.name)
  if condition.called then
    report.at(sub(sub(path, "when"), "called"), "bad_limit", "budgets count before anything is called: write model = …")
  end
  row.matches, row.is_conditional = condition.test, true
  row.prefix = policy.name .. "/" .. row.name .. "/"
  row.when = condition
end

-- A row's own thresholds stand in place of the file's, the one that denies among them.
local function warn_of_gap(own, policy, path)
  if not own or policy.thresholds == thresholds.default or thresholds.blocking(own, 0) then return end
  if not thresholds.blocking(policy.thresholds, 0) then return end
  report.warn(path, "never_blocks",
    "these stand in place of the file's thresholds, and none of them denies: this budget blocks nothing",
    "repeat the one that does: { at = \"100%\", deny = { status = 402, code = \"budget_exhausted\" } }")
end

local function compile_row(value, path, policy, name)
  local given = read_fields(value, path)
  local parts = scopes.constants(value, path)
  scopes.check_constants(parts, path)
  for _, part in ipairs(given.each or {}) do
    if value[part.name] ~= nil then
      report.at(sub(path, "each"), "said_twice", ("'%s' stands in this budget twice"):format(part.name),
        ("for some of them together %s = …, for each of them each = \"%s\""):format(part.name, part.name))
    end
    parts[#parts + 1] = part
  end
  check_period(value, parts, path)
  local row = { name = name, id = policy.name .. "/" .. name, line = report.place(path), path = path, parts = parts,
    limit = given.limit or 1, period = given.per, mode = given.mode or policy.mode,
    prefix = #parts == 0 and EVERYBODY or "",
    thresholds = given.thresholds or policy.thresholds }
  if policy.mode == "observe" and row.mode == "enforce" then row.mode = "observe" end
  warn_of_gap(given.thresholds, policy, sub(path, "thresholds"))
  row.blocking, row.blocks_at = thresholds.blocking(row.thresholds, row.limit)
  row.spelt = words.of_limit(row)
  row.words = row.blocking and words.of_row(policy, row, { limit = row.blocks_at, whole = row.limit })
  add_condition(row, value, path, policy)
  return row
end

local function compile_rows(spec, policy)
  local rows, path = {}, sub(nil, "budgets")
  for i, value in ipairs(spec.budgets ~= nil and schema.list(schema.table)(spec.budgets, path) or {}) do
    local at = sub(path, i)
    if type(value[1]) ~= "string" then
      report.at(at, "bad_limit", "a budget begins with its name: { \"sales\", department = \"sales\", … }")
    end
    for key in pairs(value) do
      if type(key) == "number" and key ~= 1 then
        report.at(sub(at, key), "bad_limit", "a budget has one name, and fields after it")
      end
    end
    rows[#rows + 1] = compile_row(value, at, policy, tostring(value[1]))
  end
  return rows
end

local function compile_default(spec, policy)
  if spec.default == nil then return nil end
  local path = sub(nil, "default")
  local value = schema.table(spec.default, path)
  if not value then return nil end
  if value.each == nil then
    report.at(path, "bad_limit", "the default is for each of something: each = \"department\"")
  end
  if #value > 0 then report.at(sub(path, 1), "bad_limit", "the default has no name of its own: leave it out") end
  return compile_row(value, path, policy, "default")
end

-- A row stands in the default's place for those that it is there for: as broad as the default, and no trial beside it.
local function stands_for(row, default, names)
  if row.is_conditional or #row.parts == 0 or row.mode ~= default.mode and row.mode == "observe" then return false end
  for _, part in ipairs(row.parts) do
    if not names[part.name] then return false end
  end
  return true
end

local function mark_covering(policy)
  local default, names = policy.default_row, {}
  if not default then return end
  for _, part in ipairs(default.parts) do names[part.name] = true end
  for _, row in ipairs(policy.rows) do row.covers_default = stands_for(row, default, names) end
end

local function tokens(value, path)
  if type(value) == "number" and value >= 1 and value % 1 == 0 and value <= 10000000 then return value end
  report.at(path, "bad_limit", "expected a whole number of tokens from 1, got " .. schema.kind_of(value))
end

-- Before other files are compiled: their days are counted in the same zone.
function budget.declare(spec)
  if spec.zone == nil then return end
  if clock.zone(spec.zone, sub(nil, "zone")) then
    if clock.default_zone and clock.default_zone ~= spec.zone then
      report.at(sub(nil, "zone"), "bad_limit", ("another budget counts its days in %s"):format(clock.default_zone))
    end
    clock.default_zone = spec.zone
  end
end

local function slice_tokens(value, path)
  if type(value) == "number" and value >= 16 and value % 1 == 0 and value <= 1000000 then return value end
  report.at(path, "bad_limit", "expected a whole number of tokens, 16 to 1000000, got " .. schema.kind_of(value))
end

local stream_shape = schema.record({ slice = slice_tokens, on_exhausted = schema.choice { "finish", "cut" } },
  { "slice" }, "field of stream")

-- stream = { slice = 1024, on_exhausted = "cut" }
local function compile_stream(spec, policy)
  if spec.stream == nil then return end
  local given = stream_shape(spec.stream, sub(nil, "stream"))
  if not given then return end
  policy.slice, policy.cuts = given.slice, given.on_exhausted == "cut"
end

local function compile_options(spec, policy)
  local function option(name, shape, default)
    if spec[name] == nil then return default end
    return shape(spec[name], sub(nil, name)) or default
  end
  option("currency", checks.currency)
  policy.on_store_loss = option("on_store_loss", limits.on_store_loss, "local")
  policy.unpriced = option("unpriced", schema.choice { "deny", "allow" }, "deny")
  policy.shrinks = option("on_low_budget", schema.choice { "deny", "shrink" }, "deny") == "shrink"
  prices.assumed_output_tokens = option("assumed_output_tokens", tokens, prices.assumed_output_tokens)
  policy.thresholds = thresholds.compile(spec.thresholds, sub(nil, "thresholds")) or thresholds.default
  policy.offset_at = clock.offset(clock.default_zone) or function() return 0 end
end

function budget.compile(spec, policy)
  policies.check(spec, { "currency", "budgets", "default", "thresholds", "zone", "on_store_loss",
    "on_low_budget", "unpriced", "assumed_output_tokens", "stream" })
  policies.compile(spec, policy, { deny = true, only = true, drop = true, pass = true, annotate = true, warn = true,
    record = true })
  compile_options(spec, policy)
  compile_stream(spec, policy)
  local rows = compile_rows(spec, policy)
  policy.default_row = compile_default(spec, policy)
  checks.rows(rows, policy.default_row)
  policy.rows, policy.written_rows = {}, { unpack(rows) }
  table.insert(policy.written_rows, policy.default_row)
  for _, row in ipairs(rows) do
    if row.mode ~= "off" then policy.rows[#policy.rows + 1] = row end
  end
  if policy.default_row and policy.default_row.mode == "off" then policy.default_row = nil end
  mark_covering(policy)
  if #rows == 0 and spec.default == nil then
    report.at(nil, "bad_limit", "a budget without budgets limits nothing",
      "budgets = { { \"sales\", department = \"sales\", limit = 5000, per = \"month\" } }")
  end
  policy.collect, policy.run = collect, limits.run
  if not policy.is_off then all[#all + 1] = policy end
end

return budget
