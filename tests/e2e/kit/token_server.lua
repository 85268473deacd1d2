-- Gives tokens for assertions that are signed as they must be, and misbehaves when told to: luajit token_server.lua DIR
-- PORT. Reads DIR/behaviour, DIR/life (seconds) and DIR/key.pub for each call; adds a line to DIR/hits for each, and one
-- to DIR/given for each token: the claims it was given for.
local cjson = require("cjson")
local mime = require("mime")
local socket = require("socket")
local process = dofile("tests/lib/process.lua")
local server = require("tests.e2e.kit.http_server")

local answer, read = server.answer, server.read
local GRANT = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
local given = 0

local function decode(text)
  return (mime.unb64((text:gsub("[-_]", { ["-"] = "+", ["_"] = "/" })) .. ("="):rep(-#text % 4)))
end

local function write(name, text)
  local file = assert(io.open(server.dir .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

local function is_signed(text, signature)
  write("signed", text)
  write("signature", signature)
  local _, code = process.run { "openssl", "dgst", "-sha256", "-verify", server.dir .. "/key.pub", "-signature",
    server.dir .. "/signature", server.dir .. "/signed" }
  return code == 0
end

-- nil and why: this one gets no token.
local function claims_of(call)
  local head, body, signature = call.body:match("^grant_type=" .. GRANT:gsub("%W", "%%%0") ..
    "&assertion=([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if call.method ~= "POST" or call.headers["content-type"] ~= "application/x-www-form-urlencoded" or not head then
    return nil, "no form"
  end
  if not is_signed(head .. "." .. body, decode(signature)) then return nil, "Invalid JWT Signature." end
  local header, claims = cjson.decode(decode(head)), cjson.decode(decode(body))
  local url, now = ("http://127.0.0.1:%d/token"):format(arg[2] ~= "0" and arg[2] or server.port), os.time()
  if header.alg ~= "RS256" or header.typ ~= "JWT" or header.kid ~= read("kid") then return nil, "header" end
  if claims.aud ~= url then return nil, "aud " .. claims.aud .. ", not " .. url end
  if claims.iat >= now or claims.iat < now - 120 or claims.exp <= now or claims.exp - claims.iat > 3600 then return nil, "time" end
  return claims
end

local function give(client, call, life)
  local claims, why = claims_of(call)
  if not claims then
    answer(client, "400 Bad Request", cjson.encode { error = "invalid_grant", error_description = why })
    return
  end
  given = given + 1
  server.append("given", cjson.encode(claims) .. "\n")
  local token = ("ya29.%s.%d.%s"):format(read("kid"), given, ("t"):rep(1000))
  answer(client, "200 OK", ('{"access_token":"%s","expires_in":%s,"token_type":"Bearer"}'):format(token, life or read("life")))
end

local behaviours = {
  ok = give,
  slow = function(client, call)
    socket.sleep(0.4)
    give(client, call)
  end,
  hang = function() socket.sleep(30) end,
  refuse = function(client)
    answer(client, "400 Bad Request", cjson.encode { error = "invalid_grant", error_description = "account not found" })
  end,
  echo = function(client, call)
    answer(client, "400 Bad Request", cjson.encode { error = "invalid_request", error_description = call.body })
  end,
  busy = function(client) answer(client, "503 Service Unavailable", "<html>busy</html>") end,
  zero = function(client, call) give(client, call, "0") end,
  negative = function(client, call) give(client, call, "-5") end,
  text = function(client, call) give(client, call, '"3600"') end,
  huge = function(client, call) give(client, call, "99999999999999") end,
  none = function(client) answer(client, "200 OK", '{"expires_in":3600,"token_type":"Bearer"}') end,
  odd = function(client) answer(client, "200 OK", '{"access_token":"a b\\r\\nx-evil: 1 ......","expires_in":3600}') end,
  mac = function(client) answer(client, "200 OK", '{"access_token":"0123456789abcdef","expires_in":3600,"token_type":"mac"}') end,
  html = function(client) answer(client, "200 OK", "<html>please log in</html>") end,
  large = function(client) answer(client, "200 OK", '{"access_token":"' .. ("t"):rep(100000) .. '"}') end,
  cut = function(client) client:send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"access_token\":") end,
  redirect = function(client) answer(client, "302 Found", "{}", "Location: http://127.0.0.1:1/\r\n") end,
}

server.run(arg[1], tonumber(arg[2]), function(client, call)
  server.append("hits", "hit\n")
  behaviours[read("behaviour")](client, call)
end)
