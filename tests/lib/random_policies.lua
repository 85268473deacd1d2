-- Bundles and requests by chance, the same for the same seed: declared policies only, as tables that tests can change before
-- they are written as Lua.
--
--   local random = dofile("tests/lib/random_policies.lua")
--   random.seed(1)
--   local files, chain = random.bundle()            -- { access = { _kind = "access", models = … }, … }, { "auth", … }
--   local mg = gw.load_text(random.texts(files, chain))
--   mg:request(random.request())
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
local names = {}
for name in pairs(makers) do names[#names + 1] = name end
table.sort(names)

local function conditions(most)
  local out = {}
  for _ = 1, random(most) do
    local name = pick(names)
    out[name] = makers[name]()
  end
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
  return out
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
    apps = { _kind = "apps", plain = {}, rich = { department = "sales", defaults = { data = "internal" } } },
    house = { _kind = "policy", rules = rules(4, { "deny", "deny", "only", "drop", "pass", "annotate" }) },
    routing = { _kind = "routing", rules = rules(3, { "route" }) },
  }
  local last = files.routing.rules
  if chance(80) then last[#last + 1] = { "default", route = some(targets, 4) } end
  return files, chance(50) and { "auth", "access", "house", "routing" } or { "auth", "house", "routing", "access" }
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
  for name, spec in pairs(files) do texts[name] = "return " .. spec._kind .. " " .. lua(spec, "") .. "\n" end
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

function policies.copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = policies.copy(item) end
  return out
end

policies.number, policies.chance, policies.pick, policies.some = random, chance, pick, some
policies.source, policies.lua, policies.conditions, policies.rule, policies.row = source, lua, conditions, rule, row

return policies
