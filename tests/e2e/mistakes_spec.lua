-- Mistakes that people make, each in a bundle that is good otherwise: `moongate check` has exactly one message for it, at its
-- line, with a cure. The first ten are the project's; then what is certain to fail at work, what other languages write
-- otherwise, and ten of somebody who writes a policy for the first time.
local cjson = require("cjson")
local process = dofile("tests/lib/process.lua")
local workdir = require("tests.e2e.kit.workdir")

local moongate = require("posix.unistd").getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate"

local mistakes = {
  { "a forgotten return", "error", "MG0102", 1, "write: return policy { … }", [[
policy {
  rules = { { "a", when = { app = "x" }, deny = { 403, "no" } } },
}
]] },
  { "a misspelt field", "error", "MG0203", 2, "did you mean 'department'?", [[
return policy {
  rules = { { "a", when = { departmnt = "sales" }, deny = { 403, "no" } } },
}
]] },
  { "an unknown model", "error", "MG0204", 2, "did you mean 'gpt-4o'?", [[
return policy {
  rules = { { "a", when = { model = "gpt-4oo" }, deny = { 403, "no" } } },
}
]] },
  { "a missing comma", "error", "MG0101", 4, "is a comma missing before it, or at the end of the line above?", [[
return policy {
  rules = {
    { "a", when = { app = "x" }, deny = { 403, "no" } }
    { "b", when = { app = "y" }, deny = { 403, "no" } },
  },
}
]] },
  { "a global", "error", "MG0104", 3, "local", [[
return policy {
  on_request = function(ctx)
    count = ctx.request.max_tokens
  end,
}
]] },
  { "an endless loop", "error", "MG0105", 2, "an endless loop?", [[
local n = 0
while true do n = n + 1 end
return policy {}
]] },
  { "a wrong unit", "error", "MG0209", 2, "07:00-20:00", [[
return policy {
  rules = { { "a", when = { hours = "7-20" }, deny = { 403, "no" } } },
}
]] },
  { "an unreachable rule", "warning", "MG0301", 4, "put this rule before it", [[
return policy {
  rules = {
    { "all",   deny = { 403, "no" } },
    { "sales", when = { department = "sales" }, deny = { 403, "sales" } },
  },
  examples = { { deny = "no" } },
}
]] },
  { "pcall", "error", "MG0103", 3, "answers are return values", [[
return policy {
  on_request = function(ctx)
    local ok = pcall(function() return ctx.identity.user end)
    if not ok then return deny(403, "no") end
  end,
}
]] },
  { "a function without end", "error", "MG0101", 6, "the 'function' that begins in line 2 has no 'end'", [[
return policy {
  on_request = function(ctx)
    if ctx.identity.app == "x" then
      return deny(403, "no")
    end
}
]] },
  { "a decision that is not returned", "error", "MG0107", 3, "write 'return deny(…)'", [[
return policy {
  on_request = function(ctx)
    if ctx.request.stream then deny(422, "no") end
  end,
  examples = {},
}
]] },
  { "a helper whose decision is not returned", "error", "MG0107", 5, "write 'return refuse(…)'", [[
local function refuse(ctx)
  if ctx.request.stream then return deny(422, "no") end
end
return policy { examples = {}, on_request = function(ctx)
  refuse(ctx)
end }
]] },
  { "a hook that returns a constant", "error", "MG0208", 3, "or nothing: return", [[
return policy {
  on_request = function(ctx)
    return false
  end,
  examples = {},
}
]] },
  { "a timeout with a space", "error", "MG0209", 3, "did you mean \"300ms\"?", [[
return policy {
  on_request = function(ctx)
    http.get("https://a.example/", { timeout = "300 ms" })
  end,
  examples = {},
}
]] },
  { "a timeout without a unit", "error", "MG0209", 3, "did you mean \"300ms\"?", [[
return policy {
  on_request = function(ctx)
    http.get("https://a.example/", { timeout = 300 })
  end,
  examples = {},
}
]] },
  { "a timeout that no policy outlives", "error", "MG0209", 3, "policy = { deadline = \"…\" }", [[
return policy {
  on_request = function(ctx)
    http.get("https://a.example/", { timeout = "5s" })
  end,
  examples = {},
}
]] },
  { "a time to live of another form", "error", "MG0218", 3, "\"5m\"", [[
return policy {
  on_request = function(ctx)
    cache.set("a", 1, "5 minutes")
  end,
  examples = {},
}
]] },
  { "a code of another form", "error", "MG0208", 3, "a code is made of a-z", [[
return policy {
  on_request = function(ctx)
    return deny(403, "Not Allowed")
  end,
  examples = {},
}
]] },
  { "a target that is not there, in a hook", "error", "MG0204", 3, "did you mean 'openai/gpt-4o'?", [[
return policy {
  on_request = function(ctx)
    return route("openai/gpt-4oo")
  end,
  examples = {},
}
]] },
  { "a field of ctx that is not there", "error", "MG0103", 3, "did you mean 'department'?", [[
return policy {
  on_request = function(ctx)
    if ctx.identity.departmnt then return pass() end
  end,
  examples = {},
}
]] },
  { "a function that a library does not have", "error", "MG0103", 3, "did you mean 'post'?", [[
return policy {
  on_request = function(ctx)
    http.psot("https://a.example/")
  end,
  examples = {},
}
]] },
  { "a key twice", "error", "MG0221", 3, "take one of them out", [[
local prices = {
  ["gpt-4o"] = 1,
  ["gpt-4o"] = 2,
}
return policy { examples = {}, rules = { { "a", annotate = { n = prices["gpt-4o"] } } } }
]] },
  { "a name twice in a list", "error", "MG0221", 2, "take one of them out", [[
return policy {
  rules = { { "a", when = { department = { "sales", "sales" } }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "an app that nobody lists", "error", "MG0216", 2, "did you mean 'sales-copilot'?", [[
return policy {
  rules = { { "a", when = { app = { "sales-copilt" } }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a model that is not called", "error", "MG0204", 2, "did you mean 'gpt-5'?", [[
return policy {
  rules = { { "a", when = { called = "gpt5" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a department that looks misspelt", "warning", "MG0318", 2, "did you mean 'engineering'?", [[
return policy {
  rules = { { "a", when = { department = "enginering" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a rule that the matrix leaves nothing", "warning", "MG0319", 3, "departments = { … }", [[
return access {
  models = { ["gpt-4o"] = { departments = "sales", data = "internal" } },
  rules = { { "a", when = { model = "gpt-4o", department = "support" }, pass = true } },
  examples = {},
}
]] },
  { "a tag that no app has", "error", "MG0216", 2, "no app in policies/apps.lua has the tag", [[
return policy {
  rules = { { "a", when = { tags = { grade = "high" } }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "retrun", "error", "MG0101", 1, "did you mean 'return'?", [[
retrun policy {}
]] },
  { "&&", "error", "MG0101", 3, "write `and`", [[
return policy {
  on_request = function(ctx)
    if ctx.request.stream && ctx.request.tools then return pass() end
  end,
  examples = {},
}
]] },
  { "||", "error", "MG0101", 3, "write `or`", [[
return policy {
  on_request = function(ctx)
    if ctx.request.stream || ctx.request.tools then return pass() end
  end,
  examples = {},
}
]] },
  { "!=", "error", "MG0101", 3, "not equal is ~=", [[
return policy {
  on_request = function(ctx)
    if ctx.request.model != "gpt-4o" then return pass() end
  end,
  examples = {},
}
]] },
  { "!x", "error", "MG0101", 3, "write `not x`", [[
return policy {
  on_request = function(ctx)
    if !ctx.request.stream then return pass() end
  end,
  examples = {},
}
]] },
  { "+=", "error", "MG0101", 4, "write n = n + …", [[
return policy {
  on_request = function(ctx)
    local n = 1
    n += 1
  end,
  examples = {},
}
]] },
  { "a later Lua's const", "error", "MG0101", 3, "without <const>", [[
return policy {
  on_request = function(ctx)
    local n <const> = 1
  end,
  examples = {},
}
]] },
  { "a later Lua's division", "error", "MG0101", 3, "math.floor(a / b)", [[
return policy {
  on_request = function(ctx)
    local n = 7 // 2
  end,
  examples = {},
}
]] },
  { "a later Lua's bits", "error", "MG0101", 3, "bit.band(a, b)", [[
return policy {
  on_request = function(ctx)
    local n = 7 & 2
  end,
  examples = {},
}
]] },
  { "else if", "error", "MG0101", 6, "`else if` in line 4 opens another if: write `elseif`", [[
return policy {
  on_request = function(ctx)
    if ctx.request.stream then return pass()
    else if ctx.request.tools then return pass()
    end
  end,

  examples = {},

}
]] },
  { "null", "error", "MG0103", 3, "nothing is nil", [[
return policy {
  on_request = function(ctx)
    if ctx.request.max_tokens == null then return pass() end
  end,
  examples = {},
}
]] },
  { "a comparison beside a field", "error", "MG0103", 2, "write context_tokens = gt(50000)", [[
return policy {
  rules = { { "a", when = { context_tokens > 50000 }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a number with a k", "error", "MG0218", 2, "write 50000", [[
return policy {
  rules = { { "a", when = { context_tokens = "50k" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a comparison in a text", "error", "MG0218", 2, "write gt(50000)", [[
return policy {
  rules = { { "a", when = { context_tokens = ">50000" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a price by the thousand", "error", "MG0103", 1, "usd_per_million", [[
local price = usd_per_1k { input = "1", output = "2" }
return policy {}
]] },
  { "a newcomer's pattern in a constant", "error", "MG0205", 2, "write like \"sales*\"", [[
return policy {
  rules = { { "a", when = { department = "sales*" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a newcomer's everybody", "error", "MG0218", 2, "write departments = any", [[
return access {
  models = { ["gpt-4o"] = { departments = "*", data = "internal" } },
  examples = {},
}
]] },
  { "a newcomer's model name without brackets", "error", "MG0101", 2, "[\"name\"] = …", [[
return access {
  models = { claude-3-opus = { departments = any, data = "internal" } },
}
]] },
  { "a newcomer's JSON", "error", "MG0101", 2, "a field is written app = …", [[
return policy {
  rules = { { "a", when = { app: "demo" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a newcomer's call of log", "error", "MG0103", 3, "log.info", [[
return policy {
  on_request = function(ctx)
    log("hello")
  end,
  examples = {},
}
]] },
  { "a newcomer's deny, turned round", "error", "MG0208", 3, "deny(403, \"no\")", [[
return policy {
  on_request = function(ctx)
    return deny("no", 403)
  end,
  examples = {},
}
]] },
  { "a newcomer's method of ctx", "error", "MG0103", 3, "return deny(…)", [[
return policy {
  on_request = function(ctx)
    return ctx:deny(403, "no")
  end,
  examples = {},
}
]] },
  { "a newcomer's nil", "error", "MG0218", 2, "take it out, or give it a value", [[
return policy {
  rules = { { "a", when = { max_tokens = nil }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a newcomer's office hours", "error", "MG0209", 2, "write \"08:00-18:00\"", [[
return policy {
  rules = { { "a", when = { hours = "8am-6pm" }, deny = { 403, "no" } } },
  examples = {},
}
]] },
  { "a newcomer's messages", "error", "MG0103", 3, "last_user_text()", [[
return policy {
  on_request = function(ctx)
    if ctx.request.messages[1].content:find("x") then return deny(403, "no") end
  end,
  examples = {},
}
]] },
  { "a newcomer's caller in an example", "error", "MG0211", 3, "as = { app = … }", [[
return policy {
  rules = { { "a", when = { app = "demo" }, deny = { 403, "no" } } },
  examples = { { app = "demo", deny = "no" } },
}
]] },
  { "a newcomer's continue", "error", "MG0101", 3, "there is no continue", [[
return policy {
  on_request = function(ctx)
    for i = 1, 3 do if i == 2 then continue end end
  end,
  examples = {},
}
]] },
}

local dir
setup(function()
  dir = workdir.new("mistakes")
  dir:copy("policies", "policies")
  local init = dir:read("policies/init.lua")
  dir:write("policies/init.lua", (init:gsub("return chain {", "return chain {\n  \"mistake\",", 1)))
end)
teardown(function() dir:remove() end)

local function check(text, ...)
  dir:write("policies/mistake.lua", text)
  return process.run { moongate, "check", "policies", ..., cwd = dir.root, seconds = 30, env = { NO_COLOR = "1" } }
end

describe("one message for", function()
  for _, mistake in ipairs(mistakes) do
    local name, severity, code, line, cure, text = unpack(mistake)
    it(name, function()
      local out, status = check(text, "--json")
      local report = cjson.decode(out).report
      assert.equal(severity == "error" and 1 or 0, status)
      assert.equal(1, #report, out)
      local one = report[1]
      assert.same({ "policies/mistake.lua", line, severity, code }, { one.file, one.line, one.severity, one.code })
      assert.truthy(((one.help or "") .. one.message):find(cure, 1, true), out)
      out = check(text)
      assert.truthy(out:find(("%s[%s]: "):format(severity, code), 1, true), out)
      assert.truthy(out:find(("\n  --> policies/mistake.lua:%d"):format(line), 1, true), out)
    end)
  end
end)
