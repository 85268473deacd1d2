-- Clients of npm and PyPI against the gateway and the mock behind it: OpenAI's own with the shipped policies, Anthropic's and Google's, then what each
-- of several does with each refusal, which must be what README.md beside this says.
--
--   B=build luajit tests/clients/run.lua [table]       table: prints README.md's table as measured
--
-- Installs the pinned clients into build/clients the first time. When a registry cannot be reached that client is
-- skipped, with one line; any other trouble with the installation is a failure.
local cjson = require("cjson")
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process
local packages = dofile("tests/lib/packages.lua")

local home = "build/clients" -- shared by all builds: what is installed does not depend on B
local only_table = arg[1] == "table"

local function pip(folder, pins, ...)
  return packages.installed(folder, pins, {
    { "python3", "-m", "venv", folder },
    { folder .. "/bin/pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:", "--no-deps", "--retries", "1",
      "--timeout", "60", "-r", pins, ... },
  })
end

local function node(script)
  return { "sh", "-c", ("cp tests/clients/*.mjs %s/npm/ && node %s/npm/%s"):format(home, home, script) }
end

local npm = { name = "clients/npm", install = function() return packages.npm(home .. "/npm", "tests/clients") end }
local pypi = { name = "clients/pypi", install = function() return pip(home .. "/venv", "tests/clients/requirements.txt") end }
local genai = { name = "clients/genai", install = function() return pip(home .. "/genai", "tests/clients/requirements-genai.txt") end }
local aider = { name = "clients/aider", install = function() return pip(home .. "/aider", "tests/clients/requirements-aider.txt") end }

local python = "/bin/python"
local own = {
  { of = npm, run = node("openai.mjs") },
  { of = npm, run = node("responses.mjs") },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/openai_client.py" } },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/responses_client.py" } },
}
local natives = {
  { of = npm, run = node("anthropic.mjs") },
  { of = npm, run = node("gemini.mjs") },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/anthropic_client.py" } },
}
local translated = { { of = npm, run = node("translated.mjs") }, { of = npm, run = node("translated_responses.mjs") },
  { of = npm, run = node("translated_gemini.mjs") },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/translated_gemini_client.py" } },
  { of = npm, run = node("translated_responder.mjs") },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/translated_responder_client.py" } },
  { of = npm, run = node("gemini_translated.mjs") },
  { of = genai, run = { home .. "/genai" .. python, "-B", "tests/clients/gemini_client.py" } },
  { of = npm, run = node("session.mjs") }, { of = npm, run = node("side.mjs") },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/side_client.py" } } }
local refused = {
  { of = npm, run = node("refusals.mjs"), clients = { "openai-js", "anthropic-js", "vercel" } },
  { of = pypi, run = { home .. "/venv" .. python, "-B", "tests/clients/refusals.py", "openai", "langchain" }, clients = { "openai", "langchain" } },
  { of = aider, run = { home .. "/aider" .. python, "-B", "tests/clients/refusals.py", "litellm" }, clients = { "litellm" } },
}

-- True; nil where it is skipped; false where it failed, both of which have been said, once.
local function install(of)
  if of.is_there ~= nil or of.is_done then return of.is_there end
  of.is_done = true
  local ok, said = of.install()
  if ok then
    of.is_there = true
    return true
  end
  local word = packages.unreachable(said)
  if word then
    print(("%s: the registry is not reachable (%s), so this client is not tested"):format(of.name, word))
    print(of.name .. ": 0 passed, 0 failed, 1 skipped")
    return nil
  end
  print(said)
  print(of.name .. ": 0 passed, 1 failed")
  of.is_there = false
  return false
end

local function run_own(client, env)
  local is_there = install(client.of)
  if not is_there then return is_there == nil end
  client.run.env, client.run.seconds = env, 300
  client.run.on_line = function(line)
    print(line)
    io.stdout:flush()
  end
  local _, code = process.run(client.run)
  return code == 0
end

-- --- what clients do with refusals ---

local CASES = "tests/clients/refusals/cases.json"
local cases = cjson.decode(gateway.read_file(CASES))
local columns = { "openai", "openai-js", "anthropic-js", "langchain", "litellm", "aider", "vercel" }

-- client → case → what the table says of it
local measured = {}

-- "3 × RateLimitError"; "…, text hidden" where the gateway's words do not stand in the error.
local function take(line)
  local ok, said = pcall(cjson.decode, line)
  if not ok or type(said) ~= "table" or not said.client then return false end
  local cell = ("%d × %s%s"):format(said.attempts, said.error, said.shows and "" or ", text hidden")
  measured[said.client] = measured[said.client] or {}
  measured[said.client][said.case] = cell
  if said.again ~= nil then
    measured.aider = measured.aider or {}
    measured.aider[said.case] = said.again and "repeats" or "stops"
  end
  return true
end

local function measure(client, env)
  local is_there = install(client.of)
  if not is_there then return is_there == nil end
  local rest = {}
  client.run.env, client.run.seconds = env, 300
  client.run.on_line = function(line) if not take(line) then rest[#rest + 1] = line end end
  local _, code = process.run(client.run)
  if code == 0 then return true end
  print(table.concat(rest, "\n"))
  print(client.of.name .. " (refusals): 0 passed, 1 failed")
  return false
end

-- The rows of README.md's table: case → client → cell.
local function told()
  local rows, names = {}, nil
  for line in gateway.read_file("tests/clients/README.md"):gmatch("[^\n]+") do
    local cells = {}
    for cell in line:gmatch("|%s*([^|]-)%s*%f[|]") do cells[#cells + 1] = cell end
    if cells[1] == "refusal" then names = cells
    elseif names and #cells == #names and not cells[1]:find("^%-") then
      rows[cells[1]] = {}
      for i = 2, #cells do rows[cells[1]][names[i]] = cells[i] end
    end
  end
  return rows
end

local function compare()
  local passed, failed, rows = 0, 0, told()
  for _, case in ipairs(cases) do
    for _, client in ipairs(columns) do
      local is, says = measured[client] and measured[client][case.name], (rows[case.name] or {})[client]
      if is and is == says then
        passed = passed + 1
      elseif measured[client] then
        failed = failed + 1
        print(("not ok: %s, %s: README.md says %s, it is %s"):format(client, case.name, tostring(says), tostring(is)))
      end
    end
  end
  print(("clients/refusals: %d passed, %d failed"):format(passed, failed))
  return failed == 0
end

local function print_table()
  print("| refusal | " .. table.concat(columns, " | ") .. " |")
  print("|---" .. ("|---"):rep(#columns) .. "|")
  for _, case in ipairs(cases) do
    local cells = {}
    for i, client in ipairs(columns) do cells[i] = (measured[client] or {})[case.name] or "?" end
    print("| " .. case.name .. " | " .. table.concat(cells, " | ") .. " |")
  end
end

-- --- both gateways ---

local function with_gateway(how, what)
  local g, why = gateway.start(how)
  if not g then
    print("The gateway did not start:\n" .. why)
    return false
  end
  local ok = what(g)
  g:stop()
  return ok
end

-- Where the recordings are, that the mock replays; nil where there are none.
local function find_recordings()
  local folder = os.getenv("MOONGATE_RECORDINGS") or "../shared/recordings"
  if gateway.read_file(folder .. "/manifest.json") then return folder end
  print("recordings: there are none in " .. folder .. " (set MOONGATE_RECORDINGS), so they are not translated")
end

process.catch_signals()
local recordings = find_recordings()
local mock = gateway.mock { words = { "--bodies", "4000000", recordings and "--recordings", recordings } }
local control = mock.process:expect("control on (%S+)")

local function run_all(list, run, env)
  local all_well = true
  for _, client in ipairs(list) do
    if not process.interrupted then all_well = run(client, env) and all_well end
  end
  return all_well
end

local all_well = only_table or with_gateway({
  config = "examples/demo/moongate.lua", data = gateway.build .. "/clients-data", is_relaxed = true,
  env = { DEMO_PROVIDER_URL = mock.url .. "/v1" },
}, function(g)
  local key = g:key { app = "support-bot", user = "ann" }
  return with_gateway({ -- the shipped limits as they are
    config = "examples/demo/moongate.lua", data = gateway.build .. "/limited-data", env = { DEMO_PROVIDER_URL = mock.url .. "/v1" },
  }, function(limited)
    return run_all(own, run_own, { BASE_URL = g.url .. "/v1", KEY = key, LIMITED_URL = limited.url .. "/v1",
      LIMITED_KEY = limited:key { app = "support-bot", user = "ann" }, MOCK_CONTROL = "http://" .. control, NO_PROXY = "127.0.0.1" })
  end)
end)
all_well = with_gateway({
  config = "tests/clients/refusals/moongate.lua", data = gateway.build .. "/refusals-data", env = { MOCK_URL = mock.url .. "/v1" },
}, function(g)
  local key = g:key { app = "table", department = "tests", user = "ann" }
  local native = { BASE_URL = g.url, KEY = key, MOCK_CONTROL = "http://" .. control, NO_PROXY = "127.0.0.1" }
  local native_well = only_table or run_all(natives, run_own, native)
  local well = run_all(refused, measure, { BASE_URL = g.url .. "/v1", KEY = key, CASES = CASES, NO_PROXY = "127.0.0.1" })
  if only_table then print_table() else well = compare() and well end
  return well and native_well
end) and all_well
all_well = only_table or with_gateway({
  config = "tests/clients/translated/moongate.lua", data = gateway.build .. "/translated-data",
  env = { MOCK_URL = mock.url .. "/v1", MOCK_ROOT = mock.url },
}, function(g)
  local folder = recordings and recordings:gsub("^([^/])", os.getenv("PWD") .. "/%1") or nil
  local env = { BASE_URL = g.url, KEY = g:key { app = "table", department = "tests", user = "ann" }, RECORDINGS = folder,
    MOCK_CONTROL = "http://" .. control, NO_PROXY = "127.0.0.1", MOONGATE = gateway.build .. "/moongate", CONFIG = g.config }
  for name, value in pairs(g.env) do env[name] = value end
  return run_all(translated, run_own, env)
end) and all_well
mock.process:stop()
os.exit(all_well and not process.interrupted)
