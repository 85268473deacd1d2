-- Governance as the admin API serves it: the seed's register, approve and get_active with what it forgot, and the rules
-- of policies/governance.lua that are in force at the decision. The mock's journal says what was sent.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local RULES = "return governance { prompts = { review = { { by = \"approver\" }%s } } }\n"
local LEGAL = ", { by = \"legal\", when = { department = \"claims\" } }"

local m, g
local keys, ids = {}, {}

local function json_of(...)
  local out, code = g:command(...)
  assert.equal(0, code, out)
  return cjson.decode(out)
end

local function person(name, roles)
  ids[name] = json_of("people", "create", name, "--json").id
  for _, role in ipairs(roles) do
    json_of("roles", "give", ids[name], role[1], "--scope", role[2] or "*", "--json")
  end
  keys[name] = json_of("keys", "create", "--admin", "--owner", ids[name], "--json").key
end

local function call(who, method, path, json, match)
  local r = client.ask(g.admin_port, { method = method, path = "/admin/v1/prompts/" .. path, key = keys[who], json = json,
    headers = match and { { "If-Match", match } } or nil })
  r.json = r.body ~= "" and cjson.decode(r.body) or {}
  r.code = r.json.error and r.json.error.code
  return r
end

local function content(text) return { messages = { { role = "system", content = text } } } end

local function register(name, version, text, department)
  local r = call("ana", "POST", name .. "/versions", { content = content(text), version = version, owner = "team",
    department = department })
  assert.is_true(r.status < 300, r.body)
end

local function submit(name, version)
  local r = call("ana", "POST", ("%s/versions/%s/submit"):format(name, version), {})
  assert.equal(200, r.status, r.body)
end

local function review(who, name, version, of)
  of = of or {}
  of.verdict = of.verdict or "approve"
  return call(who, "POST", ("%s/versions/%s/review"):format(name, version), of)
end

-- What a request without a version is sent as; nil where it is refused.
local function active(name)
  local since = m:mark()
  local answer = g:ask { json = { model = "gpt-4o-mini", prompt = { id = name }, messages = { { role = "user", content = "?" } } } }
  local sent = m:requests(since)[1]
  if answer.status ~= 200 then return nil, gateway.error_of(answer).code end
  local body = type(sent.body) == "table" and sent.body or cjson.decode(sent.body)
  return body.messages[1].content
end

local function becomes(name, text)
  expect.eventually(function() return active(name) == text end, 20, ("%s in production"):format(text))
end

local function state(name, version)
  return call("ana", "GET", ("%s/versions/%s"):format(name, version)).json.status
end

local function rules_of_last()
  return database.rows(g.dir:path("data/registry.db"), "SELECT rules FROM event ORDER BY rev DESC LIMIT 1")[1].rules
end

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "governance" }
  g:write_policies { ["governance.lua"] = RULES:format("") }
  g:reload()
  person("ana", { { "author" }, { "approver" } })
  person("kim", { { "approver" } })
  person("lee", { { "viewer" }, { "legal", "claims" } })
  person("eve", { { "viewer" }, { "legal", "support" } })
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

describe("register, approve, get_active", function()
  it("takes two people, whatever roles the one has", function()
    register("reply", "1.0.0", "First.", "support")
    assert.equal("stale_review", review("kim", "reply", "1.0.0").code) -- nothing is there to be looked at
    submit("reply", "1.0.0")
    local own = review("ana", "reply", "1.0.0")
    assert.same({ 409, "self_approval" }, { own.status, own.code })
    assert.equal("prompt_not_found", select(2, active("reply")))
    assert.equal(200, review("kim", "reply", "1.0.0").status)
    becomes("reply", "First.")
  end)

  it("has one answer where two versions are approved, and the way back", function()
    register("reply", "1.1.0", "Second.")
    submit("reply", "1.1.0")
    assert.equal(200, review("kim", "reply", "1.1.0").status)
    becomes("reply", "Second.")
    assert.equal("archived", state("reply", "1.0.0"))
    assert.equal(200, call("ana", "POST", "reply/rollback", {}).status) -- what was approved needs no new look
    becomes("reply", "First.")
  end)

  it("keeps what was approved as it was, and refuses a verdict on another text", function()
    local taken = call("ana", "POST", "reply/versions", { content = content("Other."), version = "1.1.0" })
    assert.equal(409, taken.status, taken.body)
    register("reply", "1.2.0", "Third.")
    local seen = call("kim", "GET", "reply/versions/1.2.0").json.sha256
    register("reply", "1.2.0", "Third, changed.")
    submit("reply", "1.2.0")
    local stale = review("kim", "reply", "1.2.0", { sha256 = seen })
    assert.same({ 412, "stale_review" }, { stale.status, stale.code })
    assert.equal("review", state("reply", "1.2.0"))
  end)

  it("gives one of two editors 412", function()
    register("reply", "1.3.0", "Draft.")
    local etag = call("ana", "GET", "reply/versions/1.3.0"):get("etag")
    assert.equal(200, call("ana", "PUT", "reply/versions/1.3.0", { content = content("One.") }, etag).status)
    assert.equal(412, call("kim", "PUT", "reply/versions/1.3.0", { content = content("Two.") }, etag).status)
  end)
end)

describe("the rules in force", function()
  it("are those at the decision, of the bundle that the event names", function()
    register("claim", "1.0.0", "Claims.", "claims")
    submit("claim", "1.0.0")
    local before = rules_of_last()
    g:write_policies { ["governance.lua"] = RULES:format(LEGAL) }
    g:reload()
    local first = review("kim", "claim", "1.0.0")
    assert.same({ 200, "legal" }, { first.status, first.json.missing })
    assert.equal("review", state("claim", "1.0.0"))
    assert.are_not.equal(before, rules_of_last())
    -- The same word in another department is another role; the same person is no second one.
    assert.equal(403, review("eve", "claim", "1.0.0").status)
    assert.equal(409, review("kim", "claim", "1.0.0").status)
    assert.equal(200, review("lee", "claim", "1.0.0").status)
    becomes("claim", "Claims.")
  end)
end)
