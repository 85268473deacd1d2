-- The openai clients of npm and PyPI against a gateway with the shipped policies, and the mock behind it.
--
--   B=build luajit tests/clients/run.lua
--
-- Installs the pinned clients into build/clients the first time. When a registry cannot be reached that client is
-- skipped, with one line; any other trouble with the installation is a failure.
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process
local packages = dofile("tests/lib/packages.lua")

local home = "build/clients" -- shared by all builds: what is installed does not depend on B
local clients = {
  {
    name = "clients/npm",
    install = function() return packages.npm(home .. "/npm", "tests/clients") end,
    run = { "sh", "-c", "cp tests/clients/openai.mjs " .. home .. "/npm/ && node " .. home .. "/npm/openai.mjs" },
  },
  {
    name = "clients/pypi",
    install = function()
      return packages.installed(home .. "/venv", "tests/clients/requirements.txt", {
        { "python3", "-m", "venv", home .. "/venv" },
        { home .. "/venv/bin/pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:",
          "--retries", "1", "--timeout", "60", "-r", "tests/clients/requirements.txt" },
      })
    end,
    run = { home .. "/venv/bin/python", "-B", "tests/clients/openai_client.py" },
  },
}

local function run(client, env)
  local ok, said = client.install()
  if ok then
    client.run.env, client.run.seconds = env, 300
    client.run.on_line = function(line)
      print(line)
      io.stdout:flush()
    end
    local _, code = process.run(client.run)
    return code == 0
  end
  local word = packages.unreachable(said)
  if word then
    print(("%s: the registry is not reachable (%s), so this client is not tested"):format(client.name, word))
    print(client.name .. ": 0 passed, 0 failed, 1 skipped")
    return true
  end
  print(said)
  print(client.name .. ": 0 passed, 1 failed")
  return false
end

process.catch_signals()
local mock = gateway.mock {}
local control = mock.process:expect("control on (%S+)")
local g, why = gateway.start {
  config = "examples/demo/moongate.lua", data = gateway.build .. "/clients-data",
  env = { DEMO_PROVIDER_URL = mock.url .. "/v1" },
}
local all_well = g ~= nil
if g then
  local key = g:key { app = "support-bot", user = "ann" }
  local env = { BASE_URL = g.url .. "/v1", KEY = key, MOCK_CONTROL = "http://" .. control, NO_PROXY = "127.0.0.1" }
  for _, client in ipairs(clients) do
    if not process.interrupted then all_well = run(client, env) and all_well end
  end
  g:stop()
else
  print("The gateway did not start:\n" .. why)
end
mock.process:stop()
os.exit(all_well and not process.interrupted)
