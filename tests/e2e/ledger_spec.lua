-- The ledger: each answered request is in it once, whichever process dies, and what stands behind it goes on.
local cjson = require("cjson")
local signal = require("posix.signal")
local unistd = require("posix.unistd")
local stat = require("posix.sys.stat")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

setup(function() m = mock.start {} end)
teardown(function() m:stop() end)

local function ask(of)
  return g:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } }, of)
end

local function ready() return client.ask(g.admin_port, { path = "/readyz?verbose" }) end

-- How often each id stands in the ledger.
local function counts()
  local seen = {}
  for _, record in ipairs(g:records()) do seen[record.id] = (seen[record.id] or 0) + 1 end
  return seen
end

-- Clients that ask one after the other while `kill` does its work; the ids of the answers that came whole.
local function under_load(clients, requests, kill)
  local done, left = {}, clients
  crowd.run(function(all)
    for _ = 1, clients do
      all.add(function()
        for _ = 1, requests do
          local ok, answer = pcall(ask, {})
          if ok and answer.status == 200 and answer.body and pcall(cjson.decode, answer.body) then done[#done + 1] = answer.id end
        end
        left = left - 1
      end)
    end
    all.add(function() kill(function() return left > 0 end) end)
  end, 60)
  return done
end

local function each_once(ids)
  local seen
  expect.eventually(function()
    seen = counts()
    for _, id in ipairs(ids) do
      if not seen[id] then return false end
    end
    return true
  end, 10, "all records")
  for id, times in pairs(seen) do assert.equal(1, times, id) end
end

describe("a process that dies under load", function()
  before_each(function() g = gateway.start { mock = m, name = "ledger", workers = 2 } end)
  after_each(gateway.stop_all)

  it("the ledger: no answered request is missing, none is there twice", function()
    local killed = 0
    local ids = under_load(8, 40, function(is_loaded)
      while is_loaded() and killed < 5 do
        local pid = g:listen().ledger_pid
        if pid and pid ~= 0 and signal.kill(pid, signal.SIGKILL) then killed = killed + 1 end
        client.sleep(0.25)
      end
    end)
    assert.is_true(killed > 0)
    assert.is_true(#ids > 100, #ids .. " answers")
    each_once(ids)
    expect.eventually(function() return g:is_ready() end, 10, "ready again")
  end)

  it("a worker: what was answered is there, once", function()
    local killed = 0
    local ids = under_load(8, 40, function(is_loaded)
      while is_loaded() and killed < 3 do
        local pid = g:listen().workers[1]
        if pid and pid ~= 0 and signal.kill(pid, signal.SIGKILL) then killed = killed + 1 end
        client.sleep(0.3)
      end
    end)
    assert.is_true(killed > 0)
    each_once(ids)
    assert.same({}, g:records("loss"))
  end)
end)

describe("what was announced", function()
  after_each(gateway.stop_all)

  local RULES = 'return access { models = {}, default = "allow", rules = { { "announced", when = { model = "gpt-4o" }, record = { intent = true } } } }'

  local POLICIES = {
    ["init.lua"] = 'return chain { "announce" }',
    ["announce.lua"] = RULES,
    ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, price = usd_per_million { input = 1, output = 2 } } }',
  }

  -- A stream under way, announced: its connection and its id.
  local function begin(script)
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = { model = "gpt-4o", stream = true, messages = { { role = "user", content = "hi" } },
      metadata = { mock = script } } })
    local head = assert(c:head())
    assert(c:event())
    return c, head:get("x-moongate-request-id")
  end

  it("and whose worker was killed is recorded as abandoned", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1, policies = POLICIES }
    local whole = ask().id
    assert.equal("ok", g:record(whole).outcome)
    local c, id = begin "endless=1&delay_ms=20"
    signal.kill(g:listen().workers[1], signal.SIGKILL)
    c:close()
    local record
    expect.eventually(function()
      for _, found in ipairs(g:records()) do
        if found.id == id then record = found end
      end
      return record
    end, 15, "a record of what was abandoned")
    assert.equal("abandoned", record.outcome)
    assert.equal("gpt-4o", record.model)
    assert.equal(2, #g:records("intent"))
    each_once { whole, id }
  end)

  -- The next gateway looks for what was abandoned while the workers of the one before finish what is under way.
  it("is not abandoned while its worker lives on behind a supervisor that was killed", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1, policies = POLICIES }
    local c, id = begin "tokens=80&delay_ms=100"
    signal.kill(g:listen().supervisor, signal.SIGKILL)
    g.process:wait(5)
    g:run()
    local other, dead = begin "endless=1&delay_ms=20"
    signal.kill(g:listen().workers[1], signal.SIGKILL)
    other:close()
    local last
    for event in function() return c:event() end do last = event.data or last end
    c:close()
    assert.equal("[DONE]", last)
    expect.eventually(function() return counts()[id] and counts()[dead] end, 20, "both records")
    assert.equal("ok", g:record(id).outcome)
    assert.equal("abandoned", g:record(dead).outcome)
    each_once { id, dead }
  end)
end)

describe("the state of the ledger", function()
  after_each(gateway.stop_all)

  it("is what /readyz of both listeners says", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1 }
    assert.truthy(ready().body:find("[+]ledger ok: committing", 1, true), ready().body)
    local pid = g:listen().ledger_pid
    signal.kill(pid, signal.SIGKILL)
    expect.eventually(function() return g:listen().ledger_pid ~= pid and g:is_ready() end, 10, "a new ledger process")
    assert.equal(1, g:metrics():value("moongate_ledger_failing") + 1)
    ask()
    g:gauge_becomes("moongate_ledger_queue_records", 0)
    assert.is_true(g:metrics():value("moongate_ledger_records_total") >= 3) -- two starts and a record
    assert.is_true(g:metrics():value("moongate_ledger_commits_total") >= 3)
    assert.is_true(g:metrics():value("moongate_ledger_commit_seconds_count") >= 3)
  end)

  it("is failing while the disk takes nothing, with the reason", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1 }
    ask()
    local pid = g:listen().ledger_pid
    assert.equal(0, os.execute(("prlimit --pid %d --fsize=1024:unlimited"):format(pid)))
    local waits = client.connect(g.port) -- whose record is the first that cannot be written
    waits:send(client.request { key = "nobody's", json = { model = "gpt-4o" } })
    local said
    expect.eventually(function()
      said = ready()
      return said.status == 503
    end, 5, "not ready")
    assert.truthy(said.body:find("%[%-%]ledger: failing since %d%d%d%d%-.-: .-ledger%.db: "), said.body)
    expect.eventually(function() return client.ask(g.port, { path = "/readyz" }).status == 503 end, 5, "not ready either")
    assert.equal(1, g:metrics():value("moongate_ledger_failing"))
    assert.equal(0, os.execute(("prlimit --pid %d --fsize=unlimited:unlimited"):format(pid)))
    expect.eventually(function() return g:is_ready() and client.ask(g.port, { path = "/readyz" }).status == 200 end, 10, "ready again")
    assert.equal(401, waits:head().status)
    waits:close()
    g:record(ask().id)
    assert.equal(2, #g:records() - 1) -- that of nobody too
    assert.equal(0, g:metrics():value("moongate_ledger_lost_total"))
  end)

  it("is failing when its file was moved away, also while nobody asks, and nothing goes into the old one", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1 }
    local before = ask().id
    local path, away = g.dir:path("data/ledger.db"), g.dir:path("data/away.db")
    assert(os.rename(path, away))
    expect.eventually(function() return ready().status == 503 end, 5, "not ready")
    assert.truthy(ready().body:find("ledger.db: it was removed while the ledger writes to it", 1, true), ready().body)
    expect.eventually(function() return client.ask(g.port, { path = "/readyz" }).status == 503 end, 5, "not ready either")
    assert.equal(503, ask().status)
    assert(os.rename(away, path))
    expect.eventually(function() return g:is_ready() and client.ask(g.port, { path = "/readyz" }).status == 200 end, 10, "ready again")
    local after = ask().id
    each_once { before, after }
    assert.equal(3, #g:records()) -- that of the refusal, too
  end)
end)

describe("the end", function()
  after_each(gateway.stop_all)

  it("by TERM: what was answered is in the ledger, which is closed in order", function()
    g = gateway.start { mock = m, name = "ledger", workers = 2, config = { ledger = { durability = "async" } } }
    local ids = {}
    for i = 1, 20 do ids[i] = ask().id end
    g:signal(signal.SIGTERM)
    assert.equal("exited", (g.process:wait(20)))
    each_once(ids)
    assert.equal(1, #g:entries("start"))
    assert.equal(1, #g:entries("stop"))
    -- Its log was taken up into the file.
    local log = stat.stat(g.dir:path("data/ledger.db-wal"))
    assert.is_true(log == nil or log.st_size == 0)
  end)

  it("of the supervisor, killed: the ledger goes behind the last worker", function()
    g = gateway.start { mock = m, name = "ledger", workers = 2 }
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = { model = "gpt-4o", stream = true, messages = { { role = "user", content = "hi" } },
      metadata = { mock = "tokens=30&delay_ms=30" } } })
    assert.equal(200, assert(c:head()).status)
    local pids = g:pids()
    signal.kill(g:listen().supervisor, signal.SIGKILL)
    repeat local event = c:event() until not event
    c:close()
    expect.eventually(function()
      for _, pid in ipairs(pids) do
        if pid ~= g.process.pid and gateway.is_alive(pid) then return false end
      end
      return true
    end, 20, "the end of all processes")
    g.process:wait(5)
    assert.equal(1, #g:records())
    assert.equal(1, #g:entries("stop"))
    g:run()
    assert.equal(200, ask().status)
  end)
end)

describe("an older data folder", function()
  after_each(gateway.stop_all)

  it("has its audit.jsonl taken into the ledger, once", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1 }
    local id = ask().id
    local line = cjson.encode(g:record(id))
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    local old = line:gsub(id:gsub("%-", "%%-"), "req_01935c10-0000-7000-8000-000000000001")
    g.dir:write("data/audit.jsonl", old .. "\n{\"half\n" .. line .. "\n")
    g:run()
    expect.eventually(function() return g.dir:read("data/audit.jsonl.imported") end, 10, "the import")
    assert.is_nil(g.dir:read("data/audit.jsonl"))
    local imported = g:entries("import")
    assert.equal(1, #imported) -- the second has been there
    assert.equal("req_01935c10-0000-7000-8000-000000000001", cjson.decode(imported[1]).id)
    assert.truthy(g:said():find("audit.jsonl:2 is no record, and is left out", 1, true), g:said())
  end)

  it("shows what is older than a month to who asks for its time", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1 }
    local id, imported = ask().id, "req_01935c10-0000-7000-8000-000000000002"
    local line = cjson.encode(g:record(id))
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    local old = line:gsub(id:gsub("%-", "%%-"), imported):gsub('"time":"[^"]*"', '"time":"2024-11-24T02:00:00.000Z"')
    g.dir:write("data/audit.jsonl", old .. "\n")
    g:run()
    expect.eventually(function() return #g:entries("import") == 1 end, 10, "the import")
    local function requests(...) return g:json("requests", ...) end
    local recent, all = requests(), requests("--since", "2024")
    assert.same({ 1, id }, { recent.total, recent.items[1].id })
    assert.same({ 2, "2024-01-01T00:00:00.000Z" }, { all.total, all.since })
    assert.equal(imported, requests("--until", "2024-11-30").items[1].id)
    assert.equal(0, requests("--until", "2024-12-31").total)
    local out = g:command("requests", "session:none")
    assert.truthy(out:find("0 requests in the last 30 days, 0 tokens, $0; --since 2026-01 looks further back", 1, true), out)
  end)
end)

describe("two gateways", function()
  after_each(gateway.stop_all)

  it("have a ledger each, and none takes the other's", function()
    g = gateway.start { mock = m, name = "ledger", workers = 1 }
    local own = g
    local other = gateway.start { mock = m, name = "other", workers = 1, config = { ledger = { gateway = "gw-2" } } }
    own:record(ask().id)
    assert.equal(0, #other:records())
    other:record(other:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } }).id)
    assert.equal(1, #own:records())
    assert.equal("gw-2", cjson.decode(other:entries("start")[1]).gateway)
    other:signal(signal.SIGTERM)
    other.process:wait(20)
    other.dir:write("moongate.lua", (other.dir:read("moongate.lua"):gsub('"gw%-2"', '"gw-3"')))
    local out, code = other:command("run")
    assert.equal(1, code, out)
    assert.truthy(out:find("it is the ledger of gateway 'gw-2'", 1, true), out)
  end)
end)

describe("the copy", function()
  before_each(function() g = gateway.start { mock = m, name = "ledger", workers = 1, config = { ledger = { copy = "audit.jsonl" } } } end)
  after_each(gateway.stop_all)

  local function lines(file)
    local all = {}
    for line in (g.dir:read(file) or ""):gmatch("([^\n]*)\n") do all[#all + 1] = cjson.decode(line).id end
    return all
  end

  local function has(file, id)
    expect.eventually(function()
      local all = lines(file)
      return all[#all] == id
    end, 5, "a record in " .. file)
  end

  it("has what the ledger has, and is left when it is renamed", function()
    local ids = { ask().id, ask().id }
    has("data/audit.jsonl", ids[2])
    assert.same(g:entries()[1], (g.dir:read("data/audit.jsonl"):match("^[^\n]*")))
    assert(os.rename(g.dir:path("data/audit.jsonl"), g.dir:path("data/audit.1")))
    ids[3] = ask().id
    has("data/audit.1", ids[3])
    local out, code = g:command("reload")
    assert.equal(0, code, out)
    ids[4] = ask().id
    has("data/audit.jsonl", ids[4])
    -- A process that begins anew goes on where the last one stopped.
    local pid = g:listen().ledger_pid
    signal.kill(pid, signal.SIGKILL)
    expect.eventually(function() return g:listen().ledger_pid ~= pid and g:is_ready() end, 10, "a new ledger process")
    ids[5] = ask().id
    has("data/audit.jsonl", ids[5])
    assert.same({ ids[1], ids[2], ids[3] }, lines("data/audit.1"))
    assert.same({ ids[4], ids[5] }, lines("data/audit.jsonl"))
  end)

  it("may be asked for, moved and left at a reload", function()
    local first = ask().id
    has("data/audit.jsonl", first)
    local text = g.dir:read("moongate.lua")
    g.dir:write("moongate.lua", (text:gsub('"audit%.jsonl"', '"other.jsonl"')))
    assert.equal(0, select(2, g:command("reload")))
    local second = ask().id
    has("data/other.jsonl", second)
    assert.same({ second }, lines("data/other.jsonl"))
    assert.same({ first }, lines("data/audit.jsonl"))
  end)

  it("waits where it cannot be written, says so, and goes on", function()
    local first = ask().id
    has("data/audit.jsonl", first)
    assert(os.rename(g.dir:path("data/audit.jsonl"), g.dir:path("data/audit.1")))
    g.dir:write("elsewhere", "")
    assert(unistd.link(g.dir:path("elsewhere"), g.dir:path("data/audit.jsonl"), true))
    g:command("reload")
    local second = ask()
    assert.equal(200, second.status)
    expect.eventually(function() return ready().body:find("[!]ledger: its copy waits: it is not a file of this user's own", 1, true) end, 5, "a warning")
    assert.equal(200, ready().status)
    assert(unistd.unlink(g.dir:path("data/audit.jsonl")))
    has("data/audit.jsonl", second.id)
    assert.equal("", g.dir:read("elsewhere"))
    expect.eventually(function() return not ready().body:find("its copy waits", 1, true) end, 5, "no warning")
  end)
end)
