-- Every condition and every predicate that a rule may hold: what it matches and what it does not.
local gw = require "moongate.test"

-- A policy that denies when the condition holds.
local function when(condition, extra)
  local texts = extra or {}
  texts.a = "return policy { rules = { { 'r', when = { " .. condition .. " }, deny = { 403, 'matched' } } } }"
  return gw.load_text(texts)
end

local function check(condition, matching, other)
  local mg = when(condition)
  for _, t in ipairs(matching) do
    t.model = t.model or "one"
    assert.denied(mg:request(t), 403, "matched")
  end
  for _, t in ipairs(other) do
    t.model = t.model or "one"
    assert.allowed(mg:request(t))
  end
end

local function as(identity, t)
  t = t or {}
  t.as = identity
  return t
end

describe("conditions", function()
  it("on dates, from one on and before another, in a zone", function()
    local function at(...)
      local list = {}
      for i, time in ipairs { ... } do list[i] = { time = time } end
      return list
    end
    check('after = "2025-06-03"', at("2025-06-03T00:00:00Z", "2026-01-01T00:00:00Z"), at "2025-06-02T23:59:59Z")
    check('before = "2025-06-03T12:00"', at "2025-06-03T11:59:59Z", at("2025-06-03T12:00:00Z"))
    check('after = "2025-06-03", before = "2025-06-04", zone = "Europe/Berlin"', at("2025-06-02T22:00:00Z", "2025-06-03T21:59:59Z"),
      at("2025-06-02T21:59:59Z", "2025-06-03T22:00:00Z"))
    check('after = "2025-06-03T00:00Z", zone = "Europe/Berlin"', at "2025-06-03T00:00:00Z", at "2025-06-02T23:00:00Z")
    check('after = "2025-06-03", days = "mon-fri"', at "2025-06-03T10:00:00Z", at("2025-06-02T10:00:00Z", "2025-06-07T10:00:00Z"))
    for condition, words in pairs { ['after = "3 June"'] = 'a date is written "2026-01-31"', ['before = "2025-02-30"'] = "a date is written",
      ['after = "2025-06-03", before = "2025-06-03"'] = "nothing lies after", ['after = "2025-06-03", zone = "Mars"'] = "unknown zone",
      ["after = 20250603"] = "a date is written" } do
      local errors = gw.errors { a = "return policy { rules = { { 'r', when = { " .. condition .. " }, pass = true } } }" }
      assert.truthy(table.concat(errors, "\n"):find(words, 1, true), condition .. table.concat(errors, "\n"))
    end
  end)

  it("on headers, by their names", function()
    local function of(headers) return { headers = headers } end
    check('headers = { ["X-Team"] = { "blue", "red" } }', { of { ["x-team"] = "blue" }, of { ["X-TEAM"] = "red" } }, { of { ["x-team"] = "green" }, {} })
    check('headers = { ["x-team"] = like "*" }', { of { ["x-team"] = "blue" } }, { {} })
    check('headers = { ["x-team"] = isnt "blue", ["x-beta"] = "on" }', { of { ["x-beta"] = "on" } }, { of { ["x-team"] = "blue", ["x-beta"] = "on" }, {} })
    for condition, words in pairs { ['headers = { ["x team"] = "a" }'] = "expected the name of a header", ["headers = { authorization = 'a' }"] = "that holds no secret",
      ["headers = 'x-team'"] = "headers are written", ["headers = { x = 'a', X = 'b' }"] = "have no upper case" } do
      local errors = gw.errors { a = "return policy { rules = { { 'r', when = { " .. condition .. " }, pass = true } } }" }
      assert.truthy(errors[1]:find(words, 1, true), errors[1])
    end
  end)

  it("on tags of the caller's app, which some app must have", function()
    local apps = 'return apps { good = { tags = { grade = "high", owner = "a" } }, plain = { tags = { grade = "low" } }, bare = {} }'
    local mg = when('tags = { grade = "high" }', { apps = apps })
    assert.denied(mg:request { model = "one", as = { app = "good" } }, 403, "matched")
    assert.allowed(mg:request { model = "one", as = { app = "plain" } })
    assert.allowed(mg:request { model = "one", as = { app = "bare" } })
    for condition, words in pairs { ['tags = { grad = "high" }'] = "did you mean 'grade'?", ['tags = { grade = "hihg" }'] = "did you mean 'high'?" } do
      local errors = gw.errors { apps = apps, a = "return policy { rules = { { 'r', when = { " .. condition .. " }, pass = true } } }" }
      assert.truthy(errors[1]:find(words, 1, true), errors[1])
    end
    local explained = mg:explain({ model = "one", as = { app = "good" } }, "text")
    assert.truthy(explained:find("tag grade high", 1, true), explained)
  end)

  it("on a share of requests, whoever sends them", function()
    local mg = when('share = "50%", sticky = "request"')
    local seen = {}
    for _ = 1, 60 do seen[mg:request({ model = "one", as = { user = "ana" } }).kind] = true end
    assert.same({ allow = true, deny = true }, seen)
  end)

  it("on identity", function()
    for _, name in ipairs { "department", "team", "tier", "region", "clearance", "env", "user", "app" } do
      check(name .. " = 'x'", { as { [name] = "x" } }, { as { [name] = "y" }, as { [name] = false } })
    end
  end)

  it("on roles, which are a set", function()
    check("role = 'intern'", { as { roles = { "a", "intern" } } }, { as { roles = { "a" } }, {} })
    check("role = { 'x', 'y' }", { as { roles = { "y" } } }, { as { roles = { "z" } } })
    check("role = none_of { 'x' }", { as { roles = { "y" } }, {} }, { as { roles = { "x", "y" } } })
  end)

  it("on the model that was asked for", function()
    check("model = 'two'", { { model = "two" }, { model = "deux" }, { model = "two-2024-08-06" } }, { { model = "one" } })
    check("model = 'deux'", { { model = "two" } }, { { model = "one" } })
    check("model = like 't*'", { { model = "two" } }, { { model = "one" } })
  end)

  it("on numbers", function()
    check("context_tokens = gt(100)", { { context_tokens = 101 } }, { { context_tokens = 100 } })
    check("context_tokens = ge(100)", { { context_tokens = 100 } }, { { context_tokens = 99 } })
    check("context_tokens = lt(100)", { { context_tokens = 99 } }, { { context_tokens = 100 } })
    check("context_tokens = le(100)", { { context_tokens = 100 } }, { { context_tokens = 101 } })
    check("context_tokens = between(10, 20)", { { context_tokens = 10 }, { context_tokens = 20 } }, { { context_tokens = 9 }, { context_tokens = 21 } })
    check("max_latency_ms = lt(1000)", { { max_latency_ms = 999 } }, { { max_latency_ms = 1000 }, {} })
    check("max_tokens = 7", { { max_tokens = 7 } }, { { max_tokens = 8 }, {} })
    check("input_tokens = gt(5)", { { input_tokens = 6 } }, { { input_tokens = 5 } })
  end)

  it("context is prompt plus requested answer", function()
    check("context_tokens = ge(1010)", { { text = "12345678", max_tokens = 1000 } }, { { text = "12345678", max_tokens = 999 } })
  end)

  it("on hints", function()
    check("task = 'code'", { { task = "code" } }, { { task = "chat" }, {} })
    check("quality = { 'high', 'best' }", { { quality = "best" } }, { { quality = "low" }, {} })
  end)

  it("on the data class", function()
    check("data = at_least 'confidential'", { { data = "confidential" }, { data = "restricted" } }, { { data = "internal" }, {} })
    check("data = 'public'", { {} }, { { data = "internal" } })
    check("data = none_of { 'public', 'internal' }", { { data = "restricted" } }, { {} })
  end)

  it("on what the request uses", function()
    for _, use in ipairs { "tools", "hosted_tools", "remote_mcp", "images", "files", "audio", "caching", "stored" } do
      check("uses = '" .. use .. "'", { { uses = { use } } }, { {} })
    end
    check("uses = 'remote_mcp'", { { body = '{"model":"one","max_tokens":9,"messages":[{"role":"user","content":"x"}],"mcp_servers":'
      .. '[{"type":"url","url":"https://x.example","name":"x"}]}', api = "messages" } }, { { api = "messages" } })
    for _, use in ipairs { "tools", "hosted_tools", "remote_mcp", "images", "files" } do
      check("uses = '" .. use .. "'", { { uses = { use }, api = "messages" } }, { { api = "messages" } })
    end
    for _, api in ipairs { "responses", "input_tokens", "generate_content", "stream_generate_content", "gemini_count_tokens" } do
      for _, use in ipairs { "tools", "hosted_tools", "remote_mcp", "images", "files", "audio" } do
        check("uses = '" .. use .. "'", { { uses = { use }, api = api } }, { { api = api } })
      end
    end
    check("api = 'chat'", { { api = "responses" }, { api = "generate_content" } }, { { api = "input_tokens" }, { api = "embed_content" } })
    check("stream = true", { { api = "stream_generate_content" } }, { { api = "generate_content" } })
    check("api = 'embeddings'", { { api = "embed_content" }, { api = "batch_embed_contents" } }, { { api = "gemini_count_tokens" } })
    check("uses = { 'tools', 'images' }", { { uses = { "images" } } }, { { uses = { "audio" } } })
    check("uses = none_of { 'tools' }", { {} }, { { uses = { "tools" } } })
  end)

  it("on api and stream", function()
    check("api = 'embeddings'", { { api = "embeddings" } }, { { api = "completions" }, {} })
    check("stream = true", { { stream = true } }, { { stream = false }, {} })
    check("stream = false", { {} }, { { stream = true } })
  end)

  it("on labels that auth.lua declares", function()
    local mg = gw.load_text {
      chain = { "who", "a" }, who = "return auth { labels = { 'cost_center' } }",
      a = "return policy { rules = { { 'r', when = { cost_center = 'cc1' }, deny = { 403, 'matched' } } } }",
    }
    assert.denied(mg:request(as({ cost_center = "cc1" }, { model = "one" })), 403, "matched")
    assert.allowed(mg:request(as({ cost_center = "cc2" }, { model = "one" })))
    assert.allowed(mg:request { model = "one" })
  end)

  it("on the clock", function()
    local tuesday, sunday = "2025-06-03T12:00:00Z", "2025-06-08T12:00:00Z"
    check("days = 'mon-fri'", { { time = tuesday } }, { { time = sunday } })
    check("days = { 'sun', 'sat' }", { { time = sunday } }, { { time = tuesday } })
    check("hours = '07:00-12:00'", { { time = "2025-06-03T07:00:00Z" }, { time = "2025-06-03T11:59:59Z" } },
      { { time = tuesday }, { time = "2025-06-03T06:59:59Z" } })
    check("hours = '22:00-06:00'", { { time = "2025-06-03T23:00:00Z" }, { time = "2025-06-03T05:00:00Z" } }, { { time = tuesday } })
    check("hours = '14:00-15:00', zone = '+02:00'", { { time = tuesday } }, { { time = "2025-06-03T14:30:00Z" } })
    -- Berlin is two hours ahead in June and one in January
    check("hours = '14:00-15:00', zone = 'Europe/Berlin'", { { time = tuesday }, { time = "2025-01-07T13:00:00Z" } },
      { { time = "2025-01-07T12:00:00Z" } })
    check("days = 'mon', zone = 'Europe/Berlin'", { { time = "2025-06-01T22:30:00Z" } }, { { time = "2025-06-01T21:30:00Z" } })
  end)

  it("on hours over midnight, which are the evening's day", function()
    local friday_night, saturday_early = "2025-06-06T23:00:00Z", "2025-06-07T05:59:59Z"
    check("days = 'fri', hours = '22:00-06:00'", { { time = friday_night }, { time = saturday_early } },
      { { time = "2025-06-06T05:00:00Z" }, { time = "2025-06-07T23:00:00Z" }, { time = "2025-06-07T06:00:00Z" } })
    check("days = 'sun', hours = '22:00-06:00'", { { time = "2025-06-09T01:00:00Z" } }, { { time = "2025-06-08T01:00:00Z" } })
  end)

  it("on several spans of hours", function()
    check("hours = { '08:00-12:00', '13:00-18:00' }", { { time = "2025-06-03T11:59:00Z" }, { time = "2025-06-03T13:00:00Z" } },
      { { time = "2025-06-03T12:30:00Z" }, { time = "2025-06-03T18:00:00Z" } })
  end)

  it("on labels of the data", function()
    check("label = 'eu_customer'", { { label = "eu_customer" }, { label = { "minors", "eu_customer" } } }, { { label = "minors" }, {} })
    check("label = { 'a', 'b' }", { { label = "b" } }, { { label = "c" }, {} })
    check("label = none_of { 'a' }", { { label = "b" }, {} }, { { label = { "b", "a" } } })
    local mg = when("label = 'eu_customer'", { apps = "return apps { shop = { defaults = { label = { 'eu_customer' } } }, other = {} }" })
    assert.denied(mg:request(as({ app = "shop" }, { model = "one" })), 403, "matched")
    assert.denied(mg:request(as({ app = "shop" }, { model = "one", label = "minors" })), 403, "matched") -- only ever more
    assert.allowed(mg:request(as({ app = "other" }, { model = "one" })))
    local body = [[{"model":"one","metadata":{"moongate":{"label":"x, eu_customer"}},"messages":[{"role":"user","content":"x"}]}]]
    assert.denied(when("label = 'eu_customer'"):request { body = body }, 403, "matched")
    assert.denied(mg:request(as({ app = "other" }, { model = "one", label = "a;b" })), 400, "invalid_hint")
  end)

  it("on the session, by the header that the app names", function()
    check("session = 's1'", { { session = "s1" }, { headers = { ["X-Claude-Code-Session-Id"] = "s1" } } }, { { session = "s2" }, {} })
    local mg = when("session = 's1'", { apps = "return apps { shop = { session = { headers = 'X-Cart', idle = '30m' } } }" })
    assert.denied(mg:request(as({ app = "shop" }, { model = "one", headers = { ["x-cart"] = "s1" } })), 403, "matched")
    assert.allowed(mg:request(as({ app = "shop" }, { model = "one", session = "s1" })))
    local said = gw.errors { a = "return policy {}", apps = "return apps { shop = { session = { headers = 'Cookie' } } }" }
    assert.truthy(said[1]:find("shop.session.headers: expected a header that holds no secret, got 'Cookie'", 1, true), said[1])
  end)

  it("on a share of all callers, always the same ones", function()
    local mg, again, other = when("share = '30%'"), when("share = '30%'"),
      gw.load_text { a = "return policy { rules = { { 'another', when = { share = '30%' }, deny = { 403, 'matched' } } } }" }
    local count, same = 0, 0
    for i = 1, 400 do
      local t = as({ user = "user" .. i }, { model = "one" })
      local kind = mg:request(t).kind
      assert.equal(kind, again:request(t).kind)
      if kind == "deny" then count = count + 1 end
      if kind == other:request(t).kind then same = same + 1 end
    end
    assert.truthy(count > 80 and count < 160, count) -- 120, give or take four standard deviations
    assert.truthy(same < 300, same)                  -- another rule draws others: 232 by chance
  end)

  it("on the same share in every version, since decisions are recorded", function()
    local mg, inside = when("share = '20%'"), {}
    for i = 1, 30 do
      if mg:request(as({ user = "user" .. i }, { model = "one" })).kind == "deny" then inside[#inside + 1] = i end
    end
    assert.same({ 5, 6, 7, 9, 15, 18, 22 }, inside)
  end)

  it("on a share that grows without losing anybody, by user, session or key", function()
    local few, more = when("share = '10%'"), when("share = '40%'")
    for i = 1, 100 do
      local t = as({ user = "u" .. i }, { model = "one" })
      if few:request(t).kind == "deny" then assert.denied(more:request(t), 403) end
    end
    check("share = '100%'", { {}, as { user = false }, { key = "missing" } }, {})
    local function sides(sticky, vary)
      local mg, seen = when("share = '50%', sticky = '" .. sticky .. "'"), {}
      for i = 1, 40 do seen[mg:request(vary(i)).kind] = true end
      return seen
    end
    local function user(i) return as({ user = "u" .. i, id = "k" }, { model = "one" }) end
    local function key(i) return as({ user = "u", id = "k" .. i }, { model = "one" }) end
    local function session(i) return as({ user = "u" .. i, id = "k" .. i }, { model = "one", session = "s" }) end
    assert.same({ allow = true, deny = true }, sides("user", user))
    assert.is_nil(next(sides("user", key), (next(sides("user", key)))))
    assert.same({ allow = true, deny = true }, sides("key", key))
    assert.is_nil(next(sides("session", session), (next(sides("session", session)))))
  end)

  it("clearance may be a class", function()
    check("clearance = at_least 'confidential'", { as { clearance = "restricted" } }, { as { clearance = "internal" }, as { clearance = false } })
  end)

  it("say what is wrong with themselves", function()
    local function said(condition)
      return gw.errors({ a = "return policy { rules = { { 'r', when = { " .. condition .. " }, deny = { 403, 'x' } } } }" })[1]
    end
    local wrong = {
      ["share = 0.1"] = "rules[1].when.share: a percentage is written \"80%\", with at most two decimals; got 0.1 (did you mean \"10%\"?)",
      ["share = '0%'"] = "rules[1].when.share: a share lies between 0% and 100%, got 0% (mode = \"off\" takes a rule out)",
      ["share = '5%', sticky = 'usr'"] = "rules[1].when.sticky: expected one of user, session, key, request, got the text 'usr' (did you mean 'user'?)",
      ["sticky = 'user'"] = "rules[1].when.sticky: sticky says whose share it is: share = \"10%\" is missing",
      ["prompt_status = 'aproved'"] = "rules[1].when.prompt_status: expected one of approved, archived, review, draft, none",
      ["approved = 'true'"] = "rules[1].when.approved: expected true or false, got the text 'true' (write true, without quotes)",
      ["label = like 'eu*'"] = "rules[1].when.label: like does not fit here: a data label is compared with a name, a list or none_of",
      ["hours = { '08:00-12:00', '13-18' }"] = "rules[1].when.hours[2]: hours are written \"07:00-20:00\", got the text '13-18'",
      ["departement = 'x'"] = "rules[1].when.departement: unknown condition 'departement' (did you mean 'department'?)",
    }
    for condition, words in pairs(wrong) do
      local text = said(condition) or "nothing"
      assert.truthy(text:find(words, 1, true), text)
    end
  end)

  it("isnt and none_of hold for what is not there", function()
    check("tier = isnt 'gold'", { as { tier = "silver" }, {} }, { as { tier = "gold" } })
    check("tier = none_of { 'gold', 'silver' }", { as { tier = "bronze" }, {} }, { as { tier = "gold" } })
  end)

  it("any holds for everything", function()
    check("tier = any", { as { tier = "x" }, {} }, {})
  end)

  it("like matches the whole text", function()
    check("user = like 'a*a'", { as { user = "ana" }, as { user = "aa" } }, { as { user = "ann" }, as { user = "xana" } })
  end)

  it("must all hold", function()
    check("user = 'ana', tier = 'gold', stream = true", { as({ tier = "gold" }, { stream = true }) },
      { as({ tier = "gold" }), as({ tier = "silver" }, { stream = true }), as({ tier = "gold", user = "bob" }, { stream = true }) })
  end)

  it("unless excepts", function()
    local mg = gw.load_text { a = [[return policy { rules = { { "r", when = { team = "t" }, unless = { user = "ana" },
      deny = { 403, "matched" } } } }]] }
    assert.allowed(mg:request(as({ team = "t" }, { model = "one" })))
    assert.denied(mg:request(as({ team = "t", user = "bob" }, { model = "one" })), 403)
    assert.allowed(mg:request { model = "one" })
  end)

  it("may be functions of ctx", function()
    local mg = gw.load_text { a = [[return policy { rules = { { "r",
      when   = function(ctx) return ctx.request.max_tokens and ctx.request.max_tokens > 10 end,
      unless = function(ctx) return ctx.identity.roles.admin end, deny = { 403, "matched" } } } }]] }
    assert.denied(mg:request { model = "one", max_tokens = 11 }, 403)
    assert.allowed(mg:request { model = "one", max_tokens = 10 })
    assert.allowed(mg:request { model = "one" })
    assert.allowed(mg:request { as = { roles = { "admin" } }, model = "one", max_tokens = 11 })
  end)
end)
