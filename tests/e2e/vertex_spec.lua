-- Google's Vertex AI: tokens that are asked for with a service account's key, at an endpoint that is slow, dead or
-- lies; whose models are asked at which path; and that keys and tokens go nowhere else.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local givers = require("tests.e2e.kit.token_giver")
local mock = require("tests.e2e.kit.mock")
local signal = require("posix.signal")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key" } } }\n',
  ["models.lua"] = [[
local price = usd_per_million { input = "1", output = "1" }
return models {
  flash    = { targets = { "vertex/gemini-2.5-flash" }, price = price },
  ["google-flash"] = { targets = { "vertex/google/gemini-2.5-flash" }, price = price },
  sonnet   = { targets = { "vertex/claude-sonnet-4-5@20250929" }, price = price },
  llama    = { targets = { "vertex/meta/llama-3.3-70b-instruct-maas" }, counts_as = "gpt-4o", price = price },
  spare    = { targets = { "vertex/gemini-2.5-pro", "spare/gemini-2.5-flash" }, price = price },
  embedder = { targets = { "vertex/gemini-embedding-2" }, price = price },
  old      = { targets = { "vertex/text-embedding-005" }, price = price },
}
]],
}
local PLACE = "/v1/projects/my-project/locations/europe-west4"
local GOOGLE, ANTHROPIC = PLACE .. "/publishers/google/models/", PLACE .. "/publishers/anthropic/models/"

local m, giver, g

local function root() return (m.url:gsub("/v1$", "")) end

local function account(more)
  local a = { kind = "vertex", url = root(), project = "my-project", location = "europe-west4", credentials = "sa.json", breaker = false }
  for name, value in pairs(more or {}) do a[name] = value or nil end
  return a
end

local function start(options)
  options = options or {}
  return gateway.start { mock = m, name = options.name or "vertex", workers = options.workers or 1, policies = POLICIES,
    key = { app = "bot" }, prepare = function(dir) dir:write("sa.json", giver:key_json()) end, config = { providers = {
      vertex = account(options.account), spare = options.spare or nil } } }
end

local function contents(text) return { contents = { { role = "user", parts = { { text = text or "echo one two" } } } } } end

local function ask(of, model, verb, json)
  return of:ask { path = ("/v1beta/models/%s:%s"):format(model, verb or "generateContent"), json = json or contents(), key = false,
    headers = { { "x-goog-api-key", of.key } } }
end

-- What the mock got: at that path, with a token and nothing else of secrets.
local function sent(of, since, path)
  local request = m:request(since)
  assert.equal(path, request.path)
  local token = m:header(request, "authorization"):match("^Bearer (ya29%.%S+)$")
  assert.truthy(token)
  for _, header in ipairs(request.headers) do
    assert.falsy(header[2]:find(of.key, 1, true), header[1])
    assert.equal(header[1]:lower() == "authorization", header[2]:find("ya29", 1, true) ~= nil, header[1])
  end
  return request.body, token
end

local function token_count(of, outcome)
  return of:metrics():value("moongate_provider_account_tokens_total", { outcome = outcome })
end

setup(function()
  m = mock.start { recordings = true }
  giver = givers.start()
end)
teardown(function()
  gateway.stop_all()
  giver:stop()
  m:stop()
end)
before_each(function()
  m:reset()
  giver:behave("ok")
  giver:live(3600)
end)

describe("a call", function()
  setup(function() g = start { workers = 2 } end)
  teardown(function() g:stop() end)

  it("goes out with a token, one for all workers, and its body as it came", function()
    local seen = {}
    for _ = 1, 8 do
      local since = m:mark()
      local r = ask(g, "flash")
      assert.equal(200, r.status, r.body)
      local body, token = sent(g, since, GOOGLE .. "gemini-2.5-flash:generateContent")
      assert.same(contents(), cjson.decode(body))
      seen[token] = true
      assert.equal("one two", cjson.decode(r.body).candidates[1].content.parts[1].text)
    end
    assert.is_nil(next(seen, next(seen)))
    local claims = giver:given()[1]
    assert.equal("gw@my-project.iam.gserviceaccount.com", claims.iss)
    assert.equal("https://www.googleapis.com/auth/cloud-platform", claims.scope)
    assert.equal(1, giver:hits())
    assert.equal(1, token_count(g, "given"))
    assert.truthy(g:health().body:find("[+]provider account vertex: its token is good for 35", 1, true))
  end)

  it("is streamed, counted, embedded at Google's own verbs", function()
    local cases = {
      { "flash", "streamGenerateContent?alt=sse", contents(), "gemini-2.5-flash:streamGenerateContent?alt=sse" },
      { "flash", "countTokens", contents(), "gemini-2.5-flash:countTokens" },
      { "google-flash", "generateContent", contents(), "gemini-2.5-flash:generateContent" },
      { "embedder", "embedContent", { content = { parts = { { text = "a b" } } } }, "gemini-embedding-2:embedContent" },
    }
    for _, case in ipairs(cases) do
      local since = m:mark()
      local r = ask(g, case[1], case[2], case[3])
      assert.equal(200, r.status, r.body)
      sent(g, since, GOOGLE .. case[4])
    end
  end)

  it("that Vertex AI has no way for is refused in plain words", function()
    local content = { content = { parts = { { text = "a" } } } }
    local cases = {
      { "embedder", "batchEmbedContents", { requests = { { model = "models/embedder", content = content.content } } }, "one content at a time" },
      { "old", "embedContent", content, ":predict alone" },
    }
    for _, case in ipairs(cases) do
      local r = ask(g, case[1], case[2], case[3])
      assert.equal(400, r.status, r.body)
      assert.truthy(cjson.decode(r.body).error.message:find(case[4], 1, true), r.body)
    end
  end)

  it("of OpenAI's and Anthropic's clients to Google's models are translated", function()
    for _, case in ipairs { { false, "generateContent" }, { true, "streamGenerateContent?alt=sse" } } do
      local since, stream = m:mark(), case[1]
      local user = { { role = "user", content = "echo one two" } }
      local r = g:chat { model = "flash", stream = stream, messages = user }
      assert.equal(200, r.status, r.body)
      assert.truthy(r.body:find(stream and '"content":"one' or '"content":"one two"', 1, true), r.body)
      assert.same(contents(), cjson.decode((sent(g, since, GOOGLE .. "gemini-2.5-flash:" .. case[2]))))
      since = m:mark()
      r = g:ask { path = "/v1/messages", key = false, headers = { { "x-api-key", g.key }, { "anthropic-version", "2023-06-01" } },
        json = { model = "flash", max_tokens = 9, stream = stream, messages = user } }
      assert.equal(200, r.status, r.body)
      assert.truthy(r.body:find('"text":"one', 1, true), r.body)
      sent(g, since, GOOGLE .. "gemini-2.5-flash:" .. case[2])
    end
  end)

  it("of OpenAI's client to a model of another publisher goes to the endpoint for these", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local r = g:chat { model = "llama", stream = stream, messages = { { role = "user", content = "echo one two" } } }
      assert.equal(200, r.status, r.body)
      local body = cjson.decode((sent(g, since, PLACE .. "/endpoints/openapi/chat/completions")))
      assert.equal("meta/llama-3.3-70b-instruct-maas", body.model)
      assert.equal(2, g:record(r.id).usage.output_tokens)
    end
  end)

  it("of Anthropic's client goes out in its own API, as Vertex AI hosts it", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local body = ('{"model": "sonnet", "stream":%s,"max_tokens": 9,  "messages":[{"role":"user","content":"echo one two"}]}'):format(stream)
      local r = g:ask { path = "/v1/messages", json = body, key = false, headers = { { "x-api-key", g.key },
        { "anthropic-version", "2023-06-01" }, { "anthropic-beta", "context-1m-2025-08-07" } } }
      assert.equal(200, r.status, r.body)
      local verb = stream and "streamRawPredict" or "rawPredict"
      assert.equal(('{"stream":%s,"max_tokens": 9,  "messages":[{"role":"user","content":"echo one two"}],' ..
        '"anthropic_version":"vertex-2023-10-16"}'):format(stream), (sent(g, since, ANTHROPIC .. "claude-sonnet-4-5%4020250929:" .. verb)))
      assert.equal("context-1m-2025-08-07", m:header(m:request(since), "anthropic-beta"))
      assert.equal(2, g:record(r.id).usage.output_tokens)
    end
  end)

  it("that counts for Anthropic's names its model in the body", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/messages/count_tokens", json = { model = "sonnet", messages = { { role = "user", content = "a b c" } } },
      key = false, headers = { { "x-api-key", g.key } } }
    assert.equal(200, r.status, r.body)
    local body = cjson.decode((sent(g, since, ANTHROPIC .. "count-tokens:rawPredict")))
    assert.same({ "claude-sonnet-4-5@20250929", "vertex-2023-10-16" }, { body.model, body.anthropic_version })
    assert.equal(3, cjson.decode(r.body).input_tokens)
  end)

  it("of a client of OpenAI's is translated to Anthropic's API", function()
    local since = m:mark()
    local r = g:chat { model = "sonnet", messages = { { role = "user", content = "echo one two" } } }
    assert.equal(200, r.status, r.body)
    local body = cjson.decode((sent(g, since, ANTHROPIC .. "claude-sonnet-4-5%4020250929:rawPredict")))
    assert.same({ "vertex-2023-10-16" }, { body.anthropic_version, body.model })
    assert.equal("one two", cjson.decode(r.body).choices[1].message.content)
  end)

  it("by Vertex AI's own paths is understood", function()
    for _, base in ipairs { "/v1/projects/any/locations/global", "/v1beta1/projects/any/locations/us-central1", "/v1beta1" } do
      local since = m:mark()
      local r = g:ask { path = base .. "/publishers/google/models/flash:generateContent", json = contents(), key = false,
        headers = { { "x-goog-api-key", g.key } } }
      assert.equal(200, r.status, base .. " " .. r.body)
      sent(g, since, GOOGLE .. "gemini-2.5-flash:generateContent")
    end
  end)

  it("leaves neither key nor token in records, logs or answers", function()
    m:script { status = 400, body = '{"error":{"code":400,"message":"' .. "bad token " .. "TOKEN" .. '","status":"INVALID_ARGUMENT"}}' }
    local since = m:mark()
    ask(g, "flash")
    local _, token = sent(g, since, GOOGLE .. "gemini-2.5-flash:generateContent")
    m:script { status = 400, body = cjson.encode { error = { code = 400, message = "this token: " .. token, status = "INVALID_ARGUMENT" } } }
    local r = ask(g, "flash")
    assert.equal(400, r.status)
    assert.falsy(r.raw:find(token, 1, true))
    g:record(r.id)
    local pem = giver.dir:read("key.pem"):match("\n(%S+)\n")
    for _, secret in ipairs { token, pem } do
      local grep = io.popen("grep -rlF -e '" .. secret .. "' '" .. g.dir.root .. "' | grep -v sa.json")
      assert.equal("", grep:read("*a"))
      grep:close()
    end
  end)

  if mock.has_recordings() then
    it("is answered byte for byte as Vertex AI has answered", function()
      for _, name in ipairs { "001-generateContent-json", "005-generateContent-json", "007-generateContent-json", "009-generateContent-json",
        "011-generateContent-err404", "003-streamGenerateContent-json", "002-streamGenerateContent-stream", "008-streamGenerateContent-stream" } do
        m:script { replay = "vertex/" .. name }
        local r = ask(g, "flash", name:find("stream%-?") and name:find("^00[238]") and
          (name:find("%-stream$") and "streamGenerateContent?alt=sse" or "streamGenerateContent") or "generateContent")
        local file = io.open(("%s/vertex/%s.resp.%s"):format(mock.recordings, name, name:find("%-stream$") and "sse" or "json"))
        assert.equal(file:read("*a"), r.body, name)
        file:close()
        assert.equal(name:find("err404") and 404 or 200, r.status)
      end
    end)
  end
end)

describe("a token", function()
  after_each(gateway.stop_all)

  it("is renewed before it ends, while nobody waits", function()
    giver:live(4)
    local own = start { name = "renewed" }
    local tokens = {}
    expect.eventually(function()
      local since = m:mark()
      assert.equal(200, ask(own, "flash").status)
      local _, token = sent(own, since, GOOGLE .. "gemini-2.5-flash:generateContent")
      if tokens[#tokens] ~= token then tokens[#tokens + 1] = token end
      return #tokens >= 3
    end, 20, "three tokens")
    assert.equal(0, token_count(own, "failed"))
  end)

  it("that is slow to come is waited for, by each request", function()
    giver:behave("slow")
    local own = start { name = "slow" }
    local r = ask(own, "flash")
    assert.equal(200, r.status, r.body)
  end)

  it("that does not come fails the request in bounded time, and another target serves", function()
    giver:behave("hang")
    local own = start { name = "hang", spare = { kind = "gemini", url = m.url, key = "sk-other-0123456789", breaker = false } }
    local r = ask(own, "flash")
    assert.equal(502, r.status, r.body)
    assert.truthy(cjson.decode(r.body).error.message:find("has been given no token in time", 1, true), r.body)
    r = ask(own, "spare")
    assert.equal(200, r.status, r.body)
    assert.equal("spare/gemini-2.5-flash", own:record(r.id).target)
    giver:kill() -- it is still hanging
    giver:restart()
  end)

  it("that is refused, or is none, is said in log and metrics, and asked for again", function()
    local said = { refuse = "answered 400: invalid_grant: account not found", busy = "answered 503", zero = "expires_in", negative = "expires_in",
      text = "expires_in", none = "access_token", odd = "access_token", mac = "token_type", html = "no JSON object", large = "larger than",
      redirect = "answered 302", echo = "answered 400" }
    for how, words in pairs(said) do
      giver:behave(how)
      local own = start { name = how }
      expect.eventually(function() return token_count(own, "failed") > 0 end, 10, how)
      local r = ask(own, "flash")
      assert.equal(502, r.status, how .. r.body)
      assert.truthy(cjson.decode(r.body).error.message:find("is given no token", 1, true), r.body)
      local health = own:health().body
      assert.truthy(health:find("provider account vertex has no token: [^\n]*" .. words:gsub("%W", "%%%0")), how .. "\n" .. health)
      assert.falsy(health:find("eyJ", 1, true))
      giver:behave("ok")
      expect.eventually(function() return ask(own, "flash").status == 200 end, 10, how .. ", and then")
      own:stop()
    end
  end)

  it("that is said to be good for ages is used", function()
    giver:behave("huge")
    local own = start { name = "huge" }
    assert.equal(200, ask(own, "flash").status)
    assert.truthy(own:health().body:find("is good for 4[23]%d%d%d s"))
  end)

  it("goes on while its endpoint is dead, and the admin process is killed", function()
    local own = start { name = "dead" }
    assert.equal(200, ask(own, "flash").status)
    giver:kill()
    local before = own:listen().admin_pid
    signal.kill(before, signal.SIGKILL)
    expect.eventually(function()
      local now = own:listen().admin_pid
      return now and now ~= before
    end, 10, "another admin process")
    for _ = 1, 5 do assert.equal(200, ask(own, "flash").status) end
    giver:restart()
    expect.eventually(function() return token_count(own, "given") >= 2 end, 20, "a token of the new endpoint")
  end)

  it("is kept by a reload that changes nothing of it, and another by one that does", function()
    local own = start { name = "reloaded" }
    assert.equal(200, ask(own, "flash").status)
    local hits = giver:hits()
    own:reload()
    assert.equal(200, ask(own, "flash").status)
    assert.equal(hits, giver:hits())
    giver:rotate()
    own.dir:write("sa.json", giver:key_json())
    own:reload()
    local since = m:mark()
    assert.equal(200, ask(own, "flash").status)
    local _, token = sent(own, since, GOOGLE .. "gemini-2.5-flash:generateContent")
    assert.truthy(token:find(giver.kid, 1, true))
  end)

  it("that its provider refuses is asked for anew", function()
    local own = start { name = "refused" }
    assert.equal(200, ask(own, "flash").status)
    local hits = giver:hits()
    m:script { status = 401 }
    assert.equal(502, ask(own, "flash").status)
    expect.eventually(function() return giver:hits() == hits + 1 end, 5, "a new one")
    expect.eventually(function() return ask(own, "flash").status == 200 end, 5, "which is used")
  end)
end)

describe("moongate check", function()
  local own
  setup(function() own = start { name = "check" } end)

  local function check(providers)
    own.dir:write("other.lua", "return moongate.config { providers = { " .. providers .. " } }\n")
    return own:command("check", "-c", "other.lua", "policies")
  end

  it("says that a token and a header of that name are two", function()
    local out, code = check([[one = { kind = "vertex", project = "p", location = "eu", credentials = "sa.json", headers = { Authorization = "x" } }]])
    assert.equal(1, code, out)
    assert.truthy(out:find("`credentials` is sent as `authorization`: one of them, not both", 1, true), out)
  end)

  it("refuses more key files than tokens are asked for", function()
    local function accounts(count)
      local list = {}
      for i = 1, count do
        own.dir:write(("sa%d.json"):format(i), giver:key_json { private_key_id = "kid" .. i })
        for name in ("ab"):gmatch(".") do
          list[#list + 1] = ('%s%d = { kind = "vertex", project = "p%s", location = "eu", credentials = "sa%d.json" }'):format(name, i, name, i)
        end
      end
      return (check(table.concat(list, ", ")))
    end
    assert.truthy(accounts(65):find("more than 64 different `credentials`", 1, true))
    assert.falsy(accounts(64):find("different `credentials`", 1, true))
  end)
end)
