-- What is kept of a person's prompts and answers is erased beside a running gateway, whichever process dies meanwhile.
local signal = require("posix.signal")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local m, g

local POLICIES = {
  ["init.lua"] = 'return chain { "keep" }',
  ["keep.lua"] = 'return access { models = {}, default = "allow", rules = {' ..
    ' { "kept", when = { model = "gpt-4o" }, record = { texts = { "prompt", "answer" } } } } }',
  ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" } } }',
}

local function verified() return g:json("audit", "verify") end

local function erasures() return g:json("audit", "search", "action:texts.erase").items end

-- Asks something whose texts are kept; whose they are.
local function ask()
  local answer = g:chat { model = "gpt-4o", messages = { { role = "user", content = "a secret" } } }
  assert.equal(200, answer.status)
  return g:record(answer.id).texts.prompt.subject
end

setup(function() m = mock.start {} end)
teardown(function() m:stop() end)

describe("moongate ledger erase, while the gateway runs", function()
  before_each(function() g = gateway.start { mock = m, name = "erase", policies = POLICIES } end)
  after_each(gateway.stop_all)

  it("destroys what opens the texts; the chain stays whole and says who asked", function()
    local subject = ask()
    assert.equal(2, verified().texts)
    local out, code = g:command("audit", "text", "last")
    assert.equal(0, code, out)
    assert.truthy(out:find("a secret", 1, true) and out:find("--- answer", 1, true), out)
    out, code = g:command("ledger", "erase", "--subject", subject, "--reason", "case 4711", "--actor", "dpo", "--yes")
    assert.equal(0, code, out)
    assert.truthy(out:find("erased the texts of " .. subject, 1, true), out)
    local now = verified()
    assert.equal("intact", now.state)
    assert.equal(2, now.texts_erased)
    out, code = g:command("audit", "text", "last")
    assert.equal(1, code)
    assert.equal("--- prompt: erased\n--- answer: erased", out)
    local entry = erasures()[1].entry
    assert.same({ "dpo", subject, "case 4711", "cli" }, { entry.actor, entry.target, entry.reason, entry.via })
    ask()
    now = verified()
    assert.same({ 2, 2 }, { now.texts, now.texts_erased }) -- what is said later has a key of its own
  end)

  it("says that there was nothing, and what it wants to know", function()
    local out, code = g:command("ledger", "erase", "--subject", "user:nobody", "--reason", "asked for", "--yes")
    assert.equal(0, code, out)
    assert.truthy(out:find("nothing to erase: no texts of user:nobody are kept", 1, true), out)
    out, code = g:command("ledger", "erase", "--subject", "user:ana", "--yes")
    assert.equal(2, code)
    assert.truthy(out:find("say whose texts, and why", 1, true), out)
    out, code = g:command("ledger", "erase", "--subject", ("x"):rep(300), "--reason", "asked for", "--yes")
    assert.equal(2, code)
    assert.truthy(out:find("longer than 256 bytes", 1, true), out)
    assert.equal(1, #erasures())
  end)

  it("is done once, though the ledger process is killed before it could", function()
    local subject, pid = ask(), g:listen().ledger_pid
    signal.kill(pid, signal.SIGSTOP)
    local asked = process.start(g:words("ledger", "erase", "--subject", subject, "--reason", "case 1", "--yes"))
    assert.is_nil(asked:line(0.3)) -- nobody says that it is done
    signal.kill(pid, signal.SIGKILL)
    local line = asked:line(20)
    assert.truthy(line and line:find("erased the texts of " .. subject, 1, true), line)
    assert.equal(0, select(2, asked:wait(10)))
    asked:stop()
    expect.eventually(function() return g:listen().ledger_pid ~= pid end, 10, "another ledger process")
    local now = verified()
    assert.same({ "intact", 2 }, { now.state, now.texts_erased })
    assert.equal(1, #erasures())
  end)
end)
