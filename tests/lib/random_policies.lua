-- Bundles and requests by chance, the same for the same seed: declared policies only, as tables that tests can change before
-- they are written as Lua.
--
--   local random = dofile("tests/lib/random_policies.lua")
--   random.seed(1)
--   local files, chain = random.bundle()            -- { access = { _kind = "access", models = … }, … }, { "auth", … }
--   local mg = gw.load_text(random.texts(files, chain))
--   mg:request(random.request())
--   random.widen(true)                              -- also facts with several values, functions, hooks, what is called, …
--
-- random.source("gt(5)") stands for Lua as it is; random.lua(value) writes a table as source.
local policies = {}

-- --- chance ---

local state = 1

function policies.seed(seed) state = seed % 2147483646 + 1 end

local function random(n)
  state = state * 16807 % 2147483647 -- Park and Miller
  return state % n + 1
end

local function chance(percent) return random(100) <= percent end
local function pick(list) return list[random(#list)] end

local function some(list, most)
  local out, known = {}, {}
  for _ = 1, random(most or #list) do
    local value = pick(list)
    if not known[value] then out[#out + 1] = value end
    known[value] = true
  end
  return out
end

-- --- a bundle, as tables in which {_source = …} stands for Lua ---

local departments = { "sales", "support", "research", "engineering" }
local classes = { "public", "internal", "confidential", "restricted" }
local models = { "one", "two", "own" }
local targets = { "p/one", "p/two", "q/two", "local/own" }
local tiers = { "gold", "bronze" }

local function source(text) return { _source = text } end

local function text_condition(list)
  local kind = random(5)
  if kind == 1 then return source(("isnt %q"):format(pick(list))) end
  if kind == 2 then
    local names = {}
    for i, name in ipairs(some(list, 2)) do names[i] = ("%q"):format(name) end
    return source("none_of { " .. table.concat(names, ", ") .. " }")
  end
  if kind == 3 then return pick(list) end
  return some(list, 3)
end

local function number_condition()
  local a = random(20) * 1000
  return source(pick { ("gt(%d)"):format(a), ("ge(%d)"):format(a), ("lt(%d)"):format(a), ("le(%d)"):format(a),
    ("between(%d, %d)"):format(a, a + 4000) })
end

local makers = {
  department = function() return text_condition(departments) end,
  tier = function() return text_condition(tiers) end,
  role = function() return pick { "intern", "lead", { "intern", "lead" } } end,
  model = function() return text_condition(models) end,
  task = function() return pick { "code", "chat" } end,
  data = function() return chance(60) and source(("at_least %q"):format(pick(classes))) or text_condition(classes) end,
  context_tokens = number_condition,
  uses = function() return some({ "tools", "images", "audio" }, 2) end,
  stream = function() return chance(50) end,
  hours = function() return pick { "08:00-18:00", "22:00-06:00" } end,
  days = function() return pick { "mon-fri", "sat-sun" } end,
}

-- Of one key, whose facts may be several at once where is_many.
local function any_condition(list, is_many)
  local kind = random(is_many and 6 or 8)
  if kind == 1 then return source(("isnt %q"):format(pick(list))) end
  if kind == 2 then return source("none_of { \"" .. table.concat(some(list, 2), "\", \"") .. "\" }") end
  if kind == 3 then return source "any" end
  if kind == 4 then return pick(list) end
  if kind <= 6 then return some(list, 3) end
  return source(("like %q"):format(pick { "a*", "*a", "s*", "*e*", "*", "sales" }))
end

local users = { "ana", "abe", "bob", "eva" }
local apps = { "plain", "rich" }
local roles, labels = { "intern", "lead", "admin" }, { "minors", "eu", "legal" }
local uses = { "tools", "images", "audio" }
local phrases = { "secret plan", "weather", "plan", "prj-##" }

-- Around a few bounds, so that requests stand on them.
local function any_number()
  local a = pick { 5000, 6000, 9000 }
  return pick { source(("gt(%d)"):format(a)), source(("ge(%d)"):format(a)), source(("lt(%d)"):format(a)), source(("le(%d)"):format(a)),
    source(("between(%d, %d)"):format(a, a + 1000)), a, { a, a + 1000 }, source(("none_of { %d, %d }"):format(a, a + 1)), source "any" }
end

local wide = {
  department = function() return any_condition(departments) end,
  user = function() return any_condition(users) end,
  app = function() return any_condition(apps) end,
  tier = function() return any_condition(tiers) end,
  clearance = function() return chance(50) and source(("at_least %q"):format(pick(classes))) or any_condition(classes) end,
  role = function() return any_condition(roles, true) end,
  label = function() return any_condition(labels, true) end,
  uses = function() return any_condition(uses, true) end,
  contains = function() return any_condition(phrases, true) end,
  model = function() return any_condition({ "one", "two", "own", "deux" }) end,
  called = function()
    return pick { "two", "one", some(targets, 2), source "isnt \"p/two\"", source "like \"p/*\"", source "none_of { \"one\", \"q/two\" }" }
  end,
  data = function() return chance(50) and source(("at_least %q"):format(pick(classes))) or chance(50) and some(classes, 3)
    or source("none_of { \"" .. table.concat(some(classes, 2), "\", \"") .. "\" }") end,
  context_tokens = any_number,
  input_tokens = any_number,
  max_latency_ms = function() return pick { source "lt(1000)", source "le(1000)", source "gt(999)", source "ge(0)", source "ge(1000)", 1000,
    source "isnt(1000)" } end,
  task = function() return any_condition { "code", "chat" } end,
  api = function() return any_condition { "chat", "embeddings" } end,
  stream = makers.stream,
  hours = function() return pick { "08:00-18:00", "22:00-06:00", { "08:00-12:00", "13:00-18:00" } } end,
  days = makers.days,
  share = function() return pick { "30%", "50%", "100%" } end,
  after = function() return pick { "2025-06-02", "2025-06-05T12:00", "2025-06-09T08:00Z" } end,
  before = function() return pick { "2025-06-10", "2025-06-12T12:00", "2025-06-20" } end,
  headers = function()
    local out = { ["x-team"] = any_condition { "blue", "red", "green" } }
    if chance(30) then out["x-beta"] = any_condition { "on", "off" } end
    return out
  end,
  tags = function() return { grade = any_condition { "high", "low" } } end,
}

local functions = {
  "function(ctx) return ctx.identity.department == \"sales\" end",
  "function(ctx) return ctx.request.data ~= \"public\" end",
  "function(ctx) return ctx.estimate.context_tokens > 10000 end",
  "function(ctx) return ctx.identity.roles.intern end",
}

local hooks = {
  "function(ctx) if ctx.identity.tier == \"gold\" then return deny(403, \"gold\") end end",
  "function(ctx) if ctx.request.task == \"code\" then return route \"p/one\" end end",
  "function(ctx) if ctx.request.stream then return pass(\"a stream\") end end",
}

local function sorted_names(map)
  local list = {}
  for name in pairs(map) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local is_wide, using, names = false, makers, sorted_names(makers)

function policies.widen(on)
  is_wide, using = on, on and wide or makers
  names = sorted_names(using)
end

function policies.is_wide() return is_wide end

local function conditions(most)
  if is_wide and chance(8) then return source(pick(functions)) end
  local out = {}
  for _ = 1, random(most) do
    local name = pick(names)
    out[name] = using[name]()
  end
  if out.share and is_wide and chance(30) then out.sticky = pick { "key", "user" } end -- each request draws anew with "request"
  return out
end

-- called is a filter, and has no place where nothing is refused.
local function without_called(out)
  if type(out.unless) == "table" then out.unless.called = nil end
  if type(out.when) == "table" and not out.deny then out.when.called = nil end
  return out
end

local function rule(i, verbs)
  local out = { "rule-" .. i, when = chance(85) and conditions(3) or nil, unless = chance(30) and conditions(2) or nil }
  local verb = pick(verbs)
  if verb == "deny" then out.deny = { 403, "refused_" .. i }
  elseif verb == "only" or verb == "drop" then out[verb] = some(targets, 3)
  elseif verb == "route" then out.route = some(targets, 3)
  elseif verb == "annotate" then out.annotate = { seen = "yes" }
  else out.pass = true end
  if chance(8) then out.mode = "observe" end
  return is_wide and without_called(out) or out
end

local function rules(most, verbs)
  local list = {}
  for i = 1, random(most) do list[i] = rule(i, verbs) end
  return list
end

local function row()
  return { departments = chance(30) and source("any") or some(departments, 3), data = pick(classes),
    approval = chance(20) and "manager" or nil, mode = chance(5) and "observe" or nil }
end

local function access()
  local rows = {}
  for _, name in ipairs(models) do
    if chance(80) then rows[name] = row() end
  end
  return { _kind = "access", models = rows, default = chance(30) and "allow" or nil, rules = chance(40) and rules(2, { "deny", "only", "drop" }) or nil }
end

-- Definitions by file, and the chain.
function policies.bundle()
  local files = {
    auth = { _kind = "auth", labels = { "cost_center" }, require = chance(30) and { "department" } or nil },
    access = access(),
    apps = { _kind = "apps", plain = { tags = { grade = "low" } },
      rich = { department = "sales", defaults = { data = "internal" }, tags = { grade = "high" } } },
    house = { _kind = "policy", rules = rules(4, { "deny", "deny", "only", "drop", "pass", "annotate" }) },
    routing = { _kind = "routing", rules = rules(3, { "route" }) },
  }
  if is_wide then
    files.house.rules = rules(6, { "deny", "deny", "deny", "only", "drop", "pass", "annotate", "route" })
    files.house.on_request = chance(15) and source(pick(hooks)) or nil
    files.house.mode = chance(5) and pick { "observe", "off" } or nil
    files.access.rules = chance(50) and rules(4, { "deny", "only", "drop", "pass" }) or nil
  end
  local last = files.routing.rules
  if chance(80) then last[#last + 1] = { "default", route = some(targets, 4) } end
  return files, chance(50) and { "auth", "access", "house", "routing" } or { "auth", "house", "routing", "access" }
end

-- A few rules that speak of the same one or two facts, and nothing else that could refuse: what one says of another shows.
function policies.small_bundle()
  local keys, list = { pick(names), pick(names) }, {}
  for i = 1, random(4) do
    local one = { "rule-" .. i, when = {} }
    for _, key in ipairs(chance(60) and { keys[1] } or keys) do one.when[key] = using[key]() end
    if chance(15) then one.unless = { [keys[2]] = using[keys[2]]() } end
    if chance(75) then one.deny = { 403, "refused_" .. i } else one[pick { "pass", "annotate" }] = true end
    if one.annotate then one.annotate = { seen = "yes" } end
    list[i] = without_called(one)
  end
  return { auth = { _kind = "auth" }, apps = { _kind = "apps", plain = { tags = { grade = "low" } }, rich = { tags = { grade = "high" } },
    stranger = {} }, house = { _kind = "policy", rules = list },
    routing = { _kind = "routing", rules = { { "default", route = { "p/one", "p/two", "q/two", "local/own" } } } } },
    { "auth", "house", "routing" }, keys
end

-- --- as Lua ---

local function lua(value, indent)
  if type(value) ~= "table" then return type(value) == "string" and ("%q"):format(value) or tostring(value) end
  if value._source then return value._source end
  local parts, keys = {}, {}
  for _, item in ipairs(value) do parts[#parts + 1] = lua(item, indent .. "  ") end
  for key in pairs(value) do
    if type(key) == "string" and key ~= "_kind" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = ("[%q] = %s"):format(key, lua(value[key], indent .. "  ")) end
  return "{\n" .. indent .. "  " .. table.concat(parts, ",\n" .. indent .. "  ") .. "\n" .. indent .. "}"
end

-- What gw.load_text takes.
function policies.texts(files, chain)
  local texts = { chain = chain }
  for name, spec in pairs(files) do
    texts[name] = type(spec) == "string" and spec or "return " .. spec._kind .. " " .. lua(spec, "") .. "\n"
  end
  return texts
end

-- --- a request ---

function policies.request()
  local as = { app = pick { "plain", "plain", "rich", "stranger" }, department = chance(85) and pick(departments) or nil,
    tier = chance(40) and pick(tiers) or nil, roles = chance(40) and some({ "intern", "lead" }, 2) or nil,
    approvals = chance(20) and some(models, 2) or nil }
  return { as = as, model = pick { "auto", "one", "two", "own", "two-2024-08-06", "oen" }, task = chance(30) and pick { "code", "chat" } or nil,
    data = chance(50) and pick(classes) or nil, context_tokens = random(30) * 1000, uses = chance(30) and some({ "tools", "images" }, 2) or nil,
    stream = chance(30) or nil, time = 1748822400 + random(14 * 24) * 3600, key = chance(3) and "revoked" or nil }
end

-- A request that may meet what widened policies ask for.
function policies.wide_request()
  local t = policies.request()
  t.as.user, t.as.id = pick(users), "key_" .. random(40)
  t.as.roles = chance(70) and some(roles, 3) or nil
  t.as.clearance = chance(50) and pick(classes) or nil
  t.model = pick { "auto", "auto", "one", "two", "own", "deux", "uno", "three" }
  t.label = chance(60) and some(labels, 3) or nil
  t.uses = chance(60) and some(uses, 3) or nil
  t.text = pick { "hello", "the secret plan", "the weather", "the plan of prj-12 and the weather" }
  t.context_tokens = pick { 4999, 5000, 5001, 5500, 6000, 6001, 7000, 9000, 10000, 30000 }
  t.max_latency_ms = chance(30) and pick { 999, 1000, 2000 } or nil
  if chance(10) then t.api, t.uses = "embeddings", nil end
  if chance(60) then t.headers = { ["x-team"] = chance(70) and pick { "blue", "red", "azure" } or nil, ["X-Beta"] = chance(50) and "on" or nil } end
  return t
end

function policies.copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = policies.copy(item) end
  return out
end

function policies.condition(key) return using[key]() end

policies.number, policies.chance, policies.pick, policies.some = random, chance, pick, some
policies.source, policies.lua, policies.conditions, policies.rule, policies.row = source, lua, conditions, rule, row

return policies
