-- Requests through the real gateway, decided again from their records: by the same policies all are the same, by others each
-- difference is listed, and nothing is called again.
local cjson = require("cjson")
local command = require("tests.e2e.kit.command")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local MODELS = [[return models {
  one = { targets = { "openai/one", "openai/two" }, price = usd_per_million { input = 1, output = 2 } },
  two = { targets = { "openai/two" }, price = usd_per_million { input = 3, output = 9 } } }]]
local APPS = [[return apps { plain = { tags = { grade = "low" } },
  rich = { department = "sales", defaults = { data = "internal", label = "eu" }, tags = { grade = "high" }, session = { headers = { "x-thread" } } } }]]
local HOUSE = [[return policy {
  rules = {
    { "night", when = { hours = "00:00-05:00", zone = "Europe/Berlin" }, annotate = { night = "yes" } },
    { "some", when = { share = "30%%", sticky = "request" }, route = "openai/two" },
    { "plans", when = { contains = "secret plan" }, deny = { 403, "plans" } },
    { "eu", when = { label = "eu", tags = { grade = "high" } }, annotate = { eu = "yes" } },
    { "blue", when = { headers = { ["x-team"] = "blue" } }, annotate = { team = "blue" } },
    { "fine", when = { quality = "best" }, annotate = { fine = "yes" } },
    { "high", when = { data = at_least "confidential" }, annotate = { high = "yes" } },
  },
  on_request = function(ctx)
    ctx:annotate("luck", math.random(1000))
    ctx:annotate("size", ctx.request:text_bytes())
    if ctx.request:contains("score") then
      local reply, err = http.post("SERVICE/chat/completions", { json = { model = "m", messages = { { role = "user", content = "hi" } } } })
      ctx:annotate("guard", err or reply.json.verdict)
      if reply and reply.json.verdict == "bad" then return deny(422, "bad") end
    end
    if (ctx.request.max_tokens or 0) > 50 then ctx.request:set("max_tokens", 50, "short") end
  end,
  on_done = function(ctx) ctx:annotate("end", ctx.outcome) end,
}]]
local DOORS = [[return policy { rules = { { "interns", when = { role = "intern", model = "one" }, deny = { 403, "interns" } } } }]]
local GUARD = [[return redaction { detect = { "email", "iban" }, request = { email = "mask", iban = "deny" }, classify = { email = "confidential" } }]]

local TEXTS = { "hello", "the secret plan", "mail ana@example.com", "pay DE89370400440532013000", "score this" }

describe("recorded requests", function()
  local m, s, g, keys, count

  setup(function()
    m, s = mock.start(), mock.start()
    g = gateway.start { mock = m, name = "replay", config = { egress = { [s.url:match("^http://[^/]+")] = { clearance = "restricted" } } },
      policies = { ["init.lua"] = "return chain { 'auth', 'guard', 'house', 'doors' }", ["auth.lua"] = "return auth { labels = { 'cost_center' } }",
        ["models.lua"] = MODELS, ["apps.lua"] = APPS, ["guard.lua"] = GUARD, ["doors.lua"] = DOORS, ["house.lua"] = (HOUSE:gsub("SERVICE", s.url):gsub("%%%%", "%%")) } }
    keys = { g:new_key { app = "plain", user = "ana", role = "intern" }, g:new_key { app = "plain", user = "bo", role = "lead" },
      g:new_key { app = "rich", user = "eva" }, "mgk_nobody" }
    local hello = { model = "one", messages = { { role = "user", content = "hello" } } }
    expect.eventually(function() return g:chat(hello, { key = keys[3] }).status == 200 end, 5, "keys that are known")
    s:script { count = 1000, body = '{"verdict":"good"}', content_type = "application/json" }
    for i = 1, 300 do
      local r = g:chat({ model = i % 7 == 0 and "two" or i % 31 == 0 and "three" or "one", max_tokens = i % 4 == 0 and i or nil,
        user = i % 9 == 0 and "someone" or nil, stream = i % 6 == 0 or nil,
        messages = { { role = "user", content = TEXTS[i % #TEXTS + 1] } } },
        { key = keys[i % #keys + 1], headers = { { "x-team", i % 3 == 0 and "blue" or "red" }, { "x-thread", "t-" .. i },
          { "x-moongate-task", i % 5 == 0 and "code" or "chat" }, { "x-moongate-quality", i % 13 == 0 and "best" or "fair" }, i % 11 == 0 and { "x-moongate-data", "no class" } or nil } })
      assert(r.status, "no answer")
    end
    for _ = 1, 5 do g:ask { path = "/v1/models", key = keys[3] } end
    expect.eventually(function() count = #g:records() return count >= 306 end, 30, "all records")
  end)
  teardown(function()
    g:stop()
    m:stop()
    s:stop()
  end)

  local function replay(...)
    local out, code = g:command("replay", ...)
    return out, code
  end

  local function replayed(want, ...)
    local out, code = replay("--json", ...)
    assert.equal(want, code, out)
    return cjson.decode(out)
  end

  it("are the same again by the same policies, and nothing is called", function()
    local since, asked = m:mark(), s:mark()
    local sums = replayed(0)
    assert.equal(count, sums.scanned)
    assert.equal(0, sums.not_replayable)
    assert.equal(0, sums.undecided)
    assert.equal(count, sums.same)
    assert.equal(sums.nano_usd_was, sums.nano_usd_is)
    assert.is_true(sums.priced > 50)
    assert.equal(0, #m:requests(since) + #s:requests(asked))
    local out, code = replay()
    assert.equal(0, code, out)
    assert.truthy(out:find("\n  same%s+" .. count .. "\n"), out)
  end)

  it("differ by others, one by one", function()
    local before = g.dir:read("policies/house.lua")
    g.dir:write("drafts/house.lua", (before:gsub('rules = {', 'rules = {\n    { "blue first", when = { headers = { ["x-team"] = "blue" }, model = "two" }, deny = { 403, "blue_first" } },', 1)))
    g.dir:write("drafts/doors.lua", "return policy { rules = { { \"interns\", when = { role = \"intern\", uses = \"tools\" }, deny = { 403, \"interns\" } } } }")
    for _, name in ipairs { "init", "auth", "models", "apps", "guard" } do g.dir:write("drafts/" .. name .. ".lua", g.dir:read("policies/" .. name .. ".lua")) end
    local sums = replayed(1, "--policies", "drafts")
    assert.equal(count, sums.scanned)
    assert.is_true(sums.newly_denied > 0 and sums.newly_allowed > 0, ("%d denied, %d allowed, %d not replayable, %d same"):format(sums.newly_denied, sums.newly_allowed, sums.not_replayable, sums.same))
    for _, kind in ipairs { "newly_denied", "newly_allowed" } do
      local listed = replayed(1, "--policies", "drafts", "--only", kind)
      assert.equal(sums[kind], #listed.items)
      for _, item in ipairs(listed.items) do
        local record = g:record(item.id)
        assert.equal(kind == "newly_denied" and "allow" or "deny", record.decided.kind)
        assert.equal("kind", item.differences[1].what)
        if kind == "newly_denied" then assert.equal("deny blue_first", item.is) end
      end
    end
    local out = replay("--policies", "drafts")
    assert.truthy(out:find("newly denied .*house/blue first %(policies/house.lua:%d+%)"), out)
    assert.truthy(out:find("\n  sample "), out)
  end)

  it("are read from a file, too", function()
    local said, code = g:command("audit", "export", "-o", "export.jsonl")
    assert.equal(0, code, said)
    local sums = replayed(1, "export.jsonl", "--policies", "drafts")
    assert.equal(count, sums.scanned)
    g.dir:write("broken.jsonl", "{\"id\":\n")
    local out
    out, code = replay("broken.jsonl")
    assert.equal(2, code, out)
    assert.truthy(out:find("broken.jsonl:1: not a JSON object", 1, true), out)
    assert.is_nil(out:find("decisions", 1, true), out)
  end)

  it("show how far it has come to who waits at a terminal, in one line", function()
    g.dir:write("much.jsonl", g.dir:read("export.jsonl"):rep(30))
    local out = process.run { "script", "-qec", ("'%s' replay much.jsonl -c moongate.lua"):format(command.path), "/dev/null", cwd = g.dir.root,
      env = g.env, seconds = 60 }
    assert.truthy(out:find("\r *\rreplay  %d+  [%d.]+ k/s\r *\rreplay  "), out)
    assert.is_nil(out:find("u000d", 1, true), out)
  end)

  it("say what they do not hold", function()
    g.dir:write("reading/init.lua", "return chain { 'auth', 'reads' }")
    g.dir:write("reading/reads.lua", "return policy { on_request = function(ctx) if #(ctx.request:last_user_text() or '') > 9 then return deny(403, 'long') end end }")
    for _, name in ipairs { "auth", "models", "apps" } do g.dir:write("reading/" .. name .. ".lua", g.dir:read("policies/" .. name .. ".lua")) end
    local sums = replayed(0, "--policies", "reading")
    assert.is_true(sums.not_replayable > 100)
    assert.equal("request.last_user_text", sums.reasons_not_replayable[1].name)
    local out = replay("--policies", "reading")
    assert.truthy(out:find("not replayable%s+%d+%s+request%.last_user_text"), out)
  end)

  it("are compared as they were decided, whatever later hooks made of them", function()
    local h = gateway.start { mock = m, name = "replay-hooks", policies = { ["init.lua"] = "return chain { 'a' }", ["models.lua"] = MODELS, ["a.lua"] = [[return policy {
      rules = { { "seen", annotate = { word = "first" } } },
      on_attempt = function(ctx, target)
        ctx:annotate("word", "tried")
        ctx:annotate("more", target.name)
        if target.name == "openai/one" then return deny(403, "not_there") end
        if ctx.request.task == "none" then return deny(451, "nowhere") end
      end,
      buffer = true, on_response = function(ctx) if ctx.request.task == "leak" then return deny(422, "leak") end end }]] } }
    local codes = {}
    for _, task in ipairs { "fine", "none", "leak" } do
      local r = h:chat({ model = "one", messages = { { role = "user", content = "hello" } } }, { headers = { { "x-moongate-task", task }, { "x-session-id", "s-" .. task } } })
      codes[#codes + 1] = r.status
      local record = h:record(r.id)
      assert.equal("s-" .. task, record.session)
      assert.same({ "allow", { "openai/one", "openai/two" }, 1 }, { record.decided.kind, record.decided.targets, record.decided.annotations })
    end
    local out, code = h:command("replay", "--json")
    local said = h:command("explain", "--last")
    h:stop()
    assert.same({ 200, 451, 422 }, codes)
    assert.equal(0, code, out)
    local sums = cjson.decode(out)
    assert.same({ 3, 3 }, { sums.scanned, sums.same })
    assert.truthy(said:find("decided again  the same today", 1, true), said)
  end)

  it("are refused in words, where they cannot be read", function()
    local function says(text, ...)
      local out, code = replay(...)
      assert.equal(2, code, out)
      assert.truthy(out:find(text, 1, true), out)
    end
    says("no such kind", "--only", "other")
    says("nowhere.jsonl", "nowhere.jsonl")
    says("is read as a whole", "export.jsonl", "department:sales")
    says("--policies names a folder", "--policies", "nowhere")
  end)
end)
