-- All at once: slow heads, bodies of strangers, clients that never read, a provider without end, few descriptors, little
-- memory, reloads, and last a full disk. No worker is lost, memory is bounded, and a client with a key is served throughout.
--
-- A tenth of what one machine may be asked for; MOONGATE_SIEGE=1 is all of it: 1,000 heads, 1,000 bodies, 300 sleepers.
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local filesystem = require("tests.e2e.kit.filesystem")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local SCALE = tonumber(os.getenv("MOONGATE_SIEGE") or 0.1)
local MIB = 1024 * 1024
local is_sanitized = os.getenv("SAN") ~= nil -- its shadow takes all the address space there is

local function scaled(n) return math.max(1, math.floor(n * SCALE)) end

local CROWDS = { { "heads", scaled(1000) }, { "bodies", scaled(1000) }, { "sleepers", scaled(300) }, { "readers", scaled(40) } }
-- Sleepers and readers have two each, client and provider; strangers want 2,000 more.
local DESCRIPTORS = 2 * scaled(340) + 128 + scaled(600)
-- What a sleeper holds: its share of output, what curl holds, and what is around it.
local RESIDENT_MAX = (is_sanitized and 1024 or 192) * MIB + scaled(300) * 640 * 1024 + scaled(1000) * 32 * 1024

local m, besiegers

local function start(name, prepare, config)
  local words = { "prlimit", "--nofile=" .. DESCRIPTORS }
  if not is_sanitized then words[#words + 1] = "--as=" .. 4096 * MIB end
  return gateway.start { mock = m, name = name, under = words, config = config, prepare = prepare,
    env = { ASAN_OPTIONS = "detect_stack_use_after_return=1:quarantine_size_mb=4" } }
end

local function besiege(g)
  besiegers = {}
  for _, each in ipairs(CROWDS) do
    local p = process.start { "luajit", "tests/e2e/kit/besieger.lua", each[1], g.port, each[2], g.key }
    besiegers[#besiegers + 1] = p
    p:expect("^in", 60)
  end
end

local function lift()
  for _, p in ipairs(besiegers or {}) do
    assert(not p:wait(0), "a besieger has gone home")
    p:stop()
  end
  besiegers = nil
end

local HELLO = { model = "gpt-4o", metadata = { mock = "tokens=3" }, messages = { { role = "user", content = "hello" } } }

-- Who is shown out before he has said a word, while many others come, asks again, as clients do.
local function ask(g, body)
  for _ = 1, 4 do
    local r = client.ask(g.port, { key = g.key, json = body, seconds = 40 })
    if r.status then return r end
  end
  error("shown out four times")
end

-- Some whole answers, some streams, one behind the other; all are served.
local function serve(g, count)
  local served = 0
  crowd.run(function(all)
    for lane = 1, 4 do
      all.add(function()
        for i = 1, count / 4 do
          local body = {}
          for name, value in pairs(HELLO) do body[name] = value end
          body.stream = (lane + i) % 2 == 0
          local r = ask(g, body)
          assert(r.status == 200 and r.ending == "end", ("%s %s %s"):format(r.status, r.ending, r.body))
          served = served + 1
        end
      end)
    end
  end, 120)
  assert.equal(count, served)
end

local function workers(g)
  local pids = g:pids()
  table.sort(pids)
  return table.concat(pids, " ")
end

describe("a siege", function()
  setup(function() m = mock.start() end)
  teardown(function()
    lift()
    filesystem.remove_all()
    m:stop()
  end)

  it("loses no worker, holds a bounded amount, and a known key is served throughout", function()
    local g = start "siege"
    local before = workers(g)
    besiege(g)
    g:gauge_becomes("moongate_worker_restarts_total", 0)
    expect.eventually(function() return g:metrics():value("moongate_exchanges_open") >= scaled(300) end, 60, "the sleepers")
    for wave = 1, 3 do
      serve(g, 20)
      g.dir:write("policies/README.md", "wave " .. wave)
      local out, code = g:reload()
      assert.equal(0, code, out)
      assert.is_true(g:resident_bytes() < RESIDENT_MAX, ("%.0f MiB"):format(g:resident_bytes() / MIB))
    end
    print(("\n%d descriptors, %.0f MiB of at most %.0f, longest turn %.0f ms"):format(DESCRIPTORS, g:resident_bytes() / MIB,
      RESIDENT_MAX / MIB, g:metrics():value("moongate_loop_turn_longest_seconds") * 1000))
    assert.equal(before, workers(g))
    assert.equal(0, g:metrics():value("moongate_worker_restarts_total"))
    lift()
    g:gauge_becomes("moongate_exchanges_open", 0, 30)
    g:gauge_becomes("moongate_upstream_open", 0, 30)
    serve(g, 20)
    g:stop()
  end)

  it("finds the disk full, and requests that wait for no record are served", function()
    local why = filesystem.refused "tmpfs"
    if why then return pending(why) end
    local function on_two_megabytes(dir) assert(filesystem.tmpfs(dir, "data", "2m")) end
    local g = start("siege-disk", on_two_megabytes, { ledger = { durability = "async" } })
    local before = workers(g)
    os.execute(("head -c 3m /dev/zero > '%s' 2>/dev/null"):format(g.dir:path("data/filler")))
    besiege(g)
    serve(g, 40)
    assert.equal(before, workers(g))
    expect.eventually(function() return not g:is_ready() end, 30, "/readyz saying that records wait")
    lift()
    os.remove(g.dir:path("data/filler"))
    expect.eventually(function() return g:is_ready() end, 30, "the records being written")
    g:gauge_becomes("moongate_exchanges_open", 0, 30)
    serve(g, 4)
    g:stop()
  end)
end)
