-- Somebody whom webhooks call: a server of its own process, which keeps what it was sent.
--
--   local hook = hooks.start()
--   hook.url                                    -- "http://127.0.0.1:…/hook"
--   hook:answer("500 Internal Server Error")    -- from now on; "200 OK" at first
--   hook:calls()                                -- { { path =, headers = { … }, body =, status = }, … }
--   hook:notices()                              -- those of budgets that it took, by threshold: { ["80%"] = { {…} }, … }
--   hooks.hmac(secret, text)                    -- HMAC-SHA256 in hexadecimal digits
--   hook:stop()
local cjson = require("cjson")
local workdir = require("tests.e2e.kit.workdir")
local process = dofile("tests/lib/process.lua")

local hooks = {}
local hook = {}
hook.__index = hook

function hooks.start()
  local h = setmetatable({ dir = workdir.new("hook") }, hook)
  h.process = process.start { "luajit", "tests/e2e/kit/hook_server.lua", h.dir.root }
  local port = h.process:line():match("^listening (%d+)")
  h.url = "http://127.0.0.1:" .. port .. "/hook"
  return h
end

function hook:answer(status)
  self.dir:write("status", status)
end

function hook:calls()
  local calls = {}
  for line in (self.dir:read("calls") or ""):gmatch("(.-)\n") do calls[#calls + 1] = cjson.decode(line) end
  return calls
end

function hook:notices()
  local by = {}
  for _, call in ipairs(self:calls()) do
    local said = cjson.decode(call.body)
    if call.status == 200 then
      by[said.threshold] = by[said.threshold] or {}
      table.insert(by[said.threshold], said)
    end
  end
  return by
end

function hooks.hmac(secret, text)
  local dir = workdir.new("hmac")
  local out, code = process.run { "openssl", "dgst", "-sha256", "-hmac", secret, dir:write("text", text) }
  dir:remove()
  if code ~= 0 then error("openssl dgst: " .. out, 2) end
  return (out:match("(%x+)%s*$"))
end

function hook:stop()
  self.process:stop()
  self.dir:remove()
end

return hooks
