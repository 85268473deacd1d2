-- A fleet's registry in PostgreSQL: what is revoked at one gateway is over at the other; who is killed in between leaves
-- no gap; and what holds while the database is away. Times are told, and asserted against a wide bound alone.
local cjson = require("cjson")
local signal = require("posix.signal")
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local postgres = require("tests.e2e.kit.postgres")
local process = dofile("tests/lib/process.lua")

local POLICIES = {
  ["models.lua"] = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
    .. 'price = usd_per_million { input = "1", output = "1" } } }\n',
  ["access.lua"] = 'return access { models = { ["dear"] = { departments = { "research" }, data = "internal", '
    .. 'approval = { by = "manager", longest = "30d" } } }, default = "deny" }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["init.lua"] = 'return chain { "auth", "access" }\n',
}
local RESEARCH = { app = "support-bot", department = "research" }
local BOUND = 10 -- seconds, of a machine that has much else to do

local m, db, a, b

local function config(more)
  local registry = { url = db.url, max_stale = "2s" }
  for name, value in pairs(more or {}) do registry[name] = value end
  return { registry = registry }
end

local function start(name, more, options)
  options = options or {}
  options.mock, options.name, options.config = m, name, config(more)
  options.workers, options.policies, options.key = 2, POLICIES, RESEARCH
  return gateway.start(options)
end

local function stop_all()
  gateway.stop_all()
  a, b = nil, nil
  if not db.process then db:run() end
  db:ask("DROP SCHEMA IF EXISTS moongate_registry CASCADE")
end

setup(function() m, db = mock.start {}, postgres.start() end)
teardown(function()
  db:stop()
  m:stop()
end)
after_each(stop_all)

local function models(g, key) return client.ask(g.port, { path = "/v1/models", key = key }).status end

local function dear(g, key)
  return client.ask(g.port, { path = "/v1/chat/completions", key = key,
    json = cjson.encode { model = "dear", messages = { { role = "user", content = "hi" } } } })
end

-- Of every worker, as far as the kernel hands connections around.
local function everywhere(g, key, want)
  for _ = 1, 8 do
    if models(g, key) ~= want then return false end
  end
  return true
end

local function revision() return tonumber(db:ask("SELECT rev FROM moongate_registry.rev")) end

local function unconfirmed(g) return g:metrics():value("moongate_registry_unconfirmed_seconds") end

-- One by one until the first that is refused; how long after `done` the last one was let through, in ms.
local function last_answer(done, ask, want)
  local last = 0
  expect.eventually(function()
    local began = socket.gettime()
    local status = ask()
    if status ~= want then last = began end
    return status == want
  end, BOUND, "an end")
  return math.max(0, (last - done) * 1000)
end

local function told(what, ms) io.stderr:write(("# %s: last answer of the other gateway %.0f ms after it\n"):format(what, ms)) end

describe("what is changed at one gateway of a fleet", function()
  it("is over at the other: a key, while it is used", function()
    a, b = start("fleet_a"), start("fleet_b")
    local worst = 0
    for _ = 1, 5 do
      local key, id = a:new_key { app = "support-bot", department = "support" }
      for _, g in ipairs { a, b } do
        expect.eventually(function() return everywhere(g, key, 200) end, BOUND, "a key that is known")
      end
      assert.equal(0, select(2, a:command("keys", "revoke", id)))
      worst = math.max(worst, last_answer(socket.gettime(), function() return models(b, key) end, 401))
      expect.eventually(function() return everywhere(a, key, 401) and everywhere(b, key, 401) end, BOUND, "all workers")
    end
    told("a key is revoked (worst of 5)", worst)
    assert.is_true(worst < BOUND * 1000)
  end)
end)

describe("who is killed in the midst of changes", function()
  local function change(g)
    local out, code = g:command("keys", "create", "--app", "support-bot", "--department", "support", "--json", "--force")
    local ok, made = pcall(cjson.decode, out:match("{.*}") or "")
    return code == 0 and ok and made or nil
  end

  local function agree(keys)
    for _, g in ipairs { a, b } do
      for _, key in ipairs(keys) do
        expect.eventually(function() return everywhere(g, key.key, 200) end, 30, "a key that was made")
      end
    end
    assert.equal("0", db:ask("SELECT count(*) FROM moongate_registry.rev WHERE rev <> "
      .. "(SELECT coalesce(max(rev), 0) FROM moongate_registry.event)"))
    local sum = a:json("registry", "check")
    assert.is_true(sum.ok)
  end

  -- `kill` while a command is on its way; what the command says decides what must be there.
  local function round(n, kill)
    local keys = {}
    for i = 1, n do
      local words = a:words("keys", "create", "--app", "support-bot", "--department", "support", "--json", "--force")
      local child = process.start(words)
      socket.sleep(0.004 * i)
      kill()
      local said = child:line(30) or ""
      local _, code = child:wait(30)
      if code == 0 and said:find("{", 1, true) then
        keys[#keys + 1] = cjson.decode(said:match("{.*}"))
      end
      local later
      expect.eventually(function()
        later = change(a)
        return later
      end, 30, "a gateway that takes changes again")
      keys[#keys + 1] = later
    end
    return keys
  end

  it("leaves a revision that all agree on: the admin process", function()
    a, b = start("fleet_a"), start("fleet_b")
    agree(round(5, function() signal.kill(a:listen().admin_pid, signal.SIGKILL) end))
  end)

  it("leaves one: PostgreSQL", function()
    a, b = start("fleet_a"), start("fleet_b")
    agree(round(3, function()
      db:kill()
      db:run()
    end))
  end)

  it("leaves one: the supervisor", function()
    a, b = start("fleet_a"), start("fleet_b")
    agree(round(3, function()
      a:signal(signal.SIGKILL)
      a.process:wait(20)
      expect.eventually(function() return #a:pids() == 0 end, 30, "its processes gone")
      a:run()
    end))
  end)
end)

describe("while the database is away", function()
  it("keys are served, and that is counted; what wants an approval is refused, and comes back", function()
    a = start("fleet_away")
    local key = a:new_key { app = "support-bot", department = "research" }
    expect.eventually(function() return everywhere(a, key, 200) end, BOUND, "a key that is known")
    local function opus()
      local r = dear(a, key)
      return r.status, r.status ~= 200 and gateway.error_of(r).code
    end
    assert.same({ 403, "approval_required" }, { opus() })
    db:kill()
    expect.eventually(function() return opus() == 503 end, BOUND, "a refusal")
    assert.same({ 503, "approvals_unknown" }, { opus() })
    assert.equal(200, models(a, key))
    assert.is_true(a:metrics():value("moongate_registry_unconfirmed_requests_total", { outcome = "served" }) > 0)
    expect.eventually(function() return unconfirmed(a) > 2 end, BOUND, "the time since then")
    assert.truthy(a:health().body:find("[!]registry", 1, true))
    assert.equal(200, a:health().status)
    local _, code = a:command("keys", "create", "--app", "x", "--department", "y", "--force")
    assert.are_not.equal(0, code)
    db:run()
    expect.eventually(function() return opus() == 403 end, 30, "a registry that is back")
    expect.eventually(function() return a:said():find("registry_confirmed", 1, true) end, BOUND, "the word that it is")
  end)

  it("they are refused where moongate.lua says so", function()
    a = start("fleet_refuse", { on_registry_loss = "refuse" })
    expect.eventually(function() return everywhere(a, a.key, 200) end, BOUND, "a key that is known")
    db:kill()
    expect.eventually(function() return models(a, a.key) == 503 end, BOUND, "a refusal")
    assert.equal("keys_unknown", gateway.error_of(client.ask(a.port, { path = "/v1/models", key = a.key })).code)
    assert.equal(401, models(a, "mgk_unknown"))
    db:run()
    expect.eventually(function() return everywhere(a, a.key, 200) end, 30, "a registry that is back")
  end)

  it("a start goes by registry.snap, without approvals", function()
    a = start("fleet_cold")
    local key = a:new_key { app = "support-bot", department = "research" }
    expect.eventually(function() return everywhere(a, key, 200) end, BOUND, "a key that is known")
    expect.eventually(function() return a.dir:read("data/registry.snap") end, 30, "registry.snap")
    assert.truthy(revision())
  end)
end)
