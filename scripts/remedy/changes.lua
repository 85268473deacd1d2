-- Changes of one fact of a request: which there are to try, what they do to it, how they are said.
--
--   for _, change in ipairs(changes.candidates(t, seen)) do walk.verdict(changes.apply(t, change)) end
--
-- A change: { kind, fact, value, change = { set, as, remove } }. Nearer ones come first.
local core, use = ...
local calendar = use "calendar"
local catalogue = use "catalogue"
local clock = use "clock"
local facts = use "facts"
local loaded = use "load"
local report = use "report"
local schema = use "schema"
local words = use "words"
local moment = use "explain/moment"
local question = use "explain/question"
local vocabulary = use "remedy/vocabulary"

local changes = {}

-- --- doing them ---

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = copy(item) end
  return out
end

function changes.apply(t, change)
  local out = copy(t)
  out.as = out.as or {}
  for name, value in pairs(change.change.as or {}) do out.as[name] = copy(value) end
  for name, value in pairs(change.change.set or {}) do question.set(out, name, copy(value)) end
  for _, name in ipairs(change.change.remove or {}) do
    question.set(out, name, nil)
    if out.headers then out.headers["x-moongate-" .. name:gsub("_", "-")] = nil end
  end
  return out
end

function changes.merge(a, b)
  local out = copy(a)
  for _, part in ipairs { "as", "set" } do
    for name, value in pairs(b[part] or {}) do
      out[part] = out[part] or {}
      out[part][name] = copy(value)
    end
  end
  for _, name in ipairs(b.remove or {}) do
    out.remove = out.remove or {}
    table.insert(out.remove, name)
  end
  return out
end

-- --- finding them ---

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
  local is_virtual = seen.facts.model and catalogue.models[seen.facts.model] and catalogue.models[seen.facts.model].virtual
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
    local rows = definition.kind == "access" and type(definition.spec.models) == "table" and definition.spec.models or {}
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
  if wanted >= answer then return { set = { input_tokens = wanted - answer, output_tokens = answer }, remove = { "context_tokens" } } end
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
          or fact == "input_tokens" and { set = { input_tokens = value }, remove = { "context_tokens" } } or { set = { [fact] = value } })
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
  for r = rank + 1, #schema.classes do add(list, "request", "data", schema.classes[r], { set = { data = schema.classes[r] } }) end
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

local function without(names, name)
  local rest = {}
  for _, other in ipairs(names) do
    if other ~= name then rest[#rest + 1] = other end
  end
  return rest
end

-- What a request uses can be left out where the request was told in words; a body's parts are the client's.
local function uses(list, t, seen)
  local names = type(t.uses) == "string" and { t.uses } or t.uses or {}
  if t.tools then add(list, "request", "uses", "tools", { remove = { "tools" } }) end
  for _, name in ipairs(names) do
    local rest = without(names, name)
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
    local rest = without(names, name)
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
    local rest = without(now, role)
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

-- Every clock of the policies: conditions with hours or days.
local function clocks(spec, found, depth)
  if type(spec) ~= "table" or getmetatable(spec) or depth > 12 then return found end
  if spec.hours ~= nil or spec.days ~= nil then
    local test = clock.compile(spec, nil)
    if test then found[#found + 1] = test end
  end
  for key, value in pairs(spec) do
    if key ~= "examples" then clocks(value, found, depth + 1) end
  end
  return found
end

local QUARTER, WEEK = 900, 8 * 86400

-- The next time at which a clock says something else than now.
local function times(list, seen)
  local now = math.floor(seen.facts.time)
  for _, definition in ipairs(loaded.definitions) do
    for _, test in ipairs(clocks(definition.spec, {}, 0)) do
      local holds = test { time = now } and true or false
      for time = now - now % QUARTER + QUARTER, now + WEEK, QUARTER do
        if (test { time = time } and true or false) ~= holds then
          add(list, "request", "time", time, { set = { time = time } })
          break
        end
      end
    end
  end
end

-- --- limits and budgets ---

local function kind_of(name)
  for _, policy in ipairs(loaded.policies) do
    if policy.name == name then return policy.kind end
  end
end

local DAY = 86400

-- What a limit or a budget refused may be smaller, or later.
local function metered(list, seen)
  local kind = kind_of(seen.outcome.policy)
  if kind ~= "ratelimit" and kind ~= "budget" then return end
  for _, count in ipairs { 16000, 4000, 1000, 100 } do
    if count < seen.facts.context_tokens then add(list, "request", "context_tokens", count, tokens(count, seen)) end
  end
  local now = math.floor(seen.facts.time)
  local year, month = calendar.date_of(math.floor(now / DAY))
  local next_month = calendar.days_of(month == 12 and year + 1 or year, month % 12 + 1, 1) * DAY
  for _, time in ipairs { now + 60, now + 3600, now - now % DAY + DAY, next_month } do
    add(list, "request", "time", time, { set = { time = time } })
  end
end

-- --- all ---

function changes.candidates(t, seen)
  local values, list = vocabulary.values(), {}
  if not seen.facts then return list end
  bad_hints(list, t, seen)
  keys(list, t)
  approvals(list, t, seen)
  metered(list, seen)
  numbers(list, values, seen)
  texts_of(list, t)
  uses(list, t, seen)
  labels(list, t)
  streams(list, values, seen)
  models(list, t, seen)
  classes(list, t, seen)
  hints(list, values, t, seen)
  roles(list, values, t)
  callers(list, values, seen)
  times(list, seen)
  return list
end

-- --- in words ---

local NAMES_MAX = 4

local function some(values)
  local shown = {}
  for i, value in ipairs(values) do
    if i <= NAMES_MAX then shown[i] = value end
  end
  local more = #values - #shown
  return words.joined(shown, "or") .. (more > 0 and (" (and %d more)"):format(more) or "")
end

local texts = {
  model = function(values) return "ask for " .. some(values) end,
  approval = function(values)
    return ("an approval of %s for this caller: `moongate keys create --approve %s …`"):format(some(values), tostring(values[1]))
  end,
  uses = function(values) return "send it without " .. some(values) end,
  label = function(values) return "send it without the label " .. some(values) end,
  text = function() return "send it without what the text holds: with another text it goes through" end,
  key = function() return "send a key that is known, not revoked and not expired" end,
  stream = function(values) return values[1] and "ask for a stream" or "ask for one answer, not a stream" end,
  time = function(values)
    local time, day = moment.spell(values[1])
    return ("send it on %s %s"):format(day, time)
  end,
  role = function(values)
    local with, less = {}, {}
    for _, value in ipairs(values) do
      local taken = value:match("^%-(.*)$")
      if taken then less[#less + 1] = taken else with[#with + 1] = value end
    end
    local parts = {}
    if #less > 0 then parts[#parts + 1] = "without the role " .. some(less) end
    if #with > 0 then parts[#parts + 1] = "with the role " .. some(with) end
    return "call " .. table.concat(parts, ", or ")
  end,
  data = function(values)
    local named = without(without(values, "default"), false)
    return #named > 0 and ("send %s data"):format(some(named)) or "send it without naming a data class"
  end,
}

function changes.text(change, values)
  local spell = texts[change.fact]
  if spell then return spell(values) end
  local fact = change.fact:gsub("_", " ")
  if values[1] == false then return "send it without " .. fact end
  if type(values[1]) == "number" then
    return ("with %s %s%s"):format(words.joined({ values[1] }), fact, values[#values] == false and ", or none said" or "")
  end
  if change.kind == "caller" then
    local named = without(without(values, "other"), "any")
    if #named > 0 then return ("call as %s %s"):format(fact, some(named)) end
    return values[1] == "any" and ("call with a %s"):format(fact) or ("call as another %s"):format(fact)
  end
  return ("with %s %s"):format(fact, some(values))
end

return changes
