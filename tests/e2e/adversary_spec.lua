-- Who asks at the end of one window and at the beginning of the next, and the moment when one more fits, gets no more
-- than burst + rate * time in any window: at the workers of one gateway, and at the gateways of a fleet.
local adversary = require("tests.e2e.kit.adversary")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local key_of = fleet.key_of

-- What Redis did not answer in time is refused: counted by a gateway alone it would be more.
local POLICIES = fleet.policies { ratelimit = [[return ratelimit { on_store_loss = "closed", limits = {
  { "some", by = "department", requests = 20, per = "1s", when = { department = "some" } },
  { "all", by = "department", requests = 10, per = "1s", burst = 10, when = { department = "all" } },
  { "even", by = "department", requests = 25, per = "1s", burst = 1, when = { department = "even" } },
  { "tokens", by = "department", tokens = 600, per = "1s", burst = 100, when = { department = "tokens" } } } }]] }

-- Some have their answer at once, and others not before the next have asked.
local function body_of(tokens)
  return function(text)
    return { model = "dear", max_tokens = tokens(text), messages = { { role = "user", content = text } },
      metadata = { mock = "tokens=" .. tokens(text) .. "&delay_ms=" .. #text % 3 } }
  end
end

local function one() return 1 end

-- Nearly all of it, which only passes where nothing was used up; and made of who asks and when, less than one burst.
local function some(text)
  local i, step = text:match("(%d+)%-(%d+)$")
  return i == "1" and 550 or (i * 37 + step * 11) % 80 + 1
end

local LIMITS = {
  { limit = 20, burst = 4, key = key_of "some", body = body_of(one) },
  { limit = 10, burst = 10, key = key_of "all", body = body_of(one) },
  { limit = 25, burst = 1, key = key_of "even", body = body_of(one) },
  -- What is taken is more: the question, too. Who was idle may have all of a limit.
  { limit = 600, burst = 600, key = key_of "tokens", body = body_of(some), amount = some },
}

-- Each burst that is due was had.
local function check(a)
  for number, of in ipairs(LIMITS) do
    local calls = a:calls(number)
    local worst, most = adversary.worst(calls, of.limit, of.burst), adversary.most(calls, 1)
    local said = ("limit %d: %d calls, %d in one window, at worst %.3f beyond it"):format(number, #calls, most, worst)
    assert.is_true(worst <= 0 and most <= of.limit + of.burst, said)
    assert.is_true(#calls >= 3 * (of.amount and 1 or of.burst), said)
  end
end

describe("an adversary of two windows", function()
  local m, g, f

  setup(function()
    m = mock.start {}
    g = gateway.start { mock = m, name = "adversary", workers = 4, policies = POLICIES }
    f = fleet.start { gateways = 4, workers = 1, name = "adversary", policies = POLICIES }
  end)
  teardown(function()
    g:stop()
    f:stop()
    m:stop()
  end)

  it("gets what limits say and no more, of the workers of one gateway and of four gateways together", function()
    local of_workers, of_fleet = adversary.new(m, { g }, LIMITS), adversary.new(f.mock, { unpack(f) }, LIMITS)
    adversary.attack { of_workers, of_fleet }
    check(of_workers)
    check(of_fleet)
    f:agrees()
  end)
end)
