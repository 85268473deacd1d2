-- The data folder's file system becomes read-only under a running gateway, as ext4 does after a fault of its disk.
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local filesystem = require("tests.e2e.kit.filesystem")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local signal = require("posix.signal")

local POLICIES = {
  ["init.lua"] = 'return chain { "recording" }\n',
  ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" } } }\n',
  ["recording.lua"] = 'return policy { rules = { { "quick", when = { task = "quick" }, record = { durability = "async" } } } }\n',
}

describe("a disk that becomes read-only", function()
  local m, g, fs

  setup(function() m = mock.start {} end)
  teardown(function()
    local ok, why = pcall(gateway.stop_all)
    filesystem.remove_all()
    m:stop()
    if not ok then error(why, 0) end
  end)

  local function ask(task)
    return g:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } },
      { headers = { task and { "x-moongate-task", task } or nil } })
  end

  -- What both listeners say.
  local function ready()
    return client.ask(g.port, { path = "/readyz" }).status, client.ask(g.admin_port, { path = "/readyz" }).status
  end

  it("lets nothing through that could not be recorded, and has all that was once it is sound again", function()
    local why = filesystem.refused "ext4"
    if why then return pending(why) end
    g = gateway.start { mock = m, name = "readonly", workers = 2, policies = POLICIES, config = { drain = { grace = "1s" } }, prepare = function(dir)
      fs = assert(filesystem.ext4(dir, "data", "24m"))
    end }
    local ids = {}
    for i = 1, 20 do
      local answer = ask()
      assert.equal(200, answer.status)
      ids[i] = answer.id
    end
    fs:abort()
    local late = ask("quick") -- whose record finds it out
    assert.equal(200, late.status)
    expect.eventually(function()
      local data, admin = ready()
      return data == 503 and admin == 503
    end, 10, "both listeners not ready")
    local said = client.ask(g.admin_port, { path = "/readyz?verbose" }).body
    assert.truthy(said:find("[-]ledger: failing since", 1, true), said)
    local since = m:mark()
    for _ = 1, 4 do
      local answer = ask()
      assert.equal(503, answer.status)
      assert.equal("ledger_unavailable", gateway.error_of(answer).code)
    end
    assert.equal(0, #m:requests(since))
    g:signal(signal.SIGTERM)
    assert(g.process:wait(60), "it did not end")
    assert.truthy(g:said():find(late.id .. ": the ledger has not taken its record", 1, true), g:said()) -- none is lost unsaid
    assert.is_nil(g:said():find("Sanitizer", 1, true), g:said():sub(-3000))
    fs:unmount()
    assert(fs:mount())
    g:run()
    local seen = {}
    for _, record in ipairs(g:records()) do seen[record.id] = (seen[record.id] or 0) + 1 end
    for _, id in ipairs(ids) do assert.equal(1, seen[id], id) end
    assert.equal(200, ask().status)
    assert.equal("intact", g:json("audit", "verify").state)
  end)
end)
