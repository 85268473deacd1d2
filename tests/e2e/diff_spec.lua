-- `moongate diff`: two folders, or one and its repository; exit codes, forms, and what cannot be read.
local cjson = require("cjson")
local unistd = require("posix.unistd")
local workdir = require("tests.e2e.kit.workdir")
local process = dofile("tests/lib/process.lua")

local MOONGATE = unistd.getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate"
local dir

local function run(...)
  local words = { ... }
  words.cwd, words.seconds = dir.root, 30
  return process.run(words)
end

local function diff(want, ...)
  local out, code = run(MOONGATE, "diff", ...)
  assert.equal(want, code, out)
  return out
end

local function has(text, ...)
  for _, part in ipairs { ... } do assert.truthy(text:find(part, 1, true), part .. " is not in\n" .. text) end
end

setup(function()
  dir = workdir.new("diff")
  dir:copy("policies", "old")
  dir:copy("policies", "new")
  local text = dir:read("new/routing.lua")
  dir:write("new/routing.lua", (text:gsub("gt%(100000%)", "gt(90000)"):gsub("examples = %b{}", "examples = {}")))
  text = dir:read("new/access.lua")
  dir:write("new/access.lua", (text:gsub('%["gpt%-5"%] *= { departments = %b{}', '["gpt-5"] = { departments = any'):gsub("examples = %b{}", "examples = {}")))
end)
teardown(function() dir:remove() end)

describe("diff", function()
  it("tells in rules what changed, and which way", function()
    local out = diff(1, "old", "new")
    has(out, "~ row gpt-5  departments engineering, product → any", "▲ loosens",
      "~ rule long-context  when context_tokens is more than 100000 → context_tokens is more than 90000", "2 changes: 2 loosen")
    assert.is_nil(out:find("\27", 1, true))
    assert.truthy(diff(0, "old", "old"):find("^the same files\n?$"))
  end)

  it("tells it as JSON", function()
    local answer = cjson.decode(diff(1, "old", "new", "--json"))
    assert.equal(2, #answer.changes)
    assert.equal("loosens", answer.changes[1].effect)
    assert.equal("old", answer.old.name)
    assert.equal(64, #answer.new.digest)
    assert.equal(0, #cjson.decode(diff(0, "new", "new", "--json")).changes)
  end)

  it("compares with a revision of the folder's repository", function()
    if select(2, run("git", "--version")) ~= 0 then return pending("git is not installed") end
    dir:copy("policies", "repo/policies")
    local git = "cd repo && git init -q && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm first"
    local said, code = run("sh", "-c", git)
    assert.equal(0, code, said)
    diff(0, "--git", "HEAD", "repo/policies")
    dir:write("repo/policies/access.lua", dir:read("new/access.lua"))
    has(diff(1, "--git", "HEAD", "repo/policies"), "repo/policies at HEAD", "~ row gpt-5  departments engineering, product → any")
    dir:write("repo/moongate.lua", 'return moongate.config { policies = "policies", data = "data" }')
    has(diff(1, "--git", "HEAD", "-c", "repo/moongate.lua"), "~ row gpt-5")
    said, code = run("sh", "-c", "cd repo && git add -A && git -c user.name=t -c user.email=t@example.com commit -qm second")
    assert.equal(0, code, said)
    diff(0, "--git", "HEAD", "-c", "repo/moongate.lua")
    dir:write("repo/moongate.lua", 'return moongate.config { policies = "policies", data = "data", egress = { ' ..
      '["https://a.internal"] = { clearance = "confidential", secret = env "NOT_SET_HERE" } } }')
    has(diff(1, "--git", "HEAD", "repo/policies", "-c", "repo/moongate.lua"),
      "+ https://a.internal  confidential data may be sent there  moongate.lua  ▲ loosens", "1 change: 1 loosen")
    has(diff(2, "--git", "nowhere", "repo/policies"), "repo/policies at nowhere: git found nothing there")
    has(diff(2, "--git", "--output=x", "repo/policies"), "is no revision")
    has(diff(2, "--git", "HEAD", "old", "new"), "compares one folder with itself")
  end)

  it("refuses what it cannot read", function()
    has(diff(2, "old"), "say which two policy folders")
    has(diff(2, "old", "nowhere"), "nowhere")
    dir:write("broken/init.lua", 'return chain { "x" }')
    has(diff(2, "old", "broken"), "there is no file policies/x.lua", "the policies of broken do not load")
    has(diff(2, "old", "new", "third"), "one word too many")
  end)

  it("has its help in 24 lines", function()
    local out, code = run(MOONGATE, "help", "diff")
    local _, lines = out:gsub("\n", "")
    assert.equal(0, code)
    assert.is_true(lines < 24)
  end)
end)
