-- policies/cookbook.md, as it stands: each recipe is saved beside the shipped models and apps, checked, its spec run by
-- `moongate test`, and its request explained; the page must show what the commands print.
--
-- A line "…" of the page stands for any number of lines, "…" within a line for any text. COOKBOOK_WRITE=1 writes what the
-- commands print into the page.
local workdir = require("tests.e2e.kit.workdir")
local unistd = require("posix.unistd")
local process = dofile("tests/lib/process.lua")

local PAGE = "policies/cookbook.md"
local MOONGATE = unistd.getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate"
local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local page = read(PAGE)

-- { title, files = { [path] = text }, name, spec, session }
local function recipe(title, body)
  local one = { title = title, files = {} }
  for language, text in body:gmatch("```(%a+)\n(.-)```") do
    local path = text:match("^%-%- (policies/[%w_/]+%.lua)\n")
    if path then
      one.files[path] = text
      one.name = one.name or path:match("^policies/([%w_]+)%.lua$")
    elseif language == "lua" then one.spec = text
    else one.session = text end
  end
  return one
end

local function recipes()
  local list, at = {}, 1
  while true do
    local from, to, title = page:find("\n## (%d+%. [^\n]+)\n", at)
    if not from then return list end
    at = to
    list[#list + 1] = recipe(title, page:sub(to, (page:find("\n## ", to, true) or #page + 1) - 1))
  end
end

local SPEC = [[
local gw = require "moongate.test"

describe("%s", function()
  local mg = gw.load { "policies/%s.lua" }
%s
end)
]]

local function save(one)
  local dir = workdir.new("cookbook")
  for _, name in ipairs { "models", "apps" } do dir:write("policies/" .. name .. ".lua", read("policies/" .. name .. ".lua")) end
  for path, text in pairs(one.files) do dir:write(path, text) end
  dir:write("policies/init.lua", ('return chain { "%s" }\n'):format(one.name))
  dir:write(("policies/specs/%s_spec.lua"):format(one.name), SPEC:format(one.name, one.name, one.spec))
  return dir
end

local function run(dir, words)
  words.cwd, words.seconds = dir.root, 30
  words.env = { TZ = "UTC" }
  return process.run(words)
end

local function fits(wanted, said)
  local pattern = ("\n" .. wanted):gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("\n…", "\n.-"):gsub("…", "[^\n]*")
  return ("\n" .. said):find("^" .. pattern .. "%s*$") ~= nil
end

-- What changes from day to day and with every edit of the folder.
local function steady(said)
  return (said:gsub("\n  %a+day %d%d%d%d%-%d%d%-%d%dT[^\n]*", "\n  …"):gsub("%s+$", ""):gsub(" +\n", "\n"))
end

local list = recipes()

it("has at least twenty-six recipes", function() assert.is_true(#list >= 26, tostring(#list)) end)

for _, one in ipairs(list) do
  describe(one.title, function()
    it("loads, passes its spec and is explained as shown", function()
      local dir = save(one)
      local out, code = run(dir, { MOONGATE, "check", "policies" })
      assert.equal(0, code, out)
      out, code = run(dir, { MOONGATE, "test", "policies/specs" })
      assert.equal(0, code, out)
      assert.truthy(out:find("[1-9]%d* passed"), out)
      local command, wanted = one.session:match("^%$ moongate (explain [^\n]*)\n(.*)$")
      out, code = run(dir, { "sh", "-c", MOONGATE .. " " .. command .. " --policies policies" })
      assert.is_true(code == 0 or code == 1, out)
      out = steady(out)
      if os.getenv("COOKBOOK_WRITE") then
        local from, to = page:find(one.session, 1, true)
        page = page:sub(1, from - 1) .. "$ moongate " .. command .. "\n" .. out .. "\n" .. page:sub(to + 1)
      else
        assert.is_true(fits(steady(wanted), out), "the page shows\n" .. wanted .. "\nand the command prints\n" .. out)
      end
      dir:remove()
    end)
  end)
end

if os.getenv("COOKBOOK_WRITE") then
  teardown(function()
    local into = assert(io.open(PAGE, "w"))
    into:write(page)
    into:close()
  end)
end
