-- The checklist: facts that are computed from what a real gateway has done, and turn when that is righted.
local cjson = require("cjson")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local hooks = require("tests.e2e.kit.hooks")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local TODAY = os.date("!%Y-%m-%d")

local POLICIES = {
  ["models.lua"] = ('return models {\n  ["house"] = { targets = { "openai/house" }, as_of = "%s", source = "x", '
    .. 'price = usd_per_million { input = "1", output = "1" } },\n'
    .. '  ["dear"] = { targets = { "away/dear" }, as_of = "2020-01-01", source = "x", '
    .. 'price = usd_per_million { input = "1", output = "1" } },\n}\n'):format(TODAY),
  ["access.lua"] = 'return access { models = {\n  ["house"] = { departments = { "research" }, data = "confidential" },\n'
    .. '  ["dear"] = { departments = { "research" }, data = "confidential" },\n}, default = "deny" }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" } }\n',
  ["init.lua"] = 'return chain { "auth", "access" }\n',
}

local SECRET = "whsec-0123456789"
local m, g, key, hook

local function run(...)
  local out, code = process.run(g:words(...))
  return out, code
end

local function checklist(...)
  local out, code = run("checklist", "--json", ...)
  local all = cjson.decode(out:match("{.*}"))
  local facts = {}
  for _, one in ipairs(all.report.facts) do facts[one.id] = one end
  return facts, code, all
end

local function status(id) return checklist()[id].status end

local function registry() return g.dir:path("data/registry.db") end

local function rewrite(name, text)
  g.dir:write("policies/" .. name, text)
  g:reload()
end

setup(function()
  m = mock.start {}
  hook = hooks.start()
  g = gateway.start { mock = m, workers = 2, name = "checklist", policies = POLICIES,
    config = { notify = { ops = { kind = "webhook", url = hook.url, secret = SECRET } }, providers = { away = { kind = "openai", url = "https://api.away.example/v1" } } },
    key = { app = "bot", department = "research" } }
  key = g:new_key { app = "bot", department = "research" }
  for _ = 1, 3 do
    local r = g:ask { key = key, json = { model = "house", messages = { { role = "user", content = "hi" } } } }
    assert.equal(200, r.status, r.body)
    g:record(r.id)
  end
end)

teardown(function()
  g:stop()
  m:stop()
  hook:stop()
end)

describe("The checklist", function()
  it("has every fact that governance.lua may require, each with its evidence", function()
    local facts, code, all = checklist()
    local text = io.open("scripts/constructors/governance.lua"):read("*a")
    local count = 0
    for id in text:match("governance%.facts = (%b{})"):gmatch('"([%w_.]+)"') do
      count = count + 1
      local one = assert(facts[id], id)
      assert.truthy(one.title ~= "" and one.value ~= "" and one.wanted ~= "" and one.evidence.query ~= "", id)
      assert.truthy(one.status == "ok" or type(one.cure) == "string", id .. " has no cure")
    end
    assert.equal(#all.report.facts, count)
    assert.equal(1, code)
  end)

  it("knows which models were used, and which rows they have", function()
    local facts = checklist()
    assert.equal("ok", facts["access.rows"].status)
    assert.truthy(facts["access.rows"].value:find("1 of 1 model used", 1, true), facts["access.rows"].value)
    rewrite("access.lua", 'return access { models = { ["dear"] = { departments = any, data = "internal" } }, '
      .. 'default = "deny" }\n')
    facts = checklist()
    assert.equal("failing", facts["access.rows"].status)
    assert.same({ "house" }, facts["access.rows"].evidence.sample)
    rewrite("access.lua", POLICIES["access.lua"])
    assert.equal("ok", status("access.rows"))
    rewrite("access.lua", POLICIES["access.lua"]:gsub('default = "deny"', 'default = "allow"'), nil)
    assert.equal("failing", status("access.rows"))
    rewrite("access.lua", POLICIES["access.lua"])
  end)

  it("asks for approvals where sensitive data leaves the house, and for two people who may give them", function()
    local one = checklist()["approvals.sensitive"]
    assert.equal("failing", one.status)
    assert.truthy(one.evidence.sample[1]:find("^dear %("), "the mock is at 127.0.0.1: house is self-hosted")
    assert.is_nil(one.evidence.sample[2])
    rewrite("access.lua", POLICIES["access.lua"]:gsub('(%["dear"%].-data = "confidential")', '%1, approval = "manager"'))
    one = checklist()["approvals.sensitive"]
    assert.truthy(one.value:find("nobody may approve as manager for research", 1, true), one.value)
    rewrite("access.lua", POLICIES["access.lua"])
  end)

  it("sees departments without a budget that blocks, and prices that are old", function()
    local facts = checklist()
    assert.same({ "research" }, facts["budgets.set"].evidence.sample)
    assert.same({ "dear (2020-01-01)" }, facts["prices.current"].evidence.sample)
  end)

  it("sees keys without owner or end", function()
    local one = checklist()["keys.owned"]
    assert.equal("failing", one.status)
    assert.truthy(one.value:find("no owner", 1, true) and one.value:find("longer than a year", 1, true), one.value)
  end)

  it("asks whom provider accounts belong to", function()
    local one = checklist()["providers.listed"]
    assert.equal("failing", one.status)
    assert.truthy(table.concat(one.evidence.sample, "\n"):find("away has no owner, contract, data, region", 1, true))
  end)

  it("goes by the last verification, backups and tried restores, which commands note", function()
    assert.truthy(checklist()["audit.trail"].value:find("never verified", 1, true))
    run("audit", "verify")
    local event = database.rows(registry(), "SELECT after FROM event WHERE action = 'audit.verify'")[1]
    assert.truthy(cjson.decode(event.after).entries > 0)
    assert.falsy(checklist()["audit.trail"].value:find("never verified", 1, true))
    assert.truthy(checklist()["backup.fresh"].value:find("never", 1, true))
    for _, words in ipairs { { "ledger", "backup" }, { "registry", "backup" }, { "registry", "restore", "--try" } } do
      words[#words + 1] = g.dir:path(words[1] .. ".backup")
      local out, code = run(unpack(words))
      assert.equal(0, code, out)
    end
    assert.equal("ok", status("backup.fresh"))
  end)

  it("sees one digest in all workers, and a switch that took", function()
    local facts = checklist()
    assert.equal("ok", facts["bundle.one"].status, facts["bundle.one"].value)
    assert.truthy(facts["bundle.one"].value:find("in 2 processes", 1, true), facts["bundle.one"].value)
    assert.equal("failing", facts["stop.works"].status)
    local out, code = run("provider", "disable", "openai", "--reason", "drill")
    assert.equal(0, code, out)
    assert.equal("ok", status("stop.works"))
    -- A request that went there all the same, as its record would say.
    local at = database.rows(registry(), "SELECT at FROM event WHERE action = 'providers.disable'")[1].at
    expect.eventually(function() return os.time() > at + 3 end, 20, "three seconds later")
    run("provider", "enable", "openai", "--reason", "drill")
    assert.equal("ok", status("stop.works"))
    database.execute(g.dir:path("data/ledger.db"), ("UPDATE records SET time_us = %d WHERE seq = (SELECT max(seq) FROM "
      .. "records WHERE provider = 'openai')"):format((at + 2) * 1000000 + 500000))
    assert.equal("failing", status("stop.works"))
  end)

  it("judges by what is required, and knows no other facts", function()
    local _, code = checklist("--require", "access.rows,bundle.one")
    assert.equal(0, code)
    _, code = checklist("--require", "access.rows,keys.owned")
    assert.equal(1, code)
    local out
    out, code = run("checklist", "--require", "access.row")
    assert.equal(2, code)
    assert.truthy(out:find("access.rows", 1, true), out)
  end)

  it("carries a hash that others make too, and what facts support, with ids that there are", function()
    local out = run("checklist", "--json")
    local file = g.dir:path("report.json")
    local handle = assert(io.open(file, "w"))
    handle:write(out:match("{.*}"))
    handle:close()
    local sum = process.run { "sh", "-c", ("python3 -c 'import json,hashlib;d=json.load(open(\"%s\"));print(hashlib.sha256("
      .. "json.dumps(d[\"report\"],sort_keys=True,separators=(\",\",\":\"),ensure_ascii=False).encode()).hexdigest())'"):format(
      file) }
    assert.equal(cjson.decode(out:match("{.*}")).sha256, sum:match("%x+"))
    local controls = dofile("scripts/catalogue/controls.lua")
    local sizes = { eu_ai_act = 17, iso_42001 = 38, soc2 = 38, nist_ai_rmf = 72 } -- as the frameworks count themselves
    for name, set in pairs(controls.lists) do
      local count = 0
      for _ in pairs(set) do count = count + 1 end
      assert.equal(sizes[name], count, name)
      assert.truthy(controls.frameworks[name].source and controls.frameworks[name].date, name)
    end
    for fact, columns in pairs(controls.facts) do
      for i, ids in ipairs(columns) do
        for _, id in ipairs(ids) do assert.truthy(controls.lists[controls.order[i]][id], fact .. ": " .. id) end
      end
    end
  end)

  it("is a document, in which others' names are no mark-up", function()
    local md, html = run("checklist", "--report", "md"), run("checklist", "--report", "html")
    assert.truthy(md:find("# Governance of", 1, true) and md:find("supports: ", 1, true), md)
    assert.falsy(md:find("satisf", 1, true) and not md:find("do not by themselves satisfy", 1, true))
    assert.truthy(html:find("<!doctype html>", 1, true) and html:find("SHA-256", 1, true))
    local _, code = run("checklist", "--report", "pdf")
    assert.equal(2, code)
  end)

  it("tells sinks of each step, signed, again until it is taken, and knows when they took it", function()
    assert.equal("failing", status("alerts.arrive"))
    hook:answer("500 Internal Server Error")
    local out, code = run("sinks", "test", "--reason", "a test")
    assert.equal(0, code, out)
    expect.eventually(function() return #hook:calls() == 1 end, 20, "a first try")
    hook:answer("200 OK")
    assert.equal("failing", status("alerts.arrive"))
    expect.eventually(function() return #hook:calls() == 2 end, 40, "a second one")
    local calls = hook:calls()
    local first, call = calls[1], calls[2]
    assert.equal(first.headers["moongate-event"], call.headers["moongate-event"])
    local at, signature = call.headers["moongate-signature"]:match("^t=(%d+),v1=(%x+)$")
    assert.equal(hooks.hmac(SECRET, at .. "." .. call.body), signature)
    local body = cjson.decode(call.body)
    assert.equal("sinks.test", body.action)
    assert.equal("a test", body.reason)
    assert.equal("ops", body.receiver)
    expect.eventually(function() return status("alerts.arrive") == "ok" end, 20, "a sink that took one")
    run("provider", "disable", "away", "--reason", "nobody is told of this")
    run("sinks", "test")
    expect.eventually(function() return #hook:calls() == 3 end, 20, "the next notice")
    assert.equal("sinks.test", cjson.decode(hook:calls()[3].body).action)
    run("provider", "enable", "away", "--reason", "again")
  end)

  it("is answered by the admin API, as the command has it", function()
    local function get(path)
      return process.run { "curl", "-s", "-i", "--unix-socket", g.dir:path("data/admin.sock"),
        "http://localhost/admin/v1" .. path }
    end
    local mine = checklist()
    local head, body = get("/checklist"):match("^(.-)\r\n\r\n(.*)$")
    assert.truthy(head:find("application/json", 1, true), head)
    for _, one in ipairs(cjson.decode(body).report.facts) do
      assert.equal(mine[one.id].status .. ": " .. mine[one.id].value, one.status .. ": " .. one.value, one.id)
    end
    assert.equal("bundle.one", cjson.decode(get("/checklist/bundle.one"):match("\r\n\r\n(.*)$")).id)
    assert.truthy(get("/checklist/none"):find("404", 1, true))
    assert.truthy(get("/checklist.md"):find("text/markdown.-# Governance of"))
    assert.truthy(get("/checklist.html"):find("text/html.-<!doctype html>"))
    rewrite("access.lua", POLICIES["access.lua"]:gsub('default = "deny"', 'default = "allow"'), nil)
    assert.truthy(get("/checklist/access.rows"):find("failing", 1, true), "what is in force since the reload")
    rewrite("access.lua", POLICIES["access.lua"])
  end)

  it("tells what it cannot know", function()
    local out, code = process.run { (os.getenv("B") or "build") .. "/moongate", "init", g.dir:path("fresh") }
    assert.equal(0, code, out)
    out = process.run { "sh", "-c", ("cd %s && %s checklist --json"):format(g.dir:path("fresh"),
      process.run({ "readlink", "-f", (os.getenv("B") or "build") .. "/moongate" }):match("%S+")) }
    for _, one in ipairs(cjson.decode(out:match("{.*}")).report.facts) do
      if one.id == "keys.owned" or one.id == "budgets.set" then
        assert.equal("unknown", one.status)
        assert.truthy(one.value:find("cannot be read", 1, true), one.value)
      end
    end
  end)
end)

