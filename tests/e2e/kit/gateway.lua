-- The real gateway in a directory of its own, in front of a mock provider.
--
--   local g = gateway.start { mock = m }                      -- the shipped policies, one worker, all providers the mock
--   local g = gateway.start { mock = m, workers = 2, policies = { ["init.lua"] = "…", … }, config = { limits = { … } } }
--   g.port, g.admin_port, g.key                               -- an engineering key; g:new_key { … } makes others
--   local r = g:chat { model = "gpt-4o", … }                  -- client.ask with the key; r.id is x-moongate-request-id
--   g:record(r.id)                                            -- its record in the ledger, waited for
--   g:metrics():value("moongate_tokens_total", { direction = "input" })
--   g:listen().ledger_pid  g:pids()                           -- what it says of itself; its processes
--   g:health().body  g:kill_ledger()                          -- /readyz?verbose; and waits for the next ledger process
--   g:reload()  g:stop()                                      -- stop() raises unless it drained to nothing and left 0
--   after_each(gateway.stop_all)                              -- where each test starts its own: stop() for those left
--
-- The shipped policies are there with limits that no spec runs into by the way (tests/lib/relaxed.lua), and as they are
-- with limits = "shipped".
--
-- config is merged over what is written by default; gateway.raw("env \"X\"") stands for Lua as it is.
local cjson = require("cjson")
local signal = require("posix.signal")
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local client = require("tests.e2e.kit.client")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local workdir = require("tests.e2e.kit.workdir")
local process = dofile("tests/lib/process.lua")
local relaxed = dofile("tests/lib/relaxed.lua")

local gateway = {}
local running = {}
running.__index = running
local started = {}

local BUILD = os.getenv("B") or "build"
local raw = {}
gateway.PROVIDER_KEY = "sk-upstream-0123456789abcdef"

function gateway.raw(text)
  return setmetatable({ text = text }, raw)
end

local function lua_of(value, indent)
  if getmetatable(value) == raw then return value.text end
  if type(value) ~= "table" then return ("%q"):format(value):gsub("\\\n", "\\n"), nil end
  local lines, names = {}, {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local left = type(name) == "number" and "" or ("[%q] = "):format(name)
    local right = lua_of(value[name], indent .. "  ")
    if type(value[name]) == "number" or type(value[name]) == "boolean" then right = tostring(value[name]) end
    lines[#lines + 1] = indent .. "  " .. left .. right .. ","
  end
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

local function merge(into, from)
  for name, value in pairs(from or {}) do
    if type(value) == "table" and type(into[name]) == "table" and getmetatable(value) ~= raw then
      merge(into[name], value)
    else
      into[name] = value
    end
  end
  return into
end

-- Without a breaker: of a hundred tests on failures each wants its account called (breaker_spec.lua has them).
local function provider(url)
  return { kind = "openai", url = url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false }
end

function gateway.config_text(options)
  local config = {
    listen = "127.0.0.1:0",
    admin = { listen = "127.0.0.1:0" },
    workers = options.workers or 1,
    data = "data",
    policies = "policies",
    drain = { grace = "10s" },
    notify = { slack = { kind = "command", command = { "/bin/true" } } }, -- the shipped policies name it
    providers = options.mock and {
      openai = provider(options.mock.url), anthropic = provider(options.mock.url), ["local"] = provider(options.mock.url),
    } or {},
  }
  return "return moongate.config " .. lua_of(merge(config, options.config), "") .. "\n"
end

function running:write_policies(policies, limits)
  if type(policies) == "table" then
    for name, text in pairs(policies) do self.dir:write("policies/" .. name, text) end
  elseif policies or limits == "shipped" then
    self.dir:copy(policies or "policies", "policies")
  else
    relaxed.copy(self.dir:path("policies"))
  end
end

function running:write_config(options)
  self.dir:write("moongate.lua", gateway.config_text(options))
end

-- `moongate …` as one runs it in this gateway's directory, where moongate.lua is found: for process.run and process.start.
function running:words(...)
  local words = { unistd.getcwd() .. "/" .. BUILD .. "/moongate", ... }
  words.cwd, words.env, words.seconds = self.dir.root, self.env, 30
  return words
end

-- Its output and exit code.
function running:command(...)
  return process.run(self:words(...))
end

-- What it says with --json, as a table; raises unless it ends with 0.
function running:json(...)
  local words = self:words(...)
  words[#words + 1] = "--json"
  local out, code = process.run(words)
  local ok, said = pcall(cjson.decode, out)
  if code ~= 0 or not ok then error(("%s ended with %d: %s"):format(table.concat(words, " "), code, out), 2) end
  return said
end

-- A new key's text and id; of: app, department, user, team …
function running:new_key(of)
  local words = { "keys", "create", "--json", "--force" }
  for name, value in pairs(of) do
    words[#words + 1] = "--" .. name
    words[#words + 1] = value
  end
  local out, code = self:command(unpack(words))
  local ok, made = pcall(cjson.decode, out:match("{.*}") or out)
  if code ~= 0 or not ok then error("moongate keys create ended with " .. code .. ": " .. out, 2) end
  return made.key, made.id
end

local function port_of(address)
  return tonumber(tostring(address):match(":(%d+)$"))
end

function running:said()
  return self.dir:read("gateway.log") or ""
end

function running:is_ready()
  local answer = client.ask(self.admin_port, { path = "/readyz" })
  return answer.status == 200
end

-- What /readyz?verbose says, and with which status.
function running:health()
  return client.ask(self.admin_port, { path = "/readyz?verbose" })
end

function running:run()
  os.remove(self.dir:path("data/listen.json"))
  local words = { cwd = self.dir.root, env = self.env, output = self.dir:path("gateway.log") }
  for _, list in ipairs { self.under or {}, self:words("run") } do
    for _, word in ipairs(list) do words[#words + 1] = word end
  end
  self.process = process.start(words)
  local ok = pcall(expect.eventually, function()
    if self.process:wait(0) then return true end
    local text = self.dir:read("data/listen.json")
    local read, listen = pcall(cjson.decode, text or "")
    if not read then return nil end
    self.port, self.admin_port = port_of(listen.listen), port_of(listen.admin)
    return select(2, pcall(self.is_up, self)) == true
  end, 15)
  if not ok or self.process.status then
    self.process:stop()
    error("the gateway did not come up:\n" .. self:said(), 3)
  end
end

-- options: mock, workers, policies (folder, or files by name), limits, config, env, key = false for none, name, under = words of
-- a program that becomes the gateway, as { "prlimit", "--nofile=128" }; prepare(dir): before anything of it runs there;
-- is_up(g): what is waited for where it does not become ready.
function gateway.start(options)
  local g = setmetatable({ dir = workdir.new(options.name or "gateway"), under = options.under }, running)
  g.is_up = options.is_up or g.is_ready
  g.env = merge({ OPENAI_API_KEY = gateway.PROVIDER_KEY, MOONGATE_LOG_FORMAT = "json", MOONGATE_CONFIG = "" }, options.env)
  g:write_policies(options.policies, options.limits)
  g:write_config(options)
  if options.prepare then options.prepare(g.dir) end
  if options.key ~= false then
    g.key, g.key_id = g:new_key(options.key or { app = "code-assistant", department = "engineering", user = "ana" })
  end
  g:run()
  started[#started + 1] = g
  return g
end

-- client.ask with this gateway's key, to /v1/chat/completions unless `of` says otherwise.
function running:ask(of)
  if of.key == nil then of.key = self.key end
  local answer = client.ask(self.port, of)
  answer.id = answer:get("x-moongate-request-id")
  return answer
end

function running:chat(json, of)
  of = of or {}
  of.json = json
  return self:ask(of)
end

-- Answered as an error object of the OpenAI API: its fields.
function gateway.error_of(answer)
  local ok, body = pcall(cjson.decode, answer.body or "")
  if not ok or type(body) ~= "table" or type(body.error) ~= "table" then
    error("no error object: " .. tostring(answer.status) .. " " .. tostring(answer.body), 2)
  end
  return body.error
end

local CHAIN = { start = 1, exchange = 2, intent = 3, change = 4, loss = 5, stop = 6, import = 7, alert = 8 }

-- Texts of the ledger's entries of that kind, in the order of its chain; also while the gateway is down.
function running:entries(kind)
  local texts, path = {}, self.dir:path("data/ledger.db")
  if not stat.stat(path) then return texts end
  local sql = "SELECT body FROM chain WHERE kind = " .. CHAIN[kind or "exchange"] .. " ORDER BY seq"
  for i, row in ipairs(database.rows(path, sql)) do texts[i] = row.body end
  return texts
end

function running:records(kind)
  local records = {}
  for i, text in ipairs(self:entries(kind)) do records[i] = cjson.decode(text) end
  return records
end

-- The one record of this request.
function running:record(id)
  local function find()
    local found
    for _, record in ipairs(self:records()) do
      if record.id == id then
        if found then error("two records of " .. id) end
        found = record
      end
    end
    return found
  end
  return expect.eventually(find, 5, "the record of " .. tostring(id))
end

-- Records after the first `n`, once `count` of them are there; one more is an error.
function running:records_after(n, count)
  local records
  expect.eventually(function()
    records = self:records()
    return #records >= n + count
  end, 10, count .. " more records")
  if #records > n + count then error((#records - n) .. " records where " .. count .. " are wanted", 2) end
  return { unpack(records, n + 1) }
end

local metrics = {}
metrics.__index = metrics

-- The sum over the series of that name that have these labels; 0 when there is none.
function metrics:value(name, labels)
  local sum = 0
  for _, series in ipairs(self) do
    local fits = series.name == name
    for label, value in pairs(labels or {}) do fits = fits and series.labels[label] == value end
    if fits then sum = sum + series.value end
  end
  return sum
end

function running:metrics()
  local text = client.ask(self.admin_port, { path = "/metrics" }).body
  local all = setmetatable({}, metrics)
  for line in text:gmatch("[^\n]+") do
    local name, labels, value = line:match("^([%w_:]+)(%b{}) (%S+)$")
    if not name then name, value = line:match("^([%w_:]+) (%S+)$") end
    if name then
      local series = { name = name, labels = {}, value = tonumber(value) }
      for label, text_value in (labels or ""):gmatch('([%w_]+)="(.-)"') do series.labels[label] = text_value end
      all[#all + 1] = series
    end
  end
  return all
end

function running:gauge_becomes(name, value, seconds)
  expect.eventually(function() return self:metrics():value(name) == value end, seconds or 5, name .. " = " .. value)
end

-- Resident bytes of all its processes.
function running:resident_bytes()
  local bytes = 0
  for _, pid in ipairs(self:pids()) do
    local file = io.open("/proc/" .. pid .. "/status")
    local kilobytes = file and (file:read("*a") or ""):match("VmRSS:%s+(%d+)")
    if file then file:close() end
    bytes = bytes + (tonumber(kilobytes) or 0) * 1024
  end
  return bytes
end

-- What it says of itself, by listen.json: addresses, and the process ids of supervisor, workers, ledger_pid and admin_pid.
function running:listen()
  return cjson.decode(self.dir:read("data/listen.json"))
end

-- Whether that process is there and has not ended.
function gateway.is_alive(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  local state = file and (file:read("*a") or ""):match("%) (%S)")
  if file then file:close() end
  return state ~= nil and state ~= "Z"
end

-- A number of bytes from /proc/PID/status: "VmRSS", "VmSize".
function gateway.memory_of(pid, name)
  local file = assert(io.open("/proc/" .. pid .. "/status"))
  local kilobytes = file:read("*a"):match(name .. ":%s+(%d+)")
  file:close()
  return tonumber(kilobytes) * 1024
end

-- Every process of its group that lives.
function running:pids()
  local pids = {}
  for pid in io.popen("ls /proc"):lines() do
    local file = pid:match("^%d+$") and io.open("/proc/" .. pid .. "/stat")
    if file then
      -- It may end between the two.
      local state, group = (file:read("*a") or ""):match("%) (%S) %d+ (%d+)")
      file:close()
      if tonumber(group) == self.process.pid and state ~= "Z" then pids[#pids + 1] = tonumber(pid) end
    end
  end
  return pids
end

function running:signal(number)
  signal.kill(self.process.pid, number)
end

-- Until there is another.
function running:kill_ledger()
  local pid = self:listen().ledger_pid
  signal.kill(pid, signal.SIGKILL)
  expect.eventually(function()
    local ok, now = pcall(self.listen, self)
    return ok and now.ledger_pid ~= pid and self:is_ready()
  end, 20, "another ledger process")
end

function running:reload()
  return self:command("reload")
end

-- Drains it and looks for what it left: an exit code, processes, sanitizer reports.
function running:stop()
  for i, g in ipairs(started) do
    if g == self then table.remove(started, i) break end
  end
  local how, code = self.process.status, self.process.code
  if not how then
    self:signal(signal.SIGTERM)
    how, code = self.process:wait(20)
  end
  local left = self:pids()
  self.process:stop(0)
  local said = self:said()
  local complaint = (how ~= "exited" or code ~= 0) and ("it ended with %s %s"):format(tostring(how), tostring(code))
    or #left > 0 and #left .. " of its processes were left"
    or said:find("Sanitizer", 1, true) and "a sanitizer complained"
  if complaint then error("the gateway: " .. complaint .. "\n" .. said:sub(-4000), 2) end
  self.dir:remove()
end

-- All that were started and not stopped; what the first of them complained of is raised when all are.
function gateway.stop_all()
  local complaint
  while #started > 0 do
    local ok, why = pcall(started[#started].stop, started[#started])
    if not ok then complaint = complaint or why end
  end
  if complaint then error(complaint, 0) end
end

return gateway
