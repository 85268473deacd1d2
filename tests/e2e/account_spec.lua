-- What is wrong with the gateway's own account at a provider is no business of the caller's key, and the account's key
-- never comes back to him, whatever the provider says of it.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local KEY = gateway.PROVIDER_KEY
local SAY = { { role = "user", content = "hi" } }
local policies = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["models.lua"] = [[
return models {
  pair   = { targets = { "openai/first", "anthropic/second" }, price = free },
  single = { targets = { "openai/single" }, price = free },
}
]],
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
}
local m, g

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "account", policies = policies }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function ask(model, script, stream)
  m:script(script)
  return g:chat { model = model, messages = SAY, stream = stream }
end

local function error_body(text)
  return cjson.encode { error = { message = text, type = "invalid_request_error", code = "invalid_api_key" } }
end

-- A word behind "event":"provider_account", waited for.
local function said(id)
  return expect.eventually(function()
    for line in g:said():gmatch("[^\n]+") do
      if line:find('"provider_account"', 1, true) and line:find(id, 1, true) then return line end
    end
  end, 5, "a line about the account")
end

describe("a provider that refuses the gateway's account", function()
  for _, status in ipairs { 401, 402, 403, 407, 302, 308 } do
    for _, stream in ipairs { false, true } do
      it(("with %d%s: 502 that names the account and not the key"):format(status, stream and ", asked for a stream" or ""), function()
        local counted = g:metrics():value("moongate_provider_account_refusals_total", { provider = "openai", status = tostring(status) })
        local r = ask("single", { status = status, body = error_body("Incorrect API key provided: " .. KEY), header = "x-ratelimit-x: " .. KEY,
          match = "hi" }, stream)
        assert.equal(502, r.status)
        local problem = gateway.error_of(r)
        assert.same({ "invalid_request_error", "upstream_account" }, { problem.type, problem.code })
        assert.truthy(problem.message:find('"openai"', 1, true), problem.message)
        assert.truthy(problem.message:find(tostring(status), 1, true), problem.message)
        assert.equal("false", r:get("x-should-retry"))
        assert.is_nil(r:get("www-authenticate"))
        assert.falsy((r.raw .. r.body):find(KEY, 1, true))
        local record = g:record(r.id)
        assert.same({ "upstream_error", 502 }, { record.outcome, record.status })
        assert.equal(status, record.upstream.status)
        local line = said(r.id)
        assert.truthy(line:find("openai", 1, true) and line:find(tostring(status), 1, true), line)
        assert.falsy(g:said():find(KEY, 1, true))
        assert.equal(counted + 1,
          g:metrics():value("moongate_provider_account_refusals_total", { provider = "openai", status = tostring(status) }))
      end)
    end

    it(("with %d: the next target answers"):format(status), function()
      local r = ask("pair", { status = status, match = '"model":"first"' })
      assert.equal(200, r.status, r.body)
      local record = g:record(r.id)
      assert.equal("anthropic/second", record.target)
      assert.same({ "openai/first", status, "upstream_account" },
        { record.attempts[1].target, record.attempts[1].status, record.attempts[1].error })
      assert.truthy(record.attempts[1].request_id:find("^req_mock"), "the provider's id, for its support")
      said(r.id)
    end)
  end

  it("and so does the next: 502 for the last", function()
    m:script { { status = 401, match = '"model":"first"' }, { status = 403, match = '"model":"second"' } }
    local r = g:chat { model = "pair", messages = SAY }
    assert.equal(502, r.status)
    assert.truthy(gateway.error_of(r).message:find('"anthropic" (403)', 1, true), r.body)
  end)

  it("while no other status of the request's own is touched", function()
    for _, status in ipairs { 400, 404, 413, 422 } do
      assert.equal(status, ask("pair", { status = status }).status)
    end
  end)
end)

describe("the account's key in a provider's words", function()
  local function check(r, text)
    assert.falsy((r.raw .. r.body):find(KEY, 1, true), r.body)
    if text then assert.truthy(r.body:find(text, 1, true), r.body) end
  end

  it("is taken out of errors", function()
    local r = ask("single", { status = 404, body = error_body("project proj_1 of " .. KEY .. " has no such model") })
    assert.equal(404, r.status)
    check(r, "project proj_1 of [secret] has no such model")
    assert.equal("end", r.ending)
  end)

  it("is taken out of a stream's error event, and of its texts", function()
    local r = ask("single", { error_event = 2, error_message = "bad key " .. KEY, text = "one " .. KEY .. " two" }, true)
    assert.equal(200, r.status)
    check(r, "bad key [secret]")
    check(r, "[secret]")
  end)

  it("is taken out of answers, and of headers", function()
    local r = ask("single", { text = "you sent " .. KEY, header = "x-ratelimit-key: " .. KEY })
    assert.equal(200, r.status)
    check(r, "you sent [secret]")
    assert.is_nil(r:get("x-ratelimit-key"))
    assert.equal(#r.body, tonumber(r:get("content-length")))
  end)

  it("is taken out of bytes that are too many to be read, in whatever pieces they come", function()
    local long = ("x"):rep(5 * 1024 * 1024)
    local answer = '{"choices":[{"message":{"content":"' .. long .. KEY .. '"}}]}'
    local server = require("socket").bind("127.0.0.1", 0)
    local _, port = server:getsockname()
    local other = gateway.start { mock = m, name = "account-long", policies = policies,
      config = { providers = { openai = { url = "http://127.0.0.1:" .. port .. "/v1" } } } }
    local c = client.connect(other.port)
    c:send(client.request { key = other.key, json = { model = "single", messages = SAY } })
    local peer = server:accept()
    peer:settimeout(20)
    repeat local line = peer:receive("*l") until line == ""
    peer:send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " .. #answer .. "\r\n\r\n")
    local cut = #answer - #KEY + 3
    peer:send(answer:sub(1, cut))
    local head = c:head()
    assert.equal(200, head.status)
    local parts, seen = {}, 0
    while seen < cut - 2 * #KEY do
      parts[#parts + 1] = assert(c:body_some())
      seen = seen + #parts[#parts]
    end
    peer:send(answer:sub(cut + 1))
    parts[#parts + 1] = c:body()
    local body = table.concat(parts)
    assert.falsy(body:find(KEY, 1, true))
    assert.equal('x[secret]"}}]}', body:sub(-14))
    peer:close()
    server:close()
    c:close()
    other:stop()
  end)
end)

-- E8: what cannot be read is told in the gateway's own words.
describe("an answer whose head is no HTTP", function()
  it("is 502, without the provider's address or the transport's words", function()
    for _, head in ipairs { "X-A\rB: c\r\n", "X-A\r: c\r\n", ": c\r\n", "X A: c\r\n", "X-A: a\rb\r\n", "\r\r\n" } do
      local r = ask("single", { raw = "HTTP/1.1 200 OK\r\n" .. head .. "Content-Length: 2\r\n\r\n{}" })
      assert.equal(502, r.status, ("%q"):format(head) .. tostring(r.body))
      local problem = gateway.error_of(r)
      assert.equal("upstream_protocol", problem.code)
      assert.equal("The provider's answer was not valid HTTP.", problem.message)
      assert.falsy(r.body:find("127.0.0.1", 1, true))
    end
  end)
end)
