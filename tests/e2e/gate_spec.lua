-- gate = { specs = true }: nothing goes live whose specs fail.
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")
local workdir = require("tests.e2e.kit.workdir")

local m, g

local spec = [[
local gw = require "moongate.test"
describe("sales", function()
  local mg = gw.load_chain()
  it("stay out of gpt-4o", function()
    assert.denied(mg:request { as = { app = "sales-copilot" }, model = "gpt-4o" }, 403)
  end)
end)
]]

-- The shipped files, and the one spec.
local function bundle()
  local files = { ["specs/sales_spec.lua"] = spec }
  for path in io.popen("ls policies/*.lua"):lines() do
    local file = assert(io.open(path, "rb"))
    files[path:match("[^/]*$")] = file:read("*a")
    file:close()
  end
  return files
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, workers = 1, name = "gate", config = { gate = { specs = true, timeout = "3s" } },
    policies = bundle() }
end)
teardown(function()
  g:stop()
  m:stop()
end)

local function generation()
  return client.ask(g.admin_port, { path = "/readyz?verbose" }).body:match("generation (%d+)")
end

local function edit(from, to)
  local text = g.dir:read("policies/access.lua")
  local at, last = text:find(from, 1, true)
  assert.truthy(at, from)
  g.dir:write("policies/access.lua", text:sub(1, at - 1) .. to .. text:sub(last + 1))
end

local open = '["gpt-4o"]                 = { departments = any,                          data = "internal" },'
local shut = '["gpt-4o"]                 = { departments = { "engineering", "product" }, data = "internal" },'

-- The examples of access.lua say the same; without them the spec is the only one to notice.
local function without_examples()
  local text = g.dir:read("policies/access.lua")
  g.dir:write("policies/access.lua", text:gsub("\n  examples = {.*$", "\n}\n"))
end

describe("the gate", function()
  it("lets through what passes", function()
    local before = generation()
    without_examples()
    local out, code = g:reload()
    assert.equal(0, code, out)
    assert.is_true(generation() > before)
  end)

  it("refuses what a spec is against, names the spec, and what ran goes on", function()
    local before = generation()
    edit(shut, open)
    local out, code = g:reload()
    assert.equal(1, code, out)
    assert.truthy(out:find("error[MG0202]: spec failed: sales stay out of gpt-4o: expected deny 403", 1, true), out)
    assert.truthy(out:find("policies/specs/sales_spec.lua:5", 1, true), out)
    assert.equal(before, generation())
    assert.equal(200, g:chat({ model = "gpt-4o", messages = { { role = "user", content = "hi" } } }).status)
    local said, status = g:command("check")
    assert.equal(1, status)
    assert.truthy(said:find("spec failed: sales stay out of gpt-4o", 1, true), said)
    edit(open, shut)
    assert.equal(0, select(2, g:reload()))
  end)

  it("gives the specs so much time and no more", function()
    local before = generation()
    g.dir:write("policies/specs/slow_spec.lua", "describe('slow', function() it('never ends', function() while true do end end) end)\n")
    local out, code = g:reload()
    assert.equal(1, code, out)
    assert.truthy(out:find("the specs took longer than gate.timeout (3000 ms) and were stopped", 1, true), out)
    assert.truthy(out:find("slow never ends", 1, true), out)
    assert.equal(before, generation())
    os.remove(g.dir:path("policies/specs/slow_spec.lua"))
  end)

  it("wants specs to be there, and to load", function()
    g.dir:write("policies/specs/sales_spec.lua", "describe('x', function(\n")
    local out, code = g:reload()
    assert.equal(1, code, out)
    assert.truthy(out:find("MG0202", 1, true) and out:find("policies/specs/sales_spec.lua:2", 1, true), out)
    os.execute("mv '" .. g.dir:path("policies/specs") .. "' '" .. g.dir:path("elsewhere") .. "'")
    out, code = g:reload()
    assert.equal(1, code, out)
    assert.truthy(out:find("the specs cannot be run: there is no ", 1, true), out)
    os.execute("mv '" .. g.dir:path("elsewhere") .. "' '" .. g.dir:path("policies/specs") .. "'")
    g.dir:write("policies/specs/sales_spec.lua", spec)
    assert.equal(0, select(2, g:reload()))
  end)

  it("judges the files that would go live, and keeps a start from them too", function()
    local dir = workdir.new("gate")
    dir:copy("policies", "policies")
    os.execute("rm -rf '" .. dir:path("policies/specs") .. "'")
    dir:write("policies/specs/x_spec.lua", "describe('x', function() it('fails', function() assert.equal(1, 2) end) end)\n")
    dir:write("moongate.lua", 'return moongate.config { gate = { specs = true }, data = "data" }\n')
    local moongate = require("posix.unistd").getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate"
    local out, code = process.run { moongate, "run", cwd = dir.root, seconds = 30 }
    assert.equal(1, code, out)
    assert.truthy(out:find("spec failed: x fails", 1, true), out)
    dir:remove()
  end)
end)
