-- What the HTTP servers of the tests have in common: one call at a time, each on a connection of its own.
--
--   local server = require("tests.e2e.kit.http_server")
--   server.run(dir, port, function(client, call) … end)    -- says "listening PORT"; call: method, path, headers, body
--   server.answer(client, "200 OK", body, "Location: …\r\n")
--   server.read("behaviour")                               -- a file of dir; "" when there is none
--   server.append("hits", "a line\n")
local socket = require("socket")

local server = {}

function server.read(name)
  local file = io.open(server.dir .. "/" .. name, "rb")
  local text = file and file:read("*a") or ""
  if file then file:close() end
  return text
end

function server.append(name, text)
  local file = assert(io.open(server.dir .. "/" .. name, "ab"))
  file:write(text)
  file:close()
end

function server.answer(client, status, body, more)
  client:send(("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"):format(
    status, #body, more or "", body))
end

local function read_call(client)
  local first, headers = client:receive("*l"), {}
  if not first then return nil end
  for line in function() return client:receive("*l") end do
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.*)$")
    if name then headers[name:lower()] = value end
  end
  local method, path = first:match("^(%u+) (%S+) ")
  local length = tonumber(headers["content-length"]) or 0
  local body = length == 0 and "" or client:receive(length) -- receive(0) waits for a byte
  return body and { method = method, path = path, headers = headers, body = body }
end

function server.run(dir, port, handle)
  server.dir = dir
  local listener = assert(socket.tcp4())
  listener:setoption("reuseaddr", true)
  assert(listener:bind("127.0.0.1", port))
  assert(listener:listen(16))
  local _, bound = listener:getsockname()
  server.port = bound
  io.stdout:write("listening ", bound, "\n")
  io.stdout:flush()
  while true do
    local client = listener:accept()
    client:settimeout(5)
    local call = read_call(client)
    if call then handle(client, call) end
    client:close()
  end
end

return server
