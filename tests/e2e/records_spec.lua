-- Records of requests: where they go, what becomes of them when the disk is full, and who else may touch them.
local unistd = require("posix.unistd")
local stat = require("posix.sys.stat")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, name = "records" }
end)
teardown(function()
  g:stop()
  m:stop()
end)

local function ask()
  local r = g:ask { json = { model = "gpt-4o", messages = { { role = "user", content = "hi" } } } }
  assert.equal(200, r.status)
  return r.id
end

local function prlimit(pid, words)
  assert.equal(0, os.execute(("prlimit --pid %d %s"):format(pid, words)))
end

describe("a full disk", function()
  it("refuses what could not be recorded before a provider sees it, and goes on when there is room again", function()
    ask()
    local pid, seen = g:listen().ledger_pid, m:mark()
    prlimit(pid, "--fsize=1024:unlimited")
    local waits = client.connect(g.port) -- whose record finds that there is no room
    waits:send(client.request { key = "nobody's", json = { model = "gpt-4o" } })
    expect.eventually(function() return client.ask(g.admin_port, { path = "/readyz" }).status == 503 end, 5, "not ready")
    local refused = g:ask { json = { model = "gpt-4o", messages = { { role = "user", content = "hi" } } } }
    assert.equal(503, refused.status)
    assert.equal("ledger_unavailable", gateway.error_of(refused).code)
    assert.equal("1", refused:get("retry-after"))
    assert.equal(0, #m:requests(seen))
    local why = client.ask(g.admin_port, { path = "/readyz?verbose" }).body
    assert.truthy(why:find("[-]ledger", 1, true), why)
    assert.equal(503, client.ask(g.port, { path = "/readyz" }).status)
    prlimit(pid, "--fsize=unlimited:unlimited")
    expect.eventually(function() return g:is_ready() and client.ask(g.port, { path = "/readyz" }).status == 200 end, 10, "ready again")
    assert.equal(401, waits:head().status)
    waits:close()
    g:record(ask())
    g:record(refused.id)
    assert.is_nil(g:said():find("record_lost", 1, true))
  end)
end)

-- A start that must fail, and what it says.
local function refused(prepare, want)
  local own = setmetatable({ dir = require("tests.e2e.kit.workdir").new("refused"), env = g.env }, getmetatable(g))
  own:write_policies()
  own:write_config { mock = m }
  prepare(own.dir)
  local started, why = pcall(own.run, own)
  assert.is_false(started)
  assert.truthy(tostring(why):find(want, 1, true), why)
  own.dir:remove()
end

describe("a data folder", function()
  it("in use is left to who uses it: a second demo takes another", function()
    local lib = dofile("tests/lib/gateway.lua")
    assert.is_true(lib.is_data_in_use(g.dir:path("data")))
    assert.is_false(lib.is_data_in_use(g.dir:path("policies")))
  end)

  it("that others may write to is refused", function()
    refused(function(dir)
      unistd.unlink(dir:path("data"))
      assert(stat.mkdir(dir:path("data"), 448))
      assert.equal(0, os.execute("chmod 777 '" .. dir:path("data") .. "'"))
    end, "chmod go-w it")
  end)
end)

describe("a provider's key", function()
  it("is in no environment but the supervisor's", function()
    local l = g:listen()
    for _, pid in ipairs { l.workers[1], l.admin_pid } do
      local file = io.open("/proc/" .. pid .. "/environ", "rb")
      if not file then return pending("only root may look") end
      local text = file:read("*a")
      file:close()
      assert.is_nil(text:find(gateway.PROVIDER_KEY, 1, true))
    end
  end)
end)
