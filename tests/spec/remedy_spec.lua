-- What explain offers as a remedy holds: it is applied here, independently of how it was found, and decided again. Random
-- declarative bundles and requests, from a seed (REMEDY_SEED, REMEDY_BUNDLES for more), and every denial of the shipped
-- policies' own specs and examples.
local gw = require "moongate.test"
local random = dofile("tests/lib/random_policies.lua")

local SEED = tonumber(os.getenv("REMEDY_SEED") or "20261124")
local BUNDLES = tonumber(os.getenv("REMEDY_BUNDLES") or "20")
local REQUESTS = 12

random.seed(SEED)
local source, lua, copy = random.source, random.lua, random.copy

local function load(files, chain) return gw.load_text(random.texts(files, chain)) end

-- --- applying what was offered ---

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
      local files, chain = random.bundle()
      local mg = load(files, chain)
      for _ = 1, REQUESTS do check_one(files, chain, mg, random.request()) end
    end
    assert.is_true(seen.denials > BUNDLES, "too few denials to mean something: " .. seen.denials)
    assert.is_true(seen.change > seen.denials / 2 and seen.edit > seen.denials / 3, ("%d changes, %d edits of %d denials"):format(
      seen.change, seen.edit, seen.denials))
    assert.is_true(seen.without < seen.denials / 20, ("%d of %d denials have no remedy"):format(seen.without, seen.denials))
    for _, fact in ipairs(os.getenv("REMEDY_SEED") and {} or { "model", "department", "data", "role", "app" }) do -- not by every chance
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
    mg = gw.load_text { x = "return policy {\n  on_request = function(ctx)\n    return ctx['nothing']\n  end,\n}" }
    answer = mg:explain {}
    assert.equal("fault", answer.verdict.kind)
    assert.equal("policies/x.lua:3", answer.remedies[#answer.remedies].at)
  end)

  it("of a budget are a later time, fewer tokens, another model, a higher limit", function()
    local texts = { models = [[return models { auto = { virtual = true }, big = { targets = { "p/big" }, price = usd_per_million { input = 10, output = 10 } },
      small = { targets = { "p/small" }, price = usd_per_million { input = "0.01", output = "0.01" } } }]],
      budget = 'return budget {\n  budgets = {\n    { "sales", department = "sales", limit = 100, per = "month" },\n  },\n}' }
    local function spent()
      local mg = gw.load_text(texts)
      mg:clock("2025-06-03T12:00:00Z")
      mg:spend { department = "sales", usd = 99.5 }
      return mg
    end
    local mg = spent()
    local t = { as = { department = "sales" }, model = "big", context_tokens = 100000 }
    local answer = mg:explain(t)
    assert.equal(402, answer.verdict.status)
    local said = mg:explain(t, "text")
    for _, text in ipairs { "with 16000 context tokens", "send it on Tuesday 2025-07-01T00:00:00Z", "ask for small",
      "raise limit of sales from 100 to 110  policies/budget.lua:3\n        limit = 110," } do
      assert.truthy(said:find(text, 1, true), text .. " is not in\n" .. said)
    end
    for _, remedy in ipairs(answer.remedies) do
      if remedy.change then assert.equal("allow", spent():request(changed(t, remedy.change)).kind, remedy.text) end
    end
    texts.budget = texts.budget:gsub("limit = 100", "limit = 110")
    assert.allowed(spent():request(t))
  end)

  it("of a limit are fewer tokens or a higher limit, and asking takes nothing", function()
    local mg = gw.load_text { limits = 'return ratelimit { limits = { { "apps", by = "user", tokens = 6000, per = "1m" } } }' }
    local t = { as = { user = "ana" }, model = "one", context_tokens = 9000 }
    for _ = 1, 3 do
      local said = mg:explain(t, "text")
      assert.truthy(said:find("raise tokens of apps from 6000 to 12000", 1, true), said)
      assert.truthy(said:find("with 4000 context tokens", 1, true), said)
    end
    assert.allowed(mg:request { as = { user = "ana" }, model = "one", context_tokens = 6000 })
  end)

  it("of a detector are another text, or to mask", function()
    local mg = gw.load_text { guard = 'return redaction {\n  detect = { "email" },\n  request = { email = "deny" },\n}' }
    local t = { as = {}, model = "one", text = "write to ana@example.com" }
    local said = mg:explain(t, "text")
    assert.truthy(said:find("send it without what the text holds", 1, true), said)
    assert.truthy(said:find('mask email instead of refusing it  policies/guard.lua:3\n        email = "mask",', 1, true), said)
    assert.equal("allow", mg:request(changed(t, mg:explain(t).remedies[1].change)).kind)
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
    -- Explained and not asked: what is tried here is not to use up the limits of what the spec asks next.
    if remedy.change then assert.equal("allow", mg:explain(changed(t, remedy.change)).verdict.kind, said .. "\n" .. remedy.text) end
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
    mg:stub("POST https://moderation.internal/v1/check", { status = 200, json = { flagged = false } })
    local function take(spec)
      for _, example in ipairs(spec.examples or {}) do
        local t = copy(example)
        t.deny, t.route, t.allow, t.sent = nil, nil, nil, nil
        mg:forget()
        check_told(mg, t)
      end
    end
    local environment = setmetatable({}, { __index = function(_, word)
      return function(spec)
        if type(spec) == "table" and word:find("^[%l]+$") then take(spec) end
        return word
      end
    end })
    for _, name in ipairs { "access", "auth", "redaction", "routing", "audit" } do
      setfenv(assert(loadfile("policies/" .. name .. ".lua")), environment)()
    end
    assert.is_true(told > before + 5, "no example was denied")
  end)
end)
