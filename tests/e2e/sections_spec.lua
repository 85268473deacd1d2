-- Sections of the registry: kept in registry.snap for a start at which the registry cannot be read, and left alone when
-- what follows them is damaged.
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local signal = require("posix.signal")

local m, g, live, dead

local function status(key)
  return client.ask(g.port, { path = "/v1/models", key = key }).status
end

local function read(name)
  local file = io.open(g.dir:path("data/" .. name), "rb")
  local bytes = file and file:read("*a")
  if file then file:close() end
  return bytes
end

local function halt()
  g:signal(signal.SIGTERM)
  g.process:wait(20)
end

local function damage()
  for _, name in ipairs { "registry.db-wal", "registry.db-shm" } do os.remove(g.dir:path("data/" .. name)) end
  g.dir:write("data/registry.db", ("no database "):rep(100))
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 2, name = "sections" }
  local id
  live = g:new_key { app = "support-bot", department = "support" }
  dead, id = g:new_key { app = "support-bot", department = "support" }
  expect.eventually(function() return status(dead) == 200 end, 10, "a key that is known")
  assert.equal(0, select(2, g:command("keys", "revoke", id)))
  expect.eventually(function() return status(dead) == 401 end, 10, "a key that is revoked")
end)

teardown(function()
  g:stop()
  m:stop()
end)

describe("registry.snap", function()
  it("is whole, and has what workers have", function()
    expect.eventually(function()
      local bytes = read("registry.snap")
      return bytes and bytes:sub(1, 8) == "MGSNAP1\n" and select(2, bytes:gsub("MGSECT1\n", "")) >= 2
    end, 20, "sections on the disk")
    assert.is_nil(read("registry.snap"):find(live, 1, true))
  end)

  it("serves at a start at which the registry cannot be read, without what was revoked", function()
    -- The last of the changes may still be on its way to the disk.
    local seen = read("registry.snap")
    local extra = g:new_key { app = "support-bot", department = "support" }
    expect.eventually(function() return read("registry.snap") ~= seen end, 30, "what is new on the disk")
    halt()
    damage()
    g:run()
    assert.equal(200, status(live))
    assert.equal(200, status(extra))
    assert.equal(401, status(dead))
    assert.truthy(g:said():find("registry_kept", 1, true))
    assert.truthy(g:said():find("registry_unread", 1, true))
  end)

  it("gives way to the registry as soon as that can be read", function()
    os.remove(g.dir:path("data/registry.db"))
    g:reload()
    expect.eventually(function() return status(live) == 401 end, 30, "a registry without keys")
  end)

  it("is no way in when it is damaged: the start is refused", function()
    local key = g:new_key { app = "support-bot", department = "support" }
    expect.eventually(function() return status(key) == 200 end, 10, "a key that is known")
    local seen = read("registry.snap")
    halt()
    damage()
    local at = math.floor(#seen / 2)
    g.dir:write("data/registry.snap", seen:sub(1, at) .. string.char((seen:byte(at + 1) + 1) % 256) .. seen:sub(at + 2))
    local said, code = g:command("run")
    assert.not_equal(0, code, said)
    assert.truthy(said:find("registry.db", 1, true), said)
  end)
end)
