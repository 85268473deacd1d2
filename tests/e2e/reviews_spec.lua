-- Access reviews: opened by a plan, answered by others than those whose it is, a patch that git applies, rows that are in
-- force when the gateway has loaded them, evidence that is checked offline.
local cjson = require("cjson")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local POLICIES = {
  ["models.lua"] = 'local function m(name) return { targets = { "openai/" .. name }, context = 128000, price = free } end\n'
    .. 'return models { small = m "small", large = m "large" }\n',
  ["access.lua"] = 'return access {\n  models = {\n    small = { departments = { "research", "sales" }, data = "internal" },\n'
    .. '    large = { departments = { "research" }, data = "internal" },\n  },\n  default = "deny",\n}\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["governance.lua"] = 'return governance { reviews = { { "monthly", every = "month", by = "approver", due = "14d", '
    .. 'unused = "90d", unanswered = "revoke", scope = { "rows", "keys", "roles" } } } }\n',
  ["init.lua"] = 'return chain { "auth", "access" }\n',
}

local m, g, key, key_id, person

local function registry() return g.dir:path("data/registry.db") end

local function run(...)
  local words = g:words(...)
  words[#words + 1] = "--json"
  local out, code = process.run(words)
  local ok, said = pcall(cjson.decode, out:match("{.*}") or "")
  return ok and said or {}, code, out
end

local function ask(model)
  return g:ask { key = key, json = { model = model, messages = { { role = "user", content = "hi" } } } }
end

local function give(id, role)
  database.execute(registry(), ("INSERT INTO role_grant(person, role, scope, given_by, at, rev) VALUES('%s', '%s', '*', "
    .. "'root', 1, 1)"):format(id, role))
end

-- Of all items the numbers, by what they are about.
local function numbers(review)
  local of = {}
  for _, item in ipairs(review.entries) do of[item.object] = item.n end
  return of
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 1, name = "reviews", policies = POLICIES,
    key = { app = "bot", department = "research" } }
  key, key_id = g:new_key { app = "bot", department = "research" }
  g:reload()
  expect.eventually(function() return ask("small").status == 200 end, 20, "an answer")
  expect.eventually(function() return #g:records() > 0 end, 20, "its record")
  run("reviews", "list")
  person = database.rows(registry(), "SELECT id FROM person WHERE issuer = 'local'")[1].id
  give(person, "approver")
end)

teardown(function()
  g:stop()
  m:stop()
end)

describe("an access review", function()
  local id, of

  it("asks what the plan names, with what was used", function()
    local made, code, out = run("reviews", "open", "monthly")
    assert.equal(0, code, out)
    id = made.id
    assert.equal(3, select(2, run("reviews", "open", "monthly")))
    assert.equal(1, select(2, run("reviews", "open", "weekly")))
    local shown, waits = run("reviews", "show", id)
    assert.equal(1, waits)
    of = numbers(shown)
    local small, large = shown.entries[of["research x small"]], shown.entries[of["research x large"]]
    assert.is_true(small.facts.requests > 0)
    assert.equal("policies/access.lua", small.facts.file)
    assert.equal(3, small.facts.line)
    assert.same({ "revoke", "not used" }, { large.recommend, large.why })
    assert.is_true(shown.entries[of[key_id]].facts.requests > 0)
    assert.equal("internal", shown.entries[of[key_id]].facts.data or "internal")
    assert.is_true(shown.as_of.ledger_seq > 0)
    local listed, listing = run("reviews", "list")
    assert.equal(1, listing)
    assert.equal(id, listed.items[1].id)
  end)

  it("is not answered for what is one's own, nor kept against the advice without a note", function()
    local own = of[person .. " approver *"]
    local said, code = run("reviews", "decide", id, "keep", tostring(own))
    assert.same({ "self_approval", 3 }, { said.refused, code })
    local without, needs = run("reviews", "decide", id, "keep", tostring(of["research x large"]))
    assert.same({ "note_needed", 3 }, { without.refused, needs })
  end)

  it("ends a key in the same act, within a second in the workers", function()
    local other, other_id = g:new_key { app = "old", department = "sales" }
    assert.truthy(other and other_id)
    local said, code, out = run("reviews", "decide", id, "revoke", tostring(of[key_id]))
    assert.equal(0, code, out)
    assert.is_true(said.decided >= 1)
    expect.eventually(function() return ask("small").status == 401 end, 20, "a key that is refused")
  end)

  it("gives a patch that git applies, and a row is gone when the gateway has loaded it", function()
    local gone = tostring(of["sales x small"])
    assert.equal(0, select(2, run("reviews", "decide", id, "revoke", gone, tostring(of["research x large"]))))
    local early, refused = run("reviews", "complete", id)
    assert.same({ "not_in_force", 3 }, { early.refused, refused })
    local made, code, out = run("reviews", "patch", id)
    assert.equal(0, code, out)
    local patch = g.dir:path("revoke.patch")
    local file = assert(io.open(patch, "w"))
    file:write(made.diff)
    file:close()
    local folder = g.dir:path("")
    local applied, how = process.run { "git", "-C", folder, "apply", patch }
    assert.equal(0, how, applied .. made.diff)
    local before = run("reviews", "show", id)
    assert.equal("patched", before.entries[of["sales x small"]].effect.state) -- not loaded
    g:reload()
    local after = run("reviews", "show", id)
    assert.equal("in_force", after.entries[of["sales x small"]].effect.state)
    assert.equal("in_force", after.entries[of["research x large"]].effect.state)
  end)

  it("does as the plan says with what nobody answered when it is due, and leaves answers alone", function()
    run("reviews", "decide", id, "keep", tostring(of["research x small"]))
    database.execute(registry(), "DROP TRIGGER campaign_moves")
    database.execute(registry(), "UPDATE review SET due_at = 5")
    expect.eventually(function()
      return run("reviews", "show", id).entries[of[person .. " approver *"]].decision
    end, 20, "what is due is done")
    assert.equal("overdue", run("reviews", "list").items[1].state)
    local shown = run("reviews", "show", id)
    assert.equal("keep", shown.entries[of["research x small"]].decision)
    local own = shown.entries[of[person .. " approver *"]]
    assert.same({ "revoke", "nobody answered" }, { own.decision, own.note })
    assert.is_nil(own.decided_by)
  end)

  it("leaves evidence that is checked without the gateway", function()
    local refused = run("reviews", "complete", id)
    assert.equal("not_your_scope", refused.refused) -- the role went with what nobody answered
    give(person, "approver")
    local _, code, out = run("reviews", "complete", id)
    assert.equal(0, code, out)
    local evidence = select(3, run("reviews", "evidence", id))
    local path = g.dir:path("evidence.json")
    local file = assert(io.open(path, "w"))
    file:write(evidence)
    file:close()
    local pub = g.dir:path("data/anchor.pub")
    local verified, good, why = run("reviews", "verify", path, "--key", pub)
    assert.equal(0, good, why)
    assert.same({ id, true }, { verified.review, verified.trusted })
    file = assert(io.open(path, "w"))
    file:write((evidence:gsub("nobody answered", "somebody answered", 1)))
    file:close()
    assert.equal(1, select(2, run("reviews", "verify", path, "--key", pub)))
    local csv = process.run(g:words("reviews", "evidence", id, "--as", "csv"))
    assert.truthy(csv:find("n,kind,object,subject", 1, true))
    assert.equal(0, select(2, run("registry", "check")))
    assert.equal(0, select(2, run("reviews", "list")))
  end)
end)
