-- Notices of budgets: each once, whoever crosses a threshold and whatever becomes of the ledger; and the sinks they go to.
local cjson = require("cjson")
local signal = require("posix.signal")
local crowd = require("tests.e2e.kit.crowd")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local hooks = require("tests.e2e.kit.hooks")
local mock = require("tests.e2e.kit.mock")

local SECRET = "whsec-0123456789"

local function policies(to)
  return dimes.policies { apps = 'return apps { ["code-assistant"] = { department = "engineering", owner = "developer tools" } }\n',
    budget = dimes.budget(10, ([[thresholds = {
      { at = "80%%", notify = { %s } }, { at = "100%%", notify = { %s }, deny = { 402, "budget_exhausted" } } }]]):format(to, to)) }
end

local started = {}

local function start(of)
  local m = mock.start {}
  local g = gateway.start { mock = m, name = of.name, workers = of.workers or 4, policies = policies(of.to),
    config = { notify = of.sinks } }
  started[#started + 1] = function()
    g:stop()
    m:stop()
  end
  return g, m
end

-- It costs what it may.
local function ask(g, tokens)
  return g:ask { json = dimes.body { tokens = tokens, script = "usage_tokens=" .. tokens } }
end

local function ask_at_once(g, count, tokens)
  return crowd.statuses(count, 60, function() return ask(g, tokens) end)
end

local function is_signed(call)
  local time, mac = call.headers["moongate-signature"]:match("^t=(%d+),v1=(%x+)$")
  return mac == hooks.hmac(SECRET, time .. "." .. call.body)
end

describe("a notice of a budget", function()
  local hook

  before_each(function()
    hook = hooks.start()
  end)

  after_each(function()
    for _, stop in ipairs(started) do stop() end
    started = {}
    hook:stop()
  end)

  it("goes out once for each threshold, over all workers, a ledger that dies, and a sink that fails first", function()
    local g = start { name = "once", to = '"ops:team-a"',
      sinks = { ops = { kind = "webhook", url = hook.url, secret = SECRET } } }
    hook:answer("500 Internal Server Error")
    assert.same({ [200] = 50 }, ask_at_once(g, 50, 2))
    expect.eventually(function() return #hook:calls() > 0 end, 10, "a first attempt")
    g:kill_ledger()
    local statuses = ask_at_once(g, 10, 2)
    assert.is_nil(statuses[200])
    expect.eventually(function() return ask(g, 2).status == 402 end, 10, "the end of the budget")
    expect.eventually(function() return #g:entries("alert") == 2 end, 10, "both entries")
    hook:answer("200 OK")
    expect.eventually(function()
      local by = hook:notices()
      return by["80%"] and by["100%"]
    end, 20, "both notices")
    g:gauge_becomes("moongate_notices_waiting", 0)

    for _ = 1, 10 do ask(g, 2) end
    g:kill_ledger()
    for _ = 1, 10 do ask(g, 2) end
    g:signal(signal.SIGTERM) -- all that there is has come to the ledger
    g.process:wait(20)
    assert.equal(2, #g:entries("alert"))
    g:run()

    local ids, by = {}, hook:notices()
    assert.equal(1, #by["80%"])
    assert.equal(1, #by["100%"])
    for _, call in ipairs(hook:calls()) do
      assert.is_true(is_signed(call))
      local said = cjson.decode(call.body)
      assert.equal(said.id, call.headers["moongate-event"])
      ids[said.id] = true
    end
    local count = 0
    for _ in pairs(ids) do count = count + 1 end
    assert.equal(2, count)
    local said = by["80%"][1]
    assert.same({ "ops:team-a", "team-a", "app", "budget/app@80%", "code-assistant", "developer tools", "moongate" },
      { said.receiver, said.address, said.budget, said.rule, said.app, said.owner, said.gateway })
    assert.is_truthy(said.request:find("^req_"))
    assert.equal(8000, said.at)

    local out, code = g:command("audit", "search", "kind:alert")
    assert.equal(0, code, out)
    assert.is_truthy(out:find("budget/app@80%", 1, true), out)
    out, code = g:command("ledger", "check")
    assert.equal(0, code, out)
  end)

  it("goes by what was spent, and not by what a request might have cost", function()
    local g = start { name = "spent", to = '"ops"', workers = 1, sinks = { ops = { kind = "webhook", url = hook.url } } }
    assert.equal(200, g:ask { json = dimes.body { tokens = 99, script = "usage_tokens=10" } }.status)
    assert.equal(402, ask(g, 101).status) -- more than all of it
    expect.eventually(function() return dimes.charged(g) == 10 end, 10, "its charge")
    assert.equal(200, ask(g, 69).status)
    expect.eventually(function() return dimes.charged(g) == 79 end, 10, "the charge below the threshold")
    assert.equal(0, #g:entries("alert"))
    assert.equal(200, ask(g, 2).status) -- nobody asks after this one
    expect.eventually(function() return hook:notices()["80%"] end, 10, "the notice of what was spent")
    assert.is_truthy(hook:notices()["80%"][1].text:find("has used 81% of its $10 this month", 1, true))
    assert.equal(402, ask(g, 20).status)
    assert.equal(200, ask(g, 15).status)
    expect.eventually(function() return dimes.charged(g) == 96 end, 10, "what is left is little")
    assert.equal(402, ask(g, 5).status)
    expect.eventually(function() return hook:notices()["100%"] end, 10, "that it is used up")
    assert.equal(2, #g:entries("alert"))
  end)

  it("reaches Slack's like, the app's owner and a program, and moongate.lua may get its sinks later", function()
    local g, m = start { name = "sinks", to = '"chat:#ai-spend", "owner", "pager"', workers = 1 }
    assert.equal(200, ask(g, 90).status)
    expect.eventually(function() return g:metrics():value("moongate_notices_waiting") == 2 end, 10, "two that wait")
    assert.is_truthy(g:said():find("no sink of that name", 1, true))
    local out, code = g:command("check")
    assert.equal(0, code, out)
    assert.is_truthy(out:find("warning[MG0322]: thresholds[1].notify[1]: nobody is told what goes to 'chat'", 1, true), out)
    local page = g.dir:write("page", "#!/bin/sh\ncat > \"$1\"; env > \"$1.env\"\n")
    os.execute("chmod 700 '" .. page .. "'")
    g:write_config { mock = m, workers = 1, config = { notify = { chat = { kind = "slack", url = hook.url },
      owner = { kind = "slack", url = hook.url }, pager = { kind = "command", command = { page, g.dir:path("paged") } } } } }
    out, code = g:command("check")
    assert.equal(0, code, out)
    assert.is_nil(out:find("MG0322", 1, true), out)
    g:reload()
    g:gauge_becomes("moongate_notices_waiting", 0, 10)
    assert.equal(1, #hook:calls())
    local said = cjson.decode(hook:calls()[1].body)
    assert.equal("#ai-spend", said.channel)
    assert.is_truthy(said.text:find("has used 90%% of its %$10 this month"), said.text)
    said = cjson.decode(g.dir:read("paged"))
    assert.same({ "pager", "80%" }, { said.receiver, said.threshold })
    local variables = "\n" .. g.dir:read("paged.env")
    assert.is_nil(variables:find("OPENAI_API_KEY", 1, true))
    assert.equal(os.getenv("HOME"), variables:match("\nHOME=([^\n]*)"))

    assert.equal(200, ask(g, 10).status)
    expect.eventually(function() return ask(g, 1).status == 402 end, 10, "the end of the budget")
    expect.eventually(function() return #hook:calls() == 3 end, 10, "the owner too")
    local texts = cjson.decode(hook:calls()[2].body).text .. cjson.decode(hook:calls()[3].body).text
    assert.is_truthy(texts:find("developer tools: ", 1, true), texts)
    g:gauge_becomes("moongate_notices_waiting", 0)
    assert.equal(2, g:metrics():value("moongate_notices_sent_total", { sink = "pager" }))
  end)
end)
