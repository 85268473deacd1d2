-- Limits and budgets of a fleet: gateways that share one Redis let through what fits, whatever comes at once and
-- wherever, and nobody is refused who is under it. The mock's journal says what was called.
local socket = require("socket")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local expect = require("tests.e2e.kit.expect")
local fleet = require("tests.e2e.kit.fleet")
local gateway = require("tests.e2e.kit.gateway")
local process = dofile("tests/lib/process.lua")

local DIME = fleet.DIME
local body = fleet.body

local f

after_each(function()
  if f then f:stop() end
  f = nil
end)

-- Asks that many times at once, at each gateway in turn: answers by status.
local function ask_at_once(count, of)
  local statuses, others = {}, {}
  crowd.run(function(all)
    for i = 1, count do
      all.add(function()
        local r = f[i % #f + 1]:ask { json = body(of), seconds = 60 }
        statuses[r.status] = (statuses[r.status] or 0) + 1
        if r.status ~= 200 then others[gateway.error_of(r).code] = true end
      end)
    end
  end, 90)
  return statuses, others
end

describe("of 200 that come at once to four gateways", function()
  it("as many are called as a budget pays for, and it refuses nobody who is under it", function()
    f = fleet.start { gateways = 4, policies = fleet.policies {
      budget = 'return budget { budgets = { { "app", each = "app", limit = 10, per = "month" } } }\n' } }
    f.mock:script { count = 0, head_delay_ms = 1500 }
    local since = f.mock:mark()
    assert.same({ [200] = 10, [429] = 190 }, (ask_at_once(200, { tokens = 10 })))
    assert.equal(10, #f.mock:requests(since))
    f.mock:reset()
    f:agrees()
    assert.equal(100 * DIME, f:spent("app=code-assistant"))
    for _, g in ipairs(f) do
      local r = g:ask { json = body { tokens = 1 } }
      assert.equal(402, r.status, r.body)
      assert.equal("budget_exhausted", gateway.error_of(r).code)
    end
    for i = 1, 10 do -- nor is who comes one by one, up to the last cent
      local g = f[i % 4 + 1]
      g.other = g.other or g:new_key { app = "support-bot", department = "support" }
      local r = g:ask { key = g.other, json = body { tokens = 10 } }
      assert.equal(200, r.status, r.body)
    end
    f:agrees()
    assert.equal(402, f[1]:ask({ key = f[1].other or f[2].other, json = body { tokens = 1 } }).status)
  end)
end)
