-- Serves a key set over HTTP, and misbehaves when told to: luajit jwks_server.lua DIR PORT
-- Reads DIR/jwks.json and DIR/behaviour for each request, adds a line to DIR/hits.
local socket = require("socket")
local server = require("tests.e2e.kit.http_server")

local answer, read = server.answer, server.read

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

server.run(arg[1], tonumber(arg[2]), function(client)
  server.append("hits", "hit\n")
  behaviours[read("behaviour")](client)
end)
