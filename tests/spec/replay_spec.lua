-- A record holds all that its decision was taken by: taken again by the same policies it is the same, entry by entry, and by
-- others it differs where these differ.
--
-- REPLAY_SEED and REPLAY_BUNDLES ask for others and for more.
local gw = require "moongate.test"
local random = dofile("tests/lib/random_policies.lua")

local SEED = tonumber(os.getenv("REPLAY_SEED") or "20261129")
local BUNDLES = tonumber(os.getenv("REPLAY_BUNDLES") or "130")
local REQUESTS = 80

local function list(value) return value._raw and {} or value end

local function spell(again, record)
  local lines = { again.outcome .. " " .. again.reason }
  for _, one in ipairs(list(again.differences)) do
    lines[#lines + 1] = ("%s: %s -> %s"):format(one.what, tostring(one.was), tostring(one.is))
  end
  for _, name in ipairs(list(again.missing)) do lines[#lines + 1] = "missing: " .. name end
  return table.concat(lines, "\n") .. "\n" .. again.decision .. "\n" .. record
end

local function assert_same(mg, record)
  local again = mg:replay(record)
  if again.outcome ~= "same" then error(spell(again, record), 2) end
end

local function load(files, chain)
  local texts = {}
  for name, text in pairs(random.texts(files, chain)) do
    local is_used = name == "chain" or name == "models" or name == "apps"
    for _, used in ipairs(chain) do is_used = is_used or used == name end
    texts[name] = is_used and text or nil
  end
  return gw.load_text(texts)
end

local MODELS = [[return models {
  one = { targets = { "p/one", "q/one" }, price = usd_per_million { input = 1, output = 2 } },
  two = { targets = { "p/two" }, price = usd_per_million { input = 3, output = 9 } },
}]]

local function with(policy, more)
  local texts = { models = MODELS, auth = "return auth {}", apps = [[return apps {
    plain = { tags = { grade = "low" } },
    chatty = { department = "sales", defaults = { data = "internal", label = "eu" }, session = { headers = { "x-thread" } } },
  }]], chain = { "auth", "house" }, house = policy }
  for name, text in pairs(more or {}) do texts[name] = text end
  return gw.load_text(texts)
end

describe("decisions of records", function()
  it("are the same again, of random policies and requests", function()
    local records, outcomes = 0, {}
    random.seed(SEED)
    random.widen(true)
    for bundle = 1, BUNDLES do
      local mg = load((bundle % 3 == 0 and random.small_bundle or random.bundle)())
      for _ = 1, REQUESTS do
        local r, record = mg:record(random.wide_request())
        local ok, why = pcall(assert_same, mg, record)
        if not ok then error(("seed %d, bundle %d: %s"):format(SEED, bundle, why), 0) end
        records, outcomes[r.kind] = records + 1, (outcomes[r.kind] or 0) + 1
      end
    end
    random.widen(false)
    assert.is_true(records >= BUNDLES * REQUESTS and outcomes.allow > records / 20 and outcomes.deny > records / 20)
  end)

  it("are the same again where policies read headers, hints, texts and time", function()
    local mg = with [[
      local words = { "plan", "prj-##" }
      return policy {
        rules = {
          { "late", when = { hours = "18:00-08:00", zone = "Europe/Berlin" }, annotate = { late = "yes" } },
          { "beta", when = { share = "40%", sticky = "user" }, route = "q/one" },
          { "team", when = { headers = { ["X-Team"] = "blue" } }, annotate = { team = "blue" } },
          { "words", when = { contains = words }, deny = { 403, "words" } },
          { "grade", when = { tags = { grade = "low" } }, annotate = { grade = "low" } },
          { "lead", when = { role = "lead", label = "eu" }, annotate = { lead = "yes" } },
        },
        on_request = function(ctx)
          ctx:annotate("n", math.random(1000))
          ctx:annotate("size", ctx.request:text_bytes())
          ctx:annotate("hour", time.hour(ctx.time, "America/New_York"))
          if ctx.request:contains("hello") then ctx:annotate("greets", ctx.request.headers["x-team"] or "none") end
          if ctx.request.user then ctx:annotate("for", ctx.request.user) end
          if (ctx.request.max_tokens or 9999) > 500 then ctx.request:set("max_tokens", 500, "short") end
          ctx.request:set("temperature", nil)
          ctx:warn("careful", "said " .. tostring(ctx.request.temperature))
        end }]]
    for i = 1, 200 do
      local _, record = mg:record { as = { app = i % 2 == 0 and "chatty" or "plain", user = "u" .. i, roles = { "lead" }, id = "key_" .. i },
        model = "one", text = i % 5 == 0 and "the plan" or "hello", time = 1748822400 + i * 3571, temperature = i % 3 == 0 and 0.1 * i or nil,
        max_tokens = i % 4 == 0 and i * 10 or nil, user = i % 7 == 0 and "end user " .. i or nil,
        headers = { ["x-team"] = i % 3 == 0 and "blue" or nil, ["x-thread"] = "t-" .. i, ["x-moongate-task"] = i % 6 == 0 and "code" or nil,
          ["x-moongate-data"] = i % 11 == 0 and "no such class" or nil } }
      assert_same(mg, record)
    end
  end)

  it("are the same again behind detectors, which raise and deny", function()
    local mg = with("return policy { rules = { { \"high\", when = { data = at_least \"confidential\" }, deny = { 403, \"high\" } } } }",
      { chain = { "auth", "guard", "house" }, guard = [[return redaction { detect = { "email", "iban", "api_key" },
        request = { email = "mask", iban = "deny", api_key = "deny" }, classify = { email = "confidential" } }]] })
    local denied = 0
    for _, text in ipairs { "hello", "I am ana@example.com", "DE89 3704 0044 0532 0130 00", "both: ana@example.com DE89370400440532013000" } do
      local r, record = mg:record { model = "one", text = text }
      denied = denied + (r.kind == "deny" and 1 or 0)
      assert_same(mg, record)
      assert.is_nil(record:find("ana@example", 1, true))
    end
    assert.is_true(denied >= 2)
  end)

  it("are the same again with limits and budgets, and reckoned anew when money has another limit", function()
    local more = function(usd)
      return { chain = { "auth", "rates", "money", "house" }, rates = [[return ratelimit { limits = {
        { "calls", by = "user", requests = 18, per = "1m" } } }]],
        money = ([[return budget { budgets = { { "day", department = "sales", limit = %s, per = "day" } } }]]):format(usd) }
    end
    local house, kinds = "return policy { rules = {} }", {}
    local mg, larger = with(house, more "0.01"), with(house, more "100")
    for i = 1, 30 do
      local r, record = mg:record { as = { app = "plain", user = "u" .. (i < 10 and 1 or i % 5), department = "sales" }, model = "two", input_tokens = 300, max_tokens = 100 }
      kinds[r.kind == "allow" and 200 or r.status] = true
      assert_same(mg, record)
      local again = larger:replay(record)
      if r.kind == "allow" then assert.is_true(again.outcome == "same" or again.outcome == "changed", again.outcome) end
      if r.kind == "deny" and r.status == 402 then assert.equal("allowed", again.outcome) end
    end
    assert.is_true(kinds[200] and kinds[402] and kinds[429])
  end)

  it("are the same again with several budgets of one scope, each by its own period and limit", function()
    local function both(month, day)
      return with(([[return budget { budgets = {
        { "month", department = "sales", limit = %s, per = "month" },
        { "day", department = "sales", limit = %s, per = "day" },
        { "trial", department = "sales", limit = 1, per = "day", mode = "observe" } },
        thresholds = { { at = "50%%", warn = true }, { at = "100%%", deny = { 402, "no_money" } } } }]]):format(month, day))
    end
    local mg, other = both(100, 10), both(100, 9)
    for _, time in ipairs { "2025-06-03T12:00:00Z", "2025-06-01T12:00:00Z" } do -- of the second both begin together
      mg:clock "2025-06-01T00:00:00Z"
      mg:spend { department = "sales", usd = 40 }
      mg:clock(time)
      mg:spend { department = "sales", usd = 3 }
      local ask = { as = { app = "plain", department = "sales" }, model = "one", cost_usd = 4 }
      local _, record = mg:record(ask)
      assert_same(mg, record)
      local again = other:replay(record)
      for _, one in ipairs(list(again.differences)) do
        assert.is_nil(tostring(one.was):find("budget/month", 1, true), spell(again, record))
      end
      assert.equal("changed", again.outcome, spell(again, record))
      mg:forget()
    end
  end)

  it("are the same again with services and what was kept of them", function()
    local mg = with [[return policy { on_request = function(ctx)
      local known = cache.get "verdict"
      if known then ctx:annotate("known", known.word) end
      local reply, err, third = http.post("https://guard.internal/v1", { json = { who = ctx.identity.user } })
      ctx:annotate("err", tostring(err))
      if reply then
        cache.set("verdict", { word = reply.json.word }, "5m")
        ctx:annotate("word", reply.json.word .. (reply.headers["x-kind"] or "-"))
        if reply.json.bad then return deny(403, "bad") end
      end
    end }]]
    local n = 0
    mg:stub("POST https://guard.internal/v1", function()
      n = n + 1
      if n % 4 == 0 then return nil, "timeout" end
      if n % 5 == 0 then return { status = 503, body = "busy" } end
      return { status = 200, headers = { ["X-Kind"] = "k" .. n }, json = { word = "w" .. n, bad = n % 3 == 0 } }
    end)
    for i = 1, 24 do
      local _, record = mg:record { as = { user = "u" .. i }, model = "one" }
      assert_same(mg, record)
    end
    assert.equal(24, n) -- nothing was called again
  end)

  it("are the same again of any credential, of lists of models, and of what tokens say", function()
    local mg = gw.load_text { models = MODELS, apps = "return apps { chat = { department = 'support' }, portal = {} }",
      ["login.json"] = [[{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}]],
      auth = [[return auth {
        jwt = { issuer = "https://login.example.com", audience = { "moongate" }, jwks = file "login.json",
          claims = { user = "sub", department = "dept", roles = "groups", app = "azp" } },
        labels = { "cost_center" }, require = { "app" },
        enrich = function(id) if id.roles["admin"] then return { tier = "gold", team = "core" } end end }]] }
    local given = { { key = "missing" }, { key = "unknown" }, { key = "revoked" }, { key = "expired" }, { as = { app = "portal", cost_center = "77", roles = { "admin" } } },
      { as = { app = "chat", tier = "bronze", roles = { "admin", "b" } } }, { as = { app = "nobody" } },
      { token = { iss = "https://login.example.com", sub = "ana", azp = "chat", groups = { "admin" } } },
      { token = { iss = "https://login.example.com", sub = "ana", azp = "chat", dept = "law", groups = { "a" } } },
      { token = { iss = "https://evil.example.com", sub = "ana" } }, { token = { iss = "https://login.example.com", sub = 5 } },
      { token = "expired" }, { token = "signature" } }
    for _, api in ipairs { "chat", "models", "model" } do
      for _, t in ipairs(given) do
        local _, record = mg:record { as = t.as, key = t.key, token = t.token, api = api, model = "one" }
        assert_same(mg, record)
      end
    end
  end)

  it("are the same again whatever order answers came in", function()
    local mg = with [[return policy { on_request = function(ctx)
      local function ask(name) return function()
        local reply, err = http.get("https://" .. name .. ".internal/")
        ctx:annotate(name, err or reply.body)
        return reply and reply.body
      end end
      trace.span("all", function() ctx:annotate("together", tostring(together(ask "a", ask "b", ask "c"))) end)
    end }]]
    for _, name in ipairs { "a", "b", "c" } do mg:stub("GET https://" .. name .. ".internal/", function() return { status = 200, body = name } end) end
    for _ = 1, 5 do
      local r, record = mg:record { model = "one" }
      assert.equal("c", r.annotations.c)
      assert_same(mg, record)
    end
  end)

  it("are the same again of functions that nobody would write, or name what they read", function()
    local hooks = dofile("tests/lib/random_hooks.lua")(random)
    local same, unknown, tried = 0, 0, 0
    random.seed(SEED)
    for _ = 1, 400 do
      local ok, mg = pcall(with, hooks.file())
      for i = 1, ok and 2 or 0 do
        local _, record = mg:record { as = { app = "plain", department = i == 1 and "sales" or "legal", tier = "gold" }, model = "one", max_tokens = i == 1 and 7 or nil }
        local again = mg:replay(record)
        tried = tried + 1
        if again.outcome == "not_replayable" then
          unknown = unknown + 1
          assert.is_truthy(record:find('"not_replayable":', 1, true), record)
        elseif not record:find(": 0x%x+") then -- where something stands in memory is another time elsewhere
          same = same + 1
          assert.equal("same", again.outcome, spell(again, record))
        end
      end
    end
    assert.is_true(tried > 300 and same > tried / 4, ("%d tried, %d the same, %d not replayable"):format(tried, same, unknown))
  end)

  it("say so where a secret was pasted into what they read", function()
    local mg = with [[return policy { on_request = function(ctx) ctx:annotate("length", #(ctx.request.headers["x-note"] or "")) end }]]
    local _, record = mg:record { model = "one", headers = { ["x-note"] = "sk-" .. ("a1B2"):rep(10) } }
    assert.is_nil(record:find("a1B2a1B2", 1, true))
    assert.same({ "a secret" }, mg:replay(record).missing)
  end)

  it("do not depend on what a policy kept for itself", function()
    local mg = with [[local seen = {}
      return policy { keeps_state = true, on_request = function(ctx)
        seen[ctx.identity.user] = (seen[ctx.identity.user] or 0) + 1
        ctx:annotate("seen", seen[ctx.identity.user])
      end }]]
    local _, record = mg:record { as = { user = "ana" }, model = "one" }
    assert.same({ "keeps_state" }, mg:replay(record).missing)
  end)

  it("know what a dearer model would have counted", function()
    local mg = gw.load_text { chain = { "a", "b" }, models = [[return models {
        gpt = { targets = { "p/gpt-4o", "p/claude-3-5-sonnet", "p/gpt-4" }, price = usd_per_million { input = 1, output = 2 } } }]],
      a = [[return policy { on_request = function(ctx)
        ctx:annotate("all", ctx.estimate.cost_usd)
        ctx:annotate("old", ctx.estimate:cost_of "p/gpt-4")
        ctx:annotate("other", ctx.estimate:cost_of "p/claude-3-5-sonnet")
      end }]],
      b = "return budget { budgets = { { 'day', limit = 5, per = 'day' } } }" }
    for i = 1, 12 do
      local _, record = mg:record { model = "gpt", text = ("Ein längerer Text über 日本語 "):rep(i * 3), max_tokens = 10 * i }
      assert_same(mg, record)
    end
  end)

  it("are of no other version, and no other thing", function()
    local mg = with "return policy { rules = {} }"
    assert.equal("undecided", mg:replay("{}").outcome)
    assert.equal("undecided", mg:replay('{"id":"req_1","api":"chat","facts":{}}').outcome)
    assert.equal("undecided", mg:replay("[1,2").outcome)
    local _, record = mg:record { model = "one" }
    for cut = 1, #record - 1, 97 do assert.equal("undecided", mg:replay(record:sub(1, cut)).outcome) end
    -- members of other types than they have are taken for none
    for _, member in ipairs { "identity", "facts", "asked", "estimate", "decided", "trace", "policy", "decision" } do
      for _, value in ipairs { "null", "7", '"x"', "[]", "[[]]", "{}", '{"headers":7,"calls":{},"kind":[]}' } do
        mg:replay((record:gsub('"' .. member .. '":%b{}', '"' .. member .. '":' .. value)))
        mg:replay((record:gsub('"' .. member .. '":%b[]', '"' .. member .. '":' .. value)))
      end
    end
  end)

  it("name what is not in the record", function()
    local mg = with [[return policy { on_request = function(ctx)
      if ctx.request:last_user_text():find("plan", 1, true) then return deny(403, "plan") end
    end }]]
    local _, record = mg:record { model = "one", text = "the plan is on" }
    assert.is_truthy(record:find('"not_replayable":["request.last_user_text"]', 1, true))
    assert.is_nil(record:find("the plan is on", 1, true))
    local again = mg:replay(record)
    assert.equal("not_replayable", again.outcome)
    assert.same({ "request.last_user_text" }, again.missing)
    -- policies that do not read it can decide
    assert.equal("allowed", with("return policy { rules = {} }"):replay(record).outcome)
  end)

  it("differ where the policies do, and the differences are listed", function()
    local before = with [[return policy { rules = { { "interns", when = { role = "intern" }, deny = { 403, "interns" } } } }]]
    local after = with [[return policy { rules = {
      { "interns", when = { role = "intern", model = "two" }, deny = { 403, "interns" } },
      { "sales", when = { department = "sales" }, route = "q/one" },
      { "night", when = { hours = "00:00-06:00" }, deny = { 403, "night" } } } }]]
    local want = { same = 0, denied = 0, allowed = 0, rerouted = 0, changed = 0 }
    local got = { same = 0, denied = 0, allowed = 0, rerouted = 0, changed = 0 }
    for i = 1, 240 do
      local t = { as = { app = "plain", roles = i % 4 == 0 and { "intern" } or nil, department = i % 3 == 0 and "sales" or "legal" },
        model = i % 5 == 0 and "two" or "one", time = 1748822400 + i % 24 * 3600 }
      if t.model == "two" then t.as.department = "legal" end
      local r, record = before:record(t)
      local is = after:request(t)
      local expected = r.kind == is.kind and (r.kind == "deny" and (r.code == is.code and "same" or "changed") or table.concat(r.targets, ",") == table.concat(is.targets, ",") and "same" or "rerouted")
        or (is.kind == "deny" and "denied" or "allowed")
      local again = after:replay(record)
      want[expected], got[again.outcome] = want[expected] + 1, (got[again.outcome] or 0) + 1
      assert.equal(expected, again.outcome, spell(again, record))
      if expected ~= "same" then assert.is_true(#list(again.differences) > 0) end
    end
    assert.same(want, got)
    assert.is_true(want.denied > 0 and want.allowed > 0 and want.rerouted > 0 and want.same > 0 and want.changed > 0)
  end)
end)
