-- What comes back from an account of the other API, over the wire: the provider's faults, cuts, codings and errors in the
-- client's own words, what policies see of it, what it is billed, and how it ends.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "judge" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key" } } }\n',
  ["judge.lua"] = [[
return policy {
  on_delta = function(_, text) if text:find("zebra", 1, true) then return deny { status = 403, code = "zebras", reason = "no zebras" } end end,
}
]],
  ["models.lua"] = [[
return models {
  claude = { targets = { "anthropic/claude-sonnet-4-5" }, price = usd_per_million { input = "1", output = "1" } },
  gpt    = { targets = { "openai/gpt-4o" }, price = usd_per_million { input = "1", output = "1" } },
  either = { targets = { "anthropic/claude-haiku-4-5", "openai/gpt-4o-mini" }, price = usd_per_million { input = "1", output = "1" } },
}
]],
}

local m, g, plain

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local config = { providers = {
    anthropic = { kind = "anthropic", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } } }
  g = gateway.start { mock = m, name = "translate-answers", policies = POLICIES, key = { app = "bot" }, config = config }
  local files = {}
  for name, text in pairs(POLICIES) do files[name] = text end
  files["init.lua"], files["judge.lua"] = 'return chain { "auth" }\n', nil
  plain = gateway.start { mock = m, name = "translate-plain", policies = files, key = { app = "bot" }, config = config }
end)
teardown(function()
  for _, one in pairs { g, plain } do one:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function body(model, text, of)
  local json = { model = model, max_tokens = 100, messages = { { role = "user", content = text } } }
  for name, value in pairs(of or {}) do json[name] = value end
  return json
end

-- A request of either API; answered in its own.
local sides = {
  { name = "OpenAI's", model = "claude",
    ask = function(at, json) return at:chat(json) end,
    error_of = function(data) return (cjson.decode(data).error) end,
    ends = function(r) return r.body:find("data: [DONE]\n\n", 1, true) ~= nil end },
  { name = "Anthropic's", model = "gpt",
    ask = function(at, json)
      return at:ask { path = "/v1/messages", json = json, key = false, headers = { { "x-api-key", at.key }, { "anthropic-version", "2023-06-01" } } }
    end,
    error_of = function(data) return cjson.decode(data).type == "error" and cjson.decode(data).error end,
    ends = function(r) return r.body:find("event: message_stop", 1, true) ~= nil end },
}

local function stream(side, at, text, of)
  local json = body(side.model, text, of)
  json.stream = true
  return side.ask(at, json)
end

local function last_error(side, r) return side.error_of(client.last_event(r).data) end

for _, side in ipairs(sides) do
  describe("a client of " .. side.name .. " API", function()
    it("hears of an answer that broke off, and no end of it", function()
      for _, cut in ipairs { "fin", "rst" } do
        m:script { match = "echo", cut = cut, cut_event = 5 }
        local r = stream(side, plain, "echo one two three four five six seven eight")
        assert.equal(200, r.status, r.body)
        assert.is_false(side.ends(r))
        assert.truthy(last_error(side, r).message, r.body)
        assert.equal("stream_incomplete", plain:record(r.id).outcome)
      end
    end)

    it("hears that an event was none", function()
      m:script { match = "echo", bad_event = 5, bad_text = '{"choices":' }
      local r = stream(side, plain, "echo one two three four five six seven eight")
      assert.is_false(side.ends(r))
      assert.truthy(last_error(side, r).message:find("cannot be translated", 1, true), r.body)
      assert.equal("stream_incomplete", plain:record(r.id).outcome)
    end)

    it("hears the provider's error in the middle, in its own words", function()
      m:script { match = "echo", error_event = 4, error_message = "it broke" }
      local r = stream(side, plain, "echo one two three four five six")
      assert.is_false(side.ends(r))
      assert.equal("it broke", last_error(side, r).message)
      assert.equal("upstream_error", plain:record(r.id).outcome)
    end)

    it("is refused what has a coding, for it cannot be read", function()
      m:script { match = "echo", gzip = true, count = 2 }
      for _, of in ipairs { { stream = true }, {} } do
        local r = side.ask(plain, body(side.model, "echo one", of))
        assert.equal(502, r.status, r.body)
        assert.equal("untranslatable_answer", cjson.decode(r.body).error.code)
        assert.truthy(side.error_of(r.body).message:find("content coding", 1, true))
      end
    end)

    it("hears an error that nobody can read by its status", function()
      for _, odd in ipairs { { gzip = true }, { body = "{" .. (" "):rep(5 * 1024 * 1024) .. "}" } } do
        odd.match, odd.status, odd.error_message = "hi", 422, "wrong"
        for _, of in ipairs { { stream = true }, {} } do
          m:script(odd)
          local r = side.ask(plain, body(side.model, "hi", of))
          assert.equal(422, r.status, r.body)
          assert.equal("application/json", r:get("content-type"))
          assert.is_nil(r:get("content-encoding"))
          assert.equal("The provider gave no reason.", side.error_of(r.body).message)
          assert.equal("upstream_error", plain:record(r.id).outcome)
        end
      end
    end)

    it("hears errors by their status and text, and whether to come again", function()
      m:script { match = "hi", status = 400, error_type = "invalid_request_error", error_message = "too long", header = "x-should-retry: false" }
      local r = side.ask(plain, body(side.model, "hi"))
      assert.equal(400, r.status, r.body)
      assert.equal("invalid_request_error", side.error_of(r.body).type)
      assert.equal("too long", side.error_of(r.body).message)
      assert.equal("false", r:get("x-should-retry"))
      assert.equal("application/json", r:get("content-type"))
      m:script { match = "hi", status = 503, content_type = "text/html", body = "<html>busy</html>" }
      r = side.ask(plain, body(side.model, "hi"))
      assert.equal(503, r.status, r.body)
      assert.equal("application/json", r:get("content-type"))
      assert.equal("<html>busy</html>", side.error_of(r.body).message)
    end)

    it("gets what the policies let through, and no more", function()
      local r = stream(side, g, "echo one two three")
      assert.is_true(side.ends(r), r.body)
      m:script { match = "zebra", delay_ms = 30 }
      r = stream(side, g, "echo one two three four zebra five six")
      assert.is_false(side.ends(r))
      assert.is_nil(r.body:find("zebra\"", 1, true))
      assert.equal("denied", g:record(r.id).outcome)
    end)

    it("is billed what the provider reported", function()
      local r = stream(side, plain, "echo one two three")
      assert.is_true(side.ends(r))
      local record = plain:record(r.id)
      assert.equal(3, record.usage.output_tokens)
      assert.equal("ok", record.outcome)
      assert.is_nil(record.usage.estimated)
    end)

    it("reads events however they were cut", function()
      m:script { match = "echo", split = 1, line_end = "crlf", comment_every = 2, comment = ": still here" }
      local r = stream(side, plain, "echo gr\xC3\xBC\xC3\x9Fe \xF0\x9F\x98\x80 two")
      assert.is_true(side.ends(r), r.body)
      assert.truthy(r.body:find("\xF0\x9F\x98\x80", 1, true) or r.body:find("\\ud83d\\ude00", 1, true), r.body)
      assert.truthy(r.body:find(": ping\n\n", 1, true))
    end)
  end)
end

describe("an answer that cannot be translated", function()
  it("gives way to the next target, whatever that speaks", function()
    m:script { match = "echo", path = "/v1/messages", gzip = true }
    local r = plain:chat(body("either", "echo one two"))
    assert.equal(200, r.status, r.body)
    assert.equal("one two", cjson.decode(r.body).choices[1].message.content)
    local record = plain:record(r.id)
    assert.equal("openai/gpt-4o-mini", record.target)
    assert.equal("untranslatable_answer", record.attempts[1].error)
  end)
end)

describe("a provider's error under the status 200", function()
  local function told(type, message) return cjson.encode { type = "error", error = { type = type, message = message } } end

  it("gives way to the next target, as long as nothing has left", function()
    for _, is_stream in ipairs { false, true } do
      local error = told("overloaded_error", "busy")
      m:script { path = "/v1/messages", body = is_stream and "event: error\ndata: " .. error .. "\n\n" or error,
        content_type = is_stream and "text/event-stream" or "application/json" }
      local r = plain:chat(body("either", "echo one", { stream = is_stream }))
      assert.equal(200, r.status, r.body)
      assert.truthy(r.body:find("one", 1, true), r.body)
      local record = plain:record(r.id)
      assert.equal("openai/gpt-4o-mini", record.target)
      assert.equal("upstream_failed", record.attempts[1].error)
      m:reset()
    end
  end)

  it("is told where it is the request's, or nobody else can be asked", function()
    m:script { path = "/v1/messages", body = told("invalid_request_error", "too odd") }
    local r = plain:chat(body("either", "echo one"))
    assert.same({ 502, "too odd" }, { r.status, gateway.error_of(r).message })
    m:reset()
    m:script { path = "/v1/messages", body = told("overloaded_error", "busy") }
    r = plain:chat(body("claude", "echo one"))
    assert.same({ 502, "busy" }, { r.status, gateway.error_of(r).message })
  end)
end)

describe("what has no place in the client's API", function()
  it("is named in the head of a whole answer, in a comment of a stream, and in the record", function()
    m:script { match = "hi", body = cjson.encode { id = "msg_1", type = "message", role = "assistant", model = "x", stop_reason = "end_turn",
      content = { { type = "server_tool_use", id = "s", name = "web_search", input = { q = "x" } }, { type = "text", text = "found" } },
      usage = { input_tokens = 3, output_tokens = 2 } }, content_type = "application/json" }
    local r = plain:chat(body("claude", "hi"))
    assert.equal(200, r.status, r.body)
    assert.equal("found", cjson.decode(r.body).choices[1].message.content)
    assert.equal("answer.server_tool_use", r:get("x-moongate-dropped"))
    assert.equal("answer.server_tool_use", plain:record(r.id).attempts[1].dropped_answer)
  end)
end)
