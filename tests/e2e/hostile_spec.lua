-- Policies that hurt: each file of tests/hostile is put into the chain of a real gateway. While it does its worst, others
-- are served by the same worker, memory stays under the cap, and the log names file and line, once.
--
-- The second line of a file says what becomes of it: `-- stops: text` (500 policy_error, the text in the log),
-- `-- refused: text` (the reload is refused with it), `-- passes: why` (harmless here).
local cjson = require("cjson")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local lfs = require("lfs")

local MIB = 1024 * 1024
local is_sanitized = os.getenv("SAN") ~= nil
-- What a generation's Lua may hold, twice (one comes while one goes), and what the processes need besides.
local RESIDENT_MAX = (2 * 64 + (is_sanitized and 160 or 64)) * MIB

local MODELS = [[return models {
  one  = { targets = { "openai/one" }, price = usd_per_million { input = 1, output = 2 } },
  bomb = { targets = { "openai/bomb" }, price = usd_per_million { input = 1, output = 2 } },
}]]
local GOOD = "return policy {}\n"

local m, g
setup(function()
  m = mock.start()
  -- What AddressSanitizer keeps of freed memory must not count as held.
  g = gateway.start { mock = m, name = "hostile", env = { ASAN_OPTIONS = "detect_stack_use_after_return=1:quarantine_size_mb=4" },
    config = is_sanitized and { policy = { cpu = "500ms", deadline = "10s" } } or nil, -- its checks cost more than what is checked
    policies = {
    ["models.lua"] = MODELS, ["init.lua"] = 'return chain { "hostile" }', ["hostile.lua"] = GOOD } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function ask(model)
  return g:chat { model = model, metadata = { mock = "tokens=3" }, messages = { { role = "user", content = "hello" } } }
end

local HELLO = { { role = "user", content = "hello" } }
-- The bomb is asked for in each API: one policy is behind all of them, and a refusal has words in each.
local asks = {
  function() return ask("bomb") end,
  function() return g:ask { path = "/v1/messages", json = { model = "bomb", max_tokens = 9, messages = HELLO } } end,
  function() return g:ask { path = "/v1/responses", json = { model = "bomb", input = "hello" } } end,
  function()
    return g:ask { path = "/v1beta/models/bomb:generateContent", json = { contents = { { role = "user", parts = { { text = "hello" } } } } } }
  end,
}

-- Lines of the gateway's log that name the hostile file, from byte `since` on.
local function log_lines(since)
  local lines = {}
  for line in g:said():sub(since + 1):gmatch("[^\n]+") do
    if line:find("policies/hostile.lua", 1, true) then lines[#lines + 1] = line end
  end
  return lines
end

local function load(text)
  g.dir:write("policies/hostile.lua", text)
  return g:reload()
end

local function worker() return table.concat(g:pids(), " ") end

-- Bombs and neighbours at once; what the bombs were answered, in the order of the APIs.
local function fire()
  local answers, served = {}, 0
  crowd.run(function(all)
    for i, bomb in ipairs(asks) do all.add(function() answers[i] = bomb() end) end
    for _ = 1, 20 do
      all.add(function()
        local r = ask("one")
        assert(r.status == 200, tostring(r.status) .. tostring(r.body))
        served = served + 1
      end)
    end
  end, 30)
  assert.equal(20, served)
  return answers
end

local function must_stop(text, wanted)
  local out, code = load(text)
  assert.equal(0, code, out)
  local before, since = worker(), #g:said()
  if text:find("\nlocal kept", 1, true) then assert.equal(200, ask("bomb").status) end -- the first one leaves it behind
  local answers = fire()
  assert.equal("policy_error", cjson.decode(answers[1].body).error.code)
  for i = 1, #asks do
    local r = answers[i]
    assert.equal(500, r.status)
    assert.equal("table", type(gateway.error_of(r)))
    assert.is_nil(r.body:find("hostile.lua", 1, true)) -- not for clients
  end
  expect.eventually(function() return #log_lines(since) >= #asks end, 5, "a line in the log for each")
  local lines = log_lines(since)
  assert.equal(#asks, #lines)
  for _, line in ipairs(lines) do
    assert.truthy(line:find("policies/hostile.lua:%d+"), line)
    assert.truthy(line:find(wanted, 1, true), line)
  end
  assert.equal(before, worker())
  assert.is_true(g:resident_bytes() < RESIDENT_MAX, ("%.0f MiB"):format(g:resident_bytes() / MIB))
end

local function must_be_refused(text, wanted)
  local out, code = load(text)
  assert.equal(1, code, out)
  assert.truthy(out:find("policies/hostile.lua", 1, true), out)
  assert.truthy(out:find(wanted, 1, true), out)
  assert.equal(200, ask("one").status)
end

local function must_pass(text)
  local out, code = load(text)
  assert.equal(0, code, out)
  local answers = fire()
  for i = 1, #asks do assert.equal(200, answers[i].status, answers[i].body) end
end

local checks = { stops = must_stop, refused = must_be_refused, passes = must_pass }

local names = {}
for name in lfs.dir("tests/hostile") do
  if name:find("%.lua$") then names[#names + 1] = name end
end
table.sort(names)

describe("a policy that hurts", function()
  after_each(function()
    local out, code = load(GOOD)
    assert.equal(0, code, out)
  end)

  for _, name in ipairs(names) do
    local file = assert(io.open("tests/hostile/" .. name))
    local text = file:read("*a")
    file:close()
    local what, kind, wanted = text:match("^%-%- ([^\n]+)\n%-%- (%a+): ?([^\n]*)\n")
    it(name .. ": " .. what, function() checks[kind](text, wanted) end)
  end

  it("bytecode", function()
    must_be_refused(string.dump(assert(loadstring("return policy {}"))), "compiled Lua is refused")
  end)

  it("a link out of the folder", function()
    local path = g.dir:path("policies/linked.lua")
    assert(lfs.link("/etc/passwd", path, true))
    local out, code = g:reload()
    os.remove(path)
    assert.equal(1, code, out)
    assert.truthy(out:find("linked.lua", 1, true), out)
  end)
end)

describe("three hundred reloads in a row", function()
  it("leave memory where it was and one generation", function()
    local function reload(n)
      local out, code = load(GOOD .. "-- edit " .. n .. "\n")
      assert.equal(0, code, out)
    end
    for n = 1, 30 do reload(n) end
    local before = g:resident_bytes()
    for n = 31, 330 do reload(n) end
    local grown = g:resident_bytes() - before
    assert.is_true(grown < 8 * MIB, ("%.1f MiB more"):format(grown / MIB))
    g:gauge_becomes("moongate_policy_generations", 1)
  end)
end)
