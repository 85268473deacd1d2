-- http.get(url, options), http.post(url, options): calls to the services that moongate.lua lists under egress. They
-- look like plain calls and never block: the evaluation is put aside until the answer is there,
-- and dropped with its request.
--
--   local reply, err = http.post("https://moderation.internal/v1/check", {
--     json = { text = "…" }, timeout = "200ms", auth = "secret:moderation", headers = { ["x-team"] = "core" } })
--
-- reply: status, headers (names in lower case), body, json (nil when the body is none). Whatever goes wrong outside is
-- nil and a word: "timeout" "refused" "closed" "limit" "clearance" "bad json" "http 503" (then the reply comes third);
-- what is wrong in the policy itself raises.
local core, use = ...
local report = use "report"
local schema = use "schema"
local notes = use "notes"
local raise = use "raise"

local http = {}

local function bad(finding, text, ...) raise.error(finding, "http: " .. text:format(...), 0) end

local units = { ms = 1, s = 1000, m = 60000 }

-- What was probably meant: 300 → "300ms", "300 ms" → "300ms", "5 minutes" → "5m".
local function near_timeout(value)
  local count, unit = tostring(value):match("^(%d+%.?%d*)%s*(%l*)$")
  if not count or count + 0 <= 0 then return "" end
  unit = (unit == "" or unit:find("^milli")) and "ms" or units[unit] and unit or unit:sub(1, 1)
  return units[unit] and (" (did you mean \"%s%s\"?)"):format(count, unit) or ""
end

local function milliseconds(value)
  local count, unit = tostring(value):match("^(%d+%.?%d*)(m?s?)$")
  if type(value) ~= "string" or not count or not units[unit] or count + 0 <= 0 or #count > 6 then
    bad("bad_time", "timeout is written \"200ms\" or \"2s\", got %s%s", schema.kind_of(value), near_timeout(value))
  end
  return math.max(1, math.floor(count * units[unit]))
end

local known = { json = true, body = true, headers = true, timeout = true, auth = true }

local function check_auth(wanted)
  if wanted ~= nil and (type(wanted) ~= "string" or not wanted:find("^secret:[a-z0-9_%-]+$")) then
    bad("bad_value", "auth is written \"secret:name\", got %s", schema.kind_of(wanted))
  end
end

local function check_options(options)
  if options == nil then return {} end
  if type(options) ~= "table" then
    bad("bad_value", "the second argument is a table, got %s", schema.kind_of(options))
  end
  for name in pairs(options) do
    if not known[name] then
      local near = report.nearest(tostring(name), report.keys(known))
      bad("unknown_field", "unknown option '%s'%s", tostring(name), near and " (" .. near .. ")" or "")
    end
  end
  if options.json ~= nil and options.body ~= nil then
    bad("said_twice", "json and body at once: which of them is sent?")
  end
  if options.body ~= nil and type(options.body) ~= "string" then
    bad("bad_value", "body is a text, got %s", schema.kind_of(options.body))
  end
  return options
end

-- What says where a call goes and how long it is, is not a policy's to say: egress in moongate.lua lists places by
-- their names, and a Host of one's own would reach another behind the same address (RFC 9110 7.2,
-- RFC 9112 6, 7.8, 9.6).
local own_headers = {}
for name in ("host content-length transfer-encoding connection keep-alive proxy-connection proxy-authorization te " ..
  "trailer upgrade expect"):gmatch("%S+") do own_headers[name] = true end

-- A flat list, sorted: what is sent does not depend on the order of a table.
local function flat_headers(options, has_json)
  local list, seen = {}, {}
  for _, name in ipairs(report.keys(options.headers or {})) do
    local value = options.headers[name]
    if type(name) ~= "string" or not name:find("^[%w%-_]+$") or type(value) ~= "string" or value:find("[%c]") then
      bad("bad_value", "headers are texts by name, without line breaks: %s", tostring(name))
    end
    if own_headers[name:lower()] then
      bad("bad_value",
        "the header '%s' is the gateway's own to send; to call another host, write it in the URL and list it "
        .. "in egress", name)
    end
    list[#list + 1], list[#list + 2] = name, value
    seen[name:lower()] = true
  end
  if has_json and not seen["content-type"] then
    list[#list + 1], list[#list + 2] = "content-type", "application/json"
  end
  return list
end

-- Is the place one that may be called with this request's data, and with that secret? true, or nil and why not.
local function admit(f, url, options)
  local is_listed, clearance, secret, timeout = core.egress(url)
  local wanted = options.auth
  check_auth(wanted)
  if is_listed == nil then return true end -- tests: there is no moongate.lua
  if not is_listed then
    bad("bad_name", "'%s' is not listed: add its scheme, host and port to egress in moongate.lua",
      url:match("^[^?#]*"):sub(1, 200))
  end
  if wanted and wanted ~= "secret:" .. tostring(secret) then
    bad("bad_secret", "%s has %s, and not '%s'", url:match("^%a+://[^/?#]*") or url,
      secret and "the secret '" .. secret .. "'" or "no secret", wanted:sub(8))
  end
  if schema.class_rank[f.data] > schema.class_rank[clearance] then
    return nil, ("%s data may not be sent there, which may see %s"):format(f.data, clearance), timeout
  end
  return true, nil, timeout
end

local function finish(status, headers, body)
  if not status then return nil, headers end
  local value, wrong = nil, nil
  if body ~= "" then value, wrong = core.json_decode(body) end
  local reply = { status = status, headers = headers, body = body, json = value }
  if status < 200 or status > 299 then return nil, "http " .. status, reply end
  if wrong and (headers["content-type"] or ""):find("json", 1, true) then return nil, "bad json", reply end
  return reply
end

local function check_url(url)
  if type(url) ~= "string" or not url:find("^https?://") then
    bad("bad_value", "the first argument is a URL, got %s", schema.kind_of(url))
  end
end

local function check_get(options)
  if type(options) == "table" and (options.json ~= nil or options.body ~= nil) then
    bad("unknown_field", "get sends no body: use http.post")
  end
end

local function call(method, url, options)
  options = check_options(options)
  check_url(url)
  local f = core.facts()
  local began = core.clock_ms()
  local rule = method .. " " .. url:match("^[^?#]*"):sub(1, 200)
  local may, why, default = admit(f, url, options)
  if not may then
    notes.note(f, f._policy, rule, "refused", why, f._policy.mode, 0)
    return nil, "clearance"
  end
  local body = options.json ~= nil and core.json_encode(options.json) or options.body
  local timeout = options.timeout ~= nil and milliseconds(options.timeout) or default or 1000
  local started, err = core.http_start(method, url, flat_headers(options, options.json ~= nil), body, timeout,
    options.auth ~= nil)
  local reply, third
  if started == false then reply = nil
  else reply, err, third = finish(core.http_take()) end
  notes.note(f, f._policy, rule, "http", ("%s in %d ms"):format(reply and reply.status or err, core.clock_ms() - began),
    f._policy.mode, 0)
  return reply, err, third
end

-- --- at load ---

-- What moongate.lua says of services, as far as policies give it a meaning.
function http.check_settings()
  local list = core.services()
  report.begin { path = "moongate.lua", text = "" }
  for i = 1, #list, 2 do
    if not schema.class_rank[list[i + 1]] then
      report.message("bad_predicate",
        ("egress[\"%s\"].clearance: unknown data class '%s'"):format(list[i], list[i + 1]),
        report.nearest(list[i + 1], schema.classes) or table.concat(schema.classes, ", "))
    end
  end
end

-- Raises what is wrong with the arguments, as far as they are given: for whoever tries what a file says. → milliseconds
-- that the call waits, nil when it does not say.
function http.try(name, url, options)
  if name == "get" then check_get(options) end
  options = check_options(options)
  if url ~= nil then check_url(url) end
  if type(options.headers) == "table" then flat_headers(options, false) end
  check_auth(options.auth)
  return options.timeout ~= nil and milliseconds(options.timeout) or nil
end

http.words = {
  get = function(url, options)
    check_get(options)
    return call("GET", url, options)
  end,
  post = function(url, options) return call("POST", url, options) end,
  -- Can it be called, as moongate.lua and this place are? For policies that ask a service only where there is one.
  is_listed = function(url)
    if type(url) ~= "string" then bad("bad_value", "is_listed wants a URL, got %s", schema.kind_of(url)) end
    return core.has_http() and core.egress(url) ~= false
  end,
}

return http
