-- The ledger of a fleet in a real PostgreSQL: what was answered is there, and what it cannot take waits or is refused.
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local postgres = require("tests.e2e.kit.postgres")

local m, db, g

setup(function() m, db = mock.start {}, postgres.start() end)
teardown(function()
  db:stop()
  m:stop()
end)

local function start(name, ledger, url)
  g = gateway.start { mock = m, name = name, config = { ledger = ledger, postgres = { url = url or db.url } } }
end

after_each(function()
  if not db.process then db:run() end
  if g then g:stop() end
  g = nil
  db:ask("DROP SCHEMA IF EXISTS moongate CASCADE")
end)

local function ask() return g:chat { model = "gpt-4o", messages = { { role = "user", content = "hi" } } } end

local function uuid(answer) return (answer.id:gsub("^req_", "")) end

local function has(answer)
  return db:ask(("SELECT count(*) FROM moongate.records WHERE id = '%s'"):format(uuid(answer))) == "1"
end

local function ready() return client.ask(g.admin_port, { path = "/readyz?verbose" }).body end

local function is_reached() return not ready():find("entries wait to be shipped", 1, true) end

describe("the ledger in PostgreSQL", function()
  it("has each request once, with its sums", function()
    start("shipped", {})
    for _ = 1, 20 do assert.equal(200, ask().status) end
    expect.eventually(function() return db:ask("SELECT count(*) FROM moongate.records") == "20" end, 20, "20 records")
    assert.equal("20", db:ask("SELECT sum(requests) FROM moongate.spend"))
    local record = g:records()[1]
    assert.equal(("%d|%s"):format(record.cost.nano_usd, record.identity.app),
      db:ask(("SELECT cost_nano, app FROM moongate.records WHERE id = '%s'"):format((record.id:gsub("^req_", "")))))
    assert.equal(record.id, db:ask(("SELECT convert_from(body, 'UTF8')::json->>'id' FROM moongate.audit JOIN "
      .. "moongate.records USING (gw, seq) WHERE id = '%s'"):format((record.id:gsub("^req_", "")))))
    expect.eventually(function() return g:metrics():value("moongate_ledger_ship_behind") == 0 end, 10, "nothing behind")
  end)

  it("has what was answered under remote before the answer's last byte", function()
    start("remote", { durability = "remote" })
    expect.eventually(is_reached, 20, "PostgreSQL")
    for _ = 1, 5 do
      local answer = ask()
      assert.equal(200, answer.status)
      assert.is_true(has(answer))
    end
  end)

  it("lets nothing pass under remote while it is down, and comes back by itself", function()
    start("remote_down", { durability = "remote" })
    expect.eventually(is_reached, 20, "PostgreSQL")
    assert.equal(200, ask().status)
    db:kill()
    expect.eventually(function() return not is_reached() end, 20, "the loss")
    expect.eventually(function() return ask().status == 503 end, 20, "a refusal")
    assert.truthy(ready():find("[!]ledger: entries wait to be shipped: PostgreSQL", 1, true))
    assert.is_nil(ready():find("secret", 1, true))
    db:run()
    expect.eventually(function() return ask().status == 200 end, 20, "an answer")
  end)

  it("gets all that was committed while it was down", function()
    start("caught_up", { durability = "local" })
    expect.eventually(is_reached, 20, "PostgreSQL")
    local answers = {}
    for i = 1, 30 do
      if i == 10 then db:kill() end
      answers[i] = ask()
      assert.equal(200, answers[i].status)
    end
    db:run()
    expect.eventually(function() return db:ask("SELECT count(*) FROM moongate.records") == "30" end, 20, "30 records")
    for i = 1, 30 do assert.is_true(has(answers[i])) end
    assert.equal("30", db:ask("SELECT sum(requests) FROM moongate.rollup"))
  end)

  it("is said to fail, without its password, when it does not let the gateway in", function()
    start("stranger", {}, (db.url:gsub(":secret@", ":open-sesame@")))
    expect.eventually(function() return ready():find("password authentication failed", 1, true) end, 20, "the reason")
    assert.is_nil(ready():find("open-sesame", 1, true))
    assert.equal(200, ask().status)
  end)
end)
