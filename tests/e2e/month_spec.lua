-- The end of a month in the real gateway, by a clock of its own (kit/clock), in a zone that has changed its time during
-- the month: what is asked before midnight is charged to the old month whenever it ends, and a new one begins.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local clocks = require("tests.e2e.kit.clock")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")

local MINUTE = 60

-- Berlin's Octobers begin at +2 and end at +1, its Marches the other way round. Seconds since 1970, as
-- `TZ=Europe/Berlin date -d 2026-10-01 +%s` says.
local MONTHS = {
  { name = "October", starts = 1790805600, stops = 1793487600, hours = 31 * 24 + 1 },
  { name = "March", starts = 1803855600, stops = 1806530400, hours = 31 * 24 - 1 },
}

local POLICIES = fleet.policies {
  budget = 'return budget { zone = "Europe/Berlin", budgets = { { "app", each = "app", limit = 10, per = "month" } } }\n' }
local KEY = "app=code-assistant"

local clock, f

before_each(function() clock = clocks.start() end)
after_each(function()
  if f then f:stop() end
  f = nil
  clock:stop()
end)

local function ask(g, tokens) return g:ask { json = fleet.body { tokens = tokens } } end

local function begin(g, tokens)
  local c = client.connect(g.port, { seconds = 60 })
  c:send(client.request { key = g.key, json = fleet.body { tokens = tokens } })
  return c
end

-- What `moongate budgets` and `moongate limits` say was spent in the running month, in dimes.
local function told(g)
  local budgets = g:json("budgets").budgets
  -- Its exit code says that a request without max_tokens would not be let in.
  local limits = cjson.decode((g:command("limits", "--app", "code-assistant", "--model", "dear", "--json"))).limits
  assert.equal(1, #budgets)
  assert.equal(1, #limits)
  return { budgets[1].spent_nano / fleet.DIME, limits[1].spent / fleet.DIME }
end

for _, month in ipairs(MONTHS) do
  describe("the end of " .. month.name, function()
    it("charges what was asked before it to the old month, and begins another", function()
      assert.equal(month.hours, (month.stops - month.starts) / 3600)
      clock:set(month.stops - MINUTE)
      f = fleet.start { gateways = 2, name = "month", lease = "10m", env = clock.env, policies = POLICIES }
      assert.equal(200, ask(f[1], 20).status)
      f.mock:script { count = 2, head_delay_ms = 5000, tokens = 30 }
      local since = f.mock:mark()
      local held = { begin(f[1], 30), begin(f[2], 30) }
      expect.eventually(function() return #f.mock:requests(since) == 2 end, 20, "both calls")
      local refused = ask(f[2], 30)
      assert.equal(429, refused.status, refused.body)
      for _, g in ipairs(f) do assert.same({ 20, 20 }, told(g)) end

      clock:set(month.stops + MINUTE)
      for _, g in ipairs(f) do assert.equal(200, ask(g, 45).status) end -- more than the old one had left
      for _, c in ipairs(held) do
        assert.equal(200, c:answer().status)
        c:close()
      end
      f:agrees()
      local old, new = month.starts .. " " .. KEY, month.stops .. " " .. KEY
      assert.same({ [old] = 80 * fleet.DIME, [new] = 90 * fleet.DIME }, f:charged())
      local exhausted = ask(f[1], 11)
      assert.equal(402, exhausted.status, exhausted.body)
      for _, g in ipairs(f) do assert.same({ 90, 90 }, told(g)) end
      assert.equal(200, ask(f[2], 10).status)
      f:agrees()
      assert.equal(0, database.value(f[1].dir:path("data/ledger.db"),
        ("SELECT count(*) FROM charges WHERE stop_s NOT IN (%d, %d) AND start_s = %d"):format(month.stops, 0, month.starts)))
    end)
  end)
end
