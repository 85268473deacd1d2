-- What explain offers as a remedy holds: it is applied here, independently of how it was found, and decided again. Random
-- declarative bundles and requests, from a seed (REMEDY_SEED, REMEDY_BUNDLES for more), and every denial of the shipped
-- policies' own specs and examples.
local gw = require "moongate.test"

local SEED = tonumber(os.getenv("REMEDY_SEED") or "20261124")
local BUNDLES = tonumber(os.getenv("REMEDY_BUNDLES") or "20")
local REQUESTS = 12

-- --- chance ---

local state = SEED % 2147483647

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

local function bundle()
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

local function load(files, chain)
  local texts = { chain = chain }
  for name, spec in pairs(files) do texts[name] = "return " .. spec._kind .. " " .. lua(spec, "") .. "\n" end
  return gw.load_text(texts)
end

-- --- a request ---

local function request()
  local as = { app = pick { "plain", "plain", "rich", "stranger" }, department = chance(85) and pick(departments) or nil,
    tier = chance(40) and pick(tiers) or nil, roles = chance(40) and some({ "intern", "lead" }, 2) or nil,
    approvals = chance(20) and some(models, 2) or nil }
  return { as = as, model = pick { "auto", "one", "two", "own", "two-2024-08-06", "oen" }, task = chance(30) and pick { "code", "chat" } or nil,
    data = chance(50) and pick(classes) or nil, context_tokens = random(30) * 1000, uses = chance(30) and some({ "tools", "images" }, 2) or nil,
    stream = chance(30) or nil, time = 1748822400 + random(14 * 24) * 3600, key = chance(3) and "revoked" or nil }
end

-- --- applying what was offered ---

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = copy(item) end
  return out
end

local function changed(t, change)
  local out = copy(t)
  out.as = out.as or {}
  for name, value in pairs(change.as or {}) do out.as[name] = value end
  for name, value in pairs(change.set or {}) do out[name] = value end
  for _, name in ipairs(change.remove or {}) do out[name] = nil end
  return out
end

local function edited(files, remedy)
  local out = copy(files)
  for _, one in ipairs { remedy, unpack(remedy.also or {}) } do
    local at = out[one.edit.file:match("^policies/(.*)%.lua$")]
    for i = 1, #one.edit.path - 1 do
      local key = one.edit.path[i]
      at[key] = at[key] or {}
      at = at[key]
    end
    at[one.edit.path[#one.edit.path]] = one.edit.source and source(one.edit.source) or nil
  end
  return out
end

-- --- the property ---

local function is_explained(answer)
  local verdict = answer.verdict
  return verdict.policy and verdict.rule ~= nil or verdict.code == "model_not_found"
end

local seen = { denials = 0, change = 0, edit = 0, without = 0, facts = {} }

local function check_remedies(files, chain, mg, t, answer)
  for _, remedy in ipairs(answer.remedies) do
    local t2, mg2 = remedy.change and changed(t, remedy.change) or t, mg
    if remedy.change then
      seen.change = seen.change + 1
      for fact in remedy.fact:gmatch("%S+") do seen.facts[fact] = true end
    end
    if remedy.edit then
      seen.edit = seen.edit + 1
      mg2 = load(edited(files, remedy), chain)
    end
    local after = (remedy.change or remedy.edit) and mg2:request(t2)
    if after and after.kind ~= "allow" then
      error(("seed %d: %s\n%s\n%s"):format(SEED, remedy.text, mg:explain(t, "text"), lua(files, "")), 0)
    end
  end
  if #answer.remedies == 0 then seen.without = seen.without + 1 end
end

local function check_one(files, chain, mg, t)
  local r, answer = mg:request(t), mg:explain(t)
  assert.equal(r.kind, answer.verdict.kind)
  if r.kind == "allow" then
    assert.same(r.targets, answer.verdict.targets)
    return
  end
  seen.denials = seen.denials + 1
  assert.equal(r.denied.code, answer.verdict.code)
  assert.equal(r.denied.reason, answer.verdict.reason)
  assert.is_truthy(is_explained(answer), answer.verdict.code)
  check_remedies(files, chain, mg, t, answer)
end

describe("a remedy", function()
  it("flips the decision, for random declared policies and requests", function()
    for _ = 1, BUNDLES do
      local files, chain = bundle()
      local mg = load(files, chain)
      for _ = 1, REQUESTS do check_one(files, chain, mg, request()) end
    end
    assert.is_true(seen.denials > BUNDLES, "too few denials to mean something: " .. seen.denials)
    assert.is_true(seen.change > seen.denials / 2 and seen.edit > seen.denials / 3, ("%d changes, %d edits of %d denials"):format(
      seen.change, seen.edit, seen.denials))
    assert.is_true(seen.without < seen.denials / 20, ("%d of %d denials have no remedy"):format(seen.without, seen.denials))
    for _, fact in ipairs { "model", "department", "data", "role", "app" } do
      assert.is_true(seen.facts[fact] or false, "no remedy was ever about " .. fact)
    end
  end)
end)

-- --- one of each kind ---

local refusing = { "refuse", deny = { 403, "refused" } }

-- The remedies of a policy with one rule, as texts; `in_words` and what is asked.
local function remedies_of(when, t)
  local files = { house = { _kind = "policy", rules = { { refusing[1], deny = refusing.deny, when = when } } } }
  local texts = {}
  for _, remedy in ipairs(load(files, { "house" }):explain(t).remedies) do
    texts[#texts + 1] = remedy.text .. (remedy.source and " | " .. remedy.at .. " " .. remedy.source or "")
  end
  return texts
end

local function offers(text, when, t)
  t.model = t.model or "one"
  local texts = remedies_of(when, t)
  for _, said in ipairs(texts) do
    if said == text then return end
  end
  error(("'%s' is not among:\n  %s"):format(text, table.concat(texts, "\n  ")), 2)
end

describe("remedies", function()
  it("are said in the words of each fact", function()
    offers("with 5000 context tokens", { context_tokens = source "gt(5000)" }, { context_tokens = 9000 })
    offers("with 5001 context tokens", { context_tokens = source "le(5000)" }, { context_tokens = 9 })
    offers("with 100 max tokens, or none said", { max_tokens = source "gt(100)" }, { max_tokens = 900 })
    offers("send it without tools", { uses = { "tools", "images" } }, { tools = true })
    offers("send it without tools and images", { uses = { "tools", "images" } }, { uses = { "tools", "images" } })
    offers("ask for one answer, not a stream", { stream = true }, { stream = true })
    offers("ask for own or two", { model = "one" }, {})
    offers("send internal or public data", { data = source 'at_least "confidential"' }, { data = "restricted" })
    offers("send it without task", { task = "code" }, { task = "code" })
    offers("call without the role intern", { role = "intern" }, { as = { roles = { "intern" } } })
    offers("call with the role lead", { role = source 'none_of { "lead" }' }, { as = { roles = { "intern" } } })
    offers("call as department sales", { department = source 'isnt "sales"' }, { as = { department = "support" } })
    offers("call as another department", { department = "sales" }, { as = { department = "sales" } })
    offers("call as team x", { team = source 'isnt "x"' }, { as = {} })
    offers("send it on Tuesday 2025-06-03T18:00:00Z", { hours = "08:00-18:00" }, { time = "2025-06-03T12:00:00Z" })
    offers("send it on Saturday 2025-06-07T00:00:00Z", { days = "mon-fri", zone = "UTC" }, { time = "2025-06-03T12:00:00Z" })
  end)

  it("are edits of the rule that denied, with the line to write", function()
    offers("let the rule refuse apply only where context_tokens is more than 9000 | policies/house.lua:10 context_tokens = gt(9000),",
      { context_tokens = source "gt(5000)" }, { context_tokens = 9000 })
    offers('let the rule refuse apply only where department is support | policies/house.lua:10 department = { "support" },',
      { department = { "sales", "support" } }, { as = { department = "sales" } })
    offers('only observe the rule refuse | policies/house.lua:3 mode = "observe",', { task = "code" }, { task = "code" })
  end)

  it("name the function that decided, and where it stands", function()
    local mg = gw.load_text { x = "return policy {\n  on_request = function(ctx)\n    return deny(403, 'no')\n  end,\n}" }
    local answer = mg:explain {}
    assert.same({ kind = "place", at = "policies/x.lua:2", text = "a function decided this; read it" }, answer.remedies[#answer.remedies])
    mg = gw.load_text { x = "return policy {\n  on_request = function(ctx)\n    return ctx.nothing\n  end,\n}" }
    answer = mg:explain {}
    assert.equal("fault", answer.verdict.kind)
    assert.equal("policies/x.lua:3", answer.remedies[#answer.remedies].at)
  end)

  it("are the same every time", function()
    local files = { house = { _kind = "policy", rules = { { refusing[1], deny = refusing.deny, when = { department = "sales" } } } } }
    local t = { as = { department = "sales" }, model = "one", time = 1748952000 }
    local first = load(files, { "house" }):explain(t, "text")
    for _ = 1, 5 do assert.equal(first, load(files, { "house" }):explain(t, "text")) end
  end)
end)

-- --- the denials of the shipped policies ---

local told = 0

local function check_told(mg, t)
  local r = mg:request(t)
  if r.kind ~= "deny" then return r end
  local answer = mg:explain(t)
  local said = mg:explain(t, "text")
  told = told + 1
  assert.equal(r.denied.code, answer.verdict.code)
  assert.is_truthy(answer.verdict.policy and answer.verdict.rule ~= nil or r.denied.code == "model_not_found", said)
  assert.is_truthy(answer.verdict.at and answer.verdict.at:find("^policies/[%w_]+%.lua"), said)
  assert.is_truthy(answer.facts.time and answer.facts.api, said)
  assert.is_true(#answer.remedies > 0, said)
  for _, remedy in ipairs(answer.remedies) do
    if remedy.change then assert.equal("allow", mg:request(changed(t, remedy.change)).kind, said .. "\n" .. remedy.text) end
  end
  return r
end

-- Runs a spec of policies/specs with an engine that explains whatever it denies; what the spec asserts is its own matter.
local function run_spec(path)
  local function explaining(mg)
    return setmetatable({ request = function(_, t) return check_told(mg, t or {}) end }, { __index = mg })
  end
  local function run(_, body) body() end
  local kit = setmetatable({
    load = function(...) return explaining(gw.load(...)) end,
    load_chain = function(...) return explaining(gw.load_chain(...)) end,
  }, { __index = gw })
  local environment = setmetatable({ describe = run, it = run, require = function() return kit end }, { __index = getfenv(1) })
  setfenv(assert(loadfile(path)), environment)()
end

describe("a denial of the shipped policies", function()
  for _, name in ipairs { "access", "auth", "chain", "routing" } do
    it("is explained: policies/specs/" .. name .. "_spec.lua", function() run_spec("policies/specs/" .. name .. "_spec.lua") end)
  end

  it("is explained: the examples of every file", function()
    local before, mg = told, gw.load_chain("policies")
    local function take(spec)
      for _, example in ipairs(spec.examples or {}) do
        local t = copy(example)
        t.deny, t.route, t.allow = nil, nil, nil
        check_told(mg, t)
      end
    end
    local environment = setmetatable({}, { __index = function(_, word)
      return function(spec)
        if type(spec) == "table" and word:find("^[%l]+$") then take(spec) end
        return word
      end
    end })
    for _, name in ipairs { "access", "auth", "routing", "audit" } do
      setfenv(assert(loadfile("policies/" .. name .. ".lua")), environment)()
    end
    assert.is_true(told > before + 5, "no example was denied")
  end)
end)
