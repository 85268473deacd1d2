-- A Redis that is there and silent: each limit and budget does what its policy says of that, everybody is answered, and
-- all is as it was soon after it speaks again. How long the answers took is told, and judged by nobody.
--
-- Seconds in the suite; OUTAGE_SECONDS=60 is the long form, at OUTAGE_RATE (200) requests a second.
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")

local SECONDS = tonumber(os.getenv("OUTAGE_SECONDS")) or 2
local RATE = tonumber(os.getenv("OUTAGE_RATE")) or 200
local LANES = 20

local f

after_each(function()
  if f then f:stop() end
  f = nil
end)

local function start(limit, budget, on_store_loss, timeout)
  local files, last = {}, (", on_store_loss = %q }\n"):format(on_store_loss)
  if limit then files.ratelimit = "return ratelimit { limits = { " .. limit .. " }" .. last end
  if budget then files.budget = "return budget { budgets = { " .. budget .. " }" .. last end
  f = fleet.start { name = "outage", gateways = 2, policies = fleet.policies(files),
    at_least = 2, timeout = timeout }
end

-- Asks one gateway until it refuses: how many it let through, and with what status and code it refused.
local function ask_until_refused(g, tokens)
  for count = 0, 1000 do
    local r = g:ask { json = fleet.body { tokens = tokens } }
    if r.status ~= 200 then return count, r.status, gateway.error_of(r).code end
  end
  error("nobody was refused")
end

local function is_answered(g, status)
  return function() return g:ask({ json = fleet.body { tokens = 1 } }).status == status end
end

describe("while Redis is silent, a limit that is", function()
  local FEW = '{ "few", by = "app", requests = 100, per = "1d", burst = 20 }'

  it("open lets everybody pass, also who has used it up", function()
    start(FEW, nil, "open")
    assert.same({ 20, 429, "rate_limited" }, { ask_until_refused(f[1]) })
    assert.equal(429, f[2]:ask({ json = fleet.body {} }).status)
    f.redis:stop_answering()
    for i = 1, 30 do assert.equal(200, f[i % 2 + 1]:ask({ json = fleet.body {} }).status) end
    f.redis:answer()
    for _, g in ipairs(f) do expect.eventually(is_answered(g, 429), 20, "the limit") end
    f:agrees()
  end)

  it("closed refuses everybody", function()
    start(FEW, nil, "closed")
    assert.equal(200, f[1]:ask({ json = fleet.body {} }).status)
    f.redis:stop_answering()
    for i = 1, 10 do
      local r = f[i % 2 + 1]:ask { json = fleet.body {} }
      assert.equal(503, r.status, r.body)
      assert.equal("limits_unavailable", gateway.error_of(r).code)
    end
    f.redis:answer()
    for _, g in ipairs(f) do expect.eventually(is_answered(g, 200), 20, "the limit") end
    f:agrees()
  end)

  it("local lets each gateway's part pass", function()
    start(FEW, nil, "local")
    f.redis:stop_answering()
    for _, g in ipairs(f) do assert.same({ 10, 429, "rate_limited" }, { ask_until_refused(g) }) end
    f.redis:answer()
    for _, g in ipairs(f) do expect.eventually(is_answered(g, 200), 20, "the limit") end
    f:agrees()
  end)
end)

describe("while Redis is silent, a budget that is", function()
  local TEN = '{ "app", each = "app", limit = 10, per = "month" }'

  it("open is charged, and refuses when it can be counted again", function()
    start(nil, TEN, "open")
    assert.equal(200, f[1]:ask({ json = fleet.body { tokens = 1 } }).status)
    f.redis:stop_answering()
    for i = 1, 12 do assert.equal(200, f[i % 2 + 1]:ask({ json = fleet.body { tokens = 10 } }).status) end
    f.redis:answer()
    f:agrees()
    assert.equal(121 * fleet.DIME, f:spent "app=code-assistant")
    for _, g in ipairs(f) do assert.equal(402, g:ask({ json = fleet.body { tokens = 1 } }).status) end
  end)

  it("local lets a fifth of what was left pass, each gateway its part, and knows of it afterwards", function()
    start(nil, TEN, "local")
    for _, g in ipairs(f) do assert.equal(200, g:ask({ json = fleet.body { tokens = 1 } }).status) end
    f.redis:stop_answering()
    for i, g in ipairs(f) do -- 9.9 and 9.8 dollars were left when they saw it last
      local count, status = ask_until_refused(g, 1)
      assert.equal(9, count, i)
      assert.equal(402, status)
    end
    f.redis:answer()
    f:agrees()
    assert.equal(20 * fleet.DIME, f:spent "app=code-assistant")
    for i = 1, 8 do assert.equal(200, f[i % 2 + 1]:ask({ json = fleet.body { tokens = 10 } }).status) end
    for _, g in ipairs(f) do expect.eventually(is_answered(g, 402), 10, "the end of the budget") end
  end)

  it("local is closed to who has not seen it", function()
    start(nil, TEN, "local")
    f.redis:stop_answering()
    local r = f[1]:ask { json = fleet.body { tokens = 1 } }
    assert.equal(503, r.status, r.body)
    f.redis:answer()
    expect.eventually(is_answered(f[1], 200), 20, "the budget")
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

describe("a silent Redis under load", function()
  local MANY = '{ "app", each = "app", limit = 1000000, per = "month" }'
  local WANTED = { open = 200, closed = 503, ["local"] = 200 }

  for mode, status in pairs(WANTED) do
    it(("keeps nobody waiting where the budget is %s"):format(mode), function()
      start(nil, MANY, mode, "20ms")
      local load = f:spend { lanes = LANES, pause = LANES / RATE, seed = 7 }
      expect.eventually(function() return load:count(200) > 50 end, 30, "answers")
      f.redis:stop_answering()
      local before = #load:lines()
      expect.eventually(function() return #load:lines() >= before + RATE * SECONDS end, 60 + 3 * SECONDS, "answers without Redis")
      local silent = { unpack(load:lines(), before + LANES + 1) }
      f.redis:answer()
      local said, statuses = figures(silent)
      print(("    %s: %s"):format(mode, said))
      assert.same({ [status] = #silent }, statuses)
      f:connected()
      local after = load:count(200)
      expect.eventually(function() return load:count(200) >= after + 50 end, 30, "answers with Redis")
      load:stop()
      f:agrees()
      load:check()
    end)
  end
end)
