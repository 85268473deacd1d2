-- API keys made and revoked while the gateway runs, and the command line's manners.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local command = require("tests.e2e.kit.command")
local workdir = require("tests.e2e.kit.workdir")
local process = dofile("tests/lib/process.lua")
local unix = require("posix.sys.socket")
local unistd = require("posix.unistd")

local m, g

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 2, name = "keys" }
end)
teardown(function()
  g:stop()
  m:stop()
end)

-- The same answer from whichever worker gets the connection.
local function status_everywhere(key)
  local seen
  for _ = 1, 12 do
    local status = client.ask(g.port, { path = "/v1/models", key = key }).status
    if seen and status ~= seen then return nil end
    seen = status
  end
  return seen
end

describe("a key", function()
  it("is known to all workers once it is made, and unknown once it is revoked", function()
    local key, id = g:new_key { app = "support-bot", department = "support" }
    assert.truthy(key:match("^mgk_%w+$"))
    assert.equal(47, #key)
    expect.eventually(function() return status_everywhere(key) == 200 end, 1, "a key that is known")
    local out, code = g:command("keys", "revoke", id)
    assert.equal(0, code, out)
    expect.eventually(function() return status_everywhere(key) == 401 end, 1, "a key that is revoked")
    assert.equal(200, client.ask(g.port, { path = "/v1/models", key = g.key }).status)
  end)

  it("is refused when it has expired", function()
    local key = g:new_key { app = "support-bot", department = "support", expires = "1s" }
    expect.eventually(function() return status_everywhere(key) == 401 end, 10, "a key that has expired")
  end)

  it("is nowhere on disk", function()
    local key = g:new_key { app = "support-bot", department = "support" }
    local pipe = io.popen("grep -rl -e '" .. key .. "' '" .. g.dir.root .. "'; ls -l '" .. g.dir:path("data") .. "'")
    local said = pipe:read("*a")
    pipe:close()
    assert.is_nil(said:find(g.dir.root, 1, true), said)
    for line in said:gmatch("[^\n]+") do
      local is_public = line:find("^total") or line:find(" anchor%.pub$")
      assert.is_true(is_public ~= nil or line:find("^[%-s]rw%-%-%-%-%-%-%-") ~= nil, line)
    end
  end)

  it("is not made for names that the policies refute, unless it must be", function()
    local function refused(words, ...)
      local out, code = g:command("keys", "create", ...)
      assert.equal(2, code, out)
      assert.truthy(out:find(words, 1, true), out)
    end
    refused("did you mean 'support-bot'?", "--app", "suport-bot")
    refused("did you mean 'internal'?", "--app", "support-bot", "--clearance", "internl")
    refused("did you mean 'cost_center'?", "--app", "support-bot", "--label", "cost_centre=1")
    refused("no model 'gpt5' in policies/models.lua", "--app", "support-bot", "--approve", "gpt5")
    local out, code = g:command("keys", "create", "--app", "suport-bot", "--force", "--json")
    assert.equal(0, code, out)
    assert.equal(0, select(2, g:command("keys", "revoke", cjson.decode(out:match("{.*}")).id)))
    out, code = g:command("keys", "create", "--app", "support-bot", "--label", "cost_center=1", "--clearance", "internal")
    assert.equal(0, code, out)
  end)

  it("is listed without itself", function()
    local key, id = g:new_key { app = "demo", department = "support", label = "cost=42", role = "dev" }
    local out, code = g:command("keys", "list", "--json")
    assert.equal(0, code)
    assert.is_nil(out:find(key, 1, true))
    local found
    for _, k in ipairs(cjson.decode(out).keys) do
      if k.id == id then found = k end
    end
    assert.equal("demo", found.app)
    assert.equal("42", found.labels.cost)
    assert.same({ "dev" }, found.roles)
    assert.equal(key:sub(-4), found.tail)
    assert.is_false(found.revoked)
    assert.is_nil(found.digest)
  end)
end)

describe("a key that is rotated", function()
  it("has a successor at once, and goes on until its grace is over", function()
    local key, id = g:new_key { app = "support-bot", department = "support", role = "dev" }
    local out, code = g:command("keys", "rotate", id, "--grace", "1h", "--json")
    assert.equal(0, code, out)
    local made = cjson.decode(out)
    assert.equal(id, made.rotated)
    expect.eventually(function() return status_everywhere(made.key) == 200 end, 1, "the new key")
    assert.equal(200, status_everywhere(key))
    out, code = g:command("keys", "rotate", id)
    assert.equal(1, code)
    assert.truthy(out:find("rotated before", 1, true), out)
    out = cjson.decode((g:command("keys", "rotate", made.id, "--grace", "0", "--json")))
    expect.eventually(function() return status_everywhere(made.key) == 401 end, 1, "the old key refused")
    assert.equal(200, status_everywhere(out.key))
    local listed = g:command("keys", "list")
    assert.truthy(listed:find(id .. "\t[^\n]*in grace, now " .. made.id), listed)
    assert.truthy(listed:find(made.id .. "\t[^\n]*\tdev\t[^\n]*rotated, now " .. out.id), listed)
  end)
end)

describe("the registry of a gateway that runs", function()
  -- As a command that is killed between its commit and its word to the gateway leaves it.
  local function untold(fn)
    local path = g.dir:path("data/control.sock")
    assert(os.rename(path, path .. ".away"))
    local ok, why = pcall(fn)
    assert(os.rename(path .. ".away", path))
    assert(ok, why)
  end

  it("is read again by itself when nobody told of a change", function()
    untold(function()
      local key, id = g:new_key { app = "support-bot", department = "support" }
      expect.eventually(function() return status_everywhere(key) == 200 end, 10, "a key that nobody told of")
      assert.equal(0, select(2, g:command("keys", "revoke", id)))
      expect.eventually(function() return status_everywhere(key) == 401 end, 10, "its end that nobody told of")
    end)
  end)

  it("is read again with a reload, also where it was taken away", function()
    local own = gateway.start { mock = m, workers = 1, name = "taken-away" }
    local function status() return client.ask(own.port, { path = "/v1/models", key = own.key }).status end
    assert.equal(200, status())
    for _, name in ipairs { "registry.db", "registry.db-wal", "registry.db-shm" } do
      os.remove(own.dir:path("data/" .. name))
    end
    own:reload()
    expect.eventually(function() return status() == 401 end, 10, "a registry without keys")
    own:stop()
  end)

  it("is not made by who lists what is in it", function()
    local folder = workdir.new("unmade")
    folder:write("moongate.lua", gateway.config_text { mock = m })
    for _, words in ipairs { { "topup", "list" }, { "keys", "list" }, { "topup", "list", "--all", "--json" } } do
      local out, code = command.run(folder.root, unpack(words))
      assert.equal(0, code, out)
    end
    assert.is_nil(io.open(folder:path("data")))
    folder:remove()
  end)

  it("may be changed while the gateway does not answer, which is told apart from none that runs", function()
    local folder = workdir.new("silent")
    folder:write("moongate.lua", gateway.config_text { mock = m })
    folder:write("data/none", "")
    local out, code = command.run(folder.root, "keys", "create", "--app", "x", "--force")
    assert.equal(0, code, out)
    assert.is_nil(out:find("did not answer", 1, true), out)
    local listener = assert(unix.socket(unix.AF_UNIX, unix.SOCK_STREAM, 0))
    assert(unix.bind(listener, { family = unix.AF_UNIX, path = folder:path("data/control.sock") }))
    assert(unix.listen(listener, 5))
    local child = process.start { command.path, "keys", "create", "--app", "x", "--force", cwd = folder.root }
    local accepted = assert(unix.accept(listener))
    unistd.close(accepted)
    child:expect("^warning: the running gateway did not answer: ", 20)
    child:expect("^warning: .* the gateway takes it up by itself", 20)
    assert.equal(0, select(2, child:wait(20)))
    unistd.close(listener)
    folder:remove()
  end)
end)

describe("a key that is revoked", function()
  local function stream_of(key)
    local c = client.connect(g.port)
    c:send(client.request { key = key, json = cjson.encode { model = "gpt-4o-mini", stream = true,
      max_tokens = 4000, metadata = { mock = "tokens=4000&delay_ms=20" }, messages = { { role = "user", content = "x" } } } })
    assert.equal(200, c:head().status)
    c:event()
    return c
  end

  it("leaves what is under way alone", function()
    local key, id = g:new_key { app = "support-bot", department = "support" }
    local c = stream_of(key)
    assert.equal(0, select(2, g:command("keys", "revoke", id)))
    expect.eventually(function() return status_everywhere(key) == 401 end, 1, "a key that is revoked")
    for _ = 1, 5 do c:event() end
    c:close()
  end)

  it("takes it along when told to, with an error the client can read", function()
    local key, id = g:new_key { app = "support-bot", department = "support" }
    local c = stream_of(key)
    assert.equal(0, select(2, g:command("keys", "revoke", id, "--end-requests")))
    local rest = c:body()
    assert.truthy(rest:find("invalid_api_key", 1, true), rest)
    assert.truthy(rest:find("authentication_error", 1, true), rest) -- the type of every 401
    assert.truthy(rest:find("revoked while the request was under way", 1, true), rest)
    c:close()
  end)
end)

describe("what others wrote", function()
  local EVIL = "demo\27]0;pwn\7\r\n\194\155"
  local function is_harmless(out)
    assert.is_nil(out:find("[%z\1-\8\11-\31\127]"), ("%q"):format(out))
    assert.is_nil(out:find("\194[\128-\159]"), ("%q"):format(out))
  end

  it("is spelt where a terminal would obey it, by every command", function()
    local _, id = g:new_key { app = EVIL, department = "support" }
    for _, words in ipairs { { "keys", "list" }, { "keys", "list", "--json" }, { "check" }, { "check", "--json" },
      { "keys", "revoke", EVIL }, { "tokens", "--text", "x", "--model", EVIL }, { "explain", "--as", "app=" .. EVIL, "--model", EVIL },
      { "explain", "--as", "app=demo", "--model", EVIL, "--color", "always" }, { EVIL }, { "check", "-c", EVIL } } do
      local out = g:command(unpack(words))
      is_harmless((out:gsub("\27%[[%d;]+m", "")))
    end
    assert.equal(0, select(2, g:command("keys", "revoke", id)))
  end)

  it("is spelt in what is told of a past request", function()
    local r = g:ask { json = cjson.encode { model = "gpt-5" .. EVIL, messages = { { role = "user", content = "x" } } } }
    g:record(r.id)
    local out = g:command("explain", r.id)
    is_harmless(out)
    assert.truthy(out:find("gpt-5demo\\u001b]0;pwn\\u0007", 1, true), out)
  end)
end)

describe("a key whose app is not listed", function()
  it("is told of when policies are checked and loaded, and refused when it is used", function()
    local own = gateway.start { mock = m, name = "unlisted" }
    local key, id = own:new_key { app = "unheard-of", department = "support" }
    for _, words in ipairs { { "check" }, { "reload" } } do
      local out, code = own:command(words[1])
      assert.equal(0, code, out)
      assert.truthy(out:find("key " .. id .. " names an app that is not listed, 'unheard-of'", 1, true), out)
    end
    assert.equal(403, client.ask(own.port, { path = "/v1/models", key = key }).status)
    assert.equal(0, select(2, own:command("keys", "revoke", id)))
    assert.is_nil(own:command("check"):find("unheard", 1, true))
    own:stop()
  end)
end)

describe("the command line", function()
  local function says(pattern, want, ...)
    local out, code = g:command(...)
    assert.equal(want, code, out)
    assert.truthy(out:find(pattern), out)
  end

  it("keeps its exit codes and helps with slips", function()
    says("^ok  moongate.lua: %d+ files in %d+ ms", 0, "check")
    says("did you mean `moongate reload`", 2, "relaod")
    says("did you mean `moongate keys create`", 2, "keys", "craete")
    says("did you mean `%-%-config`", 2, "check", "--confg", "x")
    says("nowhere.lua: No such file", 2, "check", "-c", "nowhere.lua")
    says("say whose key it is", 2, "keys", "create")
    says("there is no key with the id", 1, "keys", "revoke", "key_none")
    says("that is a key, not its id", 2, "keys", "revoke", "mgk_x")
    says("is not a duration", 2, "keys", "create", "--app", "a", "--expires", "90")
    says("is more than 100 years", 2, "keys", "create", "--app", "a", "--expires", "999999999d")
    says("is more than 100 years", 2, "keys", "rotate", "key_none", "--grace", "999999999d")
    says("^moongate %d+%.%d+%.%d+\n?$", 0, "version")
    says('"version":"%d', 0, "version", "--json")
    says("moongate keys create", 0, "help", "keys")
  end)

  it("fits its help into 24 lines", function()
    for _, words in ipairs { { "help" }, { "help", "run" }, { "help", "check" }, { "help", "test" },
      { "help", "keys", "create" } } do
      local out, code = g:command(unpack(words))
      local _, lines = out:gsub("\n", "")
      assert.equal(0, code)
      assert.is_true(lines < 24, table.concat(words, " "))
      assert.truthy(out:find("^moongate "), "opens with an example")
    end
  end)

  it("refuses a field of moongate.lua that stands there twice", function()
    g.dir:write("bad.lua", 'return {\n  listen = "127.0.0.1:1",\n  providers = {},\n  ["listen"] = "127.0.0.1:2",\n}\n')
    local out, code = g:command("check", "-c", "bad.lua")
    assert.equal(1, code)
    assert.truthy(out:find("error[MG0221]: 'listen' stands in this table twice: what line 2 says of it is lost\n  --> bad.lua:4:3", 1, true), out)
  end)

  it("says where a configuration is wrong, for people and for programs", function()
    g.dir:write("bad.lua", 'return {\n  lisen = "127.0.0.1:1",\n}\n')
    local out, code = g:command("check", "-c", "bad.lua")
    assert.equal(1, code)
    expect.equal_bytes(table.concat({
      "error[MG0211]: unknown field `lisen`", "  --> bad.lua:2:3", "  |", '2 |   lisen = "127.0.0.1:1",', "  |   ^^^^^",
      "  = help: did you mean `listen`?",
      "N files, 1 error, 0 warnings in N ms.  `moongate help MG0211` says more." }, "\n"), (out:gsub("%d+ ms", "N ms"):gsub("%d+ files", "N files")))
    out, code = g:command("check", "-c", "bad.lua", "--json")
    assert.equal(1, code)
    local first = cjson.decode(out).report[1]
    assert.same({ "bad.lua", 2, 3, "error" }, { first.file, first.line, first.column, first.severity })
  end)

  it("shows the effective configuration without its secrets", function()
    local out, code = g:command("check", "--json")
    assert.equal(0, code)
    assert.is_nil(out:find(gateway.PROVIDER_KEY, 1, true))
    assert.equal("(set)", cjson.decode(out).config.providers.openai.key)
  end)

  it("says 3 when no gateway answers", function()
    g.dir:write("elsewhere/moongate.lua", 'return {}')
    says("no gateway answers", 3, "reload", "-c", "elsewhere/moongate.lua")
  end)
end)
