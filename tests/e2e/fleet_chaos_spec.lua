-- Whatever happens to a fleet under load: in the end the ledgers come to what Redis says, to the nano-dollar, nothing is
-- held and nothing runs, and each answer that a client had whole is in one ledger and cost what the provider wrote.
--
-- In the suite each fault once, in an order of CHAOS_SEED. `make chaos` goes on for MOONGATE_CHAOS rounds, each of them
-- up to three faults on end, also with a Redis that keeps a file of which the tail is lost, and with Sentinels.
local expect = require("tests.e2e.kit.expect")
local faults = require("tests.e2e.kit.faults")
local fleet = require("tests.e2e.kit.fleet")
local sentinel = require("tests.e2e.kit.sentinel")

local SEED = tonumber(os.getenv("CHAOS_SEED")) or 4711
local ROUNDS = tonumber(os.getenv("MOONGATE_CHAOS"))

local LEASE_S = 3
local POLICIES = fleet.policies {
  ratelimit = [[return ratelimit { limits = { { "at-once", by = "app", concurrent = 1000 },
    { "tokens", by = "app", tokens = 100000000, per = "1m" } } }]],
  budget = 'return budget { budgets = { { "app", each = "app", limit = 1000000, per = "month" }, '
    .. '{ "all", department = "engineering", limit = 2000000, per = "day" } } }\n',
}

local random = expect.random(SEED)
local f

local function start(of)
  of.gateways, of.workers, of.policies = 3, 2, POLICIES
  of.name, of.lease, of.timeout = "chaos", LEASE_S .. "s", "20ms"
  f = fleet.start(of)
  f.lease_s = LEASE_S
end

local function go_on(load, answers)
  local before = load:count(200)
  expect.eventually(function() return load:count(200) >= before + answers end, 60, "answers")
end

local function survive(list)
  local names = {}
  for i, fault in ipairs(list) do names[i] = fault.name end
  local load = f:spend { lanes = 8, seed = random(1000000) }
  go_on(load, 10)
  for _, fault in ipairs(list) do fault.strike(f, random) end
  f:connected()
  go_on(load, 10)
  load:stop()
  f:agrees(40, "after this: " .. table.concat(names, ", ") .. ":")
  load:check()
end

local function shuffled(list)
  local order = { unpack(list) }
  for i = #order, 2, -1 do
    local j = random(i)
    order[i], order[j] = order[j], order[i]
  end
  return order
end

describe("a fleet (seed " .. SEED .. ")", function()
  setup(function() start {} end)
  teardown(function() f:stop() end)

  for _, fault in ipairs(shuffled(faults.of_any)) do
    it("is right after this: " .. fault.name, function() survive { fault } end)
  end
end)

if not ROUNDS then return end

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, fault in ipairs(list) do all[#all + 1] = fault end
  end
  return all
end

-- `always`: what each round has; the others are any.
local function rounds(name, always, others, begin)
  describe(("a fleet with %s (seed %d)"):format(name, SEED), function()
    local store
    setup(function() store = begin() end)
    teardown(function()
      f:stop()
      if store then store:stop() end
    end)
    for round = 1, ROUNDS do
      it("is right after round " .. round, function()
        local list = { unpack(always) }
        for _ = 1, random(3) - #always do list[#list + 1] = others[random(#others)] end
        list = shuffled(list)
        for _, fault in ipairs(list) do print("    " .. fault.name) end
        survive(list)
      end)
    end
  end)
end

rounds("a Redis", {}, joined(faults.of_any, faults.long), function() start {} end)
rounds("a Redis that keeps a file", faults.of_files, faults.of_gateways, function()
  start { redis = { "--appendonly", "yes", "--appendfsync", "everysec" } }
end)
rounds("Sentinels", faults.of_sentinels, faults.of_gateways, function()
  local store = sentinel.start()
  start { store = store }
  return store
end)
