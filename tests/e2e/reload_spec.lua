-- Reloads: all or nothing, while requests go on; a broken file changes nothing and is named with its place.
local cjson = require("cjson")
local signal = require("posix.signal")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local socket = require("socket")

local STREAMS, RELOADS, TOKENS = 200, 50, 90
local is_sanitized = os.getenv("SAN") ~= nil

local m, g

setup(function() m = mock.start {} end)
teardown(function() m:stop() end)

local function shipped(name)
  local file = assert(io.open("policies/" .. name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function restore()
  for _, name in ipairs { "init.lua", "models.lua", "apps.lua", "routing.lua", "access.lua" } do
    g.dir:write("policies/" .. name, shipped(name))
  end
end

-- Each breaks the bundle in its own way; `says` must be in the reason.
local BROKEN = {
  { name = "syntax", says = "policies/routing.lua:3:",
    make = function() g.dir:write("policies/routing.lua", "return routing {\n  rules = {\n  = 3,\n}\n") end },
  { name = "a decision thrown away", says = "policies/routing.lua:1:45",
    make = function() g.dir:write("policies/routing.lua", "return routing { on_request = function(ctx) deny(403, 'no') end }\n") end },
  { name = "a service that is not listed", says = "policies/routing.lua:1:",
    make = function()
      g.dir:write("policies/routing.lua", "return routing { on_request = function(ctx) http.get('https://a.example/') end }\n")
    end },
  { name = "runtime", says = "policies/routing.lua:2",
    make = function() g.dir:write("policies/routing.lua", "local rules = nil\nrules.first = 1\nreturn routing {}\n") end },
  { name = "missing file", says = "models.lua",
    make = function() os.remove(g.dir:path("policies/models.lua")) end },
  { name = "wrong type", says = "policies/routing.lua:2:",
    make = function() g.dir:write("policies/routing.lua", "return routing {\n  rules = 7,\n}\n") end },
  { name = "price of another unit", says = "a price is 1000 times its predecessor in force for openai/gpt-4o",
    make = function() g.dir:write("policies/models.lua", (shipped("models.lua"):gsub('input = "2.50"', 'input = "2500"', 1))) end },
  { name = "endless loop", says = "policies/routing.lua:1",
    make = function() g.dir:write("policies/routing.lua", "while true do end\nreturn routing {}\n") end },
}

-- What the admin listener says: of the whole, and of each worker.
local function state()
  local body = client.ask(g.admin_port, { path = "/readyz?verbose" }).body
  local generation, sha = body:match("policy ok: generation (%d+), sha256 (%x+)")
  local workers = {}
  for n, digest in body:gmatch("worker %d+ ready: pid %d+, generation (%d+), sha256 (%x+)") do
    workers[#workers + 1] = { generation = tonumber(n), sha = digest }
  end
  return { generation = tonumber(generation), sha = sha, workers = workers, refused = body:match("%[!%]reload: [^\n]*") }
end

-- Also inside a crowd, where waiting lets the others go on.
local function wait_for(get, what)
  local deadline = socket.gettime() + 20
  while true do
    local value = get()
    if value then return value end
    if socket.gettime() > deadline then error(what .. " did not come", 2) end
    client.sleep(0.01)
  end
end

local function failures()
  return g:metrics():value("moongate_policy_reload_failures_total")
end

local function hup_and_wait(generation)
  g:signal(signal.SIGHUP)
  wait_for(function() return state().generation == generation end, "generation " .. generation)
end

local function hup_good(n)
  local before = state()
  restore()
  g.dir:write("policies/apps.lua", shipped("apps.lua") .. "-- edit " .. n .. "\n")
  g:signal(signal.SIGHUP)
  local after = wait_for(function()
    local now = state()
    return now.generation > before.generation and now
  end, "generation " .. before.generation + 1)
  assert.equal(before.generation + 1, after.generation)
  assert.not_equal(before.sha, after.sha)
  assert.is_nil(after.refused)
end

local function hup_broken(broken)
  local before, count = state(), failures()
  restore()
  broken.make()
  g:signal(signal.SIGHUP)
  wait_for(function() return failures() == count + 1 end, "the refusal of " .. broken.name)
  local after = state()
  assert.equal(before.generation, after.generation, broken.name)
  assert.equal(before.sha, after.sha, broken.name)
  assert.truthy(after.refused and after.refused:find(broken.says, 1, true), broken.name .. ": " .. tostring(after.refused))
  for _, w in ipairs(after.workers) do assert.equal(before.sha, w.sha) end
end

local function fifty_reloads()
  for n = 1, RELOADS do
    if n % 2 == 1 then hup_good(n) else hup_broken(BROKEN[n / 2 % #BROKEN + 1]) end
  end
end

local function stream(how)
  local c = client.connect(g.port, { seconds = 60 })
  c:send(client.request { key = g.key, json = {
    model = "gpt-4o", stream = true, messages = { { role = "user", content = "hi" } }, metadata = { mock = how } } })
  local head = assert(c:head())
  assert.equal(200, head.status)
  return c
end

-- Every token in its place: role, TOKENS deltas, finish, [DONE].
local function read_whole(c)
  local count, last = 0, nil
  local event, why
  repeat
    event, why = c:event()
    if event and event.data then count, last = count + 1, event.data end
  until not event
  c:close()
  assert.equal("end", why)
  assert.equal("[DONE]", last)
  assert.equal(TOKENS + 3, count)
end

-- However long the reloads take, one stream at least is older than the first and outlives the last.
local function under_fire()
  local whole, witness = 0, nil
  crowd.run(function(all)
    for _ = 1, STREAMS do
      all.add(function()
        read_whole(stream(("tokens=%d&delay_ms=100"):format(TOKENS)))
        whole = whole + 1
      end)
    end
    all.add(function()
      witness = stream("tokens=100000&delay_ms=100")
      wait_for(function() return g:metrics():value("moongate_exchanges_open") == STREAMS + 1 end, "all streams")
      fifty_reloads()
      local seen = #state().workers
      for _ = 1, 10 do assert.truthy(witness:event().data, "a stream under way from the first reload to the last") end
      witness:close()
      assert.equal(2, seen)
    end)
  end, 120)
  assert.equal(STREAMS, whole)
end

describe("fifty reloads over two hundred streams", function()
  after_each(gateway.stop_all)

  it("break none, and leave nothing behind", function()
    g = gateway.start { mock = m, name = "reload", workers = 2 }
    local levels = {}
    for round = 1, 2 do
      under_fire()
      g:gauge_becomes("moongate_exchanges_open", 0)
      g:gauge_becomes("moongate_policy_generations", 1)
      levels[round] = g:resident_bytes()
    end
    local now = state()
    assert.equal(2, #now.workers)
    for _, w in ipairs(now.workers) do
      assert.equal(now.sha, w.sha)
      assert.equal(now.generation, w.generation)
    end
    assert.equal(1 + RELOADS, now.generation)
    assert.equal(RELOADS, failures())
    assert.equal(2 * STREAMS, g:metrics():value("moongate_requests_total", { outcome = "ok" }))
    -- The first round made the allocator's pools; the second must not need more. A sanitizer keeps freed memory.
    if not is_sanitized then
      assert.is_true(levels[2] < levels[1] * 1.1 + 2 ^ 20, ("%d bytes, then %d"):format(levels[1], levels[2]))
    end
  end)
end)

-- The shipped models and this many more, of which the last may be called.
local function write_many(count)
  local rows = {}
  for i = 1, count do
    rows[i] = ('  ["filler-%d"] = { targets = { "openai/filler-%d" }, price = usd_per_million { input = "1.%03d", output = "2" } },\n'):format(
      i, i, i % 1000)
  end
  local text = shipped("models.lua"):gsub("return models {", function(head) return head .. "\n" .. table.concat(rows) end, 1)
  g.dir:write("policies/models.lua", text)
  g.dir:write("policies/access.lua", (shipped("access.lua"):gsub("models = {",
    ('%%0\n    ["filler-%d"] = { departments = any, data = "restricted" },'):format(count), 1)))
end

describe("five thousand models", function()
  after_each(gateway.stop_all)

  it("come and go under open streams, and none of them breaks", function()
    g = gateway.start { mock = m, name = "reload", workers = 2 }
    local whole = 0
    crowd.run(function(all)
      for _ = 1, 50 do
        all.add(function()
          read_whole(stream(("tokens=%d&delay_ms=60"):format(TOKENS)))
          whole = whole + 1
        end)
      end
      all.add(function()
        wait_for(function() return g:metrics():value("moongate_exchanges_open") == 50 end, "all streams")
        write_many(5000)
        hup_and_wait(2)
        write_many(1)
        hup_and_wait(3)
      end)
    end, 120)
    assert.equal(50, whole)
    write_many(5000)
    local out, code = g:reload()
    assert.equal(0, code, out)
    assert.equal(200, g:chat({ model = "filler-5000", messages = { { role = "user", content = "hi" } } }).status)
    assert.equal(403, g:chat({ model = "filler-4999", messages = { { role = "user", content = "hi" } } }).status)
    g:gauge_becomes("moongate_policy_generations", 1)
  end)
end)

describe("a reload", function()
  before_each(function() g = gateway.start { mock = m, name = "reload", workers = 2 } end)
  after_each(gateway.stop_all)

  it("answers the command with the digest, or with every error and its place", function()
    g.dir:write("policies/apps.lua", shipped("apps.lua") .. "-- new\n")
    local out, code = g:reload()
    assert.equal(0, code, out)
    assert.truthy(out:find("accepted  generation 2, policies " .. state().sha .. ", 2 workers", 1, true), out)
    BROKEN[1].make()
    g.dir:write("policies/apps.lua", "return apps { 7 }\n")
    out, code = g:reload()
    assert.equal(1, code)
    assert.truthy(out:find("policies/routing.lua:3", 1, true), out)
    assert.truthy(out:find("policies/apps.lua:1", 1, true), out)
    assert.truthy(out:find("3 |   = 3,", 1, true), out)
    assert.truthy(out:find("rejected: generation 2 stays in force", 1, true), out)
    out, code = g:command("reload", "--json")
    assert.equal(1, code)
    assert.equal("policies/apps.lua", cjson.decode(out).report[1].file)
  end)

  it("refuses a price 1,000 times the one in force, unless the file means it", function()
    local function reload(price)
      g.dir:write("policies/models.lua", (shipped("models.lua"):gsub('input = "2.50", cached_input = "1.25"', price, 1)))
      return g:reload()
    end
    local out, code = reload 'input = "2500", cached_input = "1.25"'
    assert.equal(1, code, out)
    assert.truthy(out:find("gpt-4o.price.input: a price is 1000 times its predecessor in force for openai/gpt-4o", 1, true), out)
    local line = select(2, shipped("models.lua"):match('^(.-)input = "2.50"'):gsub("\n", "")) + 1
    assert.truthy(out:find("policies/models.lua:" .. line, 1, true), out)
    out, code = reload 'input = "0.0025", cached_input = "0.0025"'
    assert.equal(1, code, out)
    assert.truthy(out:find("a price is a 1000th of its predecessor in force", 1, true), out)
    out, code = reload 'input = "2497", cached_input = "1.25"'
    assert.equal(0, code, out)
    out, code = reload 'correction = true, input = "2.49", cached_input = "1.25"'
    assert.equal(0, code, out)
  end)

  it("that many ask for at once happens at most once more", function()
    local before = state().generation
    for n = 1, 30 do
      g.dir:write("policies/apps.lua", shipped("apps.lua") .. "-- edit " .. n .. "\n")
      g:signal(signal.SIGHUP)
    end
    local _, code = g:reload()
    assert.equal(0, code)
    local after = state()
    assert.is_true(after.generation > before and after.generation <= before + 31)
    local out = g:command("check", "--json")
    assert.equal(cjson.decode(out).policies.sha256, after.sha)
    for _, w in ipairs(after.workers) do assert.equal(after.sha, w.sha) end
  end)

  it("whose files hang or crash the process that tries them costs nothing else", function()
    local good = g.dir:read("moongate.lua")
    g.dir:write("moongate.lua", 'local x = string.find(("a"):rep(200), (".-"):rep(40) .. "b")\n' .. good)
    local function checker()
      for _, pid in ipairs(g:pids()) do
        local file = io.open("/proc/" .. pid .. "/comm")
        local name = file and file:read("*l")
        if file then file:close() end
        if name == "checker" then return pid end
      end
    end
    g:signal(signal.SIGHUP)
    signal.kill(expect.eventually(checker), signal.SIGABRT) -- a sanitizer would catch SIGSEGV and tell of it
    wait_for(function() return failures() == 1 end, "the refusal of what crashed")
    assert.truthy(state().refused:find("loading crashed the process that tried it (signal 6", 1, true))
    g:signal(signal.SIGHUP)
    expect.eventually(checker)
    for _ = 1, 10 do assert.equal(200, g:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } }).status) end
    wait_for(function() return failures() == 2 end, "the refusal of what hangs")
    assert.truthy(state().refused:find("took longer than 10 s", 1, true))
    g.dir:write("moongate.lua", good)
    local out, code = g:reload()
    assert.equal(0, code, out)
  end)
end)

describe("generations", function()
  after_each(gateway.stop_all)

  it("live as long as their requests, and are bounded", function()
    g = gateway.start { mock = m, name = "reload", workers = 1 }
    local held = {}
    for n = 1, 64 do
      held[n] = client.connect(g.port)
      held[n]:send(client.request { key = g.key, json = {
        model = "gpt-4o", messages = { { role = "user", content = "hi" } }, metadata = { mock = "hold=1" } } })
      expect.eventually(function() return g:metrics():value("moongate_exchanges_open") == n end)
      g.dir:write("policies/apps.lua", shipped("apps.lua") .. "-- edit " .. n .. "\n")
      local out, code = g:reload()
      if n < 64 then
        assert.equal(0, code, out)
      else
        assert.equal(1, code)
        assert.truthy(out:find("64 policy generations are alive", 1, true), out)
      end
    end
    g:gauge_becomes("moongate_policy_generations", 64)
    for _, c in ipairs(held) do c:close() end
    g:gauge_becomes("moongate_exchanges_open", 0)
    g:gauge_becomes("moongate_policy_generations", 1)
    local out, code = g:reload()
    assert.equal(0, code, out)
  end)
end)

describe("moongate.lua on HUP", function()
  local other
  before_each(function()
    other = mock.start {}
    g = gateway.start { mock = m, name = "reload", workers = 2 }
  end)
  after_each(function()
    gateway.stop_all()
    other:stop()
  end)

  local function ask()
    return g:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } })
  end

  it("changes providers and limits at once, for new requests", function()
    local old, mark = stream("tokens=" .. TOKENS .. "&delay_ms=20"), other:mark()
    g:write_config { mock = other, workers = 2, config = { limits = { body = "2KB" } } }
    local out, code = g:reload()
    assert.equal(0, code, out)
    for _ = 1, 6 do assert.equal(200, ask().status) end
    assert.equal(6, #other:requests(mark))
    assert.equal(413, g:chat({ model = "gpt-4o", messages = { { role = "user", content = ("x"):rep(4000) } } }).status)
    read_whole(old)
  end)

  it("refuses what needs a restart, and says what that is", function()
    local changes = {
      { config = { listen = "127.0.0.1:1" }, says = "`listen` changed from 127.0.0.1:0 to 127.0.0.1:1: needs restart" },
      { config = { admin = { listen = "127.0.0.1:1" } }, says = "`admin.listen` changed" },
      { config = { data = "elsewhere" }, says = "`data` changed from data to elsewhere: needs restart" },
      { config = { workers = 3 }, says = "`workers` changed from 2 to 3: needs restart" },
    }
    for _, change in ipairs(changes) do
      g:write_config { mock = m, workers = 2, config = change.config }
      g:signal(signal.SIGHUP)
      expect.eventually(function()
        local refused = state().refused
        return refused and refused:find(change.says, 1, true)
      end, 5, change.says)
      assert.equal(1, state().generation)
    end
    assert.equal(200, ask().status)
  end)

  it("is refused whole when it is wrong, and no default takes a wrong value's place", function()
    g:write_config { mock = other, workers = 2, config = { limits = { boddy = "2KB" } } }
    local out, code = g:reload()
    assert.equal(1, code)
    assert.truthy(out:find("unknown field `limits.boddy`", 1, true), out)
    assert.truthy(out:find("did you mean `body`?", 1, true), out)
    local mark = m:mark()
    assert.equal(200, ask().status)
    assert.equal(1, #m:requests(mark))
  end)
end)
