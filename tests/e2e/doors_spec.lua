-- Side doors: whoever is refused on one path in one spelling is refused on all of them in every other, and no byte reaches
-- a provider: strangers, an exhausted budget, a model that the department may not use, data that the model may not see.
-- The paths are those of the gateway's own table (kit/calls.lua): a new one is tried by itself.
--
-- Tried are: each spelling of each path, by whom its department refuses, with two bodies; each spelling of a body on one
-- path of each dialect (and one that names the model, and a free one), by him; on each plain path every refused caller, with a few bodies, also on other spellings.
local cjson = require("cjson")
local calls = require("tests.e2e.kit.calls")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local bit = require("bit")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "budget" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key", "api-key" } }, ' ..
    'data = { default = "internal", headers = { ["x-class"] = { secret = "restricted" } } } }\n',
  ["apps.lua"] = 'return apps { ["rich"] = { department = "engineering", owner = "tests" }, ["poor"] = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = [[
local price = ]] .. calls.PRICE .. [[

return models {
  open   = { targets = { "openai/open", "anthropic/open", "gemini/open", "responses/open" }, context = 200000, price = price },
  closed = { targets = { "openai/closed", "anthropic/closed", "gemini/closed", "responses/closed" }, context = 200000, price = price },
}
]],
  ["access.lua"] = [[return access { models = { open = { departments = any, data = "internal" },
    closed = { departments = { "sales" }, data = "restricted" } } }]],
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = 0.01, per = "month" } }, ' ..
    'default = { each = "app", limit = 1000000, per = "month" } }\n',
}

local m, g, callers

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local function account(kind, path)
    return { kind = kind, url = (m.url:gsub("/v1$", path)), key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false }
  end
  g = gateway.start { mock = m, name = "doors", policies = POLICIES, key = { app = "rich", department = "engineering" }, config = { providers = {
    openai = account("openai", "/v1"), anthropic = account("anthropic", "/v1"), gemini = account("gemini", "/v1beta"),
    responses = account("openai_responses", "/v1") } } }
  local poor = g:new_key { app = "poor", department = "engineering" }
  expect.eventually(function() return g:ask({ path = "/v1/models", key = poor, method = "GET" }).status == 200 end)
  callers = {
    { name = "nobody", model = "open", status = 401 },
    { name = "a stranger", model = "open", key = "mgk_nobody", status = 401 },
    { name = "who has spent all", model = "open", key = poor, status = 402 },
    { name = "another department", model = "closed", key = g.key, status = 403 },
    { name = "who has restricted data", model = "open", key = g.key, headers = { { "X-Class", "secret" } }, status = 403 },
  }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

-- --- spellings of a path ---

local function escaped(text, from, to)
  return text:sub(1, from - 1) .. text:sub(from, to):gsub(".", function(c) return ("%%%02X"):format(c:byte()) end) .. text:sub(to + 1)
end

local function behind_v1(beginning)
  return function(path) return (path:gsub("^/v1/", beginning .. "/")) end
end

local PATHS = {
  plain = function(path) return path end,
  ["a slash more at its end"] = function(path) return path .. "/" end,
  ["slashes doubled"] = function(path) return (path:gsub("/", "//")) end,
  ["behind /openai/v1"] = behind_v1 "/openai/v1",
  ["behind /api/v1"] = behind_v1 "/api/v1",
  ["behind /v1beta/openai"] = behind_v1 "/v1beta/openai",
  ["behind /anthropic/v1"] = behind_v1 "/anthropic/v1",
  ["behind /v1 for Google's"] = function(path) return (path:gsub("^/v1beta/models", "/v1/models")) end,
  ["a letter escaped"] = function(path) return escaped(path, 3, 3) end,
  ["a late letter escaped"] = function(path) return escaped(path, #path, #path) end,
  ["all escaped"] = function(path) return escaped(path, 2, #path) end,
  ["its slashes escaped"] = function(path) return "/" .. path:sub(2):gsub("/", "%%2F") end,
  ["escaped twice"] = function(path) return "/" .. path:sub(2):gsub("/", "%%252F") end,
  ["in capitals"] = string.upper,
  ["its first letter a capital"] = function(path) return "/" .. path:sub(2, 2):upper() .. path:sub(3) end,
  ["with a dot"] = function(path) return "/." .. path end,
  ["with dots in the middle"] = function(path) return (path:gsub("^(/[^/]*)", "%1/x/..")) end,
  ["from a public one upwards"] = function(path) return "/livez/.." .. path end,
  ["with a parameter"] = function(path) return path .. ";a=b" end,
  ["with a query"] = function(path) return path .. "?model=open&stream=true" end,
  ["with an escaped query"] = function(path) return path .. "%3Fmodel=open" end,
  ["with NUL"] = function(path) return path .. "%00" end,
  ["with backslashes"] = function(path) return "/" .. path:sub(2):gsub("/", "\\") end,
  ["absolute"] = function(path) return "http://127.0.0.1" .. path end,
  ["absolute, of another"] = function(path) return "http://other.example:80" .. path end,
}

-- --- spellings of a body: of the request without its model, as JSON, and the model ---

local function with(members, text) return "{" .. members .. (text == "{}" and "}" or "," .. text:sub(2)) end
local function named(model) return ('"model":"%s"'):format(model) end
local function in_escapes(text) return (text:gsub(".", function(c) return ("\\u%04x"):format(c:byte()) end)) end
local function valued(change)
  return function(text, model) return with(named(change(model)), text) end
end
local function headed(...)
  local headers = { ... }
  return function(text, model) return with(named(model), text), { headers = headers } end
end
local function changed(change)
  return function(text, model) return change(with(named(model), text)) end
end

local function crc32(text)
  local crc = -1
  for i = 1, #text do
    crc = bit.bxor(crc, text:byte(i))
    for _ = 1, 8 do crc = bit.bxor(bit.rshift(crc, 1), bit.band(crc, 1) == 1 and 0xedb88320 or 0) end
  end
  return bit.bnot(crc)
end
local function number(n, bytes)
  local out = {}
  for i = 0, bytes - 1 do out[i + 1] = string.char(bit.band(bit.rshift(n, 8 * i), 255)) end
  return table.concat(out)
end
-- RFC 1952, one stored block.
local function gzip(text)
  return "\31\139\8\0\0\0\0\0\0\255\1" .. number(#text, 2) .. number(bit.bnot(#text), 2) .. text .. number(crc32(text), 4) .. number(#text, 4)
end

local BODIES = {
  plain = headed(),
  ["its model last"] = function(text, model) return text:sub(1, -2) .. "," .. named(model) .. "}" end,
  ["its name escaped"] = function(text, model) return with(('"mod\\u0065l":"%s"'):format(model), text) end,
  ["its value escaped"] = valued(in_escapes),
  ["twice the same"] = function(text, model) return with(named(model) .. "," .. named(model), text) end,
  ["twice, a good one first"] = function(text, model) return with(named "open" .. "," .. named(model), text) end,
  ["twice, a good one last"] = function(text, model) return with(named(model) .. "," .. named "open", text) end,
  ["twice, one escaped first"] = function(text, model) return with(('"mod\\u0065l":"%s",'):format(model) .. named "open", text) end,
  ["twice, one escaped last"] = function(text, model) return with(named "open" .. (',"mod\\u0065l":"%s"'):format(model), text) end,
  ["another in capitals"] = function(text, model) return with('"Model":"open",' .. named(model), text) end,
  ["another inside"] = function(text, model) return with('"extra_body":{"model":"open"},' .. named(model), text) end,
  ["no model"] = function(text) return text end,
  ["a list of models"] = function(text, model) return with(('"model":["%s"]'):format(model), text) end,
  ["behind its provider's name"] = valued(function(model) return "openai/" .. model end),
  ["behind Google's word"] = valued(function(model) return "models/" .. model end),
  ["in capitals"] = valued(string.upper),
  ["a blank before"] = valued(function(model) return " " .. model end),
  ["a blank behind"] = valued(function(model) return model .. " " end),
  ["a line end behind"] = valued(function(model) return model .. "\\n" end),
  ["NUL behind"] = valued(function(model) return model .. "\\u0000" end),
  ["a lookalike"] = valued(function(model) return (model:gsub("o", "\208\190")) end),
  ["of full width"] = valued(function(model) return (model:gsub("e", "\239\189\133")) end),
  ["something invisible in it"] = valued(function(model) return model:sub(1, 2) .. "\226\128\139" .. model:sub(3) end),
  ["something combining in it"] = valued(function(model) return model .. "\204\129" end),
  ["a byte order mark"] = changed(function(body) return "\239\187\191" .. body end),
  ["blanks around"] = changed(function(body) return " \r\n\t" .. body .. "\n\n " end),
  ["another body behind"] = changed(function(body) return body .. '{"model":"open"}' end),
  ["NUL at its end"] = changed(function(body) return body .. "\0" end),
  ["UTF-16"] = changed(function(body) return "\255\254" .. body:gsub(".", "%0\0") end),
  ["in a list"] = changed(function(body) return "[" .. body .. "]" end),
  ["single quotes"] = changed(function(body) return (body:gsub('"', "'")) end),
  ["chunks of a byte"] = function(text, model) return with(named(model), text), { chunked = 1 } end,
  ["gzip"] = function(text, model) return gzip(with(named(model), text)), { headers = { { "Content-Encoding", "gzip" } } } end,
  ["said to be gzip"] = headed { "Content-Encoding", "gzip" },
  ["identity"] = headed { "Content-Encoding", "identity" },
  ["said to be text"] = headed { "Content-Type", "text/plain" },
  ["said to be a form"] = headed { "Content-Type", "application/x-www-form-urlencoded" },
  ["said to be a form in parts"] = headed { "Content-Type", "multipart/form-data; boundary=x" },
  ["said to be for another path"] = headed({ "X-Original-URL", "/livez" }, { "X-Rewrite-URL", "/livez" }, { "X-HTTP-Method-Override", "GET" }),
  ["another's key beside"] = headed({ "X-Api-Key", "" }, { "Api-Key", "mgk_" }),
}

-- --- asking ---

local connection

local function ask(of)
  for _ = 1, 2 do
    local is_new = not connection
    connection = connection or client.connect(g.port)
    connection:send(client.request(of))
    local r = connection:answer()
    if not r.status or (r:get("connection") or ""):lower() == "close" then
      connection:close()
      connection = nil
    end
    if r.status or is_new then return r end -- else it was closed since the last answer
  end
end

local function text_of(route) return route.json and cjson.encode(route.json) or nil end

local function try(route, caller, path, body)
  local target = path(calls.path(route, caller.model))
  local json, more
  if route.is_call then json, more = body(text_of(route), caller.model) end
  local headers = {}
  for _, list in ipairs { caller.headers or {}, more and more.headers or {} } do
    for _, header in ipairs(list) do headers[#headers + 1] = header end
  end
  if route.if_header then headers[#headers + 1] = { route.if_header, "1" } end
  return ask { method = route.method, path = target, json = json, key = caller.key, headers = headers, chunked = more and more.chunked }
end

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- An object of nobody's: who may ask is told so.
local function is_answered(r) return r.status == 200 or (r.body or ""):find('"code":"not_found"', 1, true) ~= nil end

local FEW_BODIES = { "plain", "chunks of a byte", "its name escaped", "twice, a good one last" }
local FEW_PATHS = { plain = true, ["a slash more at its end"] = true, ["all escaped"] = true, ["with a query"] = true }
local ALL = "another department" -- who tries all spellings
local has_all = {}               -- kinds of paths of which one had each spelling of a body

-- The spellings of a body for that route.
local function spellings(route)
  local kind = route.dialect .. (route.names_model and " by path" or "") .. (route.is_free and " free" or "")
  if not route.is_call or (has_all[kind] or route) ~= route then return FEW_BODIES end
  has_all[kind] = route
  return sorted(BODIES)
end

-- The spellings by which the provider is reached by who may: there refusals have their own status.
local function served(route)
  local rich, paths, bodies = { key = g.key, model = "open" }, {}, {}
  for name, path in pairs(PATHS) do paths[name] = is_answered(try(route, rich, path, BODIES.plain)) end
  if not route.is_call then return paths, { plain = true } end
  for _, name in ipairs(spellings(route)) do bodies[name] = try(route, rich, PATHS.plain, BODIES[name]).status == 200 end
  return paths, bodies
end

local function assert_refused(r, caller, is_served, where)
  assert.is_truthy(r.status, where)
  assert.is_true(r.status >= 400 and r.status < 500, ("%s: %s %s"):format(where, r.status, r.body))
  if is_served then assert.equal(caller.status, r.status, where .. ": " .. r.body) end
end

local function bodies_for(route, caller, path)
  if not route.is_call then return { "plain" } end
  if path ~= "plain" then return { "plain", caller.name == ALL and "chunks of a byte" or nil } end
  return caller.name == ALL and spellings(route) or FEW_BODIES
end

local function paths_for(route, caller)
  local is_for_all = caller.name == ALL or (not route.is_call and caller.name == "a stranger")
  return is_for_all and sorted(PATHS) or sorted(FEW_PATHS)
end

local function assert_closed(route)
  local paths, bodies = served(route)
  assert.is_true(paths.plain and bodies.plain, route.path .. " is not served at all")
  local since, connections = m:mark(), m:state().connections
  for _, caller in ipairs(callers) do
    local is_meant = caller.status == 401 or (route.is_call and not (route.is_free and caller.status == 402))
    for _, path in ipairs(is_meant and paths_for(route, caller) or {}) do
      for _, body in ipairs(bodies_for(route, caller, path)) do
        local where = ("%s %s, path %s, body %s"):format(caller.name, route.word, path, body)
        assert_refused(try(route, caller, PATHS[path], BODIES[body]), caller, paths[path] and bodies[body], where)
      end
    end
    assert.equal(0, m:bytes_seen(since), caller.name .. " " .. route.word)
  end
  assert.equal(connections, m:state().connections, route.word)
end

describe("no spelling of", function()
  for _, route in ipairs(calls.routes()) do
    -- What is kept is its app's, which owned_spec.lua and side_spec.lua try.
    if not route.is_kept then it(("%s %s (%s) lets anybody in who is refused"):format(route.method, route.path, route.word), function()
      assert_closed(route)
    end) end
  end
end)
