-- What becomes of signed bundles: the last five are kept and serve where nobody has signed the folder, one can go back
-- to any of them, other signers count once those before them have signed so, and some files want somebody in particular.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
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
  for _, name in ipairs { "ana", "kim", "lee", "eve" } do
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keys:path(name))
    public[name] = keys:read(name .. ".pub"):match("^%S+ %S+")
  end
end)
after_each(gateway.stop_all)
teardown(function()
  m:stop()
  keys:remove()
end)

local function signers(...)
  local lines = {}
  for i, name in ipairs { ... } do lines[i] = name .. " " .. public[name] .. "\n" end
  return table.concat(lines)
end

local function start()
  g = gateway.start { mock = m, workers = 2, name = "bundle", prepare = function(dir)
    dir:write("allowed_signers", signers("ana", "kim", "lee"))
  end }
end

local function set_gate(gate)
  g:write_config { mock = m, workers = 2, config = { gate = gate } }
end

local GATE = { signatures = 2, signers = "allowed_signers" }

local function ok(...)
  local out, code = g:command(...)
  assert.equal(0, code, out)
  return out
end

local function sign(...)
  for _, name in ipairs { ... } do ok("bundle", "sign", "--key", keys:path(name), "--as", name) end
end

local function edit(text, file)
  local path = "policies/" .. (file or "access.lua")
  g.dir:write(path, g.dir:read(path) .. "-- " .. text .. "\n")
end

local function status() return cjson.decode((g:command("bundle", "status", "--json"))) end

-- The digest of what is served, as /readyz?verbose has it.
local function served() return g:health().body:match("policy ok: generation %d+, sha256 (%x+)") end

local function refused(pattern)
  local before = served()
  local out, code = g:reload()
  assert.equal(1, code, out)
  assert.truthy(out:find(pattern), out)
  assert.equal(before, served())
end

local function accepted()
  local out, code = g:reload()
  assert.equal(0, code, out)
  return served()
end

-- A new bundle, signed by these and live; its digest.
local function release(text, ...)
  edit(text)
  ok("bundle", "manifest")
  sign(...)
  return accepted()
end

local function halt()
  g:signal(signal.SIGTERM)
  g.process:wait(20)
end

local function answers()
  return g:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "hi" } } }.status
end

-- Entries of the ledger's chain of what was changed so, once there are that many.
local function changes(action, count)
  return expect.eventually(function()
    local found = {}
    for _, change in ipairs(g:records("change")) do
      if change.action == action then found[#found + 1] = change end
    end
    return #found >= count and found
  end, 15, count .. " times " .. action)
end

describe("a bundle that was accepted", function()
  it("serves at a start where nobody has signed the folder, or it does not load", function()
    start()
    set_gate(GATE)
    local first = release("first", "ana", "kim")
    halt()
    edit("while it was down")
    g:run()
    assert.equal(first, served())
    assert.equal(200, answers())
    refused("is of other files than these")
    halt()
    local access = g.dir:read("policies/access.lua")
    g.dir:write("policies/access.lua", "return access {")
    g:run()
    assert.equal(first, served())
    g.dir:write("policies/access.lua", access)
    ok("bundle", "manifest")
    sign("kim", "lee")
    assert.not_equal(first, accepted())
  end)

  it("does not serve when somebody has changed it where it is kept", function()
    start()
    set_gate(GATE)
    release("first", "ana", "kim")
    halt()
    edit("while it was down")
    local kept = "data/bundles/1/access.lua"
    g.dir:write(kept, g.dir:read(kept) .. "-- by a stranger\n")
    local out, code = g:command("run")
    assert.equal(1, code, out)
    assert.truthy(out:find("is of other files than these", 1, true), out)
  end)

  it("is kept until five others were, and can be gone back to", function()
    start()
    set_gate(GATE)
    local digests = {}
    for i = 1, 7 do digests[i] = release("number " .. i, "ana", "kim") end
    assert.same({ 7, 6, 5, 4, 3 }, status().kept)
    ok("bundle", "rollback")
    assert.equal(digests[6], served())
    assert.equal(200, answers())
    refused("serial 7 is not above 7")
    ok("bundle", "rollback", "4")
    assert.equal(digests[4], served())
    local out, code = g:command("bundle", "rollback", "2")
    assert.equal(1, code, out)
    assert.truthy(out:find("serial 2 is not among the bundles that are kept", 1, true), out)
    assert.equal(digests[4], served())
    halt()
    g:run()
    assert.equal(digests[4], served())
    edit("cured")
    ok("bundle", "manifest")
    assert.truthy(g.dir:read("policies/.bundle"):find("serial 8\nbase " .. digests[4], 1, true))
    sign("ana", "kim")
    accepted()
    local back = changes("bundle.rollback", 3)
    assert.same({ "ok", "ok", "refused" }, { back[1].result, back[2].result, back[3].result })
    assert.same({ serial = 6, policies = digests[6] }, back[1].after)
    assert.equal(8, #changes("bundle.accept", 8))
  end)

  it("that was refused stands in the audit trail", function()
    start()
    set_gate(GATE)
    edit("unsigned")
    refused("it is not signed")
    assert.equal("refused", changes("bundle.refuse", 1)[1].result)
  end)

  it("is what the next one follows: another is signed again", function()
    start()
    set_gate(GATE)
    release("first", "ana", "kim")
    edit("second")
    ok("bundle", "manifest", "--serial", "9", "--base", ("0"):rep(64))
    sign("ana", "kim")
    refused("its base 000000000000 is not in force")
    ok("bundle", "manifest", "--rebase")
    refused("0 of 2 signatures")
    sign("ana", "kim")
    accepted()
  end)
end)

describe("other signers", function()
  it("count once those before them have signed their names", function()
    start()
    set_gate(GATE)
    release("first", "ana", "kim")
    g.dir:write("allowed_signers", signers("ana", "eve"))
    edit("second")
    ok("bundle", "manifest")
    sign("ana", "eve")
    refused("1 of 2 signatures: ana; any of kim, lee may sign")
    assert.is_true(status().new_signers)
    sign("kim")
    accepted()
    release("third", "ana", "eve")
    edit("fourth")
    ok("bundle", "manifest")
    sign("ana", "kim")
    refused("1 of 2 signatures: ana; any of eve may sign")
  end)

  it("count for nothing where a bundle does not name them", function()
    start()
    set_gate(GATE)
    release("first", "ana", "kim")
    edit("second")
    ok("bundle", "manifest")
    sign("ana", "kim")
    g.dir:write("allowed_signers", signers("eve"))
    accepted() -- by those who might sign before, and still do
    edit("third")
    ok("bundle", "manifest")
    sign("eve")
    refused("0 of 2 signatures; any of ana, kim, lee may sign")
  end)
end)

describe("a file with a role", function()
  local gate = { signatures = 2, signers = "allowed_signers", files = { ["models.lua"] = { by = "finance" } },
    roles = { finance = { "kim" } } }

  it("changes only with the signature of somebody who has it", function()
    start()
    set_gate(gate)
    ok("bundle", "manifest")
    sign("ana", "lee")
    refused("models.lua is changed, and nobody of finance has signed; any of kim may")
    sign("kim")
    accepted()
    release("no price of it", "ana", "lee")
    edit("dearer", "models.lua")
    ok("bundle", "manifest")
    sign("ana", "lee")
    refused("models.lua is changed, and nobody of finance has signed")
    sign("kim")
    accepted()
  end)

  it("is refused where nobody has the role", function()
    start()
    set_gate { signatures = 2, signers = "allowed_signers", files = { ["models.lua"] = { by = "finanse" } },
      roles = { finance = { "kim" } } }
    refused("models.lua wants the role finanse, which nobody has in gate.roles")
    set_gate { files = { ["models.lua"] = { by = "finance" } } }
    refused("nobody is named who may sign")
    set_gate { signers = "allowed_signers", files = { ["models.lua"] = "finance" } }
    refused("must say which role signs it")
  end)
end)
