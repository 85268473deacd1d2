-- Models that need approval: asked for, decided by another person, used until the second at which the grant ends.
local cjson = require("cjson")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local time = require("posix.time")
local process = dofile("tests/lib/process.lua")

local POLICIES = {
  ["models.lua"] = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "1", output = "1" } } }\n',
  ["access.lua"] = 'return access { models = { ["dear"] = { departments = { "research" }, data = "internal", '
    .. 'approval = { by = "manager", longest = "30d" } } }, default = "deny" }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["init.lua"] = 'return chain { "auth", "access" }\n',
}

local m, g, key

local function registry() return g.dir:path("data/registry.db") end

local ids = { ana = "per_ana", kim = "per_kim", lee = "per_lee" }
local login

-- A command as somebody of another login would run it: the machine has one, which is made that person's in turn.
local function as(name, ...)
  database.execute(registry(), "UPDATE person SET subject = id")
  database.execute(registry(), ("UPDATE person SET subject = '%s' WHERE id = '%s'"):format(login, ids[name]))
  local words = g:words(...)
  words[#words + 1] = "--json"
  local out, code = process.run(words)
  local ok, said = pcall(cjson.decode, out:match("{.*}") or "")
  return ok and said or {}, code, out
end

local function give(name, role)
  database.execute(registry(), ("INSERT INTO role_grant(person, role, scope, given_by, at, rev) VALUES('%s', '%s', '*', "
    .. "'root', 1, 1)"):format(ids[name], role))
end

-- os.time() may be a tick behind the clock that the gateway reads.
local function now() return time.clock_gettime(time.CLOCK_REALTIME).tv_sec end

local function ask()
  return g:ask { key = key, json = { model = "dear", messages = { { role = "user", content = "hi" } } } }
end

local function becomes(status, what)
  expect.eventually(function()
    for _ = 1, 8 do if ask().status ~= status then return false end end
    return true
  end, 20, what)
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 2, name = "approvals", policies = POLICIES, key = { app = "bot", department = "research" } }
  g:command("approvals", "list")
  login = database.rows(registry(), "SELECT subject FROM person")[1].subject
  database.execute(registry(), "DROP TRIGGER person_stays")
  database.execute(registry(), "DROP TRIGGER person_kept")
  database.execute(registry(), "DELETE FROM person")
  for name, id in pairs(ids) do
    database.execute(registry(), ("INSERT INTO person(id, kind, issuer, subject, name, rev) VALUES('%s', 'human', 'local', "
      .. "'%s', '%s', 1)"):format(id, id, name))
  end
  give("kim", "manager")
  give("lee", "admin")
  give("kim", "admin")
  local made
  key, made = g:new_key { app = "bot", department = "research" }
  database.execute(registry(), ("UPDATE credential SET person = '%s' WHERE id = '%s'"):format(ids.ana, made))
  g:reload()
end)

teardown(function()
  g:stop()
  m:stop()
end)

local function request(span)
  local said, code, out = as("ana", "approvals", "request", "dear", "--for", span, "--purpose", "tender: the new town hall",
    "--department", "research")
  assert.equal(0, code, out)
  assert.equal("manager", said.by)
  assert.equal(1, said.deciders)
  return said.id
end

describe("a model that needs approval", function()
  it("is refused until another person has agreed, then answered in all workers", function()
    local refused = ask()
    assert.equal(403, refused.status)
    assert.equal("approval_required", gateway.error_of(refused).code)
    local id = request("1h")
    expect.eventually(function()
      local body = cjson.decode(ask().body)
      return (body.approval or body.error.approval or {}).pending == id
    end, 20, "a refusal that names the request")
    local listed, code = as("kim", "approvals", "list")
    assert.equal(1, code)
    assert.equal(id, listed.requests[1].id)
    assert.is_true(listed.requests[1].waits_for_me)
    assert.equal(0, select(2, as("ana", "approvals", "list")))
    local own, refusal = as("ana", "approvals", "approve", id)
    assert.same({ "self_approval", 3 }, { own.refused, refusal })
    local other, other_code = as("lee", "approvals", "approve", id)
    assert.same({ "not_your_scope", 3 }, { other.refused, other_code })
    assert.equal(403, ask().status)
    local decided, how, out = as("kim", "approvals", "approve", id, "--comment", "agreed")
    assert.equal(0, how, out)
    assert.equal("approved", decided.state)
    becomes(200, "a grant in all workers")
    local grants = as("ana", "grants", "list")
    assert.same({ "active", decided.grant }, { grants.grants[1].state, grants.grants[1].id })
    local record = g:record(ask().id)
    assert.equal(decided.grant, record.grant)
    assert.is_nil(record.break_glass)
  end)

  it("is refused again once the grant is revoked", function()
    local grant = as("kim", "grants", "list").grants[1].id
    local said, code, out = as("kim", "grants", "revoke", grant, "--reason", "the project is over")
    assert.equal(0, code, out)
    assert.equal(grant, said.revoked)
    becomes(403, "a grant that is revoked")
    assert.equal("revoked", as("kim", "grants", "show", grant).state)
  end)

  it("is answered until the second at which the grant ends, and not at it", function()
    local id = request("1m")
    local decided = as("kim", "approvals", "approve", id)
    becomes(200, "a grant of a minute")
    local shortened, code, out = as("kim", "grants", "shorten", decided.grant, "--to", "4s")
    assert.equal(0, code, out)
    local last_200, first_403 = 0, math.huge
    expect.eventually(function()
      local before = now()
      local status = ask().status
      if status == 200 then last_200 = math.max(last_200, before) else first_403 = math.min(first_403, now()) end
      return status == 403
    end, 30, "the end of a grant")
    assert.is_true(last_200 < shortened.ends_at and first_403 >= shortened.ends_at,
      ("last %d, first %d, end %d"):format(last_200, first_403, shortened.ends_at))
    becomes(403, "a grant that has ended")
  end)

  it("is opened by break-glass, which somebody else closes", function()
    local glass, code, out = as("lee", "approvals", "break-glass", "dear", "--reason", "production is down",
      "--department", "research", "--app", "bot")
    assert.equal(0, code, out)
    becomes(200, "break-glass in all workers")
    local record = g:record(ask().id)
    assert.same({ glass.grant, true }, { record.grant, record.break_glass })
    assert.equal("unclosed", as("lee", "approvals", "break-glass", "dear", "--reason", "production is down", "--department",
      "research", "--app", "bot").refused)
    assert.equal("self_approval", as("lee", "approvals", "close", glass.grant).refused)
    local _, waiting = as("kim", "grants", "list")
    assert.equal(1, waiting)
    assert.equal(0, select(2, as("kim", "approvals", "close", glass.grant)))
    becomes(403, "break-glass that is closed")
    assert.equal(0, select(2, as("kim", "grants", "list")))
  end)

  it("leaves each of these changes in the ledger", function()
    local seen = {}
    expect.eventually(function()
      for _, row in ipairs(database.rows(registry(), "SELECT action FROM event WHERE chained = 1")) do seen[row.action] = true end
      return seen["approvals.request"] and seen["approvals.approve"] and seen["grants.revoke"] and seen["grants.shorten"]
        and seen["grants.break_glass"] and seen["grants.close"]
    end, 20, "changes in the ledger")
  end)
end)
