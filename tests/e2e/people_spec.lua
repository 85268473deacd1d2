-- People: who leaves is out within a second in all workers; sign-ins at the admin API, and what another site cannot do.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

setup(function()
  m = mock.start {}
  g = gateway.start { name = "people", mock = m, workers = 2 }
end)
teardown(function()
  g:stop()
  m:stop()
end)

-- --- the API, as this machine's user or with a key ---

local function request(method, path, options)
  options = options or {}
  local headers = {}
  for name, value in pairs(options.headers or {}) do headers[#headers + 1] = { name, value } end
  local answer = client.ask(g.admin_port, { method = method, path = path, key = options.key, json = options.json,
    type = options.type, headers = headers })
  answer.json = answer.body:find("^{") and cjson.decode(answer.body) or nil
  return answer
end

local function owner(method, path, json)
  local words = { "curl", "-s", "--unix-socket", g.dir:path("data/admin.sock"), "-X", method, "http://localhost/admin/v1" .. path }
  if json then
    for _, word in ipairs { "-H", "content-type: application/json", "-d", next(json) and cjson.encode(json) or "{}" } do
      words[#words + 1] = word
    end
  end
  for i, word in ipairs(words) do words[i] = "'" .. word:gsub("'", "'\\''") .. "'" end
  local pipe = assert(io.popen(table.concat(words, " ")))
  local out = pipe:read("*a")
  pipe:close()
  return cjson.decode(out)
end

local function new_person(subject, issuer)
  return owner("POST", "/people", { subject = subject, issuer = issuer }).id
end

local function new_admin_key(person)
  return owner("POST", "/admin-keys", { owner = person }).key
end

local function sign_in(key, headers)
  local answer = request("POST", "/admin/v1/session", { json = { key = key }, headers = headers })
  local cookie = answer:get("set-cookie")
  return answer, cookie and cookie:match("^([^;]+)"), cookie
end

describe("somebody who leaves", function()
  it("has no key and no session within a second, in all workers; who comes back has what was not revoked", function()
    local ana = new_person "leaver"
    local admin_key = new_admin_key(ana)
    local key = owner("POST", "/keys", { app = "support-bot", department = "support", owner = ana }).key
    local by_hand = owner("POST", "/keys", { app = "support-bot", department = "support", owner = ana })
    local answer, cookie = sign_in(admin_key)
    assert.equal(201, answer.status, answer.body)
    local function status(k) return client.ask(g.port, { path = "/v1/models", key = k }).status end
    local function all(k, wanted)
      for _ = 1, 8 do
        if status(k) ~= wanted then return false end
      end
      return true
    end
    expect.eventually(function() return all(key, 200) and all(by_hand.key, 200) end, 10, "keys that are known")
    owner("POST", "/keys/" .. by_hand.id .. "/revoke", {})
    owner("POST", "/people/" .. ana .. "/disable", { reason = "left" })
    expect.eventually(function() return all(key, 401) end, 10, "a key of who has left")
    assert.equal(401, request("GET", "/admin/v1/session", { headers = { Cookie = cookie } }).status)
    assert.equal(401, request("GET", "/admin/v1/whoami", { key = admin_key }).status)
    owner("POST", "/people/" .. ana .. "/enable", { reason = "came back" })
    expect.eventually(function() return all(key, 200) end, 10, "a key of who is back")
    assert.is_true(all(by_hand.key, 401))
    assert.equal(200, request("GET", "/admin/v1/session", { headers = { Cookie = cookie } }).status)
  end)
end)

describe("an identity provider", function()
  it("writes people over SCIM: who is switched off there is out here, and his department is his key's", function()
    local kim = new_person "kim-scim"
    local scim = owner("POST", "/scim-keys", { owner = kim, issuer = "https://id.example" }).key
    assert.equal(401, request("GET", "/admin/v1/whoami", { key = scim }).status)
    local made = request("POST", "/scim/v2/Users", { key = scim, type = "application/scim+json", json = { userName = "bo@x.example",
      externalId = "oid-1", active = true } })
    assert.equal(201, made.status, made.body)
    assert.equal("application/scim+json", made:get("content-type"))
    local key = owner("POST", "/keys", { app = "support-bot", department = "sales", owner = made.json.id }).key
    local function status() return client.ask(g.port, { path = "/v1/models", key = key }).status end
    local function patch(operation)
      return request("PATCH", "/scim/v2/Users/" .. made.json.id, { key = scim, type = "application/scim+json",
        json = { schemas = { "urn:ietf:params:scim:api:messages:2.0:PatchOp" }, Operations = { operation } } })
    end
    expect.eventually(function() return status() == 200 end, 10, "a key of who is there")
    local answer = patch { op = "Replace", path = "active", value = "False" }
    assert.equal(200, answer.status, answer.body)
    assert.is_false(answer.json.active)
    expect.eventually(function() return status() == 401 end, 10, "a key of who is switched off")
    assert.equal(200, patch({ op = "replace", value = { active = true } }).status)
    expect.eventually(function() return status() == 200 end, 10, "a key of who is switched on again")
    assert.equal(400, patch({ op = "replace", path = "title", value = "Dr" }).status)
    local gone = request("DELETE", "/scim/v2/Users/" .. made.json.id, { key = scim })
    assert.equal(204, gone.status)
    assert.equal("", gone.body)
    expect.eventually(function() return status() == 401 end, 10, "a key of who is deleted")
  end)
end)

describe("a sign-in", function()
  local key, person

  setup(function()
    person = new_person "kim-console"
    key = new_admin_key(person)
    owner("POST", "/roles", { person = person, role = "admin", scope = "*" })
  end)

  it("is a cookie that no script and no other site has, and ends on the server", function()
    local answer, cookie, whole = sign_in(key)
    assert.equal(201, answer.status)
    assert.truthy(whole:find("^__Host%-mg_session=%w+; Path=/; Secure; HttpOnly; SameSite=Strict$"), whole)
    assert.is_nil(answer.body:find(cookie:match("=(.*)"), 1, true))
    assert.equal("kim-console", answer.json.name)
    assert.equal(200, request("GET", "/admin/v1/people", { headers = { Cookie = cookie } }).status)
    local out = request("DELETE", "/admin/v1/session", { json = "{}", headers = { Cookie = cookie, ["Sec-Fetch-Site"] = "same-origin" } })
    assert.equal(200, out.status, out.body)
    assert.truthy(out:get("set-cookie"):find("Max-Age=0", 1, true))
    assert.equal(401, request("GET", "/admin/v1/session", { headers = { Cookie = cookie } }).status)
  end)

  it("changes nothing for another site, nor for a form", function()
    local _, cookie = sign_in(key)
    local n = 0
    local function change(headers, type)
      n, headers.Cookie = n + 1, cookie
      return request("POST", "/admin/v1/people", { headers = headers, type = type, json = { subject = "made-by-page-" .. n } }).status
    end
    assert.equal(403, change { ["Sec-Fetch-Site"] = "cross-site", Origin = "null" })
    assert.equal(403, change { ["Sec-Fetch-Site"] = "same-site" })
    assert.equal(403, change { Origin = "https://evil.example" })
    assert.equal(403, change {})
    assert.equal(415, change({ ["Sec-Fetch-Site"] = "same-origin" }, "text/plain"))
    assert.equal(201, change { Origin = "http://127.0.0.1" })
    assert.equal(201, change { ["Sec-Fetch-Site"] = "same-origin" })
    assert.equal(403, (sign_in(key, { Origin = "https://evil.example" })).status)
  end)

  it("is a new one each time, and ends the one that came along", function()
    local _, first = sign_in(key)
    local _, second = sign_in(key, { Cookie = first, ["Sec-Fetch-Site"] = "same-origin" })
    assert.not_equal(first, second)
    assert.equal(401, request("GET", "/admin/v1/session", { headers = { Cookie = first } }).status)
    assert.equal(200, request("GET", "/admin/v1/session", { headers = { Cookie = second } }).status)
  end)

  it("is listed, and an admin ends it", function()
    local answer, cookie = sign_in(key)
    local list = owner("GET", "/sessions")
    local found = false
    for _, one in ipairs(list.items) do found = found or one.id == answer.json.id and one.place == "127.0.0.1" end
    assert.is_true(found)
    assert.is_true(owner("DELETE", "/sessions/" .. answer.json.id, {}).ended)
    assert.equal(401, request("GET", "/admin/v1/session", { headers = { Cookie = cookie } }).status)
  end)

  it("has the roles of its person at each call", function()
    local other = new_person "demoted"
    owner("POST", "/roles", { person = other, role = "admin", scope = "*" })
    local _, cookie = sign_in(new_admin_key(other))
    assert.equal(200, request("GET", "/admin/v1/people", { headers = { Cookie = cookie } }).status)
    owner("DELETE", "/roles/" .. other .. "/admin/%2A", {})
    assert.equal(403, request("GET", "/admin/v1/people", { headers = { Cookie = cookie } }).status)
  end)

  it("fails alike for every bad key, and not for ever", function()
    local bodies = {}
    for _, bad in ipairs { "mga_" .. ("x"):rep(43), "nonsense", "mgk_" .. ("x"):rep(43) } do
      local answer = request("POST", "/admin/v1/session", { json = { key = bad } })
      assert.equal(401, answer.status, answer.body)
      answer.json.error.request_id = nil
      bodies[#bodies + 1] = answer.json.error.message
    end
    assert.equal(bodies[1], bodies[2])
    assert.equal(bodies[1], bodies[3])
    local answer
    for _ = 1, 6 do answer = request("POST", "/admin/v1/session", { json = { key = "mga_no" } }) end
    assert.equal(429, answer.status)
    assert.truthy(tonumber(answer:get("retry-after")) > 0)
    assert.equal(201, (sign_in(key)).status) -- no lock-out
  end)
end)
