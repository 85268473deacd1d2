-- What administrators change stands in the ledger's chain: who, what, the difference, and each once, whoever is killed.
local cjson = require("cjson")
local signal = require("posix.signal")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")

local g, made_before, key_before

-- Entries of what was changed, in the chain's order; `action`: only those.
local function changes(action)
  local found = {}
  for _, change in ipairs(g:records("change")) do
    if not action or change.action == action then found[#found + 1] = change end
  end
  return found
end

-- How many the registry has, and how many of them it knows to be in the ledger.
local function noted()
  local row = database.rows(g.dir:path("data/registry.db"), "SELECT count(*) AS all_of_them, sum(chained) AS taken FROM event")[1]
  return tonumber(row.all_of_them), tonumber(row.taken)
end

-- Stops the ledger process while it has nothing to do, and holds nothing.
local function halt_ledger(pid)
  expect.eventually(function()
    local all, taken = noted()
    return all == taken
  end, 15, "a ledger that has all changes of keys")
  signal.kill(pid, signal.SIGSTOP)
end

-- Those of one target, once there are any.
local function changes_of(target)
  return expect.eventually(function()
    local found = {}
    for _, change in ipairs(changes()) do
      if change.target == target then found[#found + 1] = change end
    end
    return #found > 0 and found
  end, 15, "changes of " .. target)
end

local function digests()
  local out = g:command("reload", "--json")
  local answer = cjson.decode(out:match("{.*}"))
  return answer.policies, answer.config, answer.generation
end

-- The next reload that is recorded behind the first `n`.
local function reload_after(n)
  local found = expect.eventually(function()
    local all = changes("reload")
    return #all > n and all
  end, 15, "a reload in the ledger")
  assert.equal(n + 1, #found)
  return found[n + 1]
end

setup(function()
  g = gateway.start { name = "changes" }
  key_before, made_before = g.key, g.key_id
end)
teardown(function() g:stop() end)

describe("a change of keys", function()
  it("that was made before the first start is taken at it", function()
    local found = changes_of(made_before)
    assert.equal(1, #found)
    local change = found[1]
    assert.equal("keys.create", change.action)
    assert.equal("ok", change.result)
    assert.equal("cli", change.via)
    assert.equal("code-assistant", change.after.app)
    assert.is_nil(change.before)
    assert.truthy(change.id:match("^chg_%x+%-%x+%-7%x+%-"))
    assert.truthy(#change.actor > 0 and change.uid and change.time)
  end)

  it("is taken while the gateway runs, with its reason and the difference", function()
    local _, id = g:new_key { app = "support-bot", reason = "ticket 4711, \"urgent\"" }
    local created = changes_of(id)[1]
    assert.equal("ticket 4711, \"urgent\"", created.reason)
    local out, code = g:command("keys", "rotate", id, "--json", "--reason", "yearly")
    assert.equal(0, code, out)
    local rotated = cjson.decode(out:match("{.*}"))
    out, code = g:command("keys", "revoke", id, "--end-requests")
    assert.equal(0, code, out)
    assert.equal(0, select(2, g:command("keys", "revoke", id))) -- changes nothing
    local found = expect.eventually(function()
      local all = changes_of(id)
      return #all >= 3 and all
    end, 15, "three changes")
    assert.equal(3, #found)
    assert.equal("keys.rotate", found[2].action)
    assert.equal("yearly", found[2].reason)
    assert.equal(rotated.id, found[2].after.successor)
    assert.same({ expires_at = 0 }, found[2].before)
    assert.equal("keys.revoke", found[3].action)
    assert.same({ revoked = false, ends_requests = false }, found[3].before)
    assert.same({ revoked = true, ends_requests = true }, found[3].after)
    assert.is_nil(found[3].reason)
  end)

  it("needs a reason of bounded length", function()
    local out, code = g:command("keys", "revoke", "key_none", "--reason", ("x"):rep(501))
    assert.equal(2, code, out)
    assert.truthy(out:find("--reason: longer than 500 bytes", 1, true), out)
  end)

  it("waits for a ledger process that stands still, and for one that was killed", function()
    local pid = g:listen().ledger_pid
    halt_ledger(pid)
    local _, first = g:new_key { app = "support-bot" }
    signal.kill(pid, signal.SIGCONT)
    assert.equal(1, #changes_of(first))
    halt_ledger(pid)
    local _, second = g:new_key { app = "support-bot" }
    signal.kill(pid, signal.SIGKILL)
    assert.equal(1, #changes_of(second))
    local _, third = g:new_key { app = "support-bot" }
    assert.equal(1, #changes_of(third))
  end)
end)

describe("a reload", function()
  it("that is accepted says who asked, and what took the place of what", function()
    local before_policies, before_config, number = digests()
    local n = #changes("reload")
    expect.eventually(function()
      n = #changes("reload")
      return n > 0
    end, 10, "the first reload")
    g.dir:write("policies/models.lua", g.dir:read("policies/models.lua") .. "\n-- one more line\n")
    local out, code = g:reload()
    assert.equal(0, code, out)
    local change = reload_after(n)
    assert.equal("ok", change.result)
    assert.equal("cli", change.via)
    assert.equal("moongate.lua", change.target)
    assert.same({ generation = number, policies = before_policies, config = before_config }, change.before)
    assert.equal(number + 1, change.after.generation)
    assert.not_equal(before_policies, change.after.policies)
    assert.equal(before_config, change.after.config)
    g:signal(signal.SIGHUP)
    change = reload_after(n + 1)
    assert.equal("signal", change.via)
    assert.equal("ok", change.result)
    assert.truthy(#change.actor > 0 and change.uid)
  end)

  it("that is refused names the error's code and place", function()
    local n = #changes("reload")
    local good = g.dir:read("policies/models.lua")
    g.dir:write("policies/models.lua", "return models {\n")
    local _, code = g:reload()
    assert.equal(1, code)
    local change = reload_after(n)
    assert.equal("refused", change.result)
    assert.equal("MG0101", change.error.code)
    assert.truthy(change.error.place:find("models.lua:", 1, true), change.error.place)
    g:signal(signal.SIGHUP)
    change = reload_after(n + 1)
    assert.equal("refused", change.result)
    assert.equal("signal", change.via)
    g.dir:write("policies/models.lua", good)
  end)

  it("waits for a ledger process that was killed before it could say that it has it", function()
    local n = #changes("reload")
    local pid = g:listen().ledger_pid
    halt_ledger(pid)
    local out, code = g:reload()
    assert.equal(0, code, out)
    assert.equal(0, select(2, g:reload()))
    signal.kill(pid, signal.SIGKILL)
    local found = expect.eventually(function()
      local all = changes("reload")
      return #all >= n + 2 and all
    end, 15, "two reloads in the ledger")
    assert.equal(n + 2, #found)
  end)
end)

describe("the ledger", function()
  it("shows changes to who searches it", function()
    local out, code = g:command("audit", "search", "kind:change", "action:keys.rotate")
    assert.equal(0, code, out)
    assert.truthy(out:find("keys.rotate key_", 1, true), out)
    assert.truthy(out:find("yearly", 1, true), out)
    out = g:command("audit", "search", "kind:change", "action:reload")
    assert.truthy(out:find("reload moongate.lua", 1, true), out)
    assert.truthy(out:find("refused", 1, true), out)
    assert.truthy(out:find("MG0101 ", 1, true), out)
  end)

  it("says who drained the gateway, holds each change once and no secret, and is whole", function()
    local keys = {}
    for i, row in ipairs(database.rows(g.dir:path("data/registry.db"), "SELECT lower(hex(digest)) AS digest FROM credential")) do keys[i] = row.digest end
    local all, taken = noted()
    assert.equal(all, taken)
    assert.truthy(all >= 7 and #keys >= 6)
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    local drains = changes("drain")
    assert.equal(1, #drains)
    assert.equal("signal", drains[1].via)
    local ids, of_keys = {}, 0
    for _, change in ipairs(changes()) do
      assert.is_nil(ids[change.id], "twice: " .. change.id)
      ids[change.id] = true
      if change.action:find("^keys%.") then of_keys = of_keys + 1 end
    end
    assert.equal(all, of_keys)
    keys[#keys + 1] = key_before
    local bytes = (g.dir:read("data/ledger.db") or "") .. (g.dir:read("data/ledger.db-wal") or "")
    for _, secret in ipairs(keys) do assert.is_nil(bytes:find(secret, 1, true)) end
    local out, code = g:command("ledger", "check")
    assert.equal(0, code, out)
    out, code = g:command("audit", "verify", "--json")
    assert.is_true(code == 0 or code == 1, out)
    assert.not_equal("tampered", cjson.decode(out).state)
  end)
end)
