-- Whatever happens to a fleet under load: in the end the ledgers come to what Redis says, to the nano-dollar, nothing is
-- held and nothing runs, and each answer that a client had whole is in one ledger and cost what the provider wrote.
--
-- Each fault once, in an order of CHAOS_SEED. `make chaos` goes on for MOONGATE_CHAOS rounds of them.
local expect = require("tests.e2e.kit.expect")
local faults = require("tests.e2e.kit.faults")
local fleet = require("tests.e2e.kit.fleet")

local SEED = tonumber(os.getenv("CHAOS_SEED")) or 4711
local ROUNDS = tonumber(os.getenv("MOONGATE_CHAOS")) or 1

local random = expect.random(SEED)
local f, load

local function shuffled(list)
  local order = { unpack(list) }
  for i = #order, 2, -1 do
    local j = random(i)
    order[i], order[j] = order[j], order[i]
  end
  return order
end

local function go_on(answers)
  local before = load:count(200)
  expect.eventually(function() return load:count(200) >= before + answers end, 60, "answers")
end

local function strike(fault)
  load = f:spend { lanes = 8, seed = random(1e6) }
  go_on(10)
  fault.strike(f, random)
  f:connected()
  go_on(10)
  load:stop()
  f:agrees(40, "after this: " .. fault.name .. ",")
  load:check()
end

describe("a fleet (seed " .. SEED .. ")", function()
  setup(function()
    f = fleet.start { name = "chaos", gateways = 3, workers = 2, lease = "3s", policies = fleet.policies {
      ratelimit = [[return ratelimit { limits = { { "at-once", by = "app", concurrent = 1000 },
        { "tokens", by = "app", tokens = 100000000, per = "1m" } } }]],
      budget = 'return budget { budgets = { { "app", each = "app", limit = 100000, per = "month" }, '
        .. '{ "all", department = "engineering", limit = 200000, per = "day" } } }\n' } }
    f.lease_s = 3
  end)
  teardown(function() f:stop() end)

  for round = 1, ROUNDS do
    for _, fault in ipairs(shuffled(faults.of_suite)) do
      it(("is right after this: %s (%d)"):format(fault.name, round), function() strike(fault) end)
    end
  end
end)
