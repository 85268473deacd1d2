-- What happens when a budget is used up to some part: { at = "80%", warn = true, notify = { "owner" } }.
--
--   local list = thresholds.compile(spec, path)   -- in ascending order; nil for nil
--   thresholds.await_all(f, entry)           -- of one that is passed uncounted
--   thresholds.apply(f, entry, spent, used)  -- for an entry of the budget (scripts/limits.lua), nano-dollars:
--                                               used is what was spent and what is held
--
-- What narrows holds from its threshold on, whatever further ones are crossed. Of warnings only the highest is given,
-- of notices the highest that is new. Both narrow and warn by what may be spent; notices go by what was: what is only
-- held may come back, and its notice would be used up for the period. A notice goes out once for each budget, threshold
-- and period, also where a top-up has moved the threshold meanwhile.
local core, use = ...
local report = use "report"
local schema = use "schema"
local units = use "units"
local rules = use "rules"
local reasons = use "reasons"
local notes = use "notes"
local counters = use "counters"
local facts = use "facts"
local words = use "constructors/budget_words"
local sub = report.sub

local thresholds = {}

-- "owner" goes to the sink of that name where there is one.
local function check_sink(name, path)
  if name == "owner" or core.sink(name) ~= false then return end
  local cure = ("notify = { [\"%s\"] = { kind = … } } in moongate.lua"):format(name)
  report.warn(path, "no_sink", ("nobody is told what goes to '%s': moongate.lua has no sink of that name"):format(name),
    report.nearest(name, core.names("sink")) or cure)
end

local function receiver(value, path)
  local text = type(value) == "string" and value or ""
  local name = text:match("^([a-z][a-z0-9_-]*):%S+$") or text:match("^[a-z][a-z0-9_-]*$")
  if name then
    check_sink(name, path)
    return value
  end
  report.at(path, "bad_value",
    ("notices go to a sink of moongate.lua, with an address where it takes one: \"owner\", \"slack:#ai-spend\"; got %s")
    :format(schema.kind_of(value)), text:find("^[#@]%S+$") and ("write \"slack:%s\""):format(text) or nil)
end

local function warning(value, path)
  if value == true or type(value) == "string" and value ~= "" then return value end
  report.at(path, "bad_decision",
    "warn is written warn = true, or with a text for the caller; got " .. schema.kind_of(value))
end

local shape = schema.record({ at = units.percent, warn = warning, notify = schema.one_or_list(receiver),
  only = rules.actions.only, drop = rules.actions.drop, deny = rules.actions.deny,
  reason = schema.shape({ kind = "string" }, reasons.compile) }, { "at" }, "field of a threshold")

local AT_MAX = 20000

local function compile_one(value, path)
  local given = shape(value, path)
  if not given or not given.at then return nil end
  if given.at == 0 or given.at > AT_MAX then
    report.at(sub(path, "at"), "bad_value",
      ("a threshold lies above 0%% and up to 200%%, got %s"):format(tostring(value.at)))
  end
  if not (value.warn or value.notify or value.only or value.drop or value.deny) then
    report.at(path, "bad_action", "this threshold does nothing: warn, notify, only, drop or deny")
  end
  given.text, given.path = value.at, path
  if value.reason ~= nil and not value.deny then
    report.at(sub(path, "reason"), "bad_action", "a reason is for who is refused: it stands beside deny")
  end
  local said = given.deny and value.deny
  if said and said[1] == nil and said.status == nil then given.deny.status = 402 end
  return given
end

local function check_order(list)
  for i, one in ipairs(list) do
    local before = list[i - 1]
    if before and before.at == one.at then
      report.at(one.path, "said_twice", ("two thresholds stand at %s"):format(one.text))
    end
    if before and before.deny then
      report.warn(one.path, "never_reached", ("never reached: at %s requests are denied"):format(before.text))
      return
    end
  end
end

function thresholds.compile(spec, path)
  if spec == nil then return nil end
  local list = {}
  if type(spec) == "table" and next(spec) == nil then
    report.at(path, "bad_limit", "no thresholds: this budget would warn nobody and block nothing",
      "leave 'thresholds' out: then 100% denies")
  end
  for i, value in ipairs(schema.list(schema.table)(spec, path) or {}) do
    list[#list + 1] = compile_one(value, sub(path, i))
  end
  table.sort(list, function(a, b) return a.at < b.at end)
  check_order(list)
  return list
end

-- What holds when nobody says otherwise.
thresholds.default = { { at = 10000, text = "100%",
  deny = { verb = "deny", status = 402, code = "budget_exhausted" } } }

-- A part of an amount, rounded up; exact, whatever the amount.
function thresholds.nano(limit, at)
  local whole = math.floor(limit / 10000)
  return whole * at + math.ceil((limit - whole * 10000) * at / 10000)
end

-- The threshold that denies, and from where on.
function thresholds.blocking(list, limit)
  for _, one in ipairs(list) do
    if one.deny then return one, thresholds.nano(limit, one.at) end
  end
end

-- --- at work ---

local function rule_of(entry, one) return ("%s@%s"):format(entry.row.name, one.text) end

local function add_filter(f, entry, one, action)
  local filters = f._filters
  filters[#filters + 1] = { policy = entry.policy, rule = rule_of(entry, one), set = action.set,
    keep = action.verb == "only", reason = action.verb .. " " .. (action.spelt or "") }
end

local function narrow(f, entry, one, action, reason)
  local policy, row = entry.policy, entry.row
  notes.note(f, policy, rule_of(entry, one), action.verb, reason, row.mode, row.line)
  if row.mode ~= "observe" then add_filter(f, entry, one, action) end
end

local function each_narrowing(entry, used, fn)
  for _, one in ipairs(entry.row.thresholds) do
    if (one.only or one.drop) and not (entry.narrowed and entry.narrowed[one])
      and used >= thresholds.nano(entry.item.whole, one.at) then
      if one.only then fn(one, one.only) end
      if one.drop then fn(one, one.drop) end
    end
  end
end

-- For a request that does not fit: would it with what its thresholds leave? is_enough() says so; else all is as before.
function thresholds.try_narrowing(f, entry, used, reason, is_enough)
  local filters = f._filters
  local before, crossed = #filters, {}
  each_narrowing(entry, used, function(one, action)
    crossed[#crossed + 1] = { one, action }
    add_filter(f, entry, one, action)
  end)
  local holds = #crossed > 0 and entry.row.mode ~= "observe" and is_enough()
  while #filters > before do filters[#filters] = nil end
  if not holds then return false end
  entry.narrowed = {}
  for _, pair in ipairs(crossed) do
    entry.narrowed[pair[1]] = true
    narrow(f, entry, pair[1], pair[2], reason)
  end
  return true
end

-- What the request would cost with what the thresholds leave: from each that narrows on, { from, cost } in
-- nano-dollars, in their order; cost nothing where no target is left. estimate() says what it costs, and whether any
-- target is left.
function thresholds.narrowed(f, entry, estimate)
  local filters, list = f._filters, {}
  local before = #filters
  if entry.row.mode == "observe" then return list end
  for _, one in ipairs(entry.row.thresholds) do
    if one.only then add_filter(f, entry, one, one.only) end
    if one.drop then add_filter(f, entry, one, one.drop) end
    if one.only or one.drop then
      local cost, _, is_any = estimate()
      list[#list + 1] = { from = thresholds.nano(entry.item.whole, one.at), cost = is_any and cost or nil }
    end
  end
  while #filters > before do filters[#filters] = nil end
  return list
end

local function warn(f, entry, one, reason)
  local text = one.warn == true and reason or one.warn
  notes.note(f, entry.policy, rule_of(entry, one), "warn", text, entry.row.mode, entry.row.line)
  if entry.row.mode ~= "observe" then core.warn("budget: " .. text) end
end

local function notice_of(f, entry, one)
  local item, app = entry.item, facts.apps and facts.apps[f.app]
  return { key = item.key, at = one.at, period = item.start or 0, to = one.notify, text = "",
    budget = entry.row.name, threshold = one.text, rule = entry.policy.name .. "/" .. rule_of(entry, one),
    app = f.app or "", owner = app and app.owner or "" }
end

-- The counters send it unless they did before; lower ones that were jumped over count as sent.
local function notify(f, entry, one, reason)
  local notice = notice_of(f, entry, one)
  notice.text = reason
  counters.notify(notice)
end

-- It may be reached when those under way have ended: it is told then, of what was spent.
local function await(f, entry, one, nano, is_uncounted)
  local notice, item = notice_of(f, entry, one), entry.item
  notice.uncounted = is_uncounted
  notice.from, notice.whole, notice.stop, notice.idle = nano, item.whole, item.stop, item.idle
  notice.who, notice.what = words.scope(f, entry.row), words.whole(entry.row, item)
  counters.notify(notice)
end

local function tells(entry, one) return one.notify and entry.row.mode ~= "observe" end

-- The highest that what was spent has reached. Further ones are awaited, each.
local function notify_reached(f, entry, spent, used)
  local whole, reached = entry.item.whole, nil
  for _, one in ipairs(entry.row.thresholds) do
    local nano = tells(entry, one) and thresholds.nano(whole, one.at)
    if nano and spent >= nano and not one.deny then reached = one
    elseif nano and used >= nano then await(f, entry, one, nano) end
  end
  if reached then notify(f, entry, reached, words.usage(f, entry, spent)) end
end

-- What is spent while shared counters are out of reach is known when they are back: whoever asks next, or nobody.
function thresholds.await_all(f, entry)
  for _, one in ipairs(entry.row.thresholds) do
    if tells(entry, one) then await(f, entry, one, thresholds.nano(entry.item.whole, one.at), true) end
  end
end

-- Some of a budget stays unused where nothing fits any more: it counts as used up when less than this part is left.
local REST = 20

-- A threshold that denies is told of when what was spent has come there, or next to it and beyond all others; that a
-- request is too dear for what is left says nothing of a budget that is not used up.
function thresholds.notify_refusal(f, entry, spent, reason)
  local one, whole, highest = entry.row.blocking, entry.item.whole, 0
  local bound = thresholds.nano(whole, one.at)
  for _, other in ipairs(entry.row.thresholds) do
    if other.notify and not other.deny then highest = math.max(highest, thresholds.nano(whole, other.at)) end
  end
  notify_reached(f, entry, spent, spent)
  if tells(entry, one) and spent >= math.min(bound, math.max(highest, bound - math.floor(bound / REST))) then
    notify(f, entry, one, reason)
  end
end

function thresholds.apply(f, entry, spent, used)
  local limit, loudest, said = entry.item.whole, nil, nil
  local function reason()
    said = said or words.usage(f, entry, spent, used)
    return said
  end
  each_narrowing(entry, used, function(one, action) narrow(f, entry, one, action, reason()) end)
  for _, one in ipairs(entry.row.thresholds) do
    if one.warn and not one.deny and used >= thresholds.nano(limit, one.at) then loudest = one end
  end
  if loudest then warn(f, entry, loudest, reason()) end
  notify_reached(f, entry, spent, used)
end

return thresholds
