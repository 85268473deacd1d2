-- Circuit breakers of provider accounts: after so many failures in a row an account is passed over while another target
-- is left, tried by one request at a time when its time is over, and never the reason of a refusal. The mock's journal
-- says who was called; each test has accounts of its own.
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local signal = require("posix.signal")

local LONG = { failures = 3, open = "1h", open_max = "1h" }
local BRIEF = { failures = 3, open = "50ms", open_max = "50ms" }
local ACCOUNTS = {
  trips = LONG, shown = LONG, counts = LONG, alone = LONG, forced = LONG, other = LONG, last = LONG, cuts = LONG,
  told = LONG, inside = LONG, within = LONG, limits = LONG, mine = LONG, streams = LONG, refused = LONG, unheard = LONG, kept = LONG, killed = LONG, gone = LONG, back = BRIEF, probed = BRIEF, left = BRIEF,
  never = false,
}

local m, g

local function provider(breaker, url)
  return { kind = "openai", url = url or m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = breaker }
end

local function providers()
  local all = { backup = provider(LONG) }
  for name, breaker in pairs(ACCOUNTS) do all[name] = provider(breaker) end
  all.unheard.url = "http://127.0.0.1:9/v1" -- nobody listens there
  return all
end

local function models()
  local rows = { 'two = { targets = { "forced/forced", "other/other" }, price = free },' }
  for name in pairs(ACCOUNTS) do
    rows[#rows + 1] = ('["%s"] = { targets = { "%s/%s", "backup/spare-%s" }, price = free },'):format(name, name, name, name)
    rows[#rows + 1] = ('["only-%s"] = { targets = { "%s/%s" }, price = free },'):format(name, name, name)
  end
  return "return models {\n" .. table.concat(rows, "\n") .. "\n}\n"
end

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "breaker", workers = 2, config = { providers = providers() }, policies = {
    ["init.lua"] = 'return chain { "auth" }\n',
    ["models.lua"] = models(),
    ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function body(model, stream)
  return { model = model, stream = stream, messages = { { role = "user", content = "hi" } } }
end

local function ask(model, stream)
  return g:chat(body(model, stream))
end

local function called(model, since)
  local n = 0
  for _, request in ipairs(m:requests(since)) do
    if (request.body or ""):find(('"model":"%s"'):format(model), 1, true) then n = n + 1 end
  end
  return n
end

local function script(model, how, count)
  how.match, how.count = ('"model":"%s"'):format(model), count or 0
  m:script(how)
end

-- Its target fails, and another answers, as often as its breaker lets it.
local function trip(name, how)
  script(name, how or { status = 503 })
  for _ = 1, 3 do
    local r = ask(name)
    assert.equal(200, r.status, r.body)
    assert.equal("backup/spare-" .. name, g:record(r.id).target)
  end
end

local function trips(name)
  return g:metrics():value("moongate_breaker_trips_total", { provider = name }) or 0
end

local function gauge_becomes(name, value)
  expect.eventually(function()
    return (g:metrics():value("moongate_breaker_open", { provider = name }) or 0) == value
  end, 10, ("moongate_breaker_open of %s = %d"):format(name, value))
end

local function step_of(record)
  for _, entry in ipairs(record.trace) do
    if entry.policy == "breaker" then return entry end
  end
end

local function said(event, name)
  return expect.eventually(function()
    for line in g:said():gmatch("[^\n]+") do
      if line:find(('"%s"'):format(event), 1, true) and line:find("account " .. name .. " ", 1, true) then return line end
    end
  end, 5, event .. " of " .. name)
end

describe("an account that fails", function()
  it("is passed over after so many failures in a row, and the record says so", function()
    trip("trips")
    assert.equal(3, called("trips"))
    for _ = 1, 10 do
      local r = ask("trips")
      assert.equal(200, r.status)
      local record = g:record(r.id)
      assert.equal(1, #record.attempts)
      local step = step_of(record)
      assert.same({ "trips/trips", "pass_over" }, { step.rule, step.verb })
      assert.truthy(step.reason:find("the breaker of trips is open for %d+ ms more"), step.reason)
    end
    assert.equal(3, called("trips"))
    assert.equal(1, trips("trips"))
  end)

  local function error(type, message) return ('{"error":{"type":"%s","message":"%s"}}'):format(type, message) end

  it("fails also where it answers 200 and tells of an error", function()
    trip("inside", { body = error("server_error", "M") })
    assert.equal(200, ask("inside").status)
    assert.equal(3, called("inside"))
    script("within", { body = "data: " .. error("server_error", "M") .. "\n\n", content_type = "text/event-stream" })
    for _ = 1, 4 do assert.equal(200, ask("within", true).status) end
    assert.equal(3, called("within"))
    assert.same({ 1, 1 }, { trips("inside"), trips("within") })
  end)

  it("does not where it tells of its limits, or of the request", function()
    script("limits", { body = error("tokens", "M"):gsub('"type"', '"code":"rate_limit_exceeded",%0') })
    script("mine", { body = error("invalid_request_error", "M") })
    for _ = 1, 4 do
      assert.equal("backup/spare-limits", g:record(ask("limits").id).target)
      local r = ask("mine")
      assert.same({ 200, "mine/mine" }, { r.status, g:record(r.id).target })
    end
    assert.same({ 4, 4 }, { called("limits"), called("mine") })
  end)

  it("is explained, and decided the same way again", function()
    trip("told")
    local id = ask("told").id
    local text = g:command("explain", id)
    assert.truthy(text:find("  passed over  told/told: the breaker of told is open for %d+ ms more\n"), text)
    assert.truthy(text:find("decided again  the same today", 1, true), text)
    local out, code = g:command("replay", "model:told")
    assert.equal(0, code, out)
  end)

  it("is shown: a line, a gauge, and what health says, which is still good", function()
    trip("shown")
    assert.truthy(said("breaker_open", "shown"):find("3 failures in a row, the last: status 503", 1, true))
    gauge_becomes("shown", 1)
    local health = g:health()
    assert.equal(200, health.status)
    assert.truthy(health.body:find("[!]provider account shown: its breaker is open; other targets", 1, true), health.body)
  end)

  it("once between successes, by the caller's fault or for too many requests is none", function()
    for _ = 1, 4 do
      script("counts", { status = 500 }, 2)
      for _ = 1, 3 do ask("counts") end
    end
    assert.equal(12, called("counts"))
    script("counts", { status = 429 }, 5)
    for _ = 1, 5 do ask("counts") end
    script("counts", { status = 400 }, 5)
    for _ = 1, 5 do ask("counts") end
    assert.equal(22, called("counts"))
    assert.equal(0, trips("counts"))
  end)

  it("and streams to their end in between is none that fails in a row", function()
    for _ = 1, 3 do
      script("streams", { status = 500 }, 2)
      for _ = 1, 3 do assert.equal(200, ask("streams", true).status) end
    end
    assert.equal(9, called("streams"))
    assert.equal(0, trips("streams"))
  end)

  it("where it has no breaker is called each time", function()
    script("never", { status = 503 })
    for _ = 1, 8 do assert.equal(200, ask("never").status) end
    assert.equal(8, called("never"))
  end)

  for _, case in ipairs {
    { "refused", "that refuses its key", { status = 401 } },
    { "unheard", "that cannot be reached", nil },
    { "cuts", "that cuts its streams off", { cut = "rst", cut_event = 5, tokens = 20 }, true },
  } do
    it("one " .. case[2] .. " is passed over", function()
      local name, how, stream = case[1], case[3], case[4]
      if how then script(name, how) end
      for _ = 1, 3 do ask(name, stream) end
      said("breaker_open", name)
      local r = ask(name, stream)
      assert.equal(200, r.status)
      assert.equal("pass_over", step_of(g:record(r.id)).verb)
      assert.equal(1, trips(name))
    end)
  end
end)

describe("a breaker is never the reason of a refusal", function()
  it("of a single target: it is called all the same, and is closed by its answer", function()
    trip("alone")
    local r = ask("only-alone")
    assert.equal(503, r.status)
    assert.equal("call_anyway", step_of(g:record(r.id)).verb)
    assert.equal(4, called("alone"))
    m:reset()
    assert.equal(200, ask("only-alone").status)
    said("breaker_closed", "alone")
    gauge_becomes("alone", 0)
    assert.equal("alone/alone", g:record(ask("alone").id).target)
  end)

  it("of targets of which all are open: the first is called, then the next", function()
    trip("forced")
    trip("other")
    local since = m:mark()
    assert.equal(503, ask("two").status)
    assert.same({ 1, 1 }, { called("forced", since), called("other", since) })
    m:reset()
    local r = ask("two")
    assert.equal("forced/forced", g:record(r.id).target)
  end)

  it("of one that is left when the others have failed", function()
    trip("last")
    m:reset()
    script("spare-last", { status = 503 }, 1)
    local r = ask("last")
    assert.equal(200, r.status)
    local record = g:record(r.id)
    assert.equal("last/last", record.target)
    assert.same({ "backup/spare-last", "last/last" }, { record.attempts[1].target, record.attempts[2].target })
  end)
end)

describe("when its time is over", function()
  local function comes_back(name)
    expect.eventually(function() return g:record(ask(name).id).target == name .. "/" .. name end, 10, name .. " again")
  end

  it("an account that answers again is called again", function()
    trip("back")
    m:reset()
    comes_back("back")
    said("breaker_closed", "back")
    gauge_becomes("back", 0)
    assert.equal(1, trips("back"))
  end)

  -- The mock keeps the probe waiting: all others go elsewhere, also at the other worker.
  it("one request at a time tries it, and one that goes gives way to the next", function()
    trip("probed")
    m:reset()
    script("probed", { hold = true })
    local probes = {}
    expect.eventually(function()
      local c = client.connect(g.port, { seconds = 30 })
      c:send(client.request { key = g.key, json = body("probed") })
      probes[#probes + 1] = c
      return called("probed") == 1
    end, 10, "a probe")
    for _ = 1, 20 do assert.equal(200, ask("probed").status) end
    assert.equal(1, called("probed"))
    m:reset()
    for _, c in ipairs(probes) do c:close() end
    comes_back("probed")
  end)

  it("a worker that is killed while it tries keeps nobody from it", function()
    trip("left")
    m:reset()
    script("left", { hold = true })
    expect.eventually(function()
      client.connect(g.port, { seconds = 30 }):send(client.request { key = g.key, json = body("left") })
      return called("left") == 1
    end, 10, "a probe")
    m:reset()
    for _, pid in ipairs(g:listen().workers) do signal.kill(pid, signal.SIGKILL) end
    expect.eventually(function() return select(2, pcall(g.is_ready, g)) == true end, 20, "other workers")
    expect.eventually(function()
      local ok, r = pcall(ask, "left")
      return ok and r.status == 200 and g:record(r.id).target == "left/left"
    end, 20, "left again")
  end)
end)

describe("its state", function()
  local function is_passed_over(name)
    local ok, r = pcall(ask, name)
    return ok and r.status == 200 and (step_of(g:record(r.id)) or {}).verb == "pass_over"
  end

  local function load(all)
    g:write_config { mock = m, workers = 2, config = { providers = all } }
    local said_so, code = g:reload()
    assert.equal(0, code, said_so)
  end

  it("outlives the workers", function()
    trip("killed")
    for _, pid in ipairs(g:listen().workers) do signal.kill(pid, signal.SIGKILL) end
    expect.eventually(function() return is_passed_over("killed") end, 20, "other workers, and the same state")
    assert.equal(3, called("killed"))
  end)

  it("outlives reloads, but not those that take the account or its breaker out", function()
    trip("kept")
    trip("gone")
    local all = providers()
    all.gone = provider(false)
    load(all)
    assert.is_true(is_passed_over("kept"))
    assert.equal("backup/spare-gone", g:record(ask("gone").id).target)
    assert.equal(4, called("gone"))
    gauge_becomes("gone", 0)
    gauge_becomes("kept", 1)
    load(providers())
    assert.is_true(is_passed_over("kept"))
    assert.equal(3, called("kept"))
  end)
end)
