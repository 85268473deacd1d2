-- gate = { signatures = 2, signers = … }: no policies go live that not enough people have signed, whatever fields of
-- the gate are there; the signatures are those of the real ssh-keygen.
local signal = require("posix.signal")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")
local workdir = require("tests.e2e.kit.workdir")

local m, keys, g
local public = {}

local function run(...)
  local out, code = process.run { ... }
  assert.equal(0, code, out)
  return out
end

setup(function()
  m = mock.start {}
  keys = workdir.new("keys")
  for _, name in ipairs { "ana", "ana2", "kim", "lee", "eve" } do
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keys:path(name))
    public[name] = keys:read(name .. ".pub"):match("^%S+ %S+")
  end
end)
after_each(gateway.stop_all)
teardown(function()
  m:stop()
  keys:remove()
end)

local function signers()
  return ("# who may sign\nana %s\nana %s\nkim namespaces=\"git,moongate-bundle\" %s\nlee valid-before=\"20200101Z\" %s\n"):format(
    public.ana, public.ana2, public.kim, public.lee)
end

local function start()
  g = gateway.start { mock = m, workers = 2, name = "signed", prepare = function(dir)
    dir:write("allowed_signers", signers())
  end }
end

local function set_gate(gate)
  g:write_config { mock = m, workers = 2, config = { gate = gate } }
end

local GATE = { signatures = 2, signers = "allowed_signers" }

local function moongate(...)
  return g:command(...)
end

local function ok(...)
  local out, code = moongate(...)
  assert.equal(0, code, out)
  return out
end

local function sign(...)
  for _, name in ipairs { ... } do
    ok("bundle", "sign", "--key", keys:path(name), "--as", (name:gsub("2$", "")))
  end
end

local function edit(text)
  local access = g.dir:read("policies/access.lua")
  g.dir:write("policies/access.lua", access .. "-- " .. text .. "\n")
end

local function refused(pattern)
  local before = g:health().body:match("generation (%d+)")
  local out, code = g:reload()
  assert.equal(1, code, out)
  assert.truthy(out:find("MG0610", 1, true), out)
  assert.truthy(out:find(pattern), out)
  assert.equal(before, g:health().body:match("generation (%d+)"))
  assert.equal(200, g:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "hi" } } }.status)
end

-- Ended, with all that it keeps.
local function halt()
  g:signal(signal.SIGTERM)
  g.process:wait(20)
end

local function accepted()
  local out, code = g:reload()
  assert.equal(0, code, out)
end

-- Each way in which a folder may be signed; the number of people who have.
local function states()
  return {
    { "none", function() end },
    { "one", function() sign("ana") end },
    { "one person with two keys", function()
      sign("ana")
      g.dir:write("policies/.signatures/kim.sig", g.dir:read("policies/.signatures/ana.sig"))
      g.dir:write("policies/.signatures/ana@example.com.sig", g.dir:read("policies/.signatures/ana.sig"))
      sign("ana2")
      g.dir:write("policies/.signatures/ana3.sig", g.dir:read("policies/.signatures/ana.sig"))
    end },
    { "two", function() sign("ana", "kim") end, true },
    { "foreign", function() sign("ana", "eve") end },
    { "one whose key has ended", function() sign("ana", "lee") end },
    { "another namespace", function()
      sign("ana")
      run("ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", keys:path("kim"), g.dir:path("policies/.bundle"))
      os.rename(g.dir:path("policies/.bundle.sig"), g.dir:path("policies/.signatures/kim.sig"))
    end },
  }
end

describe("signed policies", function()
  -- signatures says how many, signers who; either alone wants them, and so do both.
  local gates = {
    { "signatures", { signatures = 2 }, false },
    { "signers", { signers = "allowed_signers" }, true },
    { "signatures, signers", GATE, true },
    { "specs, signers", { specs = false, signers = "allowed_signers" }, true },
    { "specs, signatures", { specs = false, signatures = 1 }, false },
    { "specs, signatures, signers", { specs = false, signatures = 2, signers = "allowed_signers" }, true },
  }
  it("are demanded by whatever field of the gate is there", function()
    start()
    for i, gate in ipairs(gates) do
      for j, state in ipairs(states()) do
        set_gate(gate[2])
        edit(("%d %d"):format(i, j))
        ok("bundle", "manifest")
        state[2]()
        if gate[3] and state[3] then accepted() else refused(gate[3] and " of 2 signatures" or "nobody is named") end
      end
    end
    g.dir:write("policies/allowed_signers", signers())
    set_gate { signatures = 2, signers = "./policies/../policies/allowed_signers" }
    refused("lies in the folder of the policies")
    set_gate { signatures = 2, signers = "nowhere" }
    refused("the signers cannot be read")
    set_gate { specs = false, timeout = "3s" } -- the gate of specs alone wants none
    edit("unsigned")
    accepted()
  end)

  it("say who may still sign, and the last one lets them go live", function()
    start()
    set_gate(GATE)
    refused("it is not signed: .*moongate bundle manifest")
    ok("bundle", "manifest")
    refused("0 of 2 signatures; any of ana, kim may sign")
    sign("ana")
    refused("1 of 2 signatures: ana; any of kim may sign")
    local out, code = moongate("bundle", "verify")
    assert.equal(1, code)
    assert.truthy(out:find("1 of 2 signatures: ana; any of kim may sign", 1, true), out)
    sign("kim")
    accepted()
    accepted() -- the same again
    assert.is_true(g:json("bundle", "status").in_force)
    edit("after they had signed")
    refused("is of other files than these")
  end)

  it("never come back in an older form, and are demanded at a start, where what was accepted stays good", function()
    start()
    set_gate(GATE)
    ok("bundle", "manifest")
    sign("ana", "kim")
    accepted()
    run("cp", "-r", g.dir:path("policies"), g.dir:path("policies.1"))
    edit("second")
    ok("bundle", "manifest")
    sign("ana", "kim")
    accepted()
    local last = g.dir:read("data/bundle.accepted")
    run("rm", "-r", g.dir:path("policies"))
    run("cp", "-r", g.dir:path("policies.1"), g.dir:path("policies"))
    refused("serial 1 is not above 2, the last that was accepted")
    run("rm", "-r", g.dir:path("policies/.signatures"))
    refused("serial 1 is not above 2")
    g.dir:write("data/bundle.accepted", "moongate-accepted v1\n2\nnothing\n")
    refused("bundle.accepted is damaged")
    g.dir:write("data/bundle.accepted", last)
    ok("bundle", "manifest", "--serial", "3", "--base", ("0"):rep(64))
    sign("ana", "kim")
    refused("its base 000000000000 is not in force")
    ok("bundle", "manifest", "--serial", "3")
    sign("ana", "kim")
    accepted()
    halt()
    g:run()
    assert.is_true(g:json("bundle", "status").in_force)
    halt()
    run("rm", "-r", g.dir:path("data/bundles")) -- what was accepted would serve
    edit("while it was down")
    local out, code = moongate("run")
    assert.equal(1, code, out)
    assert.truthy(out:find("is of other files than these", 1, true), out)
    ok("bundle", "manifest")
    sign("ana", "kim")
    g:run()
  end)
end)
