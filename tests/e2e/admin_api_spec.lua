-- The admin API as it is served: with keys on the admin listener, without on the Unix socket of the data folder, by
-- commands with a gateway and without one; and what a switched-off provider account means for requests. The mock's
-- journal says who was called.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")
local signal = require("posix.signal")
local stat = require("posix.sys.stat")

local m, g

local function provider()
  return { kind = "openai", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false }
end

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "admin-api", workers = 2,
    config = { providers = { zeta = provider(), spare = provider() } },
    policies = {
      ["init.lua"] = 'return chain { "auth" }\n',
      ["models.lua"] = 'return models {\n  both = { targets = { "zeta/first", "spare/second" }, price = free },\n'
        .. '  only = { targets = { "zeta/only" }, price = free },\n}\n',
      ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
    } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

-- Over the admin listener; of.key: an admin key. The answer's JSON is in .json.
local function call(method, path, of)
  of = of or {}
  local r = client.ask(g.admin_port, { method = method, path = "/admin/v1" .. path, key = of.key, json = of.json,
    headers = of.headers })
  r.json = r.body ~= "" and cjson.decode(r.body) or nil
  return r
end

local function command(...)
  local out, code = g:command(...)
  return out, code
end

local function json_of(...)
  local out, code = command(...)
  assert.equal(0, code, out)
  return cjson.decode(out)
end

-- A person with that role everywhere, and an admin key of theirs.
local function admin_of(name, role)
  local person = json_of("people", "create", name, "--json")
  if role then json_of("roles", "give", person.id, role, "--json") end
  local key = json_of("keys", "create", "--admin", "--owner", person.id, "--json")
  return key.key, person.id, key.id
end

describe("who asks the admin API", function()
  it("is told apart by the key, its owner and the owner's roles", function()
    local key, person, id = admin_of("ana", "viewer")
    local who = call("GET", "/whoami", { key = key })
    assert.equal(200, who.status)
    assert.equal(person, who.json.person)
    assert.equal(id, who.json.key)
    assert.equal("viewer", who.json.roles[1].role)
    assert.equal(403, call("GET", "/people", { key = key }).status)
    json_of("roles", "give", person, "admin", "--json")
    assert.equal(200, call("GET", "/people", { key = key }).status) -- at the next call
    json_of("people", "disable", person, "--json")
    assert.equal(401, call("GET", "/whoami", { key = key }).status)
    json_of("people", "enable", person, "--json")
    assert.equal(200, call("GET", "/whoami", { key = key }).status)
    json_of("keys", "revoke", id, "--json")
    assert.equal(401, call("GET", "/whoami", { key = key }).status)
  end)

  it("does not come in with a caller's key, nor calls models with an admin's", function()
    assert.equal(401, call("GET", "/whoami", { key = g.key }).status)
    local key = admin_of("bo", "admin")
    local r = g:ask { method = "GET", path = "/v1/models", key = key }
    assert.equal(401, r.status)
  end)

  it("is anybody's question without a key: 401 for every row of the table", function()
    local document = call("GET", "/openapi.json", { key = admin_of("cy", "viewer") }).json
    local rows = 0
    for path, methods in pairs(document.paths) do
      for method, operation in pairs(methods) do
        rows = rows + 1
        local r = call(method:upper(), path:gsub("[{}]", ""), {})
        local is_door = method == "post" and path == "/session" -- whose body shows the key
        assert.equal(is_door and 400 or 401, r.status, method .. " " .. path)
        if not is_door then assert.equal("admin_key_needed", r.json.error.code) end
        assert.truthy(operation["x-moongate-role"], path)
      end
    end
    assert.is_true(rows > 25, rows .. " rows")
  end)

  it("may show only so many keys that are not good, and is let in with a good one all the same", function()
    local key, last = admin_of("dee", "viewer"), nil
    for _ = 1, 40 do last = call("GET", "/whoami", { key = "mga_" .. ("x"):rep(43) }) end
    assert.equal(429, last.status)
    assert.truthy(tonumber(last:get("retry-after")))
    assert.equal(200, call("GET", "/whoami", { key = key }).status)
  end)

  it("is the gateway's own user at the Unix socket, which is that user's alone", function()
    local path = g.dir:path("data/admin.sock")
    assert.equal("rw-------", (stat.stat(path).st_mode % 512 == 384) and "rw-------" or "others may")
    local out = process.run { "curl", "-s", "--unix-socket", path, "http://localhost/admin/v1/whoami" }
    assert.is_true(cjson.decode(out).is_local)
  end)
end)

describe("a change by the admin API", function()
  it("makes a key that callers use, and stands in the ledger", function()
    local admin, person = admin_of("eve", "admin")
    local made = call("POST", "/keys", { key = admin, json = { app = "crm", owner = person, reason = "ticket 4711" } })
    assert.equal(201, made.status)
    expect.eventually(function()
      return g:ask({ method = "GET", path = "/v1/models", key = made.json.key }).status == 200
    end, 10, "a key that counts")
    local change = expect.eventually(function()
      for _, one in ipairs(g:records("change")) do if one.target == made.json.id then return one end end
    end, 15, "the change in the ledger")
    assert.equal("keys.create", change.action)
    assert.equal("eve", change.actor)
    assert.equal("api", change.via)
    assert.equal("ticket 4711", change.reason)
    assert.is_nil(cjson.encode(change):find(made.json.key, 1, true))
    local shown = call("GET", "/keys/" .. made.json.id, { key = admin })
    assert.equal(412, call("PATCH", "/keys/" .. made.json.id,
      { key = admin, json = { labels = { a = "1" } }, headers = { { "If-Match", '"1"' } } }).status)
    assert.equal(200, call("PATCH", "/keys/" .. made.json.id,
      { key = admin, json = { labels = { a = "1" } }, headers = { { "If-Match", shown:get("etag") } } }).status)
    assert.equal(200, call("DELETE", "/keys/" .. made.json.id, { key = admin }).status)
    expect.eventually(function()
      return g:ask({ method = "GET", path = "/v1/models", key = made.json.key }).status == 401
    end, 10, "a key that is revoked")
  end)

  it("is refused whole when its body is too large or of another kind", function()
    local admin = admin_of("fay", "admin")
    assert.equal(413, call("POST", "/people", { key = admin, json = { subject = ("x"):rep(600000) } }).status)
    assert.equal(415, client.ask(g.admin_port, { method = "POST", path = "/admin/v1/people", key = admin, json = "a=b",
      type = "application/x-www-form-urlencoded" }).status)
  end)
end)

local function ask(model)
  return g:chat { model = model, messages = { { role = "user", content = "hi" } } }
end

local function throw(word, ...)
  local out, code = command("provider", word, "zeta", ...)
  assert.equal(0, code, out)
end

describe("a provider account that is switched off", function()
  after_each(function() command("provider", "enable", "zeta") end)

  it("is passed over, and the refusal says so where no other is left", function()
    assert.equal(200, ask("only").status)
    throw("disable", "--reason", "incident 4711")
    local r = ask("only")
    assert.equal(503, r.status)
    assert.equal("provider_disabled", cjson.decode(r.body).error.code)
    assert.truthy(cjson.decode(r.body).error.message:find("zeta is switched off until somebody", 1, true), r.body)
    m:reset()
    for _ = 1, 6 do assert.equal(200, ask("both").status) end
    for _, request in ipairs(m:requests()) do assert.equal("second", cjson.decode(request.body).model) end
    local explained = command("explain", ask("both").id)
    assert.truthy(explained:find("zeta is switched off", 1, true), explained)
    throw("enable")
    assert.equal(200, ask("only").status)
  end)

  it("stays so when the admin process is replaced", function()
    throw("disable", "--reason", "incident 4711", "--until", "12h")
    local pid = g:listen().admin_pid
    signal.kill(pid, signal.SIGKILL)
    expect.eventually(function()
      local ok, now = pcall(g.listen, g)
      return ok and now.admin_pid ~= pid and now.admin_pid ~= 0
    end, 20, "another admin process")
    assert.equal(503, ask("only").status)
    local list = json_of("provider", "list", "--json")
    assert.is_true(list.items[1].is_disabled)
    assert.truthy(list.items[1].ends_at)
  end)

  it("takes what runs there along when it is cut", function()
    local c = client.connect(g.port)
    c:send(client.request { method = "POST", path = "/v1/chat/completions", key = g.key,
      json = { model = "only", stream = true, max_tokens = 4000,
        metadata = { mock = "tokens=4000&delay_ms=20" }, messages = { { role = "user", content = "hi" } } } })
    assert.equal(200, c:head().status)
    assert.truthy(c:event())
    throw("disable", "--cut", "--reason", "they keep our texts")
    local rest = c:body()
    assert.truthy(rest:find("provider_disabled", 1, true), rest)
    c:close()
  end)
end)

describe("commands without a gateway", function()
  it("change the registry by themselves, and the next start has it", function()
    local other = gateway.start { mock = m, name = "admin-offline" }
    other.process:stop(15)
    local out, code = other:command("people", "create", "gus", "--json")
    assert.equal(0, code, out)
    local person = cjson.decode(out)
    assert.equal(1, select(2, other:command("people", "disable", "per_nobody")))
    out, code = other:command("provider", "disable", "openai", "--reason", "closed")
    assert.equal(0, code, out)
    other:run()
    out = other:command("people", "list")
    assert.truthy(out:find(person.id, 1, true), out)
    expect.eventually(function()
      return other:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } }).status == 503
    end, 10, "a switch that survives")
    other:stop()
  end)
end)
