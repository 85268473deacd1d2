-- How the processes hold together: what a killed, stopped or drained process costs, and whom.
local cjson = require("cjson")
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local m, g

setup(function() m = mock.start {} end)
teardown(function() m:stop() end)

local function body(how)
  return { model = "gpt-4o", stream = true, messages = { { role = "user", content = "hi" } }, metadata = { mock = how } }
end

local function open_stream(how)
  local c = client.connect(g.port)
  c:send(client.request { key = g.key, json = body(how) })
  local head = assert(c:head())
  assert.equal(200, head.status)
  assert(c:event())
  return c
end

-- Reads to the end: "whole" when [DONE] came and the framing says so, else how it ended.
local function read_stream(c)
  local last, event, why
  repeat
    if event and event.data then last = event end
    event, why = c:event()
  until not event
  c:close()
  if why == "end" and last and last.data == "[DONE]" then return "whole", last end
  return why, last
end

local function ask_whole()
  local answer = g:chat { model = "gpt-4o", messages = { { role = "user", content = "echo hi" } } }
  return answer.status
end

-- inode of the gateway's side of each client connection, by the client's port.
local function inodes_by_port()
  local found = {}
  for line in io.lines("/proc/net/tcp") do
    local from, to, inode = line:match("^%s*%d+: %x+:(%x+) %x+:(%x+) %x+ %S+ %S+ %S+%s+%d+%s+%d+ (%d+)")
    if from and tonumber(from, 16) == g.port then found[tonumber(to, 16)] = inode end
  end
  return found
end

local function holds_inode(pid)
  local held = {}
  local pipe = io.popen("ls -l /proc/" .. pid .. "/fd 2>/dev/null")
  for line in pipe:lines() do
    local inode = line:match("socket:%[(%d+)%]")
    if inode then held[inode] = true end
  end
  pipe:close()
  return held
end

describe("a worker that dies", function()
  before_each(function() g = gateway.start { mock = m, name = "process", workers = 2 } end)
  after_each(gateway.stop_all)

  it("costs its own connections and no others, and is replaced", function()
    local streams, victim = {}, g:listen().workers[1]
    for i = 1, 24 do streams[i] = { c = open_stream("tokens=60&delay_ms=50") } end
    local inodes, held = inodes_by_port(), holds_inode(victim)
    local on_victim = 0
    for _, s in ipairs(streams) do
      local _, port = s.c.sock:getsockname()
      s.is_victims = held[inodes[tonumber(port)]] == true
      on_victim = on_victim + (s.is_victims and 1 or 0)
    end
    assert.is_true(on_victim > 0 and on_victim < 24, on_victim .. " of 24 streams on one of two workers")
    ask_whole()
    local before = g:metrics()
    signal.kill(victim, signal.SIGKILL)
    crowd.run(function(all)
      for _, s in ipairs(streams) do all.add(function() s.ending = read_stream(s.c) end) end
    end, 30)
    for i, s in ipairs(streams) do
      local whole = s.ending == "whole"
      assert.equal(not s.is_victims, whole, ("stream %d ended with %s"):format(i, s.ending))
    end
    expect.eventually(function()
      local workers = g:listen().workers
      return #workers == 2 and workers[1] ~= victim
    end, 10, "a new worker")
    expect.eventually(function() return g:is_ready() end)
    for _ = 1, 16 do assert.equal(200, ask_whole()) end
    local after = g:metrics()
    assert.equal(1, after:value("moongate_worker_restarts_total"))
    for _, name in ipairs { "moongate_requests_total", "moongate_tokens_total", "moongate_request_duration_seconds_count" } do
      assert.is_true(after:value(name) >= before:value(name), name .. " jumped back")
    end
    -- 24 streams of which some were lost unrecorded with the victim, 1 + 16 whole ones.
    assert.equal(24 - on_victim + 17, after:value("moongate_requests_total"))
    g:gauge_becomes("moongate_exchanges_open", 0)
    g:gauge_becomes("moongate_upstream_open", 0)
  end)

  it("is replaced too when it is only stopped, and those in its queue are served", function()
    local victim = g:listen().workers[2]
    signal.kill(victim, signal.SIGSTOP)
    local statuses = {}
    crowd.run(function(all)
      for i = 1, 24 do
        all.add(function() statuses[i] = ask_whole() end)
      end
    end, 40)
    for i = 1, 24 do assert.equal(200, statuses[i], "connection " .. i) end
    expect.eventually(function() return not gateway.is_alive(victim) end, 20, "the end of the stopped worker")
    expect.eventually(function() return g:listen().workers[2] ~= victim and #g:listen().workers == 2 end, 10, "a new worker")
    assert.truthy(g:said():find("gave no sign of life", 1, true))
    assert.equal(1, g:metrics():value("moongate_worker_restarts_total"))
  end)

  it("ignores the signals that a terminal sends to all", function()
    local workers = g:listen().workers
    for _, pid in ipairs { workers[1], workers[2], g:listen().admin_pid } do
      for _, number in ipairs { signal.SIGINT, signal.SIGTERM, signal.SIGHUP } do signal.kill(pid, number) end
    end
    expect.always(function() return gateway.is_alive(workers[1]) and gateway.is_alive(workers[2]) end, 0.3)
    assert.equal(200, ask_whole())
    assert.same(workers, g:listen().workers)
  end)
end)

describe("the admin process", function()
  before_each(function() g = gateway.start { mock = m, name = "process", workers = 1 } end)
  after_each(gateway.stop_all)

  it("may die without a client noticing, and is replaced", function()
    local stream, victim = open_stream("tokens=20&delay_ms=50"), g:listen().admin_pid
    signal.kill(victim, signal.SIGKILL)
    assert.equal(200, ask_whole())
    assert.equal("whole", (read_stream(stream)))
    expect.eventually(function() return g:listen().admin_pid ~= victim and g:listen().admin_pid ~= 0 end, 10, "a new admin process")
    expect.eventually(function() return g:is_ready() end)
    assert.equal(2, g:metrics():value("moongate_requests_total"))
    assert.equal(0, g:metrics():value("moongate_worker_restarts_total"))
  end)

  it("says line by line what is ready, and answers errors as JSON", function()
    local answer = client.ask(g.admin_port, { path = "/readyz?verbose" })
    assert.equal(200, answer.status)
    local sha = answer.body:match("%[%+%]policy ok: generation 1, sha256 (%x+)")
    assert.equal(64, #sha)
    assert.truthy(answer.body:find("[+]worker 0 ready: pid " .. g:listen().workers[1] .. ", generation 1, sha256 " .. sha, 1, true))
    assert.equal(1, g:metrics():value("moongate_policy_info", { sha256 = sha }))
    local missing = client.ask(g.admin_port, { path = "/nothing" })
    assert.equal(404, missing.status)
    assert.equal("unknown_path", gateway.error_of(missing).code)
    local wrong = client.ask(g.admin_port, { path = "/metrics", json = "{}" })
    assert.equal(405, wrong.status)
    assert.equal("GET, HEAD", wrong:get("allow"))
    assert.equal("", client.ask(g.admin_port, { path = "/livez", method = "HEAD" }).body)
  end)
end)

describe("a second instance", function()
  before_each(function() g = gateway.start { mock = m, name = "process", workers = 1 } end)
  after_each(gateway.stop_all)

  local function second(env)
    local words = g:words("run")
    words.env = env
    for name, value in pairs(g.env) do env[name] = env[name] or value end
    return process.run(words)
  end

  it("is refused the data folder", function()
    local out, code = second {}
    assert.equal(1, code)
    assert.truthy(out:find("another moongate (process " .. g:listen().supervisor .. ") runs with the data folder", 1, true), out)
    assert.equal(200, ask_whole())
  end)

  it("is refused the address, with another data folder", function()
    local out, code = second { MOONGATE_DATA_DIR = g.dir:path("other"), MOONGATE_LISTEN = "127.0.0.1:" .. g.port }
    assert.equal(1, code)
    assert.truthy(out:find("127.0.0.1:" .. g.port, 1, true), out)
    for _ = 1, 8 do assert.equal(200, ask_whole()) end
  end)
end)

describe("the end", function()
  -- Whatever the test leaves: the kit's stop() also looks for an exit code of 0 and for processes left behind.
  after_each(gateway.stop_all)

  local function left_nothing()
    assert.is_nil(g.dir:read("data/listen.json"))
    assert.is_nil(io.open(g.dir:path("data/control.sock")))
    assert.same({}, g:pids())
  end

  it("by TERM: not ready at once, what is under way finishes, then it is gone", function()
    g = gateway.start { mock = m, name = "process", workers = 2, config = { drain = { delay = "700ms", grace = "20s" } } }
    local stream = open_stream("tokens=40&delay_ms=60")
    local kept = client.connect(g.port)
    g:signal(signal.SIGTERM)
    expect.eventually(function() return client.ask(g.admin_port, { path = "/readyz" }).status == 503 end, 0.6, "not ready")
    assert.equal(200, ask_whole(), "during the delay requests are still taken")
    assert.equal(503, client.ask(g.port, { path = "/readyz" }).status)
    assert.equal("whole", (read_stream(stream)))
    assert.is_true((kept:is_closed(5)))
    assert.equal("exited", (g.process:wait(10)))
    assert.is_false(pcall(client.connect, g.port))
    left_nothing()
  end)

  it("by TERM with a stream that outlives the grace: an error event, and a record", function()
    g = gateway.start { mock = m, name = "process", workers = 1, config = { drain = { grace = "500ms" } } }
    local stream = open_stream("endless=1&delay_ms=20")
    g:signal(signal.SIGTERM)
    local ending, last = read_stream(stream)
    assert.equal("end", ending)
    assert.equal("draining", cjson.decode(last.data).error.code)
    assert.equal("exited", (g.process:wait(10)))
    assert.equal(0, g.process.code)
    assert.equal("drained", g:records()[1].outcome)
    left_nothing()
  end)

  it("by INT, and by a second TERM, at once", function()
    for _, numbers in ipairs { { signal.SIGINT }, { signal.SIGTERM, signal.SIGTERM } } do
      g = gateway.start { mock = m, name = "process", workers = 2, config = { drain = { grace = "1h" } } }
      local stream = open_stream("endless=1&delay_ms=20")
      for _, number in ipairs(numbers) do
        g:signal(number)
        process.sleep(0.05) -- two equal signals that wait together are one
      end
      assert.equal("exited", (g.process:wait(10)))
      assert.equal(0, g.process.code)
      assert.not_equal("whole", (read_stream(stream)))
      assert.equal(1, #g:records())
      left_nothing()
      g:stop()
    end
  end)

  it("of the supervisor, killed: workers finish what they have and follow", function()
    g = gateway.start { mock = m, name = "process", workers = 2 }
    local stream = open_stream("tokens=30&delay_ms=30")
    local pids = g:pids()
    signal.kill(g:listen().supervisor, signal.SIGKILL)
    assert.equal("whole", (read_stream(stream)))
    expect.eventually(function()
      for _, pid in ipairs(pids) do
        if gateway.is_alive(pid) and pid ~= g.process.pid then return false end
      end
      return true
    end, 10, "the end of all processes")
    g.process:wait(5)
    -- What was killed leaves its files behind; the next one takes the folder over.
    g:run()
    assert.equal(200, ask_whole())
  end)
end)
