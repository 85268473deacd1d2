-- Takes POSTs and keeps them: luajit hook_server.lua DIR
-- A line {path, headers, body} in DIR/calls for each, before it is answered with the status that DIR/status says.
local cjson = require("cjson")
local socket = require("socket")

local dir = arg[1]

local function status()
  local file = io.open(dir .. "/status", "rb")
  local text = file and file:read("*a") or ""
  if file then file:close() end
  return text ~= "" and text or "200 OK"
end

local function read_call(client)
  local first, headers = client:receive("*l"), {}
  if not first then return nil end
  for line in function() return client:receive("*l") end do
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.*)$")
    if name then headers[name:lower()] = value end
  end
  local body = client:receive(tonumber(headers["content-length"]) or 0)
  return body and { path = first:match("^POST (%S+) "), headers = headers, body = body }
end

local server = assert(socket.tcp4())
server:setoption("reuseaddr", true)
assert(server:bind("127.0.0.1", 0))
assert(server:listen(16))
local _, bound = server:getsockname()
io.stdout:write("listening ", bound, "\n")
io.stdout:flush()

while true do
  local client = server:accept()
  client:settimeout(5)
  local call = read_call(client)
  if call then
    local said = status()
    call.status = tonumber(said:match("^%d+"))
    local file = assert(io.open(dir .. "/calls", "ab"))
    file:write(cjson.encode(call), "\n")
    file:close()
    client:send("HTTP/1.1 " .. said .. "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
  end
  client:close()
end
