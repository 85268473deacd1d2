-- ratelimit { … }: what it lets through, what it refuses and with what words, and what loading says about it.
local gw = require "moongate.test"

local function limits(rows, more) return "return ratelimit { limits = { " .. rows .. " }" .. (more and ", " .. more or "") .. " }" end
local function with(rows, more) return gw.load_text { a = limits(rows, more) } end

-- How many of a row of requests pass before the first is refused, and that one.
local function pass(mg, t, most)
  t.model = t.model or "one"
  for i = 1, most do
    local r = mg:request(t)
    if r.kind ~= "allow" then return i - 1, r end
  end
  return most
end

local function as(identity, t)
  t = t or {}
  t.as = identity
  return t
end

describe("requests", function()
  local mg = with "{ 'per-user', by = 'user', requests = 60, per = '1m' }"

  it("come a sixth at once, the rest as time goes by", function()
    local passed, r = pass(mg, {}, 20)
    assert.equal(10, passed)
    assert.denied(r, 429, "rate_limited")
    assert.equal("user ana is over 10 requests at once, 60 a minute; again in 1 s", r.denied.reason)
    assert.equal("a", r.denied.policy)
    assert.equal("per-user", r.denied.rule)
    assert.explained_by(r, "a/per-user")
    mg:advance "1s"
    assert.equal(1, (pass(mg, {}, 20)))
    mg:advance "1h"
    assert.equal(10, (pass(mg, {}, 20)))
  end)

  it("never pass in larger number than the limit and the burst, in any window", function()
    local times = {}
    for i = 1, 400 do
      if mg:request({ model = "one" }).kind == "allow" then times[#times + 1] = mg.time end
      if i % 4 == 0 then mg:advance "1s" end
    end
    assert.truthy(#times > 100 and #times < 115, #times)
    for i = 1, #times do
      local n = 0
      for j = i, #times do
        if times[j] < times[i] + 60 then n = n + 1 end
      end
      assert.truthy(n <= 70, n)
    end
  end)

  it("say when to come again", function()
    local slow = with "{ 'slow', by = 'user', requests = 6, per = '1h' }"
    local passed, r = pass(slow, {}, 3)
    assert.equal(1, passed)
    assert.equal(600, r.denied.retry_after)
    slow:advance "599s"
    assert.denied(slow:request { model = "one" }, 429)
    slow:advance "1s"
    assert.allowed(slow:request { model = "one" })
  end)

  it("are counted for each user apart, and together for those who have none", function()
    pass(mg, {}, 10)
    assert.allowed(mg:request(as({ user = "bob" }, { model = "one" })))
    assert.equal(10, (pass(mg, as { user = false, id = "k1" }, 20)))
    local r = mg:request(as({ user = false, id = "k2" }, { model = "one" }))
    assert.denied(r, 429)
    assert.equal("whoever has no user is over 10 requests at once, 60 a minute; again in 1 s", r.denied.reason)
  end)

  it("of one name cannot be taken for those of two", function()
    local two = with "{ 'x', by = { 'user', 'team' }, requests = 1, per = '1h' }"
    assert.allowed(two:request(as({ user = "a,team=b", team = "c" }, { model = "one" })))
    assert.allowed(two:request(as({ user = "a", team = "b,team=c" }, { model = "one" })))
    assert.denied(two:request(as({ user = "a", team = "b,team=c" }, { model = "one" })), 429)
  end)

  it("come a sixth at once, rounded up: both figures stand in the refusal", function()
    local few = with "{ 'few', by = 'user', requests = 10, per = '1m' }"
    local passed, r = pass(few, { as = { user = "ana" } }, 5)
    assert.equal(2, passed)
    assert.equal("user ana is over 2 requests at once, 10 a minute; again in 6 s", r.denied.reason)
    assert.equal(6, r.denied.retry_after)
  end)

  it("may burst as the row says", function()
    assert.equal(30, (pass(with "{ 'x', by = 'user', requests = 60, per = '1m', burst = 30 }", {}, 40)))
  end)

  it("of everybody are counted together without 'by'", function()
    local all = with "{ 'all', requests = 12, per = '1m' }"
    assert.allowed(all:request(as({ user = "a" }, { model = "one" })))
    assert.allowed(all:request(as({ user = "b" }, { model = "one" })))
    local r = all:request(as({ user = "c" }, { model = "one" }))
    assert.denied(r, 429)
    assert.equal("everybody is over 2 requests at once, 12 a minute; again in 5 s", r.denied.reason)
  end)

  it("are counted by labels of keys and by session", function()
    local labelled = gw.load_text { chain = { "who", "a" }, who = "return auth { labels = { 'cost_center' } }",
      a = limits "{ 'cc', by = 'cost_center', requests = 1, per = '1h' }" }
    assert.allowed(labelled:request(as({ cost_center = "c1" }, { model = "one" })))
    assert.denied(labelled:request(as({ cost_center = "c1", user = "bob" }, { model = "one" })), 429)
    assert.allowed(labelled:request(as({ cost_center = "c2" }, { model = "one" })))
    local sessions = with "{ 's', by = 'session', requests = 1, per = '1h' }, { 'u', by = 'user', requests = 600, per = '1h' }"
    assert.allowed(sessions:request { model = "one", session = "s1" })
    assert.denied(sessions:request { model = "one", session = "s1" }, 429)
    assert.allowed(sessions:request { model = "one", session = "s2" })
    for i, header in ipairs { "session_id", "session-id", "thread-id", "x-session-affinity", "x-claude-code-session-id" } do
      local named = { [header] = "n" .. i }
      assert.allowed(sessions:request { model = "one", headers = named })
      assert.denied(sessions:request { model = "one", headers = named }, 429)
    end
    assert.allowed(sessions:request { model = "one" }) -- no session: nothing to count
    assert.allowed(sessions:request { model = "one" })
  end)
end)

describe("several limits", function()
  it("are taken together or not at all", function()
    local mg = with "{ 'many', by = 'user', requests = 60, per = '1m' }, { 'few', by = 'team', requests = 6, per = '1h' }"
    assert.allowed(mg:request(as({ team = "t" }, { model = "one" })))
    for _ = 1, 30 do
      local r = mg:request(as({ team = "t" }, { model = "one" }))
      assert.denied(r, 429)
      assert.equal("few", r.denied.rule)
    end
    local passed = 0 -- 'many' was not used up: nine are left of ten
    for i = 1, 20 do
      if mg:request(as({ team = "t" .. i }, { model = "one" })).kind == "allow" then passed = passed + 1 end
    end
    assert.equal(9, passed)
  end)

  it("of one row are counted each", function()
    local mg = with "{ 'x', by = 'user', requests = 600, tokens = 6000, per = '1m' }"
    assert.allowed(mg:request { model = "one", context_tokens = 1000 })
    local r = mg:request { model = "one", context_tokens = 1000 }
    assert.denied(r, 429)
    assert.equal("user ana is over 1,000 tokens at once, 6,000 a minute, and this request takes 1,000; again in 10 s", r.denied.reason)
  end)

  it("in two policies too, in the order of the chain", function()
    local mg = gw.load_text { chain = { "b", "a" }, a = limits "{ 'ra', requests = 6, per = '1h' }",
      b = limits "{ 'rb', by = 'user', requests = 600, per = '1h' }" }
    local r = mg:request { model = "one" }
    assert.allowed(r)
    assert.equal("b/rb", r.trace[1].policy .. "/" .. r.trace[1].rule)
    assert.equal("count", r.trace[1].verb)
    assert.equal("within 100 requests at once, 600 an hour for user ana", r.trace[1].reason)
    assert.equal("a", mg:request({ model = "one" }).denied.policy)
  end)

  it("apply under their conditions, and count what falls under them only", function()
    local mg = with "{ 'scarce', by = 'department', requests = 1, per = '1h', when = { model = 'two' } }"
    for _ = 1, 3 do assert.allowed(mg:request { model = "one" }) end
    assert.allowed(mg:request { model = "two" })
    assert.denied(mg:request { model = "deux" }, 429)
    assert.allowed(mg:request { model = "one" })
  end)

  it("are not taken when a policy before them denies", function()
    local mg = gw.load_text { chain = { "no", "a" }, a = limits "{ 'x', requests = 1, per = '1h' }",
      no = "return policy { rules = { { 'no-bob', when = { user = 'bob' }, deny = { 403, 'no' } } } }" }
    assert.denied(mg:request(as({ user = "bob" }, { model = "one" })), 403)
    assert.allowed(mg:request { model = "one" })
  end)
end)

describe("what was taken", function()
  local mg = with "{ 't', by = 'app', tokens = 6000, per = '1m' }, { 'c', by = 'app', concurrent = 1 }"
  local function left() -- tokens that may be asked for at once
    for n = 1000, 1, -100 do
      if mg:request({ model = "one", context_tokens = n }).kind == "allow" then return n end
    end
    return 0
  end

  it("is settled with what it came to", function()
    mg:respond({ model = "one", context_tokens = 1000 }, { text = "x", input_tokens = 200, output_tokens = 100 })
    assert.equal(700, left())
    mg:forget()
    mg:respond({ model = "one", context_tokens = 300 }, { text = "x", input_tokens = 300, output_tokens = 300 })
    assert.equal(400, left())
    mg:forget()
    mg:respond({ model = "one", context_tokens = 800 }, { text = "x" }) -- says nothing: what was estimated
    assert.equal(200, left())
  end)

  it("is given back when a later policy refuses", function()
    local both = gw.load_text { chain = { "a", "b" }, a = limits "{ 't', by = 'app', tokens = 6000, per = '1m' }",
      b = [[return policy { rules = { { 'no', when = { user = "eve" }, deny = { 403, "no" } } } }]] }
    assert.denied(both:request { model = "one", as = { user = "eve" }, context_tokens = 900 }, 403)
    assert.allowed(both:request { model = "one", context_tokens = 900 })
    assert.denied(both:request { model = "one", context_tokens = 900 }, 429)
  end)
end)

describe("tokens", function()
  local mg = with "{ 't', by = 'app', tokens = 6000, per = '1m' }"
  local function ask(n) return mg:request { model = "one", context_tokens = n } end

  it("are the estimate, and an idle caller may go into debt", function()
    assert.allowed(ask(6000))
    local r = ask(10)
    assert.denied(r, 429)
    assert.equal(51, r.denied.retry_after) -- the debt of a minute, less the burst of a sixth
    mg:advance "60s"
    assert.allowed(ask(10))
  end)

  it("beyond the limit can never pass, and say so instead of when to come again", function()
    local r = ask(6001)
    assert.denied(r, 429, "rate_limited")
    assert.is_nil(r.denied.retry_after)
    assert.equal("a request of 6,001 tokens can never pass: 6,000 tokens a minute is the limit of whoever has no app", r.denied.reason)
  end)
end)

describe("concurrent", function()
  it("counts what runs at the same time", function()
    local mg = with "{ 'c', by = 'user', concurrent = 2 }"
    for _ = 1, 5 do assert.allowed(mg:request { model = "one" }) end
    assert.allowed(mg:request { model = "one", under_way = true })
    assert.allowed(mg:request { model = "one", under_way = true })
    local r = mg:request { model = "one" }
    assert.denied(r, 429, "rate_limited")
    assert.equal("user ana has 2 requests under way, and may have no more at a time; again when one ends", r.denied.reason)
  end)

  it("gives back what a request denied later had taken", function()
    local mg = gw.load_text { chain = { "a", "no" }, a = limits "{ 'c', by = 'user', concurrent = 1 }",
      no = "return policy { rules = { { 'no', when = { task = 'x' }, deny = { 403, 'no' } } } }" }
    assert.denied(mg:request { model = "one", task = "x" }, 403)
    assert.allowed(mg:request { model = "one" })
  end)
end)

describe("adjust", function()
  local gold = "adjust = function(ctx, limit) if ctx.identity.tier == 'gold' then return limit.limit * 5 end end"

  it("sets the limit for a request", function()
    local mg = with("{ 'x', by = 'user', requests = 6, per = '1h' }", gold)
    assert.equal(1, (pass(mg, {}, 9)))
    assert.equal(5, (pass(mg, as { user = "bob", tier = "gold" }, 9)))
  end)

  it("is shown the limit, and cannot change it", function()
    local function say(body) return with("{ 'x', by = 'user', tokens = 60, per = '1h' }", "adjust = function(ctx, limit) " .. body .. " end"):request { model = "one" } end
    local r = say "ctx:annotate('v', limit.name .. ' ' .. limit.limit .. ' ' .. limit.unit .. ' ' .. limit.per)"
    assert.equal("x 60 tokens 1h", r.annotations.v)
    assert.faulted(say "limit.limit = 5", "a limit cannot be changed")
    assert.faulted(say "return limit.limits", "a limit has no field 'limits'")
    assert.faulted(say "return 'many'", "adjust returned the text 'many' for 'x': a number from 1")
    assert.faulted(say "return 0", "a number from 1")
    assert.faulted(say "return 0 / 0", "a number from 1")
  end)
end)

describe("modes", function()
  it("observe counts and refuses nothing", function()
    local mg = with "{ 'x', by = 'user', requests = 1, per = '1h', mode = 'observe' }"
    assert.allowed(mg:request { model = "one" })
    local r = mg:request { model = "one" }
    assert.allowed(r)
    assert.equal("deny", r.trace[1].verb)
    assert.equal("observe", r.trace[1].mode)
    assert.equal("user ana is over 1 request an hour", r.trace[1].reason)
  end)

  it("of the policy hold for its rows; off is as if it were not there", function()
    local mg = with("{ 'x', requests = 1, per = '1h' }", "mode = 'observe'")
    assert.equal(3, (pass(mg, {}, 3)))
    local off = with "{ 'x', requests = 1, per = '1h', mode = 'off' }"
    assert.equal(3, (pass(off, {}, 3)))
    assert.same(1, #off:request({ model = "one" }).trace)
  end)

  it("rules come first: pass takes somebody out", function()
    local mg = with("{ 'x', requests = 1, per = '1h' }", "rules = { { 'probe', when = { user = 'probe' }, pass = true } }")
    assert.equal(5, (pass(mg, as { user = "probe" }, 5)))
    assert.equal(1, (pass(mg, {}, 5)))
  end)
end)

describe("limits of the same callers and time", function()
  local both = "{ 'now', by = 'user', requests = 60, per = '1m', burst = 60 }, { 'trial', by = 'user', requests = 6, per = '1m', burst = 6, mode = 'observe' }"

  it("count each for itself: one on trial refuses nobody", function()
    assert.equal(60, (pass(with(both), {}, 80)))
    assert.equal(60, (pass(gw.load_text { a = limits(both:match("^(.-}),")), b = limits(both:match("}, (.*)$")) }, {}, 80)))
  end)

  it("hold in the short run and in the long", function()
    local mg = with "{ 'short', by = 'user', requests = 60, per = '1m', burst = 5 }, { 'long', by = 'user', requests = 30, per = '1m', burst = 30 }"
    assert.equal(5, (pass(mg, {}, 80)))
    local passed = 5
    for _ = 1, 60 do
      mg:advance "1s"
      passed = passed + (mg:request({ model = "one" }).kind == "allow" and 1 or 0)
    end
    assert.truthy(passed >= 58 and passed <= 61, passed) -- 30 at once, and 30 a minute
  end)
end)

describe("examples", function()
  it("have no past: they never meet a limit", function()
    assert.same({}, gw.errors { a = limits("{ 'x', requests = 1, per = '1h' }", "examples = { { model = 'one' }, { model = 'one' }, { model = 'one' } }") })
  end)
end)

describe("loading", function()
  local function said(rows, more)
    local list = gw.errors { a = limits(rows, more) }
    return table.concat(list, "\n"), #list
  end

  local row = "{ 'x', by = 'user', requests = 60, per = '1m' }"
  local wrong = {
    ["{ 'x', by = 'usr', requests = 60, per = '1m' }"] = "limits[1].by: expected a field of the identity, a label, model or session, got the text 'usr' (did you mean 'user'?)",
    ["{ 'x', by = 'user', requests = 60, per = '1min' }"] = "limits[1].per: a time is written \"30s\", \"1m\", \"1h\" or \"1d\", at most a year; got the text '1min' (did you mean \"1m\"?)",
    ["{ 'x', by = 'user', requests = 60, per = 60 }"] = "got 60 (did you mean \"60s\"?)",
    ["{ 'x', by = 'user', requests = 60, per = 'minute' }"] = "got the text 'minute' (did you mean \"1m\"?)",
    ["{ 'x', by = 'user', requests = 60, per = 'month' }"] = "got the text 'month' (did you mean \"30d\"?)",
    ["{ 'x', by = 'user', requests = 60, per = '2 weeks' }"] = "got the text '2 weeks' (did you mean \"14d\"?)",
    ["{ 'x', by = 'user', requests = 60, per = '1y' }"] = "got the text '1y' (did you mean \"365d\"?)",
    ["{ 'x', by = 'dept', requests = 60, per = '1m' }"] = "got the text 'dept' (did you mean 'department'?)",
    ["{ 'x', by = 'key', requests = 60, per = '1m' }"] = "got the text 'key' (did you mean 'key_id'?)",
    ["{ 'x', each = 'user', requests = 60, per = '1m' }"] = "unknown field of a limit 'each' (did you mean 'by'?)",
    ["{ 'x', user = 'ana', requests = 60, per = '1m' }"] = "unknown field of a limit 'user' (for each of them by = \"user\", for some when = { user = … })",
    ["{ 'x', 'y', by = 'user', requests = 60, per = '1m' }"] = "unknown field of a limit '2' (a limit has one name, and fields after it)",
    ["{ 'x', by = 'user', requests = 1e15, per = '1m' }"] = "expected a whole number from 1 to 1000000000000, got 1e+15",
    ["{ 'x', by = 'user', requests = 60, per = '1m', burst = 0 }"] = "limits[1].burst: expected a whole number from 1, got 0 (with none at once nothing would pass: burst = 1)",
    ["{ 'x', by = 'user', requests = 60, per = '1m', burst = 61 }"] = "limits[1].burst: no more than the limit comes at once: 61 is more than 60",
    ["{ 'x', by = 'user', requests = 60, tokens = 900, per = '1m', burst = 6 }"] = "limits[1].burst: 'burst' is of requests or of tokens: write two limits",
    ["{ 'x', by = 'user', requests = 'x', per = '1m', burst = 6 }"] = "limits[1].requests: expected a whole number from 1, got the text 'x'",
    ["{ 'x', by = 'user', concurrent = 5, burst = 6 }"] = "limits[1].burst: 'burst' is how many requests or tokens of a time may come at once",
    ["{ 'x', by = 'user', requests = 60, per = '0s' }"] = "got the text '0s'",
    ["{ 'x', by = 'user', requests = 60, per = '400d' }"] = "at most a year; got the text '400d'",
    ["{ 'x', by = 'user', requests = 60 }"] = "'per' is missing: how many in what time? per = \"1m\"",
    ["{ 'x', by = 'user', per = '1m' }"] = "a limit says how many: requests = 60, tokens = 200000 or concurrent = 5",
    ["{ 'x', by = 'user', concurrent = 5, per = '1m' }"] = "concurrent counts what runs at the same time, and has no 'per'",
    ["{ 'x', by = 'user', requests = 0, per = '1m' }"] = "limits[1].requests: expected a whole number from 1, got 0 (a limit of 0 lets nothing through: deny it in access.lua)",
    ["{ 'x', by = 'user', requests = 1.5, per = '1m' }"] = "expected a whole number from 1, got 1.5",
    ["{ 'x', by = 'user', request = 60, per = '1m' }"] = "limits[1].request: unknown field of a limit 'request' (did you mean 'requests'?)",
    ["{ by = 'user', requests = 60, per = '1m' }"] = "a limit begins with its name: { \"per-user\", … }",
    ["{ 'x', by = {}, requests = 60, per = '1m' }"] = "limits[1].by: the list is empty",
    ["{ 'x', by = { 'user', 'user' }, requests = 60, per = '1m' }"] = "limits[1].by[2]: 'user' stands in this list twice",
    ["{ 'x', by = 'user', requests = 60, per = '1m', when = { modle = 'one' } }"] = "limits[1].when.modle: unknown condition 'modle' (did you mean 'model'?)",
    ["{ 'x', by = 'user', requests = 60, per = '1m', when = { called = 'one' } }"] = "limits count before anything is called: write model = …",
    ["{ 'x', by = 'user', requests = 60, per = '1m', mode = 'observ' }"] = "limits[1].mode: expected one of enforce, observe, off",
    [row .. ", " .. row:gsub("user", "team")] = "limits[2]: two limits are called 'x'",
    ["'x'"] = "limits[1]: a limit is a table",
    [row .. ", { 'y', by = 'user', requests = 90, per = '1m' }"] = "warning: limits[2]: never acts: 'x' is as strict or stricter for the same callers",
    [row .. ", { 'y', by = 'user', requests = 3600, per = '1h' }"] = "warning: limits[2]: never acts: 'x'",
    ["{ 's', by = 'session', requests = 60, per = '1m' }"] = "warning: limits[1]: a caller can begin as many sessions as it likes (let a limit by user or key_id stand beside it)",
  }
  for rows, words in pairs(wrong) do
    it("says what is wrong with " .. rows, function()
      local text, count = said(rows)
      assert.truthy(text:find(words, 1, true), text)
      assert.equal(rows:find("request =", 1, true) and 2 or 1, count, text) -- what is misspelt is missing too
      assert.truthy(text:find("^policies/a.lua:1:%d+: "), text)
    end)
  end

  it("has nothing against what is right", function()
    for _, rows in ipairs { row, row .. ", { 'y', by = 'user', requests = 1000, per = '1h' }",
      row .. ", { 'y', by = 'app', requests = 600, per = '1m' }", row .. ", { 'y', by = 'user', tokens = 600, per = '1m' }",
      row .. ", { 'y', by = 'user', requests = 600, per = '1m', when = { model = 'one' }, mode = 'off' }",
      row .. ", { 's', by = 'session', requests = 5, per = '1m' }" } do
      assert.equal("", (said(rows)))
    end
  end)

  it("offers no time that is another", function()
    for _, per in ipairs { "'500ms'", "'0.5s'", "0.5", "'0s'", "'367d'", "'2 years'" } do
      local text = said("{ 'x', by = 'user', requests = 60, per = " .. per .. " }")
      assert.is_nil(text:find("did you mean", 1, true), text)
    end
  end)

  it("of rates as others write them", function()
    local text = said "{ 'x', by = 'user', rpm = 60 }"
    assert.truthy(text:find("limits[1].rpm: unknown field of a limit 'rpm' (write requests = 60, per = \"1m\")", 1, true), text)
    text = said "{ 'x', by = 'user', limit = 60, per = '1m' }"
    assert.truthy(text:find("(a limit says of what: requests, tokens or concurrent)", 1, true), text)
  end)

  it("lets a burst be more than a limit that adjust raises", function()
    assert.equal("", (said("{ 'x', by = 'user', requests = 6, per = '1m', burst = 30 }", "adjust = function(ctx, limit) return 60 end")))
  end)

  it("of the fields beside limits", function()
    assert.truthy(said(row, "on_store_loss = 'ignore'"):find("on_store_loss: expected one of open, closed, local, got the text 'ignore'", 1, true))
    assert.truthy(said(row, "adjust = 5"):find("adjust: expected a function, got 5", 1, true))
    assert.truthy(said(row, "limit = 5"):find("limit: unknown field 'limit' (did you mean 'limits'?)", 1, true))
    assert.truthy(gw.errors({ a = "return ratelimit { limits = {} }" })[1]:find("a ratelimit without limits limits nothing", 1, true))
    assert.truthy(gw.errors({ a = "return ratelimit {}" })[1]:find("a ratelimit without limits limits nothing", 1, true))
    assert.truthy(gw.errors({ a = "return policy { on_store_loss = 'open' }" })[1]:find("unknown field 'on_store_loss'", 1, true))
  end)
end)
