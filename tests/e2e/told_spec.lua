-- Who is told what of a gateway that begins, ends or changes: signals at moments that few meet, and words on what nobody
-- would see else.
local cjson = require("cjson")
local signal = require("posix.signal")
local unistd = require("posix.unistd")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local process = dofile("tests/lib/process.lua")

local g

local function name_of(pid)
  local file = io.open("/proc/" .. pid .. "/comm")
  local name = file and file:read("*l")
  if file then file:close() end
  return name or ""
end

local function is_worker_there()
  for _, pid in ipairs(g:pids()) do
    if name_of(pid):find("^worker") then return true end
  end
end

local function begin()
  local words = { unistd.getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate", "run", "-c", "moongate.lua" }
  words.cwd, words.env, words.output = g.dir.root, g.env, g.dir:path("gateway.log")
  g.process = process.start(words)
end

-- Entries of changes made to the gateway itself.
local function acts(action)
  local count = 0
  for _, change in ipairs(g:records("change")) do
    if change.action == action then count = count + 1 end
  end
  return count
end

describe("a gateway that is told to end while it starts", function()
  setup(function() g = gateway.start { name = "told" } end)
  teardown(function() g:stop() end)

  -- Its worker has said that it could begin, and that is read in one turn with the signal.
  it("ends, also at the last moment before it is ready", function()
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    for _ = 1, 6 do
      begin()
      local pid = g.process.pid
      expect.eventually(is_worker_there, 20, "a worker")
      signal.kill(pid, signal.SIGSTOP)
      process.sleep(0.15) -- for the worker to load the policies; sooner or later, it must end
      signal.kill(pid, signal.SIGTERM)
      signal.kill(pid, signal.SIGCONT)
      assert.equal("exited", (g.process:wait(20)))
      assert.equal(0, g.process.code)
      assert.same({}, g:pids())
    end
    g:run()
  end)
end)

describe("a gateway that ends", function()
  setup(function() g = gateway.start { name = "told", workers = 2 } end)
  teardown(function() g:stop() end)

  it("is told of reloads to the end, and loses no change that it takes", function()
    local listen = cjson.decode(g.dir:read("data/listen.json"))
    local slow = { listen.ledger_pid, listen.workers[1], listen.workers[2] }
    for _, pid in ipairs(slow) do signal.kill(pid, signal.SIGSTOP) end
    g:signal(signal.SIGTERM)
    local refused = 0
    for i = 1, 100000 do
      g:signal(signal.SIGHUP) -- many of them reach it as one
      if i % 500 == 0 then refused = select(2, g:said():gsub('"reload_refused"', "")) end
      if refused > 400 then break end
    end
    assert.is_true(refused > 400)
    for _, pid in ipairs(slow) do signal.kill(pid, signal.SIGCONT) end
    repeat g:signal(signal.SIGHUP) until g.process:wait(0)
    assert.equal("exited", (g.process:wait(20)))
    assert.equal(1, acts("drain"))
    assert.is_nil(g:said():find("change_lost", 1, true), g:said():sub(-2000))
  end)
end)

describe("a supervisor without descriptors to spare", function()
  setup(function() g = gateway.start { name = "told" } end)
  teardown(function() g:stop() end)

  local function say() return client.ask(g.admin_port, { path = "/readyz?verbose" }).body end

  it("cuts nobody off from the ledger for longer than that", function()
    local listen = cjson.decode(g.dir:read("data/listen.json"))
    local open, highest = {}, 0
    for name in io.popen("ls /proc/" .. listen.supervisor .. "/fd"):lines() do
      open[tonumber(name)] = true
      highest = math.max(highest, tonumber(name))
    end
    local limit, free = 0, 0
    while free < 2 do -- and the dead ledger's: enough for another one, and for no pipe between it and a worker
      if not open[limit] then free = free + 1 end
      limit = limit + 1
    end
    local function set(n) assert.equal(0, os.execute(("prlimit --pid %d --nofile=%d:"):format(listen.supervisor, n))) end
    set(limit)
    signal.kill(listen.ledger_pid, signal.SIGKILL)
    expect.eventually(function() return g:said():find("has no way to the ledger yet", 1, true) end, 20, "a pipe that is missing")
    set(highest + 64)
    expect.eventually(function() return g:is_ready() and say():find("[+]ledger ok", 1, true) end, 20, "a worker with a ledger")
    assert.equal(listen.workers[1], cjson.decode(g.dir:read("data/listen.json")).workers[1])
    g:chat { model = "no-such-model", messages = {} }
    g:records_after(0, 1)
  end)
end)

describe("a witness that takes no anchors", function()
  setup(function() g = gateway.start { name = "told", config = { ledger = { witness = { file = "outside/anchors.jsonl" } } } } end)
  teardown(function() g:stop() end)

  it("is told of by /readyz?verbose, which stays good, until it does", function()
    local function ready() return client.ask(g.admin_port, { path = "/readyz?verbose" }) end
    expect.eventually(function()
      return ready().body:find("[!]ledger: signed heads wait for a witness: file: ", 1, true)
    end, 10, "a word of the witness")
    assert.equal(200, ready().status)
    assert.equal(0, os.execute(("mkdir -m 700 '%s'"):format(g.dir:path("outside"))))
    expect.eventually(function() return not ready().body:find("witness", 1, true) end, 20, "a witness that has all")
    assert.truthy(g.dir:read("outside/anchors.jsonl"):find("moongate_anchor", 1, true))
  end)
end)

describe("another billing zone", function()
  setup(function() g = gateway.start { name = "told" } end)
  teardown(function() g:stop() end)

  local function spent()
    local out, code = g:command("spend", "--period", "7d", "--json", "-c", "moongate.lua")
    assert.equal(0, code, out)
    return cjson.decode(out)
  end

  it("holds from the next start on, and sums say that days before are of the first", function()
    g:chat { model = "no-such-model", messages = {} }
    g:records_after(0, 1)
    assert.equal("UTC", spent().period.timezone)
    assert.is_nil(spent().period.timezone_since)
    g:write_config { config = { billing = { timezone = "Asia/Tokyo" } } }
    local out, code = g:reload()
    assert.equal(1, code)
    assert.truthy(out:find("billing.timezone", 1, true) and out:find("needs restart", 1, true), out)
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    g:run()
    assert.truthy(g:said():find("billing_zone_changed", 1, true))
    g:chat { model = "no-such-model", messages = {} }
    g:records_after(1, 1)
    local said = spent()
    assert.equal("Asia/Tokyo", said.period.timezone)
    assert.equal(2, said.requests)
    assert.equal(os.date("!%Y-%m-%d", os.time() + 9 * 3600), said.period.timezone_since)
    out = g:command("spend", "--period", "7d", "-c", "moongate.lua")
    assert.truthy(out:find("begin in another zone", 1, true), out)
  end)
end)
