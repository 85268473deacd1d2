-- Top-ups: a budget that is used up goes on while one lasts, in all workers, whatever happens to the processes.
local cjson = require("cjson")
local signal = require("posix.signal")
local clocks = require("tests.e2e.kit.clock")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

-- A token of output costs a dime, and input nothing: what a request may cost is what it asks for.
local MODELS = 'return models { ["dear"] = { targets = { "openai/dear" }, context = 128000, '
  .. 'price = usd_per_million { input = "0", output = "100000" } } }\n'

local BUDGET = [[return budget { zone = "Europe/Berlin", budgets = {
  { "sales", department = "sales", limit = 10, per = "month" },
  { "sales-year", department = "sales", limit = 1000, per = "year", mode = "observe" },
  { "two", team = { "a", "b" }, limit = 10, per = "month" },
  { "research", department = "R, D; \"q\" =1/2%41", limit = 10, per = "month" },
  { "sessions", each = "session", limit = 10 },
  { "each-user", each = { "user", "app" }, limit = 100000, per = "day" },
  { "all", limit = 100000, per = "year" },
}, default = { each = "department", limit = 10, per = "month" } }
]]

local POLICIES = { ["models.lua"] = MODELS, ["budget.lua"] = BUDGET,
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["init.lua"] = 'return chain { "auth", "budget" }\n' }

local m, g, key

local function ask(tokens)
  return g:ask { key = key, json = { model = "dear", max_tokens = tokens, metadata = { mock = "usage_tokens=" .. tokens },
    messages = { { role = "user", content = "hi" } } } }
end

-- The same answer from each of the workers, and what it is.
local function status_everywhere()
  local seen
  for _ = 1, 8 do
    local r = ask(1)
    if seen and r.status ~= seen then return nil end
    seen = r.status
  end
  return seen
end

local function becomes(status)
  expect.eventually(function() return status_everywhere() == status end, 10, "all workers to answer " .. status)
end

local function topup(...)
  local out, code = g:command("topup", "department sales", ...)
  assert.equal(0, code, out)
  local id = out:match("topup_%w+")
  assert.equal(18, #id)
  return id, out
end

local function add(usd) return topup(usd, "--until", "1d", "--reason", "quarter end", "--budget", "sales") end

local function finish(id)
  local out, code = g:command("topup", "end", id)
  assert.equal(0, code, out)
end

-- What was changed of one top-up, once the ledger has as many.
local function changes_of(id, count)
  return expect.eventually(function()
    local found = {}
    for _, change in ipairs(g:records("change")) do
      if change.target == id then found[#found + 1] = change end
    end
    return #found >= count and found
  end, 15, "changes of " .. id)
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, name = "topup", workers = 3, policies = POLICIES }
  key = g:new_key { app = "crm", department = "sales" }
  expect.eventually(function() return ask(100).status ~= 401 end, 10, "a key that is known")
  becomes(402)
end)
teardown(function()
  g:stop()
  m:stop()
end)

describe("a top-up", function()
  it("lets through what the budget refused, until it is ended", function()
    assert.equal(402, ask(1).status)
    local id, out = add("100")
    assert.truthy(out:find("budget/sales, department sales: limit $10.00 → $110.00 until", 1, true), out)
    becomes(200)
    assert.equal(402, ask(2000).status) -- and no more than it adds
    finish(id)
    becomes(402)

    local found = changes_of(id, 2)
    assert.equal("topup.create", found[1].action)
    assert.equal("topup.end", found[2].action)
    assert.equal("quarter end", found[1].reason)
    assert.equal("budget/sales", found[1].after.budget)
    assert.equal("department=sales", found[1].after.scope)
    assert.equal(100e9, found[1].after.amount_nano)
    local shown = g:command("audit", "search", "kind:change", id)
    assert.truthy(shown:find("topup.create " .. id, 1, true), shown)
    assert.truthy(shown:find("topup.end " .. id, 1, true), shown)
    assert.truthy(shown:find("amount $100.00", 1, true), shown)
  end)

  it("survives the death of workers, a reload and a restart", function()
    local id = add("1000")
    becomes(200)
    for _, pid in ipairs(g:listen().workers) do signal.kill(pid, signal.SIGKILL) end
    expect.eventually(function()
      local ok, status = pcall(status_everywhere)
      return ok and status == 200
    end, 20, "new workers that have it")
    g:reload()
    becomes(200)
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    g:run()
    becomes(200)
    finish(id)
    becomes(402)
  end)

  it("ends by itself, and then another restart finds it over", function()
    local id = topup("1000", "--until", "3s", "--reason", "x", "--budget", "sales")
    becomes(402)
    local list = g:json("topup", "list", "--all").topups
    local last = list[#list]
    assert.equal(id, last.id)
    assert.equal("over", last.state)
    for _, one in ipairs(g:json("topup", "list").topups) do assert.not_equal(id, one.id) end
    assert.equal(1, #changes_of(id, 1))
    local out, code = g:command("topup", "end", id)
    assert.equal(0, code, out)
    assert.truthy(out:find("was over before", 1, true), out)
    assert.equal(1, #changes_of(id, 1))
  end)

  it("holds again when a clock that was ahead is set right, and is called later when one is set back", function()
    local clock = clocks.start()
    local own = gateway.start { mock = m, name = "topup-clock", workers = 1, policies = POLICIES, env = clock.env,
      key = { app = "crm", department = "sales" } }
    local function status()
      return own:ask { json = { model = "dear", max_tokens = 1, messages = { { role = "user", content = "hi" } },
        metadata = { mock = "usage_tokens=101" } } }.status
    end
    local function add_for(duration)
      local out, code = own:command("topup", "department sales", "100", "--until", duration, "--reason", "x", "--budget",
        "sales")
      assert.equal(0, code, out)
      return out:match("topup_%w+")
    end
    local function topup_becomes(state, id)
      for _, one in ipairs(own:json("topup", "list").topups) do
        if one.id == id then return assert.equal(state, one.state) end
      end
      error("not in the list: " .. id)
    end
    local now = 1805000000 -- in the midst of a month
    clock:set(now)
    local id = add_for("1h")
    for _ = 1, 2 do expect.eventually(function() return status() == 200 end, 10, "a top-up") end
    clock:set(now + 10 * 86400) -- longer than what is over is handed over
    own:new_key { app = "x" } -- a snapshot by that clock
    clock:set(now + 60)
    expect.eventually(function() return status() == 200 end, 10, "the top-up to be back")
    topup_becomes("live", id)
    clock:set(now - 60)
    topup_becomes("later", id)
    own:stop()
    clock:stop()
  end)

  it("adds to others, and counts from the next start on where no gateway runs", function()
    g:signal(signal.SIGTERM)
    g.process:wait(20)
    local first, said = add("10")
    assert.truthy(said:find("no gateway runs", 1, true), said)
    local second, out = add("1000")
    assert.truthy(out:find("limit $20.00 → $1,020.00", 1, true), out)
    g:run()
    becomes(200)
    finish(first)
    finish(second)
    becomes(402)
  end)

  it("says in a fleet that it holds at this gateway alone", function()
    local file = assert(io.open(g.dir:path("moongate.lua")))
    local text = file:read("*a"):gsub("return ([%w.]*) *{", 'return %1 { redis = { url = "redis://127.0.0.1:1/0" },', 1)
    file:close()
    g.dir:write("fleet.lua", text)
    local id, out = topup("1", "--until", "1h", "--reason", "x", "--budget", "sales", "-c", "fleet.lua")
    assert.truthy(out:find("run it at each of them", 1, true), out)
    out = g:command("topup", "end", id, "-c", "fleet.lua")
    assert.truthy(out:find("run it at each of them", 1, true), out)
  end)

  it("is told in JSON", function()
    local made = cjson.decode((g:command("topup", "everybody", "2.5", "--until", "period", "--reason", "x", "--json"))
      :match("{.*}"))
    assert.equal("budget/all", made.budget)
    assert.equal("", made.scope)
    assert.equal(2500000000, made.amount_nano)
    assert.equal(100002.5, made.limit_after_usd)
    assert.equal("told", made.gateway)
    assert.is_false(made.is_of_fleet)
    local ended = g:json("topup", "end", made.id)
    assert.equal(made.id, ended.ended)
    assert.is_false(ended.was_over)
  end)
end)

describe("whose budget it is", function()
  local function says(expected, scope, ...)
    local out, code = g:command("topup", scope, "5", "--until", "1h", "--reason", "x", ...)
    assert.truthy(out:find(expected, 1, true), out)
    return code, out
  end

  it("is written as `moongate budgets` shows it, or as it is counted", function()
    for _, case in ipairs {
      { "team a+b", "budget/two, team a+b:" },
      { "department=support", "budget/default, department support:" },
      { "no department", "budget/default, no department:" },
      { "user ana, app crm", "budget/each-user, user ana, app crm:" },
      { "app=crm,user=ana", "budget/each-user, user ana, app crm:" },
      { "app: crm, user: a%20b", "budget/each-user, user a%20b, app crm:" },
      { "user=a%2cb,app=", "budget/each-user, user a,b, no app:" },
      { "session:s1", "budget/sessions, session s1:" },
      { 'department R, D; "q" =1/2%41', 'budget/research, department R, D; "q" =1/2%41:' },
      { "everybody", "budget/all, everybody:" },
    } do
      local code, out = says(case[2], case[1])
      assert.equal(0, code, out)
      finish(out:match("topup_%w+"))
    end
    local list = g:json("topup", "list", "--all").topups
    local scopes = {}
    for _, one in ipairs(list) do scopes[one.scope] = true end
    for _, scope in ipairs { "team=a+b", "department=", "user=ana,app=crm", "user=a%2cb,app=", "session=s1", "" } do
      assert.is_true(scopes[scope], scope)
    end
  end)

  it("is asked for where several, none, or a misspelt one is meant", function()
    assert.equal(2, says("say which: --budget budget/sales or --budget budget/sales-year", "department sales"))
    assert.equal(2, says("did you mean 'sales'?", "department sales", "--budget", "sale"))
    assert.equal(2, says("did you mean 'team a+b'?", "two"))
    assert.equal(2, says("they are for: ", "region eu"))
    assert.equal(2, says("did you mean 'sales'? else: --budget budget/default", "department salse"))
    assert.equal(0, says("budget/default, department salse:", "department salse", "--budget", "default"))
    assert.equal(2, says("no budget called 'two' is for 'department sales'", "department sales", "--budget", "two"))
    assert.equal(2, says("no budget", "department sales, department sales"))
    assert.equal(2, says("no budget", "user =ana"))
  end)

  it("may have a comma in a name, and is told how to write it", function()
    local code, out = says("is the comma of the name? then write 'user=Smith%2c Ana,app=crm'", "user Smith, Ana, app crm")
    assert.equal(2, code, out)
    code, out = says("budget/each-user, user Smith, Ana, app crm:", "user=Smith%2c Ana,app=crm")
    assert.equal(0, code, out)
    finish(out:match("topup_%w+"))
    code, out = says("no budget is for 'user ana, ap crm'", "user ana, ap crm") -- and no user is called so
    assert.equal(2, code, out)
    for _, none in ipairs { "user=%00,app=x", "user=%ff,app=x" } do
      code, out = says("is not UTF-8 or has a NUL in it", none)
      assert.equal(2, code, out)
    end
  end)

  it("is of no use with an amount, a time or a reason that is none", function()
    says("budget/two, team a+b", "team a+b")
    local before = #g:json("topup", "list", "--all").topups
    local function refuses(expected, amount, until_, reason)
      local out, code = g:command("topup", "team a+b", amount, "--until", until_, "--reason", reason)
      assert.equal(2, code, out)
      assert.truthy(out:find(expected, 1, true), out)
    end
    refuses("`-5` is no amount", "-5", "1h", "x")
    refuses("`0` adds nothing", "0", "1h", "x")
    refuses("is no amount", "0.0000000001", "1h", "x")
    refuses("is no amount", "99999999999999999999", "1h", "x")
    refuses("is no amount", "4000000.01", "1h", "x")
    refuses("come to more than 4,000,000 USD", "4000000", "1h", "x") -- beside the one that is there
    refuses("is over already", "5", "yesterday", "x")
    refuses("is over already", "5", "2020-02-03T00:00Z", "x")
    refuses("more than 400 days", "5", "401d", "x")
    refuses("more than 400 days", "5", "2999-01-01", "x")
    refuses("is no time", "5", "soon", "x")
    refuses("visible text", "5", "1h", "a\27[2Jb")
    refuses("visible text", "5", "1h", "a\nb")
    refuses("longer than 500 bytes", "5", "1h", ("x"):rep(501))
    refuses("say what for", "5", "1h", "")
    assert.equal(before, #g:json("topup", "list", "--all").topups)
    assert.equal(1, select(2, g:command("topup", "end", "topup_none")))
  end)

  it("is not found while somebody keeps the registry locked, and nothing is changed then", function()
    local before = #g:json("topup", "list", "--all").topups
    local release = database.lock(g.dir:path("data/registry.db"))
    local out, code = g:command("topup", "team a+b", "5", "--until", "1h", "--reason", "x")
    release()
    assert.equal(2, code, out)
    assert.truthy(out:find("another process changes it, try again", 1, true), out)
    assert.equal(before, #g:json("topup", "list", "--all").topups)
  end)
end)
