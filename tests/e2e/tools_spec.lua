-- The offline commands of policy authors: test, check, init.
local cjson = require("cjson")
local process = dofile("tests/lib/process.lua")
local command = require("tests.e2e.kit.command")
local workdir = require("tests.e2e.kit.workdir")

local run, has, moongate = command.run, command.has, command.path

local dir
before_each(function()
  dir = workdir.new("tools")
  dir:copy("policies", "policies")
  os.execute(("rm -rf '%s'"):format(dir:path("policies/specs")))
  dir:write("moongate.lua", 'return moongate.config { policies = "policies" }\n')
end)
after_each(function() dir:remove() end)

describe("moongate test", function()
  local good = [[
local gw = require "moongate.test"
describe("access", function()
  local mg = gw.load { "policies/access.lua" }
  it("lets engineering use gpt-4o", function()
    assert.allowed(mg:request { as = { department = "engineering" }, model = "gpt-4o" })
  end)
  it("keeps sales out", function()
    assert.denied(mg:request { as = { department = "sales" }, model = "gpt-4o" }, 403)
  end)
end)
]]
  local bad = good:gsub("keeps sales out", "lets sales (50%%) in"):gsub("assert.denied%((.-), 403%)", "assert.allowed(%1)")

  it("runs the specs of the policy folder", function()
    dir:write("policies/specs/good_spec.lua", good)
    local out, code = run(dir.root, "test")
    assert.equal(0, code, out)
    has(out, "policies/specs/good_spec.lua")
    has(out, "\n2 passed in ")
  end)

  it("shows a failure with its place, the trace and words that run it again", function()
    dir:write("policies/specs/good_spec.lua", good)
    dir:write("policies/specs/other_spec.lua", bad)
    local out, code = run(dir.root, "test")
    assert.equal(1, code, out)
    has(out, "✗ access lets sales (50%) in  other_spec.lua:8")
    has(out, "access/models.gpt-4o.departments: deny department sales may not use gpt-4o")
    has(out, "\n3 passed, 1 failed in ")
    local again = out:match("rerun (moongate test [^\n]*)")
    out, code = process.run { "sh", "-c", (again:gsub("^moongate", moongate)), cwd = dir.root, seconds = 30 }
    assert.equal(1, code, out)
    has(out, "\n1 failed in ")
  end)

  it("finds a project and its files from anywhere", function()
    dir:write("policies/specs/good_spec.lua", good)
    for _, path in ipairs { dir.root, dir.root .. "/policies/specs", dir.root .. "/policies/specs/good_spec.lua" } do
      local out, code = run("/", "test", path)
      assert.equal(0, code, out)
      has(out, "2 passed in ")
    end
    local out, code = run("/", "test", "-c", dir.root .. "/moongate.lua")
    assert.equal(0, code, out)
  end)

  it("speaks JSON, TAP and JUnit", function()
    dir:write("policies/specs/a_spec.lua", bad)
    local out, code = run(dir.root, "test", "--json")
    local document = cjson.decode(out)
    assert.equal(1, code)
    assert.same({ false, 1, 1 }, { document.ok, document.passed, document.failed })
    assert.same({ "policies/specs/a_spec.lua", 8, "failed" },
      { document.files[1].tests[2].file, document.files[1].tests[2].line, document.files[1].tests[2].status })
    out, code = run(dir.root, "test", "-o", "TAP")
    assert.equal(1, code)
    has(out, "ok 1 - access lets engineering use gpt-4o")
    has(out, "not ok")
    has(out, "1..2")
    has(run(dir.root, "test", "-o", "junit"), "<testcase ")
  end)

  it("hands busted's options on", function()
    dir:write("policies/specs/a_spec.lua", bad)
    local out, code = run(dir.root, "test", "--filter", "engineering")
    assert.equal(0, code, out)
    has(out, "1 passed in")
  end)

  it("says what cannot be run", function()
    local out, code = run(dir.root, "test")
    assert.equal(2, code)
    has(out, "there is no policies/specs")
    dir:write("policies/specs/a_spec.lua", "describe('x', function(\n")
    out, code = run(dir.root, "test")
    assert.equal(1, code)
    has(out, "policies/specs/a_spec.lua  a_spec.lua:2")
    has(out, "1 failed in")
    out, code = run(dir.root, "test", "--no-such-option")
    assert.equal(2, code)
    has(out, "--no-such-option")
  end)

  it("does not let a spec end the run", function()
    dir:write("policies/specs/a_spec.lua", "describe('x', function() it('ends', function() os.exit(0) end) end)\n")
    local out, code = run(dir.root, "test")
    assert.equal(1, code, out)
    has(out, "os.exit was called")
  end)

  it("finds a policy that remembers", function()
    local text = "local seen = {}\nreturn policy { on_request = function(ctx) seen[ctx.identity.user] = true end%s }\n"
    dir:write("policies/remember.lua", text:format(""))
    dir:write("policies/specs/r_spec.lua", [[
describe("x", function()
  local mg = require("moongate.test").load { "policies/remember.lua" }
  it("asks twice", function()
    mg:request {}
    mg:request {}
  end)
end)
]])
    local out, code = run(dir.root, "test")
    assert.equal(1, code, out)
    has(out, "x asks twice  r_spec.lua:4")
    has(out, "LEAK remember^seen.ana: nil -> true")
    dir:write("policies/remember.lua", text:format(", keeps_state = true"))
    out, code = run(dir.root, "test")
    assert.equal(0, code, out)
  end)

  it("reads what policies require", function()
    dir:write("policies/lib/lists.lua", 'return { cheap = require("lib.names").cheap }\n')
    dir:write("policies/lib/names.lua", 'return { cheap = { "openai/gpt-4o-mini" } }\n')
    dir:write("policies/narrow.lua", 'local lists = require "lib.lists"\nreturn policy { rules = { { "a", only = lists.cheap } } }\n')
    local init = dir:read("policies/init.lua")
    dir:write("policies/init.lua", (init:gsub("return chain {", 'return chain { "narrow",', 1)))
    dir:write("policies/specs/r_spec.lua", [[
describe("x", function()
  local gw = require "moongate.test"
  it("alone", function()
    assert.allowed(gw.load({ "policies/narrow.lua" }):request { model = "gpt-4o-mini" })
  end)
  it("in the chain", function()
    assert.denied(gw.load_chain():request { as = { app = "code-assistant" }, model = "gpt-4o" }, 403, "no_target_left")
  end)
end)
]])
    local out, code = run(dir.root, "test")
    assert.equal(0, code, out)
    dir:write("moongate.lua", 'return moongate.config { gate = { specs = true } }\n')
    out, code = run(dir.root, "check")
    assert.equal(0, code, out)
  end)

  it("says what no spec has tried", function()
    dir:write("policies/rare.lua", [[
return policy {
  rules = {
    { "seen",  when = { app = "demo" }, annotate = { a = "b" } },
    { "never", when = { app = "support-bot" }, annotate = { a = "b" } },
  },
  on_request = function(ctx)
    if ctx.identity.app == "y" then
      local text = "never"
      ctx:annotate("c", text)
    end
  end,
}
]])
    dir:write("policies/specs/r_spec.lua", [[
describe("x", function()
  local mg = require("moongate.test").load { "policies/rare.lua" }
  it("asks", function() mg:request { as = { app = "demo" } } end)
end)
]])
    local out, code = run(dir.root, "test", "--coverage")
    assert.equal(0, code, out)
    has(out, "1 of 2 rules")
    has(out, "rare.lua:8-9 never ran")
    has(out, "rare.lua:4 rule rare/never never matched")
    local document = cjson.decode((run(dir.root, "test", "--coverage", "--json")))
    for _, one in ipairs(document.coverage) do
      if one.file == "policies/rare.lua" then
        assert.same({ { 8, 9 } }, one.missed)
        assert.same({ "rare/never" }, { one.unmatched[1].name })
      end
    end
  end)

  it("is coloured only where that can be seen, or is asked for", function()
    dir:write("policies/specs/a_spec.lua", bad)
    local function coloured(env, option)
      local out = process.run { moongate, "test", option, cwd = dir.root, seconds = 30, env = env }
      return out:find("\27", 1, true) ~= nil
    end
    assert.is_false(coloured { CLICOLOR_FORCE = "0" })
    assert.is_true(coloured { CLICOLOR_FORCE = "1", NO_COLOR = "" })
    assert.is_false(coloured { CLICOLOR_FORCE = "1", NO_COLOR = "1" })
    assert.is_true(coloured({ NO_COLOR = "1" }, "--color=always"))
    assert.is_false(coloured({ CLICOLOR_FORCE = "1", NO_COLOR = "" }, "--color=never"))
  end)
end)

describe("moongate check", function()
  local bad = "return policy {\n  rules = { { 'a', when = { departmnt = 'sales' }, deny = { 403, 'no' } } },\n}\n"

  local function add(name, text)
    dir:write("policies/" .. name .. ".lua", text)
    local init = dir:read("policies/init.lua")
    dir:write("policies/init.lua", (init:gsub("return chain {", ('return chain { "%s",'):format(name), 1)))
  end

  local function provide()
    dir:write("moongate.lua", [[
local mock = { kind = "openai", url = "http://127.0.0.1:9/v1" }
return moongate.config { providers = { openai = mock, anthropic = mock, ["local"] = mock }, notify = { slack = { kind = "command", command = { "/bin/true" } } } }
]])
  end

  it("says ok, and how much it looked at", function()
    provide()
    local out, code = run(dir.root, "check")
    assert.equal(0, code, out)
    assert.truthy(out:find("^ok  moongate%.lua: %d+ files in %d+ ms, sha256 %x+$"), out)
  end)

  it("shows place, line, caret and cure, and adds up", function()
    provide()
    add("extra", bad)
    local out, code = run(dir.root, "check")
    assert.equal(1, code, out)
    has(out, table.concat({
      "error[MG0203]: rules[1].when.departmnt: unknown condition 'departmnt'",
      "  --> policies/extra.lua:2:29",
      "  |",
      "2 |   rules = { { 'a', when = { departmnt = 'sales' }, deny = { 403, 'no' } } },",
      "  |                             ^^^^^^^^^",
      "  = help: did you mean 'department'?" }, "\n"))
    assert.truthy(out:find("\n%d+ files, 1 error, 0 warnings in %d+ ms%."), out)
    has(out, "`moongate help MG0203` says more.")
  end)

  it("has all errors at once, of the configuration and of every file", function()
    dir:write("moongate.lua", 'return moongate.config { lisen = "127.0.0.1:1" }\n')
    add("one", bad)
    add("two", "return policy {\n")
    local document = cjson.decode((run(dir.root, "check", "--json")))
    local codes = {}
    for i, item in ipairs(document.report) do codes[i] = item.code .. " " .. item.file end
    assert.same({ "MG0211 moongate.lua", "MG0203 policies/one.lua", "MG0101 policies/two.lua" }, codes)
    assert.same({ false, 3 }, { document.ok, document.errors })
  end)

  it("warns once for a provider without an account", function()
    dir:write("moongate.lua", 'return moongate.config { providers = {}, notify = { slack = { kind = "command", command = { "/bin/true" } } } }\n')
    local document = cjson.decode((run(dir.root, "check", "--json")))
    local count = 0
    for _, item in ipairs(document.report) do
      assert.equal("MG0306", item.code)
      count = count + 1
    end
    assert.equal(3, count)
  end)

  it("annotates pull requests", function()
    provide()
    add("extra", bad)
    local out, code = run(dir.root, "check", "--format", "github")
    assert.equal(1, code)
    has(out, "::error file=policies/extra.lua,line=2,col=29,title=MG0203::rules[1].when.departmnt: unknown condition")
    has(out, "%0Adid you mean 'department'?")
  end)

  it("takes projects, folders and files, and names them as they can be opened", function()
    add("extra", bad)
    local out, code = run("/", "check", dir.root .. "/policies")
    assert.equal(1, code)
    has(out, "--> " .. dir.root:sub(2) .. "/policies/extra.lua:2:29")
    out, code = run(dir.root, "check", "policies/extra.lua")
    assert.equal(1, code)
    has(out, "1 file, 1 error")
    out, code = run(dir.root, "check", "policies/access.lua")
    assert.equal(0, code, out)
    has(out, "1 in other files")
    out, code = run(dir.root, "check", "nowhere")
    assert.equal(2, code)
    has(out, "nowhere: No such file or directory")
    out, code = run(dir.root, "check", "policies/specs")
    assert.equal(2, code, out)
  end)

  it("explains its codes, and has one for everything it says", function()
    has((run(dir.root, "help", "mg0203")), "MG0203: an unknown condition")
    has((run(dir.root, "help", "unknown_condition")), "MG0203: an unknown condition")
    local out, code = run(dir.root, "help", "MG0999")
    assert.equal(2, code, out)
    local list = run(dir.root, "help", "codes")
    for name in list:gmatch("MG%d%d%d%d") do
      local said, status = run(dir.root, "help", name)
      assert.equal(0, status)
      assert.truthy(#said > 80, said)
    end
  end)

  it("tells every field of moongate.lua with its default and its range", function()
    local all, code = run(dir.root, "help", "config")
    assert.equal(0, code)
    has(all, "timeouts.header\n    duration, 100ms to 10m, default 10s\n    A request's head")
    has(all, "providers.NAME.kind\n    kind, must be there\n")
    has(all, 'listen\n    address, default "127.0.0.1:8090"; the environment variable MOONGATE_LISTEN comes before')
    local some = run(dir.root, "help", "config", "egress")
    has(some, 'egress["URL"].timeout\n    duration, 1ms to 1m, default 1s\n')
    assert.falsy(some:find("listen", 1, true))
    -- The configuration that was checked has the same fields.
    dir:write("moongate.lua", 'return moongate.config { providers = {}, notify = { slack = { kind = "command", command = { "/bin/true" } } } }\n')
    local document = cjson.decode((run(dir.root, "check", "--json")))
    for name in all:gmatch("\n(%l+)\n    ") do assert.truthy(document.config[name], name) end
    local out
    out, code = run(dir.root, "help", "config", "timeout")
    assert.equal(2, code)
    has(out, "there is no field `timeout`")
  end)

  it("warns of what loads and is not meant", function()
    provide()
    add("extra", [[
return policy {
  rules = {
    { "big",    when = { context_tokens = gt(1000), app = { "demo", "support-bot" } }, deny = { 403, "big" } },
    { "bigger", when = { context_tokens = gt(5000), app = "demo", task = "code" }, deny = { 403, "bigger" } },
    { "other",  when = { context_tokens = gt(500), app = "demo" }, deny = { 403, "other" } },
    { "fn",     when = function(ctx) return ctx.identity.department == "sales" and ctx.request.max_tokens > 5 end,
                deny = { 403, "fn" } },
    { "two",    when = function(c) return c.identity.roles["x"] end, unless = function(c) return c.request.stream == true end,
                deny = { 403, "two" } },
    { "real",   when = function(ctx) return ctx.identity.team == "a" or ctx.request.stream end, deny = { 403, "real" } },
    { "all",    when = { app = any }, pass = true },
    { "last",   when = function(ctx) return #ctx.identity.user > 3 end, deny = { 403, "last" } },
  },
}
]])
    local document = cjson.decode((run(dir.root, "check", "--json")))
    local said = {}
    for i, item in ipairs(document.report) do said[i] = ("%s:%d %s"):format(item.code, item.line, item.help) end
    assert.same({
      "MG0308:1 examples = { { as = { … }, model = \"…\", deny = \"code\" } } are decided at every load",
      "MG0301:4 put the narrower rule first",
      "MG0302:6 when = { department = \"sales\", max_tokens = gt(5) }",
      "MG0302:8 when = { role = \"x\" }",
      "MG0302:8 unless = { stream = true }",
      "MG0301:12 put this rule before it",
    }, said)
    assert.is_true(document.ok)
  end)
end)

describe("what examples run into", function()
  local function said(text)
    dir:write("moongate.lua", 'return moongate.config { providers = {}, notify = { slack = { kind = "command", command = { "/bin/true" } } } }\n')
    dir:write("policies/extra.lua", text)
    local init = dir:read("policies/init.lua")
    dir:write("policies/init.lua", (init:gsub("return chain {", 'return chain { "extra",', 1)))
    local list = {}
    for _, item in ipairs(cjson.decode((run(dir.root, "check", "--json"))).report) do
      if item.code ~= "MG0306" then list[#list + 1] = ("%s:%d:%d %s"):format(item.code, item.line, item.column or 0, item.help) end
    end
    return list
  end

  it("is told at its own place", function()
    assert.same({ "MG0107:3:5 write 'return deny(…)'" }, said [[
return policy {
  on_request = function(ctx)
    deny(403, "no", ctx.id)
  end,
  examples = { { model = "gpt-4o" } },
}
]])
  end)

  it("is told before anything does", function()
    assert.same({ "MG0103:4:29 did you mean 'department'?" }, said [[
return policy {
  on_request = function(ctx)
    if ctx.request.task == "x" then
      log.info(ctx.identity.departmnt)
    end
  end,
  examples = { { model = "gpt-4o" } },
}
]])
  end)
end)

describe("moongate init", function()
  it("writes a project that is good as it stands", function()
    local out, code = run(dir.root, "init", "new/place")
    assert.equal(0, code, out)
    has(out, "new/place/policies/access.lua")
    has(dir:read("new/place/policies/README.md"), "(cookbook.md)")
    has(dir:read("new/place/policies/cookbook.md"), "moongate")
    has(dir:read("new/place/moongate.lua"), "gate      = { specs = true }")
    has(out, "cd new/place && moongate test")
    out, code = run(dir.root, "test", "new/place")
    assert.equal(0, code, out)
    has(out, "passed in")
    local document = cjson.decode((process.run { moongate, "check", "--json", cwd = dir:path("new/place"), seconds = 30,
      env = { OPENAI_API_KEY = "x" } }))
    assert.same({ true, {} }, { document.ok, document.report })
  end)

  it("can be checked and asked where its secrets are not", function()
    run(dir.root, "init", "bare")
    local function without_key(...)
      local words = { "env", "-u", "OPENAI_API_KEY", moongate, ... }
      words.cwd, words.seconds = dir:path("bare"), 30
      return process.run(words)
    end
    local out, code = without_key("check")
    assert.equal(0, code, out)
    has(out, "warning[MG0320]: providers.openai.key: the environment variable OPENAI_API_KEY is not set here")
    out, code = without_key("explain", "--as", "app=helpdesk", "--model", "auto")
    assert.equal(0, code, out)
    out, code = without_key("run")
    assert.equal(1, code, out)
    has(out, "error[MG0217]: providers.openai.key: the environment variable OPENAI_API_KEY is not set")
  end)

  it("writes names that luacheck and editors use", function()
    run(dir.root, "init", "p")
    local out, code = process.run { "luacheck", "--no-color", ".", cwd = dir:path("p"), seconds = 30 }
    assert.equal(0, code, out)
    dir:write("p/policies/slip.lua", "return policy { on_request = function() retrun, x = pcall(1) end }\n")
    out, code = process.run { "luacheck", "--no-color", ".", cwd = dir:path("p"), seconds = 30 }
    assert.is_true(code ~= 0, out)
    has(out, "accessing undefined variable 'pcall'")
    local types = dir:read("p/types/moongate.d.lua")
    has(types, "---@meta")
    assert.is_truthy(loadstring(types), "the types are no Lua")
    has(types, "---@param options? mg.http.options\n---@return mg.http.reply?, string? err, mg.http.reply? refused\nfunction http.post(url, options) end")
    has(types, "field: string, value: any, reason?: string")
    assert.is_nil(types:find("---@param ... any", 1, true), "a function whose parameters nobody says")
    for _, name in ipairs { "moongate.config(fields)", "env(name)", "describe(name, body)", "it(name, body)" } do
      has(types, "function " .. name .. " end")
    end
    has(types, "---@field denied fun(reply: mg.test.reply, status?: integer, code?: string)")
    has(dir:read("p/types/moongate_test.d.lua"), "---@meta moongate.test")
    cjson.decode(dir:read("p/.luarc.json"))
  end)

  -- The types come from the schema, so what the schema takes they name, and nothing else.
  it("writes types that say what check says", function()
    run(dir.root, "init", "p")
    local types = dir:read("p/types/moongate.d.lua")
    local class
    local fields = {}
    for line in types:gmatch("[^\n]+") do
      class = line:match("^%-%-%-@class %(exact%) (%S+)$") or line:match("^%-%-%-@class (%S+)$") or class
      local name = line:match("^%-%-%-@field ([%w_]+)%??")
      if name then
        fields[class] = fields[class] or {}
        fields[class][name] = true
      end
    end
    for _, kind in ipairs { "policy", "access", "auth", "routing", "ratelimit", "budget", "redaction" } do
      local written = {}
      for name in pairs(fields["mg." .. kind]) do written[#written + 1] = name .. " = 1" end
      dir:write("p/policies/house.lua", ("return %s {\n  %s,\n}\n"):format(kind, table.concat(written, ",\n  ")))
      local out = run(dir:path("p"), "check", "policies/house.lua")
      assert.is_nil(out:find("unknown field", 1, true), out)
      dir:write("p/policies/house.lua", ("return %s {\n  no_such_field = 1,\n}\n"):format(kind))
      has((run(dir:path("p"), "check", "policies/house.lua")), "unknown field 'no_such_field'")
    end
    local conditions = {}
    for name in pairs(fields["mg.when"]) do conditions[#conditions + 1] = name .. " = 1" end
    dir:write("p/policies/house.lua", ('return policy { rules = { { "a", when = { %s }, pass = true } } }\n'):format(
      table.concat(conditions, ", ")))
    local out = run(dir:path("p"), "check", "policies/house.lua")
    assert.is_nil(out:find("unknown condition", 1, true), out)
    assert.is_true(#conditions > 20)
  end)

  it("overwrites nothing, and renews only what it generates", function()
    dir:write("p/policies/access.lua", "mine\n")
    local out, code = run(dir.root, "init", "p")
    assert.equal(2, code)
    has(out, "p/policies/access.lua is there already")
    assert.is_nil(dir:read("p/moongate.lua"))
    assert.equal("mine\n", dir:read("p/policies/access.lua"))
    out, code = run(dir.root, "init", "--types", "p")
    assert.equal(0, code, out)
    assert.is_nil(dir:read("p/moongate.lua"))
    dir:write("p/.luacheckrc", "old")
    assert.equal(0, select(2, run(dir.root, "init", "--types", "p")))
    has(dir:read("p/.luacheckrc"), "read_globals")
    out, code = run(dir.root, "init")
    assert.equal(2, code)
    has(out, "moongate init my-gateway")
  end)
end)
