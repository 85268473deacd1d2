-- An issuer of tokens: its keys, its JWKS server (a process of its own), and tokens of whatever claims.
--
--   local issuer = issuers.start()                    -- issuer.url: where its key set is
--   local token = issuer:token { sub = "ana" }        -- by its newest key; iss, aud, exp as auth.lua wants them
--   issuer:rotate()                                   -- a new key; the set holds it and the one before
--   issuer:behave("slow")                             -- ok, refuse, slow, hang, lie, empty, huge, cut, redirect
--   issuer:hits()                                     -- requests its server has seen
--   issuer:kill()  issuer:restart()                   -- nobody listens there; somebody does again
--   issuer:stop()
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local workdir = require("tests.e2e.kit.workdir")
local mime = require("mime")
local process = dofile("tests/lib/process.lua")

local issuers = {}
local issuer = {}
issuer.__index = issuer

local function base64url(bytes)
  return (mime.b64(bytes):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

local function run(...)
  local out, code = process.run { "openssl", ... }
  if code ~= 0 then error("openssl " .. table.concat({ ... }, " ") .. ": " .. out, 2) end
  return out
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- --- keys and tokens ---

-- kind: "ed25519" or "rsa"
function issuer:add_key(kind)
  local key = { kid = "key-" .. #self.keys + 1, kind = kind, path = self.dir:path("key" .. #self.keys + 1 .. ".pem") }
  if kind == "rsa" then
    run("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key.path)
    local hex = run("rsa", "-in", key.path, "-noout", "-modulus"):match("Modulus=(%x+)")
    local n = hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)
    key.jwk = { kty = "RSA", kid = key.kid, use = "sig", alg = "RS256", n = base64url(n), e = "AQAB" }
  else
    run("genpkey", "-algorithm", "ED25519", "-out", key.path)
    run("pkey", "-in", key.path, "-pubout", "-outform", "DER", "-out", key.path .. ".pub")
    key.jwk = { kty = "OKP", crv = "Ed25519", kid = key.kid, use = "sig", x = base64url(read(key.path .. ".pub"):sub(-32)) }
  end
  self.keys[#self.keys + 1] = key
  return key
end

local function sign(self, key, text)
  local input, output = self.dir:path("signed"), self.dir:path("signature")
  self.dir:write("signed", text)
  if key.kind == "rsa" then run("dgst", "-sha256", "-sign", key.path, "-out", output, input)
  else run("pkeyutl", "-sign", "-rawin", "-inkey", key.path, "-in", input, "-out", output) end
  return base64url(read(output))
end

-- claims: over the usual ones; false takes one away. header: likewise. key: one of self.keys instead of the newest.
function issuer:token(claims, header, key)
  key = key or self.keys[#self.keys]
  local all = { iss = self.name, aud = "moongate", exp = os.time() + 600, iat = os.time(), sub = "ana", azp = "code-assistant" }
  local head = { alg = key.kind == "rsa" and "RS256" or "EdDSA", kid = key.kid, typ = "JWT" }
  for name, value in pairs(claims or {}) do all[name] = value or nil end
  for name, value in pairs(header or {}) do head[name] = value or nil end
  local text = base64url(cjson.encode(head)) .. "." .. base64url(cjson.encode(all))
  return text .. "." .. sign(self, key, text)
end

-- Publishes the newest `count` keys.
function issuer:publish(count)
  local list = {}
  for i = math.max(1, #self.keys - (count or 2) + 1), #self.keys do list[#list + 1] = self.keys[i].jwk end
  self.dir:write("jwks.json.new", cjson.encode { keys = list })
  assert(os.rename(self.dir:path("jwks.json.new"), self.dir:path("jwks.json")))
end

function issuer:rotate(kind, kept)
  self:add_key(kind or "ed25519")
  self:publish(kept)
end

-- --- its server ---

function issuer:behave(how)
  self.dir:write("behaviour.new", how)
  assert(os.rename(self.dir:path("behaviour.new"), self.dir:path("behaviour")))
end

function issuer:hits()
  local count = 0
  for _ in (self.dir:read("hits") or ""):gmatch("\n") do count = count + 1 end
  return count
end

function issuer:restart()
  self.process = process.start { "luajit", "tests/e2e/kit/jwks_server.lua", self.dir.root, tostring(self.port or 0) }
  local line = self.process:line(10)
  self.port = tonumber(line and line:match("^listening (%d+)$")) or error("the JWKS server did not start: " .. tostring(line))
  self.url = ("http://127.0.0.1:%d/jwks"):format(self.port)
end

function issuer:kill()
  self.process:stop()
end

function issuer:stop()
  self.process:stop()
  self.dir:remove()
end

-- options: kind of its first key, name
function issuers.start(options)
  options = options or {}
  local self = setmetatable({ dir = workdir.new("issuer"), keys = {}, name = options.name or "https://login.example.com" }, issuer)
  self:behave("ok")
  self:rotate(options.kind)
  self:restart()
  return self
end

-- Until its server has been asked once more than `before` says.
function issuer:asked_after(before)
  expect.eventually(function() return self:hits() > before end, 10, "a request for the key set")
end

return issuers
