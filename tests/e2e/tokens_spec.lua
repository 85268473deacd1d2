-- Callers with a token of an identity provider: accepted, refused, and what happens to them while its keys change or its
-- server is dead, slow or lying.
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local issuers = require("tests.e2e.kit.issuer")
local mock = require("tests.e2e.kit.mock")

local APPS = 'return apps { ["code-assistant"] = { department = "engineering" } }\n'
local MODELS = [[return models { ["gpt-4o-mini"] = { targets = { "openai/gpt-4o-mini" }, price = usd_per_million { input = 1, output = 2 } } }]]

local function policies_for(url, more)
  return {
    ["init.lua"] = 'return chain { "auth" }\n', ["apps.lua"] = APPS, ["models.lua"] = MODELS,
    ["auth.lua"] = ([[return auth {
      jwt = { issuer = "https://login.example.com", audience = "moongate", jwks = "%s",
              claims = { user = "sub", department = "dept", roles = "groups", app = "azp" }, leeway = 0 },
      require = { "user", "app", "department" }, %s
    }]]):format(url, more or ""),
  }
end

local function hello(g, key, more)
  local of = { json = { model = "gpt-4o-mini", messages = { { role = "user", content = "hi" } } }, key = key }
  for name, value in pairs(more or {}) do of[name] = value end
  return g:ask(of)
end

local function failures(g, reason)
  return g:metrics():value("moongate_auth_failures_total", { reason = reason })
end

describe("a token", function()
  local m, issuer, g

  setup(function()
    m = mock.start {}
    issuer = issuers.start {}
    g = gateway.start { mock = m, workers = 2, name = "tokens", policies = policies_for(issuer.url) }
  end)
  teardown(function()
    g:stop()
    issuer:stop()
    m:stop()
  end)

  it("is the caller's identity, and goes nowhere else", function()
    local token = issuer:token { sub = "ana", dept = "law", groups = { "dev" } }
    local answer = hello(g, token)
    assert.equal(200, answer.status, answer.body)
    local record = g:record(answer.id)
    assert.same({ "ana", "law", "code-assistant" },
      { record.identity.user, record.identity.department, record.identity.app })
    assert.truthy(record.identity.key_id:find("^jwt_%x+$"))
    assert.equal("https://login.example.com", record.identity.issuer)
    local grep = io.popen("grep -rlF -e '" .. token:match("[^.]+$") .. "' '" .. g.dir.root .. "'")
    assert.equal("", grep:read("*a"))
    grep:close()
    for _, header in ipairs(m:request().headers) do
      assert.is_nil(header[2]:find(token, 1, true), "the provider saw it in " .. header[1])
    end
  end)

  it("stands beside API keys, in whatever header their clients send them", function()
    assert.equal(200, hello(g, g.key).status)
    for _, name in ipairs { "x-api-key", "api-key", "X-API-Key" } do
      assert.equal(200, hello(g, false, { headers = { { name, g.key } } }).status, name)
    end
    assert.equal(401, hello(g, false, { headers = { { "x-other-key", g.key } } }).status)
    local answer = hello(g, false, { headers = { { "x-api-key", "mgk_none" } } })
    assert.equal("the API key in the header 'x-api-key' is not known", gateway.error_of(answer).message)
  end)

  it("that is refused says no more than it may, and the record says why", function()
    local good = issuer:token {}
    local head, claims = good:match("^([^.]+)%.([^.]+)%.")
    local other = issuer:token { sub = "root" }
    local cases = {
      { "expired", issuer:token { exp = os.time() - 1 }, "token_expired", "the token has expired" },
      { "not_yet_valid", issuer:token { nbf = os.time() + 100 }, "invalid_token", "the token is not valid yet" },
      { "audience", issuer:token { aud = "others" }, "invalid_token", "the token is meant for another audience" },
      { "issuer", issuer:token { iss = "https://evil.example.com" }, "invalid_token", "the token is not valid" },
      { "algorithm", issuer:token({}, { alg = "none" }), "invalid_token", "the token is not valid" },
      { "algorithm", issuer:token({}, { alg = "HS256" }), "invalid_token", "the token is not valid" },
      { "unsupported", issuer:token({}, { crit = { "exp" } }), "invalid_token", "the token is not valid" },
      { "signature", head .. "." .. claims .. "." .. other:match("[^.]+$"), "invalid_token", "the token is not valid" },
      { "signature", head .. "." .. other:match("%.(.-)%.") .. "." .. good:match("[^.]+$"), "invalid_token",
        "the token is not valid" },
      { "malformed", "a.b.c", "invalid_token", "the token is not valid" },
      { "claim", issuer:token { exp = false }, "invalid_token", "the token is not valid" },
    }
    for _, case in ipairs(cases) do
      local before = failures(g, case[1])
      local answer = hello(g, case[2])
      local said = gateway.error_of(answer)
      assert.same({ 401, case[3], case[4] }, { answer.status, said.code, said.message })
      assert.truthy(answer:get("www-authenticate"):find('error="invalid_token"', 1, true))
      assert.equal(before + 1, failures(g, case[1]))
      local found
      for _, e in ipairs(g:record(answer.id).trace) do
        found = found or (e.verb == "detail" and e.reason:find("^" .. case[1] .. ":"))
      end
      assert.truthy(found, "the record tells of " .. case[1])
    end
    assert.equal('Bearer realm="moongate"', hello(g, false):get("www-authenticate"))
  end)

  it("is believed by its claims alone", function()
    local answer = client.ask(g.port, { key = issuer:token { dept = "law" }, headers = { { "x-moongate-department", "sales" },
      { "x-moongate-user", "root" } }, json = { model = "gpt-4o-mini", user = "root", metadata = { department = "sales" },
      messages = { { role = "user", content = "hi" } } } })
    local record = g:record(answer:get("x-moongate-request-id"))
    assert.same({ "ana", "law" }, { record.identity.user, record.identity.department })
  end)

  it("shares nothing with one that begins like it", function()
    local long = ("x"):rep(600)
    for i = 1, 20 do
      local answer = hello(g, issuer:token { aaa = long, sub = "user" .. i })
      assert.equal("user" .. i, g:record(answer.id).identity.user)
    end
  end)

  it("by a key that came a moment ago is good at the first try, on every worker", function()
    local before = issuer:token { sub = "before" }
    assert.equal(200, hello(g, before).status)
    issuer:rotate("rsa")
    local after = issuer:token { sub = "after" }
    for _ = 1, 6 do assert.equal(200, hello(g, after).status) end
    assert.equal(200, hello(g, before).status)
    issuer:rotate("ed25519", 1) -- the first keys are taken back
    assert.equal(200, hello(g, issuer:token { sub = "newest" }).status)
    expect.eventually(function() return hello(g, before).status == 401 end, 5, "a token by a key that is gone is refused")
  end)
end)

describe("keys that change", function()
  it("lose no caller while many call", function()
    local m, issuer = mock.start {}, issuers.start {}
    local g = gateway.start { mock = m, workers = 2, name = "rotation", policies = policies_for(issuer.url) }
    local tokens, refused, asked = { issuer:token { sub = "a" }, issuer:token { sub = "b" } }, 0, 0
    crowd.run(function(all)
      for i = 1, 30 do
        all.add(function()
          for _ = 1, 12 do
            local answer = client.ask(g.port, { path = "/v1/models", key = tokens[(asked + i) % #tokens + 1] })
            asked = asked + 1
            if answer.status ~= 200 then refused = refused + 1 end
            client.sleep(0.01)
          end
        end)
      end
      all.add(function()
        client.sleep(0.05)
        issuer:rotate()
        tokens[#tokens + 1] = issuer:token { sub = "c" }
      end)
    end, 60)
    assert.equal(360, asked)
    assert.equal(0, refused)
    g:stop()
    issuer:stop()
    m:stop()
  end)
end)

describe("a key server", function()
  local m, issuer, g
  before_each(function()
    m = mock.start {}
    issuer = issuers.start {}
  end)
  after_each(function()
    g:stop()
    issuer:stop()
    m:stop()
  end)

  local function start(more)
    g = gateway.start { mock = m, name = "keyserver", policies = policies_for(issuer.url, more) }
  end

  for _, how in ipairs { "refuse", "lie", "empty", "huge", "cut", "redirect" } do
    it("that does this takes no keys away: " .. how, function()
      start()
      local token = issuer:token {}
      assert.equal(200, hello(g, token).status)
      issuer:behave(how)
      local before = issuer:hits()
      local answer = hello(g, issuer:token({}, { kid = "unheard-of" })) -- makes the gateway look again
      assert.equal(503, answer.status)
      assert.equal("auth_unavailable", gateway.error_of(answer).code)
      assert.truthy(tonumber(answer:get("retry-after")))
      issuer:asked_after(before)
      assert.equal(200, hello(g, issuer:token { sub = "other" }).status)
      assert.is_true(g:metrics():value("moongate_jwks_refreshes_total", { outcome = "failed" }) >= 1)
      assert.truthy(client.ask(g.admin_port, { path = "/readyz?verbose" }).body:find("[!]jwks " .. issuer.url, 1, true))
    end)
  end

  it("that hangs holds up nobody whose key is known", function()
    start()
    local token = issuer:token {}
    assert.equal(200, hello(g, token).status)
    issuer:behave("hang")
    local stranger = issuer:token({}, { kid = "unheard-of" })
    crowd.run(function(all)
      local is_waiting = true
      all.add(function()
        local answer = client.ask(g.port, { path = "/v1/models", key = stranger })
        is_waiting = false
        assert.equal(401, answer.status)
      end)
      all.add(function()
        client.sleep(0.2)
        for _ = 1, 5 do assert.equal(200, client.ask(g.port, { path = "/v1/models", key = token }).status) end
        assert.is_true(is_waiting)
      end)
    end, 30)
  end)

  it("is not asked more often for all the keys that strangers make up", function()
    start()
    assert.equal(200, hello(g, issuer:token {}).status)
    local before = issuer:hits()
    local strangers = {}
    for i = 1, 12 do strangers[i] = issuer:token({}, { kid = "made-up-" .. i }) end
    for _, stranger in ipairs(strangers) do assert.equal(401, hello(g, stranger).status) end
    assert.is_true(issuer:hits() - before <= 4, "at most its burst")
  end)

  it("that is dead at the start refuses tokens for now, serves keys, and is found when it comes", function()
    issuer:kill()
    start()
    local answer = hello(g, issuer:token {})
    assert.same({ 503, "auth_unavailable" }, { answer.status, gateway.error_of(answer).code })
    assert.equal(200, hello(g, g.key).status)
    assert.truthy(client.ask(g.admin_port, { path = "/readyz?verbose" }).body:find("[!]jwks " .. issuer.url .. ": 0 keys", 1, true))
    issuer:restart()
    expect.eventually(function() return hello(g, issuer:token {}).status == 200 end, 20, "a token that is accepted")
  end)

  it("is not needed for a restart", function()
    start()
    local token = issuer:token {}
    assert.equal(200, hello(g, token).status)
    issuer:kill()
    g:signal(require("posix.signal").SIGTERM)
    g.process:wait(20)
    g:run()
    assert.equal(200, hello(g, token).status)
  end)

  it("may be another one after a reload, and its keys go with it", function()
    start()
    local second = issuers.start {}
    local old, new = issuer:token {}, second:token {}
    assert.equal(200, hello(g, old).status)
    g:write_policies(policies_for(second.url))
    local out, code = g:reload()
    assert.equal(0, code, out)
    assert.equal(200, hello(g, new).status)
    assert.equal(401, hello(g, old).status)
    assert.is_nil(client.ask(g.admin_port, { path = "/readyz?verbose" }).body:find(issuer.url, 1, true))
    second:stop()
  end)

  it("outlives the processes that ask it", function()
    start()
    assert.equal(200, hello(g, issuer:token {}).status)
    for _, pid in ipairs(g:pids()) do
      if pid ~= g.process.pid then require("posix.signal").kill(pid, 9) end
    end
    expect.eventually(function()
      local ok, answer = pcall(hello, g, issuer:token {})
      return ok and answer.status == 200
    end, 15, "a token that is accepted by the new worker")
  end)
end)

describe("without API keys", function()
  it("a node is not ready until it has its issuer's keys", function()
    local m, issuer = mock.start {}, issuers.start {}
    issuer:behave("refuse")
    local policies = policies_for(issuer.url, "keys = false,")
    local g = gateway.start { mock = m, name = "alone", policies = policies, is_up = function(g)
      return client.ask(g.admin_port, { path = "/readyz?verbose" }).body:find("answered 500", 1, true) ~= nil
    end }
    assert.is_false(g:is_ready())
    assert.equal(503, client.ask(g.port, { path = "/readyz" }).status)
    issuer:behave("ok")
    expect.eventually(function() return g:is_ready() end, 20, "a node that has its keys")
    assert.equal(200, hello(g, issuer:token {}).status)
    local answer = hello(g, g.key)
    assert.equal(401, answer.status)
    assert.truthy(gateway.error_of(answer).message:find("^no token: send it in the header"))
    g:stop()
    issuer:stop()
    m:stop()
  end)
end)

describe("keys in the policy folder", function()
  it("need no server", function()
    local m, issuer = mock.start {}, issuers.start { kind = "rsa" }
    local policies = policies_for("x")
    policies["auth.lua"] = policies["auth.lua"]:gsub('jwks = "x"', 'jwks = file "login.json"')
    policies["login.json"] = issuer.dir:read("jwks.json")
    local g = gateway.start { mock = m, name = "file", policies = policies }
    assert.equal(200, hello(g, issuer:token {}).status)
    assert.equal(0, issuer:hits())
    g:stop()
    issuer:stop()
    m:stop()
  end)
end)
