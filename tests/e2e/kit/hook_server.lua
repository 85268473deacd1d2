-- Takes POSTs and keeps them: luajit hook_server.lua DIR
-- A line {path, headers, body, status} in DIR/calls for each, before it is answered with the status that DIR/status says.
local cjson = require("cjson")
local server = require("tests.e2e.kit.http_server")

server.run(arg[1], 0, function(client, call)
  local said = server.read("status")
  if said == "" then said = "200 OK" end
  call.status = tonumber(said:match("^%d+"))
  server.append("calls", cjson.encode(call) .. "\n")
  server.answer(client, said, "")
end)
