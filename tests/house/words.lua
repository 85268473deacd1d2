-- What never stands in the tree: paths of one machine, hosts of one network, secrets, the way the work was organised.
local house = dofile("tests/house/lib.lua")

local files = house.files(". -not -path './build/*' -not -path './.git' -not -path './.git/*' -not -path './tests/data/*'", ".")
local text_files = {}
for _, path in ipairs(files) do
  if not house.read(path):find("%z") then text_files[#text_files + 1] = path end
end

-- Patterns, put together so that this file may hold them.
local MACHINE = { "/wo" .. "rk/", "/tmp/m" .. "g/", "/ro" .. "ot/", "/ho" .. "me/%l+/" }
house.rule("no paths of one machine", text_files, function(_, text, complain)
  house.each_line(text, function(line, number)
    for _, pattern in ipairs(MACHINE) do
      if line:find(pattern) then complain(number, "a machine's path: " .. line:match(pattern)) end
    end
  end)
end)
house.must_fail("no paths of one machine", "cd /wo" .. "rk/somewhere\n")
house.must_fail("no paths of one machine", "/ho" .. "me/ann/x\n")

-- Lock files name where a package came from; only the public registries may stand there.
local HOSTS = { ["registry.npmjs.org"] = true, ["pypi.org"] = true, ["files.pythonhosted.org"] = true }
local locks = house.files("tests core examples", "package%-lock%.json$", "requirements[^/]*%.txt$", "%.npmrc$")
house.rule("public registries only", locks, function(_, text, complain)
  house.each_line(text, function(line, number)
    local host = line:match('"resolved"%s*:%s*"https?://([^/"]+)') or line:match("%-url[ =]+https?://([^/%s]+)")
      or line:match("^registry%s*=%s*https?://([^/%s]+)")
    if host and not HOSTS[host] then complain(number, "packages come from " .. host) end
  end)
end)
house.must_fail("public registries only", '  "resolved": "https://npm.corp.example/openai/-/openai-1.tgz",\n')
house.must_fail("public registries only", "--index-url https://pypi.corp.example/simple\n")

local SECRETS = { "sk%-[%w_%-]+%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w", "AKIA%u%u%u%u%u%u%u%u%u%u%u%u%u%u%u%u",
  "BEGIN [%u ]*PRIVATE" .. " KEY", "gh[ps]_%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w%w" }
house.rule("no secrets", text_files, function(_, text, complain)
  house.each_line(text, function(line, number)
    for _, pattern in ipairs(SECRETS) do
      if line:find(pattern) then complain(number, "looks like a secret") end
    end
  end)
end)
house.must_fail("no secrets", 'key = "sk-proj-' .. ("a1B2"):rep(8) .. '"\n')

local WORKING = { "[Ii]ssue #?%d", "[Cc]o%-[Aa]uthored%-[Bb]y", "[Ss]ession [Nn]otes", "as a language" .. " model" }
house.rule("the tree says what it is, not how it was made", text_files, function(path, text, complain)
  if path:find("LICENSE$") or path:find("%-lock%.json$") then return end
  house.each_line(text, function(line, number)
    for _, pattern in ipairs(WORKING) do
      if line:find(pattern) then complain(number, line:match(pattern)) end
    end
  end)
end)
house.must_fail("the tree says what it is, not how it was made", "See issue " .. "#2.\n")

local README_LINES_MAX = 200
local readme = io.open("README.md")
if readme then
  local _, lines = readme:read("*a"):gsub("\n", "")
  readme:close()
  house.count(lines <= README_LINES_MAX, ("README.md has %d lines, %d are the limit"):format(lines, README_LINES_MAX))
end

os.exit(house.close("house/words"))
