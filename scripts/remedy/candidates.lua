-- Which changes of one fact of a request there are to try. Nearer ones come first.
--
--   for _, change in ipairs(use("remedy/candidates")(t, seen)) do walk.verdict(changes.apply(t, change)) end
local core, use = ...
local calendar = use "calendar"
local catalogue = use "catalogue"
local facts = use "facts"
local loaded = use "load"
local json = use "json"
local report = use "report"
local schema = use "schema"
local scopes = use "scopes"
local units = use "units"
local question = use "explain/question"
local changes = use "remedy/changes"
local vocabulary = use "remedy/vocabulary"
local copy = changes.copy

local function add(list, kind, fact, value, change)
  list[#list + 1] = { kind = kind, fact = fact, value = value, change = change }
end

-- Models by how near their name is to the one that was asked for, in the order of names else.
local function models(list, t, seen)
  local asked = question.get(t, "model")
  local names = {}
  for _, model in ipairs(catalogue.sorted) do names[#names + 1] = model.name end
  local near = type(asked) == "string" and not catalogue.names[asked] and core.nearest(asked, names)
  if near then add(list, "request", "model", near, { set = { model = near } }) end
  local is_virtual = seen.facts.model and catalogue.models[seen.facts.model]
    and catalogue.models[seen.facts.model].virtual
  for _, model in ipairs(catalogue.sorted) do
    if model.name ~= seen.facts.model and model.name ~= near and (not model.virtual or not is_virtual) then
      add(list, "request", "model", model.name, { set = { model = model.name } })
    end
  end
end

local function approvals(list, t, seen)
  local names, wanted = t.as.approvals or {}, {}
  if type(names) == "string" then names = { names } end
  for _, definition in ipairs(loaded.definitions) do
    local rows = definition.kind == "access" and type(definition.spec.models) == "table"
      and definition.spec.models or {}
    for name, row in pairs(rows) do
      if type(row) == "table" and row.approval then wanted[name] = true end
    end
  end
  local own = seen.facts.model
  for _, name in ipairs(report.keys(wanted)) do
    local with = copy(names)
    with[#with + 1] = name
    if not own or own == name or catalogue.models[own] and catalogue.models[own].virtual then
      add(list, "approval", "approval", name, { as = { approvals = with } })
    end
  end
end

-- Tokens are what they are estimated at; the answer's share stays as it is when it can.
local function tokens(wanted, seen)
  local answer = seen.facts.output_tokens or 0
  if wanted >= answer then
    return { set = { input_tokens = wanted - answer, output_tokens = answer }, remove = { "context_tokens" } }
  end
  return { set = { input_tokens = 0, output_tokens = wanted }, remove = { "context_tokens" } }
end

local function by_distance(now)
  return function(a, b)
    local x, y = math.abs(a - now), math.abs(b - now)
    if x ~= y then return x < y end
    return a < b
  end
end

local function numbers(list, values, seen)
  for _, fact in ipairs { "context_tokens", "input_tokens", "max_tokens", "max_latency_ms" } do
    local now = seen.facts[fact]
    local near = copy(values[fact] or {})
    table.sort(near, by_distance(now or 0))
    for _, value in ipairs(near) do
      if value ~= now then
        add(list, "request", fact, value, fact == "context_tokens" and tokens(value, seen)
          or fact == "input_tokens" and { set = { input_tokens = value }, remove = { "context_tokens" } }
          or { set = { [fact] = value } })
      end
    end
    if now and near[1] and fact:find("^max_") then add(list, "request", fact, false, { remove = { fact } }) end
  end
end

-- From the highest class below the present one downwards, then upwards.
local function classes(list, t, seen)
  local rank = schema.class_rank[seen.facts.data] or 1
  for r = rank - 1, 1, -1 do add(list, "request", "data", schema.classes[r], { set = { data = schema.classes[r] } }) end
  if t.data and rank > 1 then add(list, "request", "data", "default", { remove = { "data" } }) end
  for r = rank + 1, #schema.classes do
    add(list, "request", "data", schema.classes[r], { set = { data = schema.classes[r] } })
  end
end

local function hints(list, values, t, seen)
  for _, fact in ipairs { "task", "quality" } do
    if t[fact] ~= nil then add(list, "request", fact, false, { remove = { fact } }) end
    for _, value in ipairs(values[fact] or {}) do
      if value ~= seen.facts[fact] then add(list, "request", fact, value, { set = { [fact] = value } }) end
    end
  end
end

-- One hint at a time that is no value at all: it may be what was refused.
local function bad_hints(list, t, seen)
  if seen.outcome.code ~= "invalid_hint" then return end
  for _, fact in ipairs { "data", "max_latency_ms", "task", "quality" } do
    local header = t.headers and t.headers["x-moongate-" .. fact:gsub("_", "-")]
    if t[fact] ~= nil or header then add(list, "request", fact, false, { remove = { fact } }) end
  end
end

-- What a request uses can be left out where the request was told in words; a body's parts are the client's.
local function uses(list, t, seen)
  local names = type(t.uses) == "string" and { t.uses } or t.uses or {}
  if t.tools then add(list, "request", "uses", "tools", { remove = { "tools" } }) end
  for _, name in ipairs(names) do
    local rest = vocabulary.without(names, name)
    add(list, "request", "uses", name, #rest > 0 and { set = { uses = rest } } or { remove = { "uses" } })
  end
  if #names > 1 then add(list, "request", "uses", table.concat(names, " and "), { remove = { "uses" } }) end
  if type(t.body) == "table" and t.body.tools and #(seen.facts.uses or {}) > 0 then
    local body = copy(t.body)
    body.tools, body.tool_choice, body.parallel_tool_calls = nil, nil, nil
    add(list, "request", "uses", "tools", { set = { body = body } })
  end
end

-- Data labels can be left out where the request names them itself.
local function labels(list, t)
  local names = type(t.label) == "string" and { t.label } or t.label or {}
  for _, name in ipairs(names) do
    local rest = vocabulary.without(names, name)
    add(list, "request", "label", name, #rest > 0 and { set = { label = rest } } or { remove = { "label" } })
  end
end

-- What a body says, said otherwise: whether it is the text at all that is refused.
local function with_text(body, text)
  local out = copy(body)
  if out.messages then out.messages = { { role = "user", content = text } } end
  if out.input then out.input = text end
  if out.prompt then out.prompt = text end
  return out
end

local function texts_of(list, t)
  if type(t.body) == "table" then add(list, "request", "text", "hello", { set = { body = with_text(t.body, "hello") } })
  elseif t.messages then add(list, "request", "text", "hello", { set = { text = "hello" }, remove = { "messages" } })
  elseif t.text then add(list, "request", "text", "hello", { set = { text = "hello" } }) end
end

-- Headers that policies ask for, one at a time; without its own.
local function headers(list, values, t, seen)
  for _, fact in ipairs(report.keys(values)) do
    local name = fact:match("^header (.*)$")
    local own = {}
    for key, value in pairs(name and t.headers or {}) do own[key:lower()] = value end
    for _, value in ipairs(name and values[fact] or {}) do
      if value ~= seen.facts[fact] then
        local with = copy(own)
        with[name] = value
        add(list, "request", fact, value, { set = { headers = with } })
      end
    end
    if name and own[name] then
      local without = copy(own)
      without[name] = nil
      add(list, "request", fact, false, { set = { headers = without } })
    end
  end
end

local function streams(list, values, seen)
  if values.stream or seen.facts.stream then
    add(list, "request", "stream", not seen.facts.stream, { set = { stream = not seen.facts.stream } })
  end
end

local identity = { "department", "app", "team", "tier", "region", "clearance", "env", "user" }

local function callers(list, values, seen)
  local names = copy(identity)
  for _, label in ipairs(report.keys(facts.labels)) do names[#names + 1] = label end
  for _, fact in ipairs(names) do
    local now = seen.facts[fact]
    for _, value in ipairs(values[fact] or {}) do
      if value ~= now then add(list, "caller", fact, value, { as = { [fact] = value } }) end
    end
    if now then
      add(list, "caller", fact, "other", { as = { [fact] = "other" } }) -- for rules that are against one
    else add(list, "caller", fact, "any", { as = { [fact] = "any" } }) end
  end
end

local function roles(list, values, t)
  local now = t.as.roles or t.as.role or {}
  if type(now) == "string" then now = { now } end
  local has = {}
  for _, role in ipairs(now) do
    has[role] = true
    local rest = vocabulary.without(now, role)
    add(list, "caller", "role", "-" .. role, { as = { roles = #rest > 0 and rest or false } })
  end
  for _, role in ipairs(values.role or {}) do
    if not has[role] then
      local with = copy(now)
      with[#with + 1] = role
      add(list, "caller", "role", role, { as = { roles = with } })
    end
  end
end

local function keys(list, t)
  if t.key then add(list, "caller", "key", "valid", { remove = { "key" } }) end
end

-- --- time ---

local QUARTER, WEEK = 900, 8 * 86400

-- The next time at which one of the policies' clocks says something else than now.
local function times(list, seen)
  local now = math.floor(seen.facts.time)
  for _, term in ipairs(vocabulary.terms()) do
    if term.op == "within" and term.values[1] > now then
      add(list, "request", "time", term.values[1], { set = { time = term.values[1] } })
    elseif term.op == "within" and term.values[2] > now then
      add(list, "request", "time", term.values[2], { set = { time = term.values[2] } })
    end
    if term.op == "clock" then
      local holds = term.test { time = now } and true or false
      for time = now - now % QUARTER + QUARTER, now + WEEK, QUARTER do
        if (term.test { time = time } and true or false) ~= holds then
          add(list, "request", "time", time, { set = { time = time } })
          break
        end
      end
    end
  end
end

-- --- limits and budgets ---

local function policy_of(name)
  for _, policy in ipairs(loaded.policies) do
    if policy.name == name then return policy end
  end
end

-- The row that refused: "sales@100%" is the row "sales".
local function row_of(policy, rule)
  local name = rule:gsub("@[^@]*$", "")
  for _, row in ipairs(policy.written_rows) do
    if row.name == name then return row end
  end
end

-- When the period of the budget that refused is over; nil of a limit, and of a session's.
local function period_end(policy, row, now)
  if not row or not row.period then return nil end
  local _, stop = calendar.period(row.period, now, policy.offset_at)
  return stop
end

-- What is there, and one more.
local function with_topup(t, one)
  local list = t.topups and json.encode(t.topups) or "[]"
  return json.raw((list == "[]" and "[" or list:gsub("%]$", ",")) .. json.encode(one) .. "]")
end

local TOPUP_NANO_MAX = 4000000000000000 -- LIMIT_TOPUP_NANO

-- A tenth of the limit more, as much again, nine times as much: as `moongate topup` is told it.
local function topups(list, t, seen, row)
  local scope = scopes.key(row.parts, seen.facts)
  local whom = scopes.spell(row.parts, seen.facts, true, "everybody")
  for _, tenths in ipairs { 1, 10, 90 } do
    local nano = math.min(math.ceil(row.limit / 10) * tenths, TOPUP_NANO_MAX)
    local one = { id = "topup_tried", budget = row.id, scope = scope, nano = nano, starts_at = 0,
      ends_at = math.floor(seen.facts.time) + 86400 }
    add(list, "topup", "topup", ("%q %s --budget %s"):format(whom, units.spell_usd(nano), row.id),
      { set = { topups = with_topup(t, one) } })
  end
end

-- What a limit or a budget refused may be smaller, or later.
local function metered(list, t, seen)
  local outcome = seen.outcome
  local policy = policy_of(outcome.policy)
  if not policy or policy.kind ~= "ratelimit" and policy.kind ~= "budget" then return end
  for _, count in ipairs { 16000, 4000, 1000, 100 } do
    if count < seen.facts.context_tokens then add(list, "request", "context_tokens", count, tokens(count, seen)) end
  end
  local now, wait = seen.facts.time, outcome.retry_after
  local row = row_of(policy, outcome.rule)
  local stop = not wait and period_end(policy, row, now)
  if wait then add(list, "request", "wait", wait, { set = { time = math.ceil(now + wait) } }) end
  if stop then add(list, "request", "time", stop, { set = { time = stop } }) end
  if row and policy.kind == "budget" then topups(list, t, seen, row) end
end

return function(t, seen)
  local values, list = vocabulary.values(), {}
  if not seen.facts then return list end
  bad_hints(list, t, seen)
  keys(list, t)
  approvals(list, t, seen)
  metered(list, t, seen)
  numbers(list, values, seen)
  texts_of(list, t)
  uses(list, t, seen)
  labels(list, t)
  headers(list, values, t, seen)
  streams(list, values, seen)
  models(list, t, seen)
  classes(list, t, seen)
  hints(list, values, t, seen)
  roles(list, values, t)
  callers(list, values, seen)
  times(list, seen)
  return list
end
