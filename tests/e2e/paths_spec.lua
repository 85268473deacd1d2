-- Paths that clients try: spellings are served, other APIs are told what to do, browsers what they may.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local SAY = { { role = "user", content = "hi" } }
local ORIGIN = "https://app.example"
local m, g

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "paths", config = { providers = { anthropic = { kind = "anthropic" } }, cors = { origins = { ORIGIN, "http://localhost:3000" }, max_age = "5m" } } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

describe("a path in another spelling", function()
  for _, path in ipairs { "/v1/chat/completions/", "//v1/chat/completions", "/v1//chat/completions", "/openai/v1/chat/completions",
    "/api/v1/chat/completions", "/v1beta/openai/chat/completions" } do
    it(path .. " is served", function()
      local since = m:mark()
      local r = g:ask { path = path, json = { model = "gpt-4o", messages = SAY } }
      assert.equal(200, r.status, r.body)
      assert.equal("/v1/chat/completions", m:request(since).path)
      assert.equal(path, g:record(r.id).path)
    end)
  end

  it("that says the model, as Azure's do, is served whatever the body says", function()
    for path, json in pairs {
      ["/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"] = { messages = SAY, model = "claude-3-opus" },
      ["/openai/deployments/gpt%2D4o/chat/completions"] = { messages = SAY, stream = true },
      ["/openai/deployments/text-embedding-3-small/embeddings?api-version=1"] = { input = "hi" },
    } do
      local since = m:mark()
      local r = g:ask { path = path, json = json, key = false, headers = { { "api-key", g.key } } }
      assert.equal(200, r.status, r.body)
      local sent = m:request(since)
      local model = path:find("embedding", 1, true) and "text-embedding-3-small" or "gpt-4o"
      assert.equal(path:find("embedding", 1, true) and "/v1/embeddings" or "/v1/chat/completions", sent.path)
      assert.equal(model, cjson.decode(sent.body).model)
      assert.is_nil(m:header(sent, "api-key"))
      assert.equal(model, g:record(r.id).model)
    end
    local since = m:mark()
    assert.equal(403, g:ask({ path = "/openai/deployments/claude-3-opus/chat/completions", json = { model = "gpt-4o", messages = SAY } }).status)
    assert.equal(404, g:ask({ path = "/openai/deployments/no-such/embeddings", json = { input = "x" } }).status)
    assert.equal(401, g:ask({ path = "/openai/deployments/gpt-4o/embeddings", json = { input = "x" }, key = "sk-nobody" }).status)
    assert.same({}, m:requests(since))
  end)

  it("of a model is served too", function()
    for _, path in ipairs { "/v1/models/gpt-4o/", "//v1/models/gpt-4o", "/api/v1/models/gpt-4o", "/v1/models//gpt-4o" } do
      local r = g:ask { path = path }
      assert.equal(200, r.status, path)
      assert.equal("gpt-4o", cjson.decode(r.body).id)
    end
    assert.equal("list", cjson.decode(g:ask({ path = "/v1/models/" }).body).object)
  end)
end)

describe("a path of another API", function()
  for _, case in ipairs {
    { "/v1/responses/resp_1/else", "GET and DELETE /v1/responses/{id}" }, { "/v1/messages/batches", "POST /v1/messages" },
    { "/v1beta/models/gemini-2.5-flash:predict", ":generateContent" }, { "/v1beta/cachedContents", "Cached contents" },
    { "/openai/deployments/gpt-4o/images/upscale?api-version=2024-10-21", '"gpt-4o"' }, { "/v1/files/a/b", "files" }, { "/v1/batches/a/b", "batches" },
  } do
    it(case[1] .. " is 400 with what to do", function()
      local since = m:mark()
      local r = g:ask { path = case[1], json = { model = "gpt-4o", messages = SAY, max_tokens = 5, input = "hi" } }
      assert.equal(400, r.status, r.body)
      local problem = gateway.error_of(r)
      assert.same({ "invalid_request_error", "unsupported_path" }, { problem.type, problem.code })
      assert.truthy(problem.message:find(case[2], 1, true), problem.message)
      assert.same({}, m:requests(since))
      assert.equal("invalid", g:record(r.id).outcome)
    end)
  end

  it("a WebSocket is sent back to HTTP with 426", function()
    local r = g:ask { path = "/v1/responses", headers = { { "Connection", "Upgrade" }, { "Upgrade", "websocket" }, { "Sec-WebSocket-Version", "13" },
      { "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==" } } }
    assert.equal(426, r.status)
    assert.equal("HTTP/1.1", r:get("upgrade"))
    assert.equal("upgrade_required", gateway.error_of(r).code)
    assert.equal(405, g:ask({ path = "/v1/responses" }).status)
  end)
end)

-- What coding agents and SDKs really send, where the recordings of it are.
describe("a client's real request", function()
  local folder = os.getenv("MOONGATE_CAPTURED") or "../shared/captured"
  local names = {}
  for name in io.popen("ls " .. folder .. " 2>/dev/null"):lines() do
    if name:find("%.json$") then names[#names + 1] = name end
  end
  if #names == 0 then it("is not here", function() pending("no captured requests at " .. folder) end) end

  -- Their own credentials and framing make way for ours.
  local LEFT_OUT = { authorization = true, ["x-api-key"] = true, ["x-goog-api-key"] = true, ["content-length"] = true, ["content-type"] = true,
    host = true, ["content-encoding"] = true, ["transfer-encoding"] = true, connection = true }

  local function wanted(path, name)
    if path:find("^/v1/chat/completions") or path:find("^/v1/messages") then return 200 end
    if path:find("enerateContent", 1, true) then return 200 end
    if path == "/v1/responses" then return name:find("openai-python", 1, true) and 400 or 200 end -- it has a previous_response_id
    if path:find("/models/[^:]+:%a*[gG]enerateContent") then return 200 end
    return path == "/" and 404 or 400
  end

  for _, name in ipairs(names) do
    it(name:gsub("%.json$", ""), function()
      local file = assert(io.open(folder .. "/" .. name))
      local captured = cjson.decode(file:read("*a"))
      file:close()
      local headers, upgrades = {}, false
      for _, header in ipairs(captured.headers) do
        if not LEFT_OUT[header[1]:lower()] then headers[#headers + 1] = header end
        upgrades = upgrades or header[1]:lower() == "upgrade"
      end
      local body = captured.body ~= cjson.null and captured.body or nil
      local own = captured.path:find("^/v1/messages") and "claude-3-5-sonnet" or captured.path == "/v1/responses" and "gpt-4o"
      if body and own then
        body.model = own
        if body.tools and not body.tools[1] then body.tools = nil end -- cjson writes an empty list as an object
      elseif body and body.messages and wanted(captured.path, name) == 200 then body = { model = "gpt-4o", messages = SAY, stream = body.stream } end
      local path = captured.path:gsub("/models/[^:]+", "/models/gpt-4o")
      local r = g:ask { method = captured.method, path = path, headers = headers, json = body }
      assert.equal(upgrades and 426 or wanted(captured.path, name), r.status, r.body)
      assert.equal(r.id, r:get("x-request-id") or r:get("request-id"))
    end)
  end
end)

describe("a model's name", function()
  it("with its provider's in front is put right", function()
    for _, name in ipairs { "openai/gpt-4o-mini", "openrouter/openai/gpt-4o-mini", "models/gpt-4o-mini", "GPT-4o-mini" } do
      local r = g:chat { model = name, messages = SAY }
      assert.equal(404, r.status, r.body)
      local problem = gateway.error_of(r)
      assert.equal("model_not_found", problem.code)
      assert.truthy(problem.message:find("did you mean 'gpt-4o-mini'?", 1, true), problem.message)
    end
    assert.falsy(gateway.error_of(g:chat { model = "openai/no-such", messages = SAY }).message:find("did you mean", 1, true))
    local listed = gateway.error_of(g:ask { path = "/v1/models/openai/gpt-4o-mini" }).message
    assert.truthy(listed:find("did you mean 'gpt-4o-mini'?", 1, true), listed)
    local hidden = gateway.error_of(g:ask { path = "/v1/models/anthropic/claude-3-opus" }).message
    assert.falsy(hidden:find("did you mean", 1, true), hidden)
  end)

  it("text-embedding-ada-002, which libraries ask for by themselves, is there", function()
    assert.equal(200, g:ask({ path = "/v1/embeddings", json = { model = "text-embedding-ada-002", input = "hi" } }).status)
  end)

  it("comes with a time of creation that is no time in 1970", function()
    local list = cjson.decode(g:ask({ path = "/v1/models" }).body).data
    assert.is_true(#list > 5)
    for _, model in ipairs(list) do assert.is_true(model.created > 1700000000, model.id) end
    local again = cjson.decode(g:ask({ path = "/v1/models" }).body).data
    assert.equal(list[1].created, again[1].created)
  end)
end)

describe("a browser", function()
  local function preflight(other, origin)
    return client.ask(other.port, { method = "OPTIONS", path = "/v1/chat/completions", headers = { { "Origin", origin },
      { "Access-Control-Request-Method", "POST" }, { "Access-Control-Request-Headers", "authorization,content-type,x-stainless-lang" } } })
  end

  it("of a listed page is told what it may", function()
    local r = preflight(g, ORIGIN)
    assert.equal(204, r.status)
    assert.equal(ORIGIN, r:get("access-control-allow-origin"))
    assert.truthy(r:get("access-control-allow-methods"):find("POST", 1, true))
    assert.equal("authorization,content-type,x-stainless-lang", r:get("access-control-allow-headers"))
    assert.equal("300", r:get("access-control-max-age"))
    assert.equal("origin", r:get("vary"))
    assert.is_nil(r:get("access-control-allow-credentials"))
    for _, of in ipairs {
      { json = { model = "gpt-4o", messages = SAY } }, { json = { model = "gpt-4o", messages = SAY, stream = true } },
      { json = { model = "claude-3-opus", messages = SAY } }, { json = "{" }, { path = "/v1/nowhere" }, { path = "/v1/models" },
    } do
      of.headers = { { "Origin", "http://localhost:3000" } }
      local answer = g:ask(of)
      assert.equal("http://localhost:3000", answer:get("access-control-allow-origin"), answer.raw)
      assert.truthy(answer:get("access-control-expose-headers"):find("x-request-id", 1, true))
      assert.truthy(answer:get("access-control-expose-headers"):find("x-moongate-dropped", 1, true))
    end
  end)

  it("of another page is told nothing", function()
    for _, origin in ipairs { "https://evil.example", "https://app.example.evil.example", "null", ORIGIN .. "/", "https://app.example\thttp" } do
      local r = preflight(g, origin)
      assert.is_nil(r:get("access-control-allow-origin"), origin)
      assert.is_nil(r:get("access-control-allow-methods"))
      assert.equal("origin", r:get("vary"))
    end
  end)

  it("is told nothing where nobody said so, and everything is open where all may", function()
    local closed = gateway.start { mock = m, name = "paths-closed" }
    local r = preflight(closed, ORIGIN)
    assert.falsy(r.raw:lower():find("access-control", 1, true))
    assert.is_nil(r:get("vary"))
    closed:stop()
    local open = gateway.start { mock = m, name = "paths-open", config = { cors = { origins = { "*" } } } }
    assert.equal("*", preflight(open, "https://any.example"):get("access-control-allow-origin"))
    open:stop()
  end)
end)
