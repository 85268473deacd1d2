-- moongate-mock: started, told how to behave, asked what it saw.
--
--   local m = mock.start { recordings = true }
--   m:script { cut = "rst", cut_event = 40 }        -- for the next request; see tests/mock/README.md
--   local since = m:mark()
--   … m:requests(since)[1].body …
--   m:ended(request)                                -- its "end" entry, waited for
--   m:stop()
local cjson = require("cjson")
local signal = require("posix.signal")
local unistd = require("posix.unistd")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local process = dofile("tests/lib/process.lua")

local mock = {}
local running = {}
running.__index = running

local BUILD = os.getenv("B") or "build"
mock.recordings = os.getenv("MOONGATE_RECORDINGS") or "../shared/recordings"

-- Whether the recordings are there; says so in one line, once, when they are not.
local is_told = false
function mock.has_recordings()
  if unistd.access(mock.recordings .. "/manifest.json", "r") then return true end
  if not is_told then print("no recordings at " .. mock.recordings .. ": tests that replay them are left out") end
  is_told = true
  return false
end

-- options: recordings = true, tls = "ca.pem", key, fast, defaults, words = further arguments.
function mock.start(options)
  options = options or {}
  local words = { BUILD .. "/moongate-mock" }
  local function add(name, value)
    words[#words + 1] = "--" .. name
    if value ~= true then words[#words + 1] = value end
  end
  if options.recordings and mock.has_recordings() then add("recordings", mock.recordings) end
  for _, name in ipairs { "tls", "key", "fast", "defaults", "log" } do
    if options[name] then add(name, options[name]) end
  end
  local m = setmetatable({ process = process.start(words) }, running)
  m.port = tonumber(m.process:expect("listening on 127%.0%.0%.1:(%d+)", 10))
  m.control = tonumber(m.process:expect("control on 127%.0%.0%.1:(%d+)", 10))
  m.url = (options.tls and "https" or "http") .. "://127.0.0.1:" .. m.port .. "/v1"
  return m
end

function running:ask(method, path, json)
  local answer = client.ask(self.control, { method = method, path = path, json = json })
  if answer.status ~= 200 then error("mock: " .. tostring(answer.body or answer.ending), 3) end
  return cjson.decode(answer.body)
end

-- One script, or a list.
function running:script(script)
  return self:ask("POST", "/_mock/script", script)
end

function running:log(since)
  return self:ask("GET", "/_mock/log?since=" .. (since or 0)).entries
end

-- The number of the journal's last entry: what comes after has a higher one.
function running:mark()
  return self:ask("GET", "/_mock/log?since=99999999").last
end

function running:state()
  return self:ask("GET", "/_mock/state")
end

function running:reset()
  return self:ask("POST", "/_mock/reset", "")
end

function running:entries(event, since)
  local found = {}
  for _, entry in ipairs(self:log(since)) do
    if entry.event == event then found[#found + 1] = entry end
  end
  return found
end

function running:requests(since)
  return self:entries("request", since)
end

-- Waits until n (1) requests have come, and returns the last of them.
function running:request(since, n)
  return expect.eventually(function() return self:requests(since)[n or 1] end, 10, "a request to the mock")
end

-- How the answer to this request ended.
function running:ended(request)
  return expect.eventually(function()
    for _, entry in ipairs(self:entries("end", request.seq)) do
      if entry.request == request.request then return entry end
    end
  end, 10, "the end of the mock's answer")
end

function running:header(request, name)
  for _, header in ipairs(request.headers) do
    if header[1]:lower() == name:lower() then return header[2] end
  end
end

-- Bytes that have reached the provider's listener, on closed connections and open ones.
function running:bytes_seen(since)
  local bytes = 0
  for _, entry in ipairs(self:log(since)) do
    bytes = bytes + (entry.event == "close" and entry.bytes_in or 0) + (entry.event == "request" and 1 or 0)
  end
  return bytes
end

function running:signal(number)
  self.process:signal(number)
end

function running:stop()
  self.process:signal(signal.SIGTERM)
  local how, code = self.process:wait(5)
  self.process:stop()
  if how ~= "exited" or code ~= 0 then error(("the mock ended with %s %s"):format(tostring(how), tostring(code)), 2) end
end

return mock
