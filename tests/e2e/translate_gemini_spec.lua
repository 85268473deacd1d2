-- Clients of OpenAI's, Anthropic's and the Responses API on an account of Google's: what reaches the provider and what
-- comes back, signatures over two turns, what is dropped and told, ends, errors, fallbacks.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key" } } }\n',
  ["models.lua"] = [[
return models {
  flash  = { targets = { "gemini/gemini-3-flash-preview" }, context = 1000000, price = usd_per_million { input = "1", output = "2" } },
  older  = { targets = { "gemini/gemini-2.5-flash" }, context = 1000000, price = usd_per_million { input = "1", output = "2" } },
  strict = { targets = { "gemini/gemini-2.5-pro" }, context = 1000000, on_dropped = "refuse", price = usd_per_million { input = "1", output = "2" } },
  either = { targets = { "gemini/gemini-2.5-flash-lite", "openai/gpt-4o" }, price = usd_per_million { input = "1", output = "2" } },
}
]],
}

local m, g
setup(function()
  m = mock.start { recordings = true, key = gateway.PROVIDER_KEY }
  local key = gateway.raw('env "OPENAI_API_KEY"')
  local config = { providers = {
    gemini = { kind = "gemini", url = (m.url:gsub("/v1$", "/v1beta")), key = key, breaker = false } } }
  g = gateway.start { mock = m, name = "translate-gemini", policies = POLICIES, key = { app = "bot" }, config = config }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function with(base, more)
  for name, value in pairs(more or {}) do base[name] = value end
  return base
end

local function events_of(r)
  local list = {}
  for data in r.body:gmatch("data: ([^\n]*)\n") do list[#list + 1] = data ~= "[DONE]" and cjson.decode(data) or data end
  return list
end

-- What each says, in one form.
local sides = {
  chat = {
    ask = function(model, text, more) return g:chat(with({ model = model, messages = { { role = "user", content = text } } }, more)) end,
    text = function(body) return body.choices[1].message.content end,
    reason = function(body) return body.choices[1].finish_reason end,
    usage = function(body) return { body.usage.prompt_tokens, body.usage.completion_tokens } end,
    streamed = function(list)
      local text = ""
      for _, e in ipairs(list) do
        local choice = type(e) == "table" and e.choices and e.choices[1]
        local content = choice and choice.delta.content
        if type(content) == "string" then text = text .. content end
      end
      return text
    end,
    ends = function(r) return r.body:find("data: [DONE]\n\n", 1, true) ~= nil end,
    error_of = function(data) return cjson.decode(data).error end,
    finished = { "stop", "length" },
  },
  messages = {
    ask = function(model, text, more)
      return g:ask { path = "/v1/messages", key = false, headers = { { "x-api-key", g.key }, { "anthropic-version", "2023-06-01" } },
        json = with({ model = model, max_tokens = 100, messages = { { role = "user", content = text } } }, more) }
    end,
    text = function(body) return body.content[1].text end,
    reason = function(body) return body.stop_reason end,
    usage = function(body) return { body.usage.input_tokens, body.usage.output_tokens } end,
    streamed = function(list)
      local text = ""
      for _, e in ipairs(list) do text = text .. (e.delta and e.delta.text or "") end
      return text
    end,
    ends = function(r) return r.body:find("event: message_stop", 1, true) ~= nil end,
    error_of = function(data) return cjson.decode(data).error end,
    finished = { "end_turn", "max_tokens" },
  },
  responses = {
    ask = function(model, text, more)
      return g:ask { path = "/v1/responses", key = g.key, json = with({ model = model, store = false, input = text }, more) }
    end,
    text = function(body) return body.output[1].content[1].text end,
    reason = function(body) return body.status end,
    usage = function(body) return { body.usage.input_tokens, body.usage.output_tokens } end,
    streamed = function(list)
      local text = ""
      for _, e in ipairs(list) do if e.type == "response.output_text.delta" then text = text .. e.delta end end
      return text
    end,
    ends = function(r) return r.body:find("response.completed", 1, true) ~= nil end,
    error_of = function(data)
      local event = cjson.decode(data)
      return event.error or (event.response and event.response.error) or event
    end,
    finished = { "completed", "incomplete" },
  },
}

for name, side in pairs(sides) do
  describe("a client of " .. name .. " on an account of Google's", function()
    it("is asked and answered in its own", function()
      local since = m:mark()
      local r = side.ask("older", "echo good day")
      assert.equal(200, r.status, r.body)
      local body, request = cjson.decode(r.body), m:request(since)
      assert.same({ "good day", side.finished[1], { 3, 2 } }, { side.text(body), side.reason(body), side.usage(body) })
      assert.equal("/v1beta/models/gemini-2.5-flash:generateContent", request.path)
      assert.same({ { role = "user", parts = { { text = "echo good day" } } } }, cjson.decode(request.body).contents)
      assert.equal(gateway.PROVIDER_KEY, m:header(request, "x-goog-api-key"))
      for _, header in ipairs { "authorization", "x-api-key", "anthropic-version" } do assert.is_nil(m:header(request, header), header) end
      assert.is_nil(r:get("x-moongate-dropped"))
      local record = g:record(r.id)
      assert.same({ "gemini/gemini-2.5-flash", "gemini", 3, 2, 7000 },
        { record.target, record.attempts[1].dialect, record.usage.input_tokens, record.usage.output_tokens, record.cost.nano_usd })
    end)

    it("hears a stream in its own events, to their end", function()
      local since = m:mark()
      local r = side.ask("older", "echo one two three", { stream = true })
      assert.equal(200, r.status, r.body)
      assert.equal("text/event-stream", r:get("content-type"):match("^[^;]+"))
      assert.same({ "one two three", true }, { side.streamed(events_of(r)), side.ends(r) })
      assert.equal("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", m:request(since).path)
      assert.equal(3, g:record(r.id).usage.output_tokens)
    end)

    it("hears of a stream that was cut off, and no end of it", function()
      for _, script in ipairs { { cut = "fin", cut_event = 2 }, { cut = "rst", cut_event = 2 }, { done = 0 } } do
        m:script(with({ match = "echo" }, script))
        local r = side.ask("older", "echo one two three four", { stream = true })
        assert.equal(200, r.status, r.body)
        assert.is_false(side.ends(r), r.body)
        assert.truthy(side.error_of(client.last_event(r).data).message, r.body)
        assert.equal("stream_incomplete", g:record(r.id).outcome)
      end
    end)

    it("hears of the provider's errors in its own words", function()
      m:script { match = "echo", status = 400, error_type = "INVALID_ARGUMENT", error_message = "no such thing" }
      local r = side.ask("older", "echo x")
      assert.same({ 400, "no such thing", "invalid_request_error" },
        { r.status, side.error_of(r.body).message, side.error_of(r.body).type }, r.body)
      m:script { match = "echo", status = 429, error_message = "slow down" }
      r = side.ask("older", "echo x")
      assert.same({ 429, "slow down", "rate_limit_error" }, { r.status, side.error_of(r.body).message, side.error_of(r.body).type }, r.body)
    end)

    it("is told when to come again, which Google says in the body", function()
      local body = cjson.encode { error = { code = 503, status = "UNAVAILABLE", message = "slow down", details = {
        { ["@type"] = "type.googleapis.com/google.rpc.RetryInfo", retryDelay = "33.5s" } } } }
      m:script { match = "echo", status = 503, body = body }
      local r = side.ask("older", "echo x")
      assert.same({ "34", "slow down" }, { r:get("retry-after"), side.error_of(r.body).message }, r.body)
      m:script { match = "echo", status = 429, body = body } -- the mock has the header then
      assert.equal("2", side.ask("older", "echo x"):get("retry-after"))
    end)

    it("is told what was left out, or refused for it", function()
      local since = m:mark()
      local knob = name == "chat" and { frequency_penalty = 0.5 } or name == "messages" and { metadata = { user_id = "u" } } or { user = "u" }
      local dropped = ({ chat = "frequency_penalty", messages = "metadata.user_id", responses = "user" })[name]
      local r = side.ask("older", "echo x", knob)
      assert.same({ 200, dropped }, { r.status, r:get("x-moongate-dropped") })
      r = side.ask("strict", "echo x", knob)
      assert.equal(400, r.status, r.body)
      assert.truthy(side.error_of(r.body).message:find(dropped, 1, true), r.body)
      assert.equal(1, #m:requests(since))
    end)
  end)
end

-- The next turn of each, with what it heard, as its vendor says.
local turns = {
  chat = function(body)
    local message = body.choices[1].message
    return { messages = { { role = "user", content = "echo x" }, message,
      { role = "tool", tool_call_id = message.tool_calls[1].id, content = "rain" } } }
  end,
  messages = function(body)
    local call = body.content[#body.content]
    return { messages = { { role = "user", content = "echo x" }, { role = "assistant", content = body.content },
      { role = "user", content = { { type = "tool_result", tool_use_id = call.id, content = "rain" } } } } }
  end,
  responses = function(body)
    local input, call = { { role = "user", content = "echo x" } }, body.output[#body.output]
    for _, item in ipairs(body.output) do input[#input + 1] = item end
    input[#input + 1] = { type = "function_call_output", call_id = call.call_id, output = "rain" }
    return { input = input }
  end,
}

describe("a model that wants its signatures back", function()
  local function signed(request)
    local part = cjson.decode(request.body).contents[2].parts[1]
    return { part.functionCall.name, part.thoughtSignature, part.functionCall.id }
  end

  it("gets them, on the call that they were of", function()
    if not mock.has_recordings() then return end
    local file = assert(io.open(mock.recordings .. "/gemini/046-generateContent-json.resp.json"))
    local wanted = cjson.decode(file:read("*a")).candidates[1].content.parts[1]
    file:close()
    for name, side in pairs(sides) do
      m:script { match = "echo x", replay = "gemini/046-generateContent-json" }
      local r = side.ask("flash", "echo x")
      assert.equal(200, r.status, r.body)
      local since = m:mark()
      r = side.ask("flash", "", turns[name](cjson.decode(r.body)))
      assert.equal(200, r.status, r.body)
      local got = signed(m:request(since))
      assert.same({ wanted.functionCall.name, wanted.thoughtSignature }, { got[1], got[2] }, name)
      local answer = cjson.decode(m:request(since).body).contents[3].parts[1].functionResponse
      assert.same({ got[3], "weather", { result = "rain" } }, { answer.id, answer.name, answer.response })
    end
  end)

  it("gets Google's word for that where the call was another's", function()
    local since = m:mark()
    local r = sides.chat.ask("flash", "", { messages = { { role = "user", content = "u" },
      { role = "assistant", tool_calls = { { id = "c1", type = "function", ["function"] = { name = "f", arguments = "{}" } } } },
      { role = "tool", tool_call_id = "c1", content = "r" } } })
    assert.equal(200, r.status, r.body)
    assert.same({ "f", "skip_thought_signature_validator", "c1" }, signed(m:request(since)))
  end)
end)

it("goes on elsewhere, in that API, where Google's account fails", function()
  m:script { match = "echo", path = "/v1beta/models/gemini-2.5-flash-lite:generateContent", status = 503 }
  local r = sides.messages.ask("either", "echo good day")
  assert.same({ 200, "good day" }, { r.status, sides.messages.text(cjson.decode(r.body)) }, r.body)
  assert.equal("openai/gpt-4o", g:record(r.id).target)
end)
