-- The registry in PostgreSQL, for all gateways of a fleet; its check, its copies, and the way there.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local postgres = require("tests.e2e.kit.postgres")
local signal = require("posix.signal")

local m, db
local running = {}

setup(function() m, db = mock.start {}, postgres.start() end)
teardown(function()
  db:stop()
  m:stop()
end)
after_each(function()
  for _, g in ipairs(running) do g:stop() end
  running = {}
  db:ask("DROP SCHEMA IF EXISTS moongate_registry CASCADE")
end)

local function start(options)
  options.mock = m
  local g = gateway.start(options)
  running[#running + 1] = g
  return g
end

-- Its folder stays.
local function halt(g)
  g:signal(signal.SIGTERM)
  g.process:wait(20)
end

local function status(g, key) return client.ask(g.port, { path = "/v1/models", key = key }).status end

local function json(g, ...)
  local out, code = g:command(...)
  assert.truthy(out:find("^{"), out)
  return cjson.decode(out), code
end

describe("a registry in PostgreSQL", function()
  it("holds the keys of two gateways, and both see within a second what is changed at one", function()
    local a = start { name = "registry_a", workers = 2, config = { registry = { url = db.url } } }
    local b = start { name = "registry_b", workers = 1, config = { registry = { url = db.url } } }
    local key, id = a:new_key { app = "support-bot", department = "support" }
    for _, g in ipairs { a, b } do expect.eventually(function() return status(g, key) == 200 end, 10, "a key that is known") end
    local out, code = b:command("keys", "revoke", id)
    assert.equal(0, code, out)
    for _, g in ipairs { a, b } do expect.eventually(function() return status(g, key) == 401 end, 10, "a key that is revoked") end
    assert.equal("t", db:ask(("SELECT revoked_at IS NOT NULL FROM moongate_registry.credential WHERE id = '%s'"):format(id)))
    assert.equal("0", db:ask("SELECT count(*) FROM moongate_registry.rev WHERE rev <> (SELECT count(*) FROM moongate_registry.event)"))
    local sum
    sum, code = json(a, "registry", "check", "--json")
    assert.equal(0, code)
    assert.is_true(sum.ok)
  end)

  it("serves on while the database is away, and takes changes again when it is back", function()
    local g = start { name = "registry_away", workers = 1, config = { registry = { url = db.url } } }
    local key = g:new_key { app = "support-bot", department = "support" }
    expect.eventually(function() return status(g, key) == 200 end, 10, "a key that is known")
    db:kill()
    local out, code = g:command("keys", "create", "--app", "support-bot", "--department", "support")
    assert.are_not.equal(0, code, out)
    assert.equal(200, status(g, key))
    db:run()
    local later
    expect.eventually(function()
      out, code = g:command("keys", "create", "--app", "support-bot", "--department", "support", "--json")
      later = code == 0 and cjson.decode(out).key
      return later
    end, 20, "a registry that is back")
    expect.eventually(function() return status(g, later) == 200 end, 20, "the new key")
  end)
end)

describe("the registry's commands", function()
  it("check, copy, restore and move it", function()
    local g = start { name = "registry_commands", workers = 1 }
    local key, id = g:new_key { app = "support-bot", department = "support" }
    local file = g.dir:path("data/registry.db")
    local sum, code = json(g, "registry", "check", "--json")
    assert.equal(0, code)
    assert.is_true(sum.ok)
    local copy = g.dir:path("copy.db")
    sum, code = json(g, "registry", "backup", copy, "--json")
    assert.equal(0, code)
    assert.equal(copy, sum.file)
    local epoch = sum.epoch
    local out
    out, code = g:command("registry", "restore", copy, "--yes")
    assert.are_not.equal(0, code, out) -- a gateway runs
    out, code = g:command("keys", "revoke", id)
    assert.equal(0, code, out)
    expect.eventually(function()
      return database.value(file, "SELECT count(*) FROM event WHERE chained = 0") == 0
    end, 15, "a ledger that has all changes")
    halt(g)
    sum, code = json(g, "registry", "restore", copy, "--yes", "--json")
    assert.equal(0, code)
    assert.equal(1, sum.replayed)
    assert.equal(epoch + 1, sum.epoch)
    assert.equal(1, database.value(file, ("SELECT count(*) FROM credential WHERE id = '%s' AND revoked_at IS NOT NULL"):format(id)))
    database.execute(file, "DROP TRIGGER event_kept")
    database.execute(file, "DELETE FROM event WHERE rev = 1")
    out, code = g:command("registry", "check")
    assert.equal(1, code)
    assert.truthy(out:find("V5", 1, true), out)
    assert.truthy(key)
  end)

  it("move a gateway's keys to where others see them", function()
    local g = start { name = "registry_move", workers = 1 }
    local key = g:new_key { app = "support-bot", department = "support" }
    halt(g)
    local out, code = g:command("registry", "move", "--to", "postgres", "--yes")
    assert.equal(2, code, out) -- nobody said where
    local rest = g.dir:read("moongate.lua")
    g.dir:write("moongate.lua", (rest:gsub(",?%s*}%s*$", (", registry = { url = %q } }\n"):format(db.url))))
    out, code = g:command("registry", "move", "--to", "postgres", "--yes")
    assert.equal(0, code, out)
    assert.truthy(out:find("moved to PostgreSQL", 1, true), out)
    assert.equal("1", db:ask("SELECT count(*) FROM moongate_registry.credential WHERE app = 'support-bot'"))
    out, code = g:command("registry", "check")
    assert.equal(0, code, out)
    assert.truthy(key)
  end)
end)
