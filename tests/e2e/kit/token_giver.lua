-- A token endpoint as Google's (a process of its own), and key files for it.
--
--   local giver = givers.start()
--   giver:key_file("sa.json", g.dir)          -- a service account's key file whose token_uri is there
--   giver:behave("slow")                      -- what token_server.lua can do
--   giver:live(2)                             -- tokens are good for so many seconds from now on; 3600 at first
--   giver:hits()  giver:given()               -- calls it has seen; the claims that it has given tokens for
--   giver:rotate()                            -- a new key: files of before are refused
--   giver:kill()  giver:restart()  giver:stop()
local cjson = require("cjson")
local process = dofile("tests/lib/process.lua")
local workdir = require("tests.e2e.kit.workdir")

local givers = {}
local giver = {}
giver.__index = giver

local function run(...)
  local out, code = process.run { "openssl", ... }
  if code ~= 0 then error("openssl " .. table.concat({ ... }, " ") .. ": " .. out, 2) end
end

function giver:put(name, text)
  self.dir:write(name .. ".new", text)
  assert(os.rename(self.dir:path(name .. ".new"), self.dir:path(name)))
end

function giver:behave(how) self:put("behaviour", how) end
function giver:live(seconds) self:put("life", tostring(seconds)) end

function giver:rotate()
  self.number = (self.number or 0) + 1
  self.kid = "kid" .. self.number
  local key = self.dir:path("key.pem")
  run("genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key)
  run("pkey", "-in", key, "-pubout", "-out", self.dir:path("key.pub"))
  self:put("kid", self.kid)
end

-- more: fields instead of the usual ones; false takes one away.
function giver:key_json(more)
  local all = { type = "service_account", project_id = "my-project", private_key_id = self.kid, client_id = "1234",
    private_key = self.dir:read("key.pem"), client_email = "gw@my-project.iam.gserviceaccount.com", token_uri = self.url }
  for name, value in pairs(more or {}) do all[name] = value or nil end
  return cjson.encode(all)
end

local function lines(text)
  local list = {}
  for line in (text or ""):gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

function giver:hits() return #lines(self.dir:read("hits")) end

function giver:given()
  local list = lines(self.dir:read("given"))
  for i, line in ipairs(list) do list[i] = cjson.decode(line) end
  return list
end

function giver:restart()
  self.process = process.start { "luajit", "tests/e2e/kit/token_server.lua", self.dir.root, tostring(self.port or 0) }
  local line = self.process:line(10)
  self.port = tonumber(line and line:match("^listening (%d+)$")) or error("the token server did not start: " .. tostring(line))
  self.url = ("http://127.0.0.1:%d/token"):format(self.port)
end

function giver:kill() self.process:stop() end

function giver:stop()
  self.process:stop()
  self.dir:remove()
end

function givers.start()
  local self = setmetatable({ dir = workdir.new("tokens") }, giver)
  self:behave("ok")
  self:live(3600)
  self:rotate()
  self:restart()
  return self
end

return givers
