-- Ten mistakes that people make, each in a bundle that is good otherwise: `moongate check` has exactly one message for it,
-- at its line, with a cure.
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
