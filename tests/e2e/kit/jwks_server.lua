-- Serves a key set over HTTP, and misbehaves when told to: luajit jwks_server.lua DIR PORT
-- Reads DIR/jwks.json and DIR/behaviour for each request, adds a line to DIR/hits.
local socket = require("socket")

local dir, port = arg[1], tonumber(arg[2])

local function read(name)
  local file = io.open(dir .. "/" .. name, "rb")
  if not file then return "" end
  local text = file:read("*a")
  file:close()
  return text
end

local function answer(client, status, body, more)
  client:send(("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n%s\r\n%s"):format(
    status, #body, more or "", body))
end

local behaviours = {
  ok = function(client) answer(client, "200 OK", read("jwks.json")) end,
  refuse = function(client) answer(client, "500 Internal Server Error", "{}") end,
  slow = function(client)
    socket.sleep(1)
    answer(client, "200 OK", read("jwks.json"))
  end,
  hang = function() socket.sleep(30) end,
  lie = function(client) answer(client, "200 OK", "<html>please log in</html>") end,
  empty = function(client) answer(client, "200 OK", '{"keys":[]}') end,
  huge = function(client) answer(client, "200 OK", '{"keys":[' .. (" "):rep(300000) .. "]}") end,
  cut = function(client) client:send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" .. read("jwks.json"):sub(1, 40)) end,
  redirect = function(client) answer(client, "302 Found", read("jwks.json"), "Location: http://127.0.0.1:1/\r\n") end,
}

local server = assert(socket.tcp4())
server:setoption("reuseaddr", true)
assert(server:bind("127.0.0.1", port))
assert(server:listen(16))
local _, bound = server:getsockname()
io.stdout:write("listening ", bound, "\n")
io.stdout:flush()

while true do
  local client = server:accept()
  client:settimeout(5)
  repeat
    local line = client:receive("*l")
  until not line or line == ""
  local hits = io.open(dir .. "/hits", "ab")
  hits:write("hit\n")
  hits:close()
  behaviours[read("behaviour")](client)
  client:close()
end
