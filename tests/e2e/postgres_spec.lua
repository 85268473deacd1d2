-- The ledger in PostgreSQL: what is committed here arrives there, whatever happens in between.
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local m, g, folder, server

local function start_server()
  server = process.start { "sh", "tests/lib/postgres", folder, output = folder .. "/said.log" }
  expect.eventually(function()
    local file = io.open(folder .. "/.s.PGSQL.5432.lock")
    if file then file:close() end
    return file
  end, 60, "PostgreSQL")
end

setup(function()
  m = mock.start {}
  folder = io.popen("mktemp -d /tmp/moongate-pg-XXXXXX"):read("*l")
  os.execute("chmod 755 " .. folder)
  start_server()
end)
teardown(function()
  if g then g:stop() end
  server:stop()
  os.execute("rm -rf " .. folder)
  m:stop()
end)

local function ask()
  local r = g:chat { model = "gpt-4o", messages = { { role = "user", content = "hi" } } }
  assert.equal(200, r.status)
  return r.id
end

local function line_of(what)
  return client.ask(g.admin_port, { path = "/readyz?verbose" }).body:find(what, 1, true)
end

describe("a PostgreSQL", function()
  it("gets what the ledger has, also what came while it was away", function()
    g = gateway.start { mock = m, name = "postgres", config = {
      postgres = { url = ("host=%s dbname=moongate user=moongate password=secret"):format(folder) },
    } }
    expect.eventually(function() return line_of("[+]postgres ok: 0 entries behind") end, 15, "all shipped")
    ask()
    local head = g:metrics():value("moongate_ledger_seq")
    g:gauge_becomes("moongate_ledger_shipped_seq", head, 10)
    signal.kill(server.pid, signal.SIGINT)
    server:wait(20)
    for _ = 1, 5 do ask() end
    expect.eventually(function() return line_of("[!]postgres: ") end, 15, "that it is away")
    assert.equal(200, client.ask(g.admin_port, { path = "/readyz" }).status, client.ask(g.admin_port, { path = "/readyz?verbose" }).body)
    expect.eventually(function() return g:metrics():value("moongate_ledger_ship_lag_records") >= 5 end, 5, "what PostgreSQL lacks")
    start_server()
    expect.eventually(function() return line_of("[+]postgres ok: 0 entries behind") end, 30, "all shipped")
    assert.equal(g:metrics():value("moongate_ledger_seq"), g:metrics():value("moongate_ledger_shipped_seq"))
    assert.is_nil(g:said():find("secret", 1, true))
  end)
end)
