-- Clients of the Responses API and accounts that do not speak it: Anthropic's, and those that speak chats alone.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "routing" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization" } } }\n',
  ["models.lua"] = [[
local price = usd_per_million { input = "1", output = "1" }
return models {
  claude = { targets = { "anthropic/claude-sonnet-4-5" }, context = 200000, price = price },
  llama  = { targets = { "plain/llama-3.3-70b" }, context = 200000, price = price },
  gpt    = { targets = { "openai/gpt-4o" }, context = 200000, price = price },
  strict = { targets = { "anthropic/claude-3-5-haiku" }, context = 200000, on_dropped = "refuse", price = price },
}
]],
  ["routing.lua"] = "return routing { rules = {} }\n",
}
local MASKS = 'return redaction { detect = { "email" }, request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }\n'

local m, g, masking

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local function account(kind) return { kind = kind, url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } end
  local config = { providers = { anthropic = account("anthropic"), plain = account("openai_compatible"), openai = account("openai") } }
  g = gateway.start { mock = m, name = "responses-translated", policies = POLICIES, key = { app = "bot" }, config = config }
  local files = { ["redaction.lua"] = MASKS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "redaction", "routing" }\n'
  masking = gateway.start { mock = m, name = "responses-masks", policies = files, key = { app = "bot" }, config = config }
end)
teardown(function()
  if masking then masking:stop() end
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function respond(json, at, path)
  at = at or g
  return at:ask { path = path or "/v1/responses", json = json, key = at.key }
end
local function sent(since) return cjson.decode(m:request(since).body) end

-- Its events, whose numbers go up by one: each one's type, and itself.
local function events(body)
  local list, types = {}, {}
  for name, data in body:gmatch("event: ([^\n]*)\ndata: ([^\n]*)\n\n") do
    local event = cjson.decode(data)
    assert.equal(name, event.type)
    list[#list + 1], types[#types + 1] = event, name:gsub("^response%.", "")
  end
  return list, types
end

local function numbered(list)
  for i, event in ipairs(list) do assert.equal(i - 1, event.sequence_number) end
end

local LOOK = { type = "function", name = "look", parameters = { type = "object", properties = { words = { type = "string" } } } }
local ACCOUNTS = {
  { model = "claude", path = "/v1/messages", target = "anthropic/claude-sonnet-4-5" },
  { model = "llama", path = "/v1/chat/completions", target = "plain/llama-3.3-70b" },
}

for _, account in ipairs(ACCOUNTS) do
  describe("a client of the Responses API on " .. account.path, function()
    it("is asked and answered in its own", function()
      local since = m:mark()
      local r = respond { model = account.model, instructions = "s", input = "echo good day", max_output_tokens = 50, store = false }
      assert.equal(200, r.status, r.body)
      local body = cjson.decode(r.body)
      assert.same({ "response", "completed" }, { body.object, body.status })
      assert.same({ "message", "completed", "assistant" }, { body.output[1].type, body.output[1].status, body.output[1].role })
      assert.equal("good day", body.output[1].content[1].text)
      assert.equal(2, body.usage.output_tokens)
      assert.equal(body.usage.total_tokens, body.usage.input_tokens + 2)
      assert.equal(account.path, m:request(since).path)
      assert.equal("application/json", r:get("content-type"))
      assert.is_nil(r:get("x-moongate-dropped"))
      local record = g:record(r.id)
      assert.same({ account.target, 2 }, { record.target, record.usage.output_tokens })
    end)

    it("streams", function()
      local r = respond { model = account.model, input = { { role = "user", content = "echo one two three" } }, stream = true }
      assert.equal(200, r.status, r.body)
      local list, types = events(r.body)
      numbered(list)
      local text = {}
      for _, event in ipairs(list) do
        if event.type == "response.output_text.delta" then text[#text + 1] = event.delta end
      end
      assert.equal("one two three", table.concat(text))
      assert.same({ "created", "in_progress", "output_item.added", "content_part.added" }, { types[1], types[2], types[3], types[4] })
      assert.same({ "output_text.done", "content_part.done", "output_item.done", "completed" },
        { types[#types - 3], types[#types - 2], types[#types - 1], types[#types] })
      local response = list[#list].response
      assert.equal("one two three", response.output[1].content[1].text)
      assert.equal(3, response.usage.output_tokens)
    end)

    it("calls tools of a namespace, and brings back what they gave", function()
      local tools = { { type = "namespace", name = "eyes", description = "d", tools = { LOOK } }, { type = "web_search", external_web_access = true } }
      local r = respond { model = account.model, input = "call eyes__look", tools = tools }
      assert.equal(200, r.status, r.body)
      assert.equal("tools[0].description, tools[1]", r:get("x-moongate-dropped"))
      local call = cjson.decode(r.body).output[1]
      assert.same({ "function_call", "look", "eyes" }, { call.type, call.name, call.namespace })
      assert.equal("table", type(cjson.decode(call.arguments)))
      local since = m:mark()
      r = respond { model = account.model, tools = tools, input = { { role = "user", content = "call eyes__look" }, call,
        { type = "function_call_output", call_id = call.call_id, output = "rain" }, { role = "user", content = "echo thanks" } } }
      assert.equal(200, r.status, r.body)
      local body = m:request(since).body
      assert.truthy(body:find('"eyes__look"', 1, true) and body:find(call.call_id, 1, true) and body:find('"rain"', 1, true))
    end)

    it("hears of a provider's failure in its own words", function()
      m:script { status = 400, error_type = "invalid_request_error", error_message = "too long" }
      local r = respond { model = account.model, input = "hi" }
      assert.equal(400, r.status)
      assert.equal("too long", cjson.decode(r.body).error.message)
    end)

    it("hears when a stream was cut, of no end", function()
      m:script { cut = "fin", cut_event = 5 }
      local r = respond { model = account.model, input = "echo a b c d e f g h", stream = true }
      local _, types = events(r.body)
      assert.same({ "error", "failed" }, { types[#types - 1], types[#types] })
      assert.is_nil(r.body:find("response.completed", 1, true))
    end)

    it("has its addresses masked, and gets its own back", function()
      local since = m:mark()
      local r = respond({ model = account.model, input = "echo ann@example.com", stream = true }, masking)
      assert.equal(200, r.status, r.body)
      assert.is_nil(m:request(since).body:find("ann@example.com", 1, true))
      local list = events(r.body)
      assert.equal("ann@example.com", list[#list].response.output[1].content[1].text)
    end)

    it("has its tokens counted here", function()
      local since = m:mark()
      local r = respond({ model = account.model, input = "how many are these" }, g, "/v1/responses/input_tokens")
      assert.equal(200, r.status, r.body)
      local body = cjson.decode(r.body)
      assert.equal("response.input_tokens", body.object)
      assert.is_true(body.input_tokens > 3)
      assert.equal(since, m:mark())
    end)
  end)
end

describe("a client of the Responses API", function()
  it("is asked of in its own where the account speaks it", function()
    local since = m:mark()
    local r = respond { model = "gpt", input = "echo hi", tools = { { type = "web_search" } } }
    assert.equal(200, r.status, r.body)
    assert.same({ "/v1/responses", "web_search" }, { m:request(since).path, sent(since).tools[1].type })
  end)

  it("is refused what cannot be said at all, in its own dialect", function()
    local since = m:mark()
    local r = respond { model = "claude", input = "hi", tools = { { type = "code_interpreter" } } }
    assert.equal(400, r.status)
    assert.truthy(cjson.decode(r.body).error.message:find("code_interpreter", 1, true), r.body)
    assert.equal(since, m:mark())
  end)

  it("is refused what would be dropped, where the model's row wants that", function()
    local r = respond { model = "strict", input = "hi", prompt_cache_key = "k" }
    assert.equal(400, r.status)
    assert.truthy(r.body:find("prompt_cache_key", 1, true), r.body)
  end)

  it("gets what Claude has thought, and gives it back", function()
    local since = m:mark()
    local r = respond { model = "claude", max_output_tokens = 20000, reasoning = { effort = "low" }, input = { { role = "user", content = "echo x" },
      { type = "reasoning", summary = { { type = "summary_text", text = "hm" } }, encrypted_content = "moongate.signature.S=" },
      { type = "function_call", call_id = "c1", name = "look", arguments = "{}" },
      { type = "function_call_output", call_id = "c1", output = "r" } } }
    assert.equal(200, r.status, r.body)
    assert.same({ type = "thinking", thinking = "hm", signature = "S=" }, sent(since).messages[2].content[1])
    assert.equal("enabled", sent(since).thinking.type)
  end)
end)

