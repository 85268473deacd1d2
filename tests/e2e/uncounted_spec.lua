-- Limits and budgets in the real gateway, which counts nothing yet: it says so at load and in each record, and lets pass.
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

-- The shipped files with both policies at work.
local function bundle()
  local files = {}
  for path in io.popen("ls policies/*.lua"):lines() do
    local file = assert(io.open(path, "rb"))
    files[path:match("[^/]*$")] = file:read("*a")
    file:close()
  end
  local count
  files["init.lua"], count = files["init.lua"]:gsub('{ ("%l+"), *mode = "off" }', "%1")
  assert.equal(2, count)
  files["ratelimit.lua"] = 'return ratelimit { limits = { { "once", by = "user", requests = 1, per = "1h" } } }\n'
  return files
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 1, name = "uncounted", policies = bundle() }
end)
teardown(function()
  g:stop()
  m:stop()
end)

describe("limits that nobody counts", function()
  it("let every request pass, and each record says so", function()
    for _ = 1, 3 do
      local r = g:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "x" } } }
      assert.equal(200, r.status)
      local seen = {}
      for _, entry in ipairs(g:record(r.id).trace) do
        if entry.verb == "skip" then seen[entry.policy .. "/" .. entry.rule] = entry.reason end
      end
      assert.equal("applies, and is not counted by this version of the gateway", seen["ratelimit/once"])
      assert.equal(seen["ratelimit/once"], seen["budget/engineering"])
      assert.equal(seen["ratelimit/once"], seen["budget/every-app"])
      assert.is_nil(seen["budget/default"])
    end
  end)

  it("are named by check, which passes", function()
    local out, code = g:command "check"
    assert.equal(0, code, out)
    for _, words in ipairs { "limits are not counted by this version of the gateway", "budgets are not counted by this version of the gateway" } do
      assert.truthy(out:find(words, 1, true), out)
    end
  end)
end)
