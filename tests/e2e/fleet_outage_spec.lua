-- A Redis that is there and silent: each limit and budget does what its policy says of that, everybody is answered, and
-- all is as it was soon after it speaks again. How long the answers took is told, and judged by nobody.
--
-- Seconds in the suite; OUTAGE_SECONDS=60 is the long form, at OUTAGE_RATE (200) requests a second.
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")

local SECONDS = tonumber(os.getenv("OUTAGE_SECONDS")) or 1
local RATE = tonumber(os.getenv("OUTAGE_RATE")) or 200
local LANES = 10
local DIME, key_of = fleet.DIME, fleet.key_of

-- A department for each way to lose the counters, of a limit and of a budget; what they have is what is asked for below.
local LIMIT = 'return ratelimit { limits = { { "few", by = "department", requests = 100, per = "1d", burst = 20, '
  .. 'when = { department = "few %s" } } }, on_store_loss = "%s" }\n'
local BUDGET = 'return budget { budgets = { { "ten", department = "ten %s", limit = 10, per = "month" }, '
  .. '{ "many", department = "many %s", limit = 1000000, per = "month" } }, on_store_loss = "%s" }\n'
local MODES = { "open", "closed", "local" }

local f

local function policies()
  local files, order = {}, {}
  for _, mode in ipairs(MODES) do
    files["limit_" .. mode], files["budget_" .. mode] = LIMIT:format(mode, mode), BUDGET:format(mode, mode, mode)
    order[#order + 1] = "limit_" .. mode
    order[#order + 1] = "budget_" .. mode
  end
  return fleet.policies(files, order)
end

setup(function()
  f = fleet.start { name = "outage", gateways = 2, at_least = 2, timeout = "200ms", policies = policies() }
end)
teardown(function() f:stop() end)

-- Status and code of a request for so many tokens.
local function ask(g, department, tokens)
  local r = g:ask { key = key_of(department)(g), json = fleet.body { tokens = tokens or 1 } }
  return r.status, r.status ~= 200 and gateway.error_of(r).code or nil
end

local function ask_each(department, tokens)
  local statuses = {}
  for i, g in ipairs(f) do statuses[i] = ask(g, department, tokens) end
  return statuses
end

-- How many it lets through, and with what status and code it refuses.
local function ask_until_refused(g, department)
  for count = 0, 1000 do
    local status, code = ask(g, department)
    if status ~= 200 then return { count, status, code } end
  end
  error("nobody was refused")
end

local function becomes(department, status)
  for i, g in ipairs(f) do
    expect.eventually(function() return ask(g, department) == status end, 20, department .. " at gateway " .. i)
  end
end

describe("before Redis is silent", function()
  it("limits and budgets are shared", function()
    assert.same({ 20, 429, "rate_limited" }, ask_until_refused(f[1], "few open"))
    assert.equal(429, (ask(f[2], "few open")))
    for _, name in ipairs { "few closed", "few local", "ten open", "ten closed", "ten local", "many local" } do
      assert.same({ 200, 200 }, ask_each(name), name)
    end
    f:agrees()
  end)
end)

-- p50, p99 and the longest, in milliseconds, and how many of each status.
local function figures(lines)
  local times, statuses, words = {}, {}, {}
  for i, line in ipairs(lines) do
    times[i] = line.seconds * 1000
    statuses[line.status] = (statuses[line.status] or 0) + 1
  end
  table.sort(times)
  for status, count in pairs(statuses) do words[#words + 1] = ("%d × %d"):format(count, status) end
  local function at(part) return times[math.max(1, math.ceil(#times * part))] or 0 end
  return ("%s, p50 %.1f p99 %.1f most %.1f ms"):format(table.concat(words, " "), at(0.5), at(0.99), at(1)), statuses
end

describe("while Redis is silent", function()
  setup(function() f.redis:stop_answering() end)

  it("who has used up a limit that is open passes, and nobody a limit that is closed", function()
    for _ = 1, 15 do assert.same({ 200, 200 }, ask_each "few open") end
    for _ = 1, 5 do
      assert.same({ 503, 503 }, ask_each "few closed")
      assert.same({ 503, 503 }, ask_each "ten closed")
    end
    local _, code = ask(f[1], "few closed")
    assert.equal("limits_unavailable", code)
  end)

  it("each gateway lets its part of a limit pass that is local", function()
    for _, g in ipairs(f) do
      assert.same({ 10, 429, "rate_limited" }, ask_until_refused(g, "few local"))
      local r = g:ask { key = key_of("few local")(g), json = fleet.body { tokens = 1 } }
      local said = gateway.error_of(r).message
      assert.truthy(said:find("over 50 requests a day, this gateway's part of 100 while shared counters are out of reach", 1, true), said)
      assert.equal("50", r:get("x-ratelimit-limit-requests"))
    end
  end)

  it("a budget that is open is spent beyond its end", function()
    for _ = 1, 6 do assert.same({ 200, 200 }, ask_each("ten open", 10)) end
  end)

  it("a fifth of what was left of a budget that is local is spent, by each gateway its part", function()
    -- 9.9 and 9.8 dollars were left when they saw it last.
    for _, g in ipairs(f) do assert.same({ 9, 503, "limits_unavailable" }, ask_until_refused(g, "ten local")) end
  end)

  it("nobody is kept waiting under load", function()
    local wanted, loads, silent = { open = 200, closed = 503, ["local"] = 200 }, {}, {}
    for i, mode in ipairs(MODES) do
      loads[mode] = f:spend { lanes = LANES, pause = 3 * LANES / RATE, seed = i, key = key_of("many " .. mode) }
    end
    for mode, load in pairs(loads) do
      expect.eventually(function() return load:count() >= RATE / 3 * SECONDS end, 60 + 3 * SECONDS, "answers without Redis")
      silent[mode] = load:lines()
    end
    for mode, load in pairs(loads) do
      load:stop()
      local said, statuses = figures(silent[mode])
      print(("    %s: %s"):format(mode, said))
      if SECONDS < 30 or mode ~= "local" then assert.same({ [wanted[mode]] = #silent[mode] }, statuses) end
    end
  end)
end)

describe("after Redis was silent", function()
  setup(function()
    f.redis:answer()
    f:connected()
  end)

  it("everything is as before, and what was spent meanwhile is known", function()
    becomes("few open", 429)
    becomes("few closed", 200)
    becomes("few local", 200)
    becomes("ten closed", 200)
    f:agrees()
    assert.equal(122 * DIME, f:spent "department=ten open")
    assert.equal(20 * DIME, f:spent "department=ten local")
    becomes("ten open", 402)
    for _ = 1, 4 do assert.same({ 200, 200 }, ask_each("ten local", 10)) end
    f:agrees()
    becomes("ten local", 402)
    for _, clients in ipairs(f.clients) do clients:check() end
  end)
end)
