-- Clients of OpenAI's chats, Anthropic's messages and Gemini's on an account that answers in the Responses API alone: what
-- is recorded and billed of an answer, what is left out and told, ends that are none, errors and fallbacks.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local dialects = require("tests.e2e.kit.dialects")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key", "x-goog-api-key" } } }\n',
  ["models.lua"] = [[
local price = usd_per_million { input = "10", cached_input = "1", output = "100" }
return models {
  codex  = { targets = { "responder/gpt-5-codex" }, price = price },
  pro    = { targets = { "openai/gpt-5-pro" }, price = price },
  either = { targets = { "responder/o3-pro", "openai/gpt-4o" }, price = price },
}
]],
}
local APIS = { "chat", "messages", "gemini" }

local m, g
setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local key = gateway.raw('env "OPENAI_API_KEY"')
  local config = { providers = { responder = { kind = "openai_responses", url = m.url, key = key, breaker = false } } }
  g = gateway.start { mock = m, name = "translate-responder", policies = POLICIES, key = { app = "bot" }, config = config }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

-- --- what the provider says ---

local function event(type, rest)
  rest.type = "response." .. type
  return ("event: %s\ndata: %s\n\n"):format(rest.type, cjson.encode(rest))
end

local USAGE = { input_tokens = 20, input_tokens_details = { cached_tokens = 12 }, output_tokens = 9,
  output_tokens_details = { reasoning_tokens = 4 }, total_tokens = 29 }
local function response(status, output, more)
  local r = { id = "resp_1", object = "response", model = "gpt-5-codex", status = status, output = output or cjson.empty_array, usage = USAGE }
  for name, value in pairs(more or {}) do r[name] = value end
  return r
end
local SAID = { { type = "message", role = "assistant", content = { { type = "output_text", text = "good day", annotations = { { type = "url_citation" } } } } } }
local SEARCHED = { { type = "web_search_call", id = "ws_1", status = "completed" }, SAID[1] }

local function beginning(text)
  return event("created", { response = response("in_progress") }) ..
    event("output_item.added", { output_index = 0, item = { type = "message", role = "assistant", content = cjson.empty_array } }) ..
    event("output_text.delta", { output_index = 0, content_index = 0, delta = text })
end

local function answer(body) m:script { count = 1, body = body, content_type = "application/json" } end
local function answer_stream(body) m:script { count = 1, body = body, content_type = "text/event-stream" } end

local function ends(name, r)
  local marks = { chat = "data: [DONE]", messages = "event: message_stop", gemini = '"finishReason"' }
  return r.body:find(marks[name], 1, true) ~= nil
end

for _, name in ipairs(APIS) do
  local api = dialects[name]
  local function ask(model, is_stream)
    return g:ask { path = api.path(model, is_stream), headers = api.headers, json = api.ask(model, "hello there", is_stream) }
  end

  describe("a client of " .. name .. " on an account of the Responses API alone", function()
    it("is billed what the provider counted, cached and thought included, whole and streamed", function()
      for _, is_stream in ipairs { false, true } do
        if is_stream then
          answer_stream(beginning("good day") .. event("completed", { response = response("completed") }))
        else
          answer(cjson.encode(response("completed", SAID)))
        end
        local since = m:mark()
        local r = ask("codex", is_stream or nil)
        assert.equal(200, r.status, r.body)
        assert.equal("good day", (is_stream and api.streamed or api.text)(r.body), r.body)
        assert.equal("/v1/responses", m:request(since).path)
        local record = g:record(r.id)
        assert.same({ "responder/gpt-5-codex", "responses", 20, 12, 9, 4, 8 * 10000 + 12 * 1000 + 9 * 100000 },
          { record.target, record.attempts[1].dialect, record.usage.input_tokens, record.usage.cached_tokens,
            record.usage.output_tokens, record.usage.reasoning_tokens, record.cost.nano_usd })
      end
    end)

    it("is asked so where OpenAI has the model in no other API", function()
      local since = m:mark()
      assert.equal("hello there", api.text(g:ask { path = api.path("pro"), headers = api.headers, json = api.ask("pro", "echo hello there") }.body))
      assert.equal("/v1/responses", m:request(since).path)
    end)

    it("reads in the record what it could not be told", function()
      answer(cjson.encode(response("completed", SEARCHED)))
      local r = ask("codex")
      assert.equal("good day", api.text(r.body))
      assert.equal("answer.web_search_call, answer.annotations", g:record(r.id).attempts[1].dropped_answer)
    end)

    it("hears of a stream without its end, and no end of it", function()
      local broken = { cut = "", marked = "data: [DONE]\n\n", cancelled = event("cancelled", { response = response("cancelled") }),
        queued = event("completed", { response = response("queued") }) }
      for how, rest in pairs(broken) do
        answer_stream(beginning("good ") .. rest)
        local r = ask("codex", true)
        assert.equal(200, r.status, r.body)
        assert.equal("good", (api.streamed(r.body):gsub("%s+$", "")), r.body)
        assert.is_false(ends(name, r), how .. ": " .. r.body)
        assert.truthy(r.body:find('"error"', 1, true), how .. ": " .. r.body)
        assert.truthy(g:record(r.id).outcome ~= "ok", how)
      end
    end)

    it("hears of a response that failed in the middle what its provider says", function()
      answer_stream(beginning("good ") .. event("failed", { response = response("failed", nil, { error = { code = "server_error", message = "it broke" } }) }))
      local r = ask("codex", true)
      assert.is_false(ends(name, r), r.body)
      assert.truthy(client.last_event(r).data:find("it broke", 1, true), r.body)
    end)

    it("gets no answer from one that is not over", function()
      for _, status in ipairs { "queued", "in_progress", "cancelled" } do
        answer(cjson.encode(response(status)))
        local r = ask("codex")
        assert.equal(502, r.status, r.body)
        assert.truthy(r.body:find("cannot be translated", 1, true), r.body)
      end
    end)

    it("hears of an answer that failed, also of one without a reason", function()
      answer(cjson.encode(response("failed", nil, { error = cjson.null })))
      local r = ask("codex")
      assert.equal(502, r.status, r.body)
      assert.truthy(r.body:find("The provider gave no reason.", 1, true), r.body)
      assert.equal("upstream_error", g:record(r.id).outcome)
    end)

    it("hears all of one whose events are larger than others have them", function()
      local thought = { type = "reasoning", id = "rs_1", summary = cjson.empty_array, encrypted_content = ("g"):rep(1500 * 1024) }
      answer_stream(event("created", { response = response("in_progress", nil, { instructions = thought.encrypted_content }) }) ..
        event("output_item.done", { output_index = 0, item = thought }) ..
        event("output_text.delta", { output_index = 1, content_index = 0, delta = "good day" }) ..
        event("completed", { response = response("completed", { thought, SAID[1] }) }))
      local r = ask("codex", true)
      assert.equal("good day", api.streamed(r.body))
      assert.is_true(ends(name, r))
      assert.is_true(#r.body > 1500 * 1024)
      assert.equal("ok", g:record(r.id).outcome)
    end)

    it("is answered by the next target where the first one failed before it said anything", function()
      for _, is_stream in ipairs { false, true } do
        local failed = response("failed", nil, { error = { code = "server_error", message = "it broke" } })
        if is_stream then
          answer_stream(event("created", { response = response("in_progress") }) .. event("failed", { response = failed }))
        else
          answer(cjson.encode(failed))
        end
        local since = m:mark()
        local r = ask("either", is_stream or nil)
        assert.equal(200, r.status, r.body)
        assert.equal("/v1/chat/completions", m:request(since, 2).path, r.body)
        assert.equal("openai/gpt-4o", g:record(r.id).target)
      end
    end)
  end)
end
