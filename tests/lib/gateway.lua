-- A mock provider and a gateway in front of it, for demo, client tests, README test and bench.
--
--   local gateway = dofile("tests/lib/gateway.lua")
--   local mock = gateway.mock {}                                  -- mock.url, mock.port, mock.process
--   local g = gateway.start { config = "examples/demo/moongate.lua", data = "build/x", env = {…} }
--   g.url, g.port, g.admin_url, g.data, g.start_ms                -- "http://127.0.0.1:40123", …
--   local key = g:key { app = "support-bot", department = "Support" }
--   g:stop(); mock.process:stop()
--
-- Both listen on free ports of 127.0.0.1 unless told otherwise. The data directory is made new and removed at stop().
local cjson = require("cjson")
local fcntl = require("posix.fcntl")
local signal = require("posix.signal")
local socket = require("posix.sys.socket")
local unistd = require("posix.unistd")
local process = dofile("tests/lib/process.lua")
local relaxed = dofile("tests/lib/relaxed.lua")

local gateway = { process = process, build = os.getenv("B") or "build" }
local running = {}
running.__index = running

-- Whether 127.0.0.1:port can be listened on.
function gateway.port_is_free(port)
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  socket.setsockopt(fd, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
  local ok = socket.bind(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = port })
  unistd.close(fd)
  return ok ~= nil
end

-- One request on a connection of its own: the whole answer as text, or nil.
function gateway.ask(port, text)
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  local answer = {}
  if socket.connect(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = port }) then
    socket.send(fd, text)
    while true do
      local part = socket.recv(fd, 65536)
      if not part or part == "" then break end
      answer[#answer + 1] = part
    end
  end
  unistd.close(fd)
  return #answer > 0 and table.concat(answer) or nil
end

function gateway.get(port, path)
  local answer = gateway.ask(port, "GET " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
  if not answer then return nil end
  return tonumber(answer:match("^HTTP/1.1 (%d+)")), answer:match("\r\n\r\n(.*)$")
end

function gateway.read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

-- words: further arguments of moongate-mock; prefix: what stands before it ("taskset", "-c", "1").
function gateway.mock(how)
  local words = { output = how.output or "read" }
  for _, word in ipairs(how.prefix or {}) do words[#words + 1] = word end
  for _, word in ipairs { gateway.build .. "/moongate-mock", "--listen", "127.0.0.1:0" } do words[#words + 1] = word end
  for _, word in ipairs(how.words or {}) do words[#words + 1] = word end
  local p = process.start(words)
  local port = p:expect("listening on 127%.0%.0%.1:(%d+)", 10)
  return { process = p, port = tonumber(port), url = "http://127.0.0.1:" .. port }
end

local function wait_until_ready(g, log)
  local deadline = process.now() + 15
  while process.now() < deadline and not process.interrupted do
    if g.process:wait(0) then break end
    local text = gateway.read_file(g.data .. "/listen.json")
    local ok, listen = pcall(cjson.decode, text or "")
    if ok and listen.listen then
      g.port = tonumber(listen.listen:match(":(%d+)$"))
      g.admin_port = tonumber(listen.admin:match(":(%d+)$"))
      if gateway.get(g.port, "/readyz") == 200 then return true end
    end
    process.sleep(0.001)
  end
  g:stop(true)
  return nil, gateway.read_file(log) or "it said nothing"
end

-- Does a gateway hold this data directory's lock? It goes with the process, however that ends.
function gateway.is_data_in_use(data)
  local quoted = "'" .. data .. "/lock'"
  return os.execute("test -e " .. quoted .. " && ! flock -n " .. quoted .. " true") == 0
end

-- A gateway that answers, or nil and what it said instead. Options: config, data, listen, admin, env, prefix;
-- is_relaxed: config names the shipped policies, whose limits are to stand in nobody's way (tests/lib/relaxed.lua).
function gateway.start(how)
  local g = setmetatable({ data = how.data, config = how.config }, running)
  if how.is_relaxed then
    g.copy = how.data .. ".relaxed"
    g.config = relaxed.config(how.config, g.copy)
  end
  os.execute("rm -rf '" .. how.data .. "' && mkdir -p -m 700 '" .. how.data .. "'")
  local log = how.data .. "/gateway.log"
  local env = {
    MOONGATE_LISTEN = how.listen or "127.0.0.1:0",
    MOONGATE_ADMIN_LISTEN = how.admin or "127.0.0.1:0",
    MOONGATE_DATA_DIR = how.data,
  }
  for name, value in pairs(how.env or {}) do env[name] = value end
  local words = { env = env, output = log }
  for _, word in ipairs(how.prefix or {}) do words[#words + 1] = word end
  for _, word in ipairs { gateway.build .. "/moongate", "run", "-c", g.config } do words[#words + 1] = word end
  g.env = env
  local began = process.now()
  g.process = process.start(words)
  local ok, said = wait_until_ready(g, log)
  if not ok then return nil, said end
  g.start_ms = (process.now() - began) * 1000
  g.url = "http://127.0.0.1:" .. g.port
  g.admin_url = "http://127.0.0.1:" .. g.admin_port
  return g
end

-- Runs `moongate …` against this gateway: output and exit code.
function running:command(...)
  local words = { gateway.build .. "/moongate", ... }
  words.env = self.env
  words[#words + 1] = "-c"
  words[#words + 1] = self.config
  return process.run(words)
end

-- A new key's text; `of` names app, department and whatever else `moongate keys create` takes.
function running:key(of)
  local words = { "keys", "create", "--json", "--force" }
  for name, value in pairs(of) do
    words[#words + 1] = "--" .. name
    words[#words + 1] = value
  end
  local out, code = self:command(unpack(words))
  local ok, made = pcall(cjson.decode, out)
  if code ~= 0 or not ok or not made.key then error("moongate keys create: " .. out, 2) end
  return made.key, made.id
end

function running:stop(keep_data)
  if self.process then
    -- INT ends exchanges at once; TERM would wait for them.
    if not self.process.status then signal.kill(self.process.pid, signal.SIGINT) end
    self.process:wait(5)
    self.process:stop()
  end
  if not keep_data then os.execute("rm -rf '" .. self.data .. "'") end
  if self.copy then os.execute("rm -rf '" .. self.copy .. "'") end
end

-- What others may not read is written so from the start.
function gateway.write_private(path, text)
  local fd = assert(fcntl.open(path, fcntl.O_CREAT + fcntl.O_WRONLY + fcntl.O_TRUNC, tonumber("600", 8)))
  unistd.write(fd, text)
  unistd.close(fd)
end

return gateway
