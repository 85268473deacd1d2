-- Headers pass by allow-list, both ways; what is the gateway's own is made by the gateway.
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g
local SAY = { { role = "user", content = "hi" } }

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "headers" }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local ROUTES = {
  { path = "/v1/chat/completions", json = { model = "gpt-4o", messages = SAY } },
  { path = "/v1/chat/completions", json = { model = "gpt-4o", messages = SAY, stream = true } },
  { path = "/v1/completions", json = { model = "gpt-4o", prompt = "x" } },
  { path = "/v1/embeddings", json = { model = "text-embedding-3-small", input = "x" } },
}

local function ask(route, headers)
  local since = m:mark()
  local r = g:ask { path = route.path, json = route.json, headers = headers }
  assert.equal(200, r.status, r.body)
  return r, m:request(since)
end

local PASS = { { "User-Agent", "a-client/1.0" }, { "OpenAI-Beta", "assistants=v2" }, { "X-Stainless-Lang", "js" },
  { "X-Stainless-Retry-Count", "1" }, { "Idempotency-Key", "abc" }, { "X-Client-Request-Id", "mine" },
  { "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } }
local STOP = { { "Cookie", "a=b" }, { "X-Moongate-Task", "code" }, { "X-Moongate-Anything", "x" }, { "X-Forwarded-For", "10.0.0.1" },
  { "X-Api-Key", "client-secret" }, { "Api-Key", "client-secret" }, { "Proxy-Authorization", "Basic eA==" }, { "Proxy-Connection", "keep-alive" },
  { "Keep-Alive", "timeout=5" }, { "TE", "trailers" }, { "Trailer", "X" }, { "Upgrade", "h2c" }, { "OpenAI-Organization", "org-client" },
  { "OpenAI-Project", "proj-client" }, { "X-Custom-1", "x" }, { "Referer", "http://intranet/" }, { "Origin", "http://intranet" },
  { "Via", "1.1 x" }, { "Forwarded", "for=10.0.0.1" } }

describe("towards the provider", function()
  for i, route in ipairs(ROUTES) do
    it(("only what is allowed passes, with the provider's key (%s%s)"):format(route.path, i == 2 and ", stream" or ""), function()
      local headers = {}
      for _, list in ipairs { PASS, STOP } do
        for _, header in ipairs(list) do headers[#headers + 1] = header end
      end
      local _, request = ask(route, headers)
      for _, header in ipairs(PASS) do assert.equal(header[2], m:header(request, header[1]), header[1]) end
      for _, header in ipairs(STOP) do assert.is_nil(m:header(request, header[1]), header[1]) end
      assert.equal("Bearer " .. gateway.PROVIDER_KEY, m:header(request, "authorization"))
      assert.equal("127.0.0.1:" .. m.port, m:header(request, "host"))
      assert.equal("application/json", m:header(request, "content-type"))
      assert.equal("identity", m:header(request, "accept-encoding"))
      assert.is_nil(m:header(request, "expect"))
      local seen = {}
      for _, header in ipairs(request.headers) do
        local name = header[1]:lower()
        assert.is_nil(seen[name], name .. " twice")
        seen[name] = true
        assert.falsy(header[2]:find(g.key, 1, true), "the client's key")
      end
    end)
  end

  it("what Connection names does not pass", function()
    local _, request = ask(ROUTES[1], { { "Connection", "keep-alive, OpenAI-Beta" }, { "OpenAI-Beta", "x" } })
    assert.is_nil(m:header(request, "openai-beta"))
  end)

  it("a large body is not announced with Expect", function()
    local _, request = ask { path = "/v1/chat/completions", json = { model = "gpt-4o", messages = { { role = "user", content = ("x"):rep(2000000) } } } }
    assert.is_nil(m:header(request, "expect"))
    assert.is_true(request.body_bytes > 2000000)
  end)
end)

describe("towards the client", function()
  for i, route in ipairs(ROUTES) do
    it(("the provider's request id and limits pass, its secrets do not (%d)"):format(i), function()
      local r, request = ask(route)
      assert.equal(("req_mock%016x"):format(request.request), r:get("x-moongate-provider-request-id"))
      assert.equal(r.id, r:get("x-request-id")) -- what SDKs show is the id that our records have
      for _, name in ipairs { "x-ratelimit-limit-requests", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-requests", "openai-processing-ms" } do
        assert.is_string(r:get(name), name)
      end
      for _, name in ipairs { "set-cookie", "openai-organization", "x-mock-internal" } do assert.is_nil(r:get(name), name) end
      assert.falsy(r.raw:find("mock-secret", 1, true))
      assert.falsy(r.raw:find(gateway.PROVIDER_KEY, 1, true))
      local record = g:record(r.id)
      assert.equal(r:get("x-moongate-provider-request-id"), record.upstream.request_id)
    end)
  end

  it("framing is the gateway's own, interim answers stay behind", function()
    for _, query in ipairs { "informational=103", "informational=100", "framing=chunked", "framing=close", "write_bytes=3" } do
      local r = g:chat { model = "gpt-4o", messages = SAY, metadata = { mock = query } }
      assert.equal(200, r.status, query)
      assert.equal("end", r.ending)
      assert.is_nil(r:get("link"))
    end
  end)

  it("a provider cannot speak in the gateway's name", function()
    m:script { header = "x-moongate-request-id: forged" }
    local r = g:chat { model = "gpt-4o", messages = SAY }
    assert.truthy(r.id:find("^req_"))
    local _, n = r.raw:lower():gsub("x%-moongate%-request%-id:", "")
    assert.equal(1, n)
  end)
end)

describe("x-moongate-request-id", function()
  local UUID7 = "^req_%x%x%x%x%x%x%x%x%-%x%x%x%x%-7%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"

  it("is on every answer, unique, never the client's", function()
    local seen = {}
    for _, of in ipairs {
      { json = { model = "gpt-4o", messages = SAY } }, { json = { model = "gpt-4o", messages = SAY, stream = true } },
      { path = "/v1/models" }, { path = "/livez" }, { path = "/readyz" }, { path = "/v1/nowhere" }, { json = "{" },
      { json = { model = "gpt-4o", messages = SAY }, key = "wrong" }, { method = "OPTIONS", path = "/v1/models" },
      { path = "/v1/models", headers = { { "Content-Length", "x" } } }, { path = "/v1/models", headers = { { "Bad Name", "x" } } },
    } do
      of.headers = of.headers or {}
      table.insert(of.headers, 1, { "X-Moongate-Request-Id", "req_mine" })
      table.insert(of.headers, 1, { "X-Request-Id", "req_mine" })
      local r = g:ask(of)
      assert.truthy(r.id and r.id:find(UUID7), tostring(r.status) .. " " .. tostring(r.id))
      assert.equal(r.id, r:get("x-request-id")) -- the one that SDKs read
      assert.is_nil(seen[r.id])
      seen[r.id] = true
    end
  end)

  it("is on the admin listener's answers too", function()
    for _, path in ipairs { "/livez", "/metrics", "/nowhere" } do
      local r = client.ask(g.admin_port, { path = path })
      assert.truthy(r:get("x-request-id"):find(UUID7), path)
      assert.equal(r:get("x-request-id"), r:get("x-moongate-request-id"))
    end
  end)

  it("sorts by time", function()
    local a = g:ask({ path = "/livez" }).id
    require("socket").sleep(0.01)
    local b = g:ask({ path = "/livez" }).id
    assert.is_true(a < b)
  end)
end)

-- Names that have one value are refused when there are two; lists are one list.
describe("a header that comes twice", function()
  local BODY = { model = "gpt-4o", messages = SAY }

  it("is refused where it has one value, also an equal one", function()
    for _, twice in ipairs {
      { "Authorization", "Bearer x", "Bearer x" }, { "X-Api-Key", "a", "b" }, { "Content-Type", "application/json", "text/plain" },
      { "X-Moongate-Data", "public", "restricted" }, { "X-Moongate-Task", "code", "code" }, { "X-Goog-Api-Key", "a", "b" },
    } do
      local since = m:mark()
      local r = client.ask(g.port, { json = BODY, headers = { { twice[1], twice[2] }, { twice[1]:lower(), twice[3] } } })
      assert.equal(400, r.status, twice[1])
      local problem = gateway.error_of(r)
      assert.truthy(problem.message:lower():find(twice[1]:lower(), 1, true), problem.message)
      assert.same({}, m:requests(since))
      assert.equal("invalid", g:record(problem.request_id).outcome)
    end
  end)

  it("is one list for policies, records and providers otherwise", function()
    local r, request = ask(ROUTES[1], { { "OpenAI-Beta", "one" }, { "X-Moongate-Label", "minors" }, { "openai-beta", "two" },
      { "x-moongate-label", "eu_customer" } })
    assert.equal("one, two", m:header(request, "openai-beta"))
    assert.equal("minors, eu_customer", g:record(r.id).facts.label)
  end)

  it("hides no coding behind the first", function()
    local r = g:ask { json = BODY, headers = { { "Content-Encoding", "identity" }, { "Content-Encoding", "gzip" } } }
    assert.equal(415, r.status)
  end)

  it("is decided on by all its values", function()
    local policies = {
      ["init.lua"] = 'return chain { "auth", "seen" }\n',
      ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, price = free } }\n',
      ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
      ["seen.lua"] = [[
return policy {
  on_request = function(ctx)
    local value = ctx.request.headers["x-tenant"] or ""
    if value:find("evil", 1, true) then return deny(403, "evil_tenant") end
  end,
}
]],
    }
    local other = gateway.start { mock = m, name = "headers-twice", policies = policies }
    local r = other:ask { json = BODY, headers = { { "X-Tenant", "good" }, { "X-Tenant", "evil" } } }
    assert.equal(403, r.status, r.body)
    assert.equal("evil_tenant", gateway.error_of(r).code)
    other:stop()
  end)
end)

describe("an account's own headers", function()
  it("go with every call instead of the caller's, secrets are kept, and callers' may be let through", function()
    local other = gateway.start { mock = m, name = "headers-account", env = { ACCOUNT_TOKEN = "token-0123456789" },
      config = { providers = { openai = {
        headers = { ["X-Title"] = "Our gateway", ["X-Account-Token"] = gateway.raw 'env "ACCOUNT_TOKEN"' },
        pass = { "X-Session-Affinity" },
      } } } }
    local since = m:mark()
    m:script { header = "x-ratelimit-echo: token-0123456789", text = "you sent token-0123456789" }
    local r = other:ask { json = { model = "gpt-4o", messages = SAY }, headers = { { "X-Title", "Mine" }, { "HTTP-Referer", "https://me.example" },
      { "X-Session-Affinity", "ses_1" }, { "X-Session-Id", "ses_1" } } }
    assert.equal(200, r.status, r.body)
    local request = m:request(since)
    assert.equal("Our gateway", m:header(request, "x-title"))
    assert.equal("token-0123456789", m:header(request, "x-account-token"))
    assert.equal("https://me.example", m:header(request, "http-referer"))
    assert.equal("ses_1", m:header(request, "x-session-affinity"))
    assert.is_nil(m:header(request, "x-session-id"))
    assert.equal("Bearer " .. gateway.PROVIDER_KEY, m:header(request, "authorization"))
    assert.falsy(r.raw:find("token-0123456789", 1, true))
    assert.falsy(r.body:find("token-0123456789", 1, true))
    assert.truthy(r.body:find("you sent [secret]", 1, true), r.body)
    local shown = other:command("check", "--json")
    assert.falsy(shown:find("token-0123456789", 1, true))
    other:stop()
  end)
end)

describe("over TLS", function()
  it("the provider's certificate is verified with the CA that is named, and refused without", function()
    local workdir = require("tests.e2e.kit.workdir")
    local dir = workdir.new("headers-tls")
    local tls = mock.start { tls = dir:path("ca.pem") }
    local ca = { ca = dir:path("ca.pem"), url = tls.url }
    local other = gateway.start { mock = m, name = "headers-tls", config = { providers = { openai = ca, ["local"] = { url = tls.url } } } }
    assert.equal(200, other:chat({ model = "gpt-4o", messages = SAY }).status)
    assert.equal("end", other:chat({ model = "gpt-4o", messages = SAY, stream = true }).ending)
    local seen = tls:mark()
    local r = other:chat { model = "llama-3.1-70b", messages = SAY }
    assert.equal(502, r.status)
    assert.equal("upstream_tls", gateway.error_of(r).code)
    assert.same({}, tls:requests(seen))
    local wrong_name = gateway.start { mock = m, name = "headers-name",
      config = { providers = { openai = { ca = ca.ca, url = tls.url:gsub("127%.0%.0%.1", "127.0.0.2") } } } }
    assert.is_not_equal(200, wrong_name:chat({ model = "gpt-4o", messages = SAY }).status)
    wrong_name:stop()
    other:stop()
    tls:stop()
    dir:remove()
  end)
end)

describe("the key", function()
  it("is taken from x-api-key too, and from Bearer in any case", function()
    for _, headers in ipairs { { { "X-Api-Key", g.key } }, { { "authorization", "bearer " .. g.key } }, { { "Authorization", "BEARER   " .. g.key } } } do
      local r = client.ask(g.port, { json = { model = "gpt-4o", messages = SAY }, headers = headers })
      assert.equal(200, r.status, r.body)
    end
  end)
end)
