-- Packages of npm and PyPI that tests need, pinned by a lock file, installed into build/ once.
--
--   local ok, said = packages.installed(folder, "tests/clients/package-lock.json", { { "npm", "ci", … }, … })
--   packages.npm(folder, "tests/tokens")         -- the same for a folder with package.json and package-lock.json
--   packages.unreachable(said)                   -- the word by which a registry that cannot be reached shows; nil: other trouble
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

local packages = {}

local UNREACHABLE = { "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "ERR_SOCKET",
  "NewConnectionError", "ConnectTimeout", "ReadTimeout", "name resolution", "Network is unreachable",
  "network connectivity", "ProxyError", "Connection refused" }

function packages.unreachable(said)
  for _, word in ipairs(UNREACHABLE) do
    if said:find(word, 1, true) then return word end
  end
end

-- Runs the commands one after the other unless a copy of the pins says they did before: true, or nil and what was said.
function packages.installed(folder, pins, commands)
  local stamp, wanted = folder .. "/.installed", gateway.read_file(pins)
  if gateway.read_file(stamp) == wanted then return true end
  os.execute("rm -rf " .. folder .. " && mkdir -p " .. folder)
  for _, words in ipairs(commands) do
    words.seconds = 300
    local said, code = process.run(words)
    if code ~= 0 then return nil, said end
  end
  gateway.write_private(stamp, wanted)
  return true
end

function packages.npm(folder, from)
  return packages.installed(folder, from .. "/package-lock.json", {
    { "cp", from .. "/package.json", from .. "/package-lock.json", folder .. "/" },
    { "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000", cwd = folder },
  })
end

return packages
