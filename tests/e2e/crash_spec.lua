-- Whoever is killed, and whenever: each answer that a client had whole is in the ledger, none is there twice, and the
-- sums are those of the records. SIGKILL for workers, ledger, admin process and supervisor at random moments under load.
--
-- A quarter of it; MOONGATE_SIEGE=1 is all: 20 kills of each. CRASH_SEED picks the moments.
local signal = require("posix.signal")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local KILLS = math.max(1, math.floor(20 * (tonumber(os.getenv("MOONGATE_SIEGE")) or 0.25)))
local SEED = tonumber(os.getenv("CRASH_SEED")) or 4711

local random = expect.random(SEED)
local m, g, load

-- There is none while the gateway is down.
local function listen()
  local ok, value = pcall(g.listen, g)
  return ok and value or {}
end

local victims = {
  worker = function() return listen().workers[random(2)] end,
  ledger = function() return listen().ledger_pid end,
  admin = function() return listen().admin_pid end,
  supervisor = function() return listen().supervisor end,
}

-- All processes of a killed gateway end by themselves: workers finish what is under way.
local function start_anew()
  expect.eventually(function() return #g:pids() == 0 end, 60, "the end of what a killed supervisor left")
  g.process:stop(0)
  g:run()
end

local function completed()
  local ids, count = {}, 0
  for id in (g.dir:read("completed") or ""):gmatch("(req_%S+) %d+\n") do
    ids[id], count = true, count + 1
  end
  return ids, count
end

-- Something has been answered since: the gateway is at work, and the next kill meets it there.
local function works_again()
  local _, before = completed()
  expect.eventually(function() return select(2, completed()) > before + 4 end, 60, "an answer after a kill")
end

local function kill(name)
  process.sleep(random(120) / 1000)
  local pid = expect.eventually(function()
    local found = victims[name]()
    return found and found > 0 and gateway.is_alive(found) and found -- kill() would take 0 for us all
  end, 30, "a living " .. name)
  signal.kill(pid, signal.SIGKILL)
  if name == "supervisor" then start_anew() end
  works_again()
end

describe("processes are killed at random moments (seed " .. SEED .. ")", function()
  setup(function()
    m = mock.start()
    g = gateway.start { mock = m, name = "crash", workers = 2, config = { drain = { grace = "5s" } } }
    load = process.start { "luajit", "tests/e2e/kit/steady.lua", g.dir:path("data/listen.json"), g.key, 12, g.dir:path("completed") }
    load:expect("^in", 20)
  end)
  teardown(function()
    if load then load:stop(30) end
    m:stop()
  end)

  it(("%d workers, ledgers, admin processes and supervisors each"):format(KILLS), function()
    works_again()
    local order = {}
    for name in pairs(victims) do
      for _ = 1, KILLS do order[#order + 1] = name end
    end
    table.sort(order)
    for i = #order, 2, -1 do
      local j = random(i)
      order[i], order[j] = order[j], order[i]
    end
    for _, name in ipairs(order) do kill(name) end
  end)

  it("and each completed answer is in the ledger, none twice, and the sums are right", function()
    load:stop(60)
    local ids, count = completed()
    g:signal(signal.SIGTERM)
    assert(g.process:wait(60), "it did not end")
    local function one(sql) return database.value(g.dir:path("data/ledger.db"), sql) end
    local times = {}
    for _, record in ipairs(g:records()) do times[record.id] = (times[record.id] or 0) + 1 end
    local missing, double = {}, {}
    for id in pairs(ids) do
      if not times[id] then missing[#missing + 1] = id end
    end
    for id, n in pairs(times) do
      if n > 1 then double[#double + 1] = id end
    end
    print(("    seed %d: %d completed answers, %d records"):format(SEED, count, one("SELECT count(*) FROM records")))
    assert.same({}, missing)
    assert.same({}, double)
    assert.is_true(count > 20 * KILLS)
    for _, column in ipairs { "cost_nano", "input_tokens", "output_tokens" } do
      assert.equal(one("SELECT sum(" .. column .. ") FROM records"), one("SELECT sum(" .. column .. ") FROM rollup"), column)
    end
    assert.equal(one("SELECT count(*) FROM records"), one("SELECT sum(requests) FROM rollup"))
    local said, code = g:command("audit", "verify")
    assert.equal(0, code, said)
    g.process:stop(0)
    assert.is_nil(g:said():find("Sanitizer", 1, true), g:said():sub(-3000))
    g.dir:remove()
  end)
end)
