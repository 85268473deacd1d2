-- Clients of one API and accounts of the other: what reaches the provider, what comes back, what is dropped and told,
-- what is refused; fallbacks from one dialect to another; budgets, masks and limits as everywhere.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "budget", "routing" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key" } } }\n',
  ["apps.lua"] = 'return apps { ["bot"] = { department = "engineering", owner = "tests" }, ' ..
    '["poor"] = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = [[
return models {
  auto    = { virtual = true },
  claude  = { targets = { "anthropic/claude-sonnet-4-5" }, context = 200000, price = usd_per_million { input = "1", output = "1" } },
  strict  = { targets = { "anthropic/claude-3-5-haiku" }, context = 200000, on_dropped = "refuse",
    price = usd_per_million { input = "1", output = "1" } },
  gpt     = { targets = { "openai/gpt-4o" }, context = 200000, price = usd_per_million { input = "1", output = "1" } },
  gpt5    = { targets = { "openai/gpt-5" }, context = 200000, price = usd_per_million { input = "1", output = "1" } },
  dear    = { targets = { "anthropic/claude-dear" }, context = 200000, price = usd_per_million { input = "0", output = "100000" } },
  tiers   = { targets = { "anthropic/claude-haiku-4-5" }, context = 200000,
    price = usd_per_million { input = "10", output = "10", flex = { input = "1", output = "1" } } },
  hurried = { targets = { "anthropic/claude-hurried" }, context = 200000,
    price = usd_per_million { input = "0", output = "100000", flex = { input = "0", output = "1" } } },
  closed  = { targets = { "anthropic/claude-closed" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["access.lua"] = 'return access { models = { closed = { departments = { "sales" }, data = "restricted" } }, default = "allow" }\n',
  ["budget.lua"] = 'return budget { budgets = { { "poor", app = "poor", limit = 4, per = "month" } }, ' ..
    'default = { each = "app", limit = 1000, per = "month" }, assumed_output_tokens = 20, stream = { slice = 16, on_exhausted = "cut" } }\n',
  ["routing.lua"] = 'return routing { choose_for = { "auto" }, rules = { { "all", route = { "openai/gpt-4o", "anthropic/claude-sonnet-4-5" } } } }\n',
}

local MASKS = 'return redaction { detect = { "email" }, request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }\n'

local ATTEMPTS = [[
return policy {
  on_attempt = function(ctx, target)
    if target.provider == "openai" then return deny(403, "not_there", "never there") end
    ctx.request:set("max_tokens", 7)
    for name in (ctx.request.headers["x-anonymous"] or ""):gmatch("[%w_]+") do ctx.request:set(name, "as " .. name) end
  end,
  on_response = function(ctx) ctx:annotate("read", ctx.response:text()) end,
  on_done = function(ctx) ctx:annotate("used", tostring(ctx.usage.output_tokens)) end,
}
]]

local m, g, masking, asking, keys

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  local config = { providers = {
    anthropic = { kind = "anthropic", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } } }
  g = gateway.start { mock = m, name = "translate", policies = POLICIES, key = { app = "bot" }, config = config }
  local files = { ["redaction.lua"] = MASKS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "redaction", "routing" }\n'
  masking = gateway.start { mock = m, name = "translate-masks", policies = files, key = { app = "bot" }, config = config }
  files = { ["attempts.lua"] = ATTEMPTS }
  for name, text in pairs(POLICIES) do files[name] = files[name] or text end
  files["init.lua"] = 'return chain { "auth", "attempts", "routing" }\n'
  asking = gateway.start { mock = m, name = "translate-attempts", policies = files, key = { app = "bot" }, config = config }
  keys = { bot = g.key, poor = g:new_key { app = "poor" } }
  expect.eventually(function() return g:ask({ path = "/v1/models", key = keys.poor, method = "GET" }).status == 200 end)
end)
teardown(function()
  if asking then asking:stop() end
  if masking then masking:stop() end
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function user(text) return { { role = "user", content = text } } end

-- As OpenAI's clients ask, and as Anthropic's do.
local function chat(json, of)
  of = of or {}
  return (of.at or g):ask { path = "/v1/chat/completions", json = json, key = of.key or (of.at or g).key, headers = of.headers }
end

local function messages(json, of)
  of = of or {}
  json.max_tokens = json.max_tokens or 100
  local headers = { { "x-api-key", of.key or (of.at or g).key }, { "anthropic-version", "2023-06-01" } }
  for _, header in ipairs(of.headers or {}) do headers[#headers + 1] = header end
  return (of.at or g):ask { path = of.path or "/v1/messages", json = json, key = false, headers = headers }
end

local function sent(since) return cjson.decode(m:request(since).body) end

describe("a client of OpenAI's API on an account of Anthropic's", function()
  it("is asked and answered in its own", function()
    local since = m:mark()
    local r = chat({ model = "claude", max_tokens = 50, messages = { { role = "system", content = "s" }, { role = "user", content = "echo good day" } } },
      { headers = { { "openai-beta", "x" }, { "openai-organization", "o" }, { "x-stainless-lang", "js" } } })
    assert.equal(200, r.status, r.body)
    local body = cjson.decode(r.body)
    assert.equal("good day", body.choices[1].message.content)
    assert.equal("stop", body.choices[1].finish_reason)
    assert.equal("application/json", r:get("content-type"))
    local request = m:request(since)
    assert.equal("/v1/messages", request.path)
    assert.same({ model = "claude-sonnet-4-5", max_tokens = 50, system = "s", messages = user("echo good day") }, cjson.decode(request.body))
    assert.equal(gateway.PROVIDER_KEY, m:header(request, "x-api-key"))
    assert.equal("2023-06-01", m:header(request, "anthropic-version"))
    for _, name in ipairs { "openai-beta", "openai-organization", "x-stainless-lang", "authorization" } do
      assert.is_nil(m:header(request, name), name)
    end
    assert.is_nil(r:get("x-moongate-dropped"))
    local record = g:record(r.id)
    assert.equal("anthropic/claude-sonnet-4-5", record.target)
    assert.equal("anthropic", record.attempts[1].dialect)
    assert.is_nil(record.dialect)
    assert.equal(body.usage.completion_tokens, record.usage.output_tokens)
    assert.equal(2, record.usage.output_tokens)
    assert.equal("known", record.cost and "known")
  end)

  it("streams", function()
    local since = m:mark()
    local r = chat { model = "claude", stream = true, stream_options = { include_usage = true }, messages = user("echo one two three") }
    assert.equal(200, r.status, r.body)
    local text, usage = {}, nil
    for data in r.body:gmatch("data: ([^\n]*)\n\n") do
      if data ~= "[DONE]" then
        local chunk = cjson.decode(data)
        local choice = chunk.choices[1]
        text[#text + 1] = choice and type(choice.delta.content) == "string" and choice.delta.content or ""
        usage = chunk.usage ~= cjson.null and chunk.usage or usage
      end
    end
    assert.equal("one two three", table.concat(text))
    assert.equal(3, usage.completion_tokens)
    assert.truthy(r.body:find("data: [DONE]\n\n", 1, true))
    assert.is_true(sent(since).stream)
    assert.is_nil(sent(since).stream_options)
  end)

  it("calls tools, and brings back what they gave", function()
    local tools = { { type = "function", ["function"] = { name = "look", parameters = { type = "object", properties = { words = { type = "string" } } } } } }
    local r = chat { model = "claude", messages = user("call look"), tools = tools }
    assert.equal(200, r.status, r.body)
    local said = cjson.decode(r.body).choices[1]
    assert.equal("tool_calls", said.finish_reason)
    local call = said.message.tool_calls[1]
    local since = m:mark()
    r = chat { model = "claude", tools = tools, messages = { { role = "user", content = "call look" }, said.message,
      { role = "tool", tool_call_id = call.id, content = "rain" }, { role = "user", content = "echo thanks" } } }
    assert.equal(200, r.status, r.body)
    local body = sent(since)
    assert.same({ "user", "assistant", "user" }, { body.messages[1].role, body.messages[2].role, body.messages[3].role })
    local use, result = body.messages[2].content[#body.messages[2].content], body.messages[3].content[1]
    assert.same({ "tool_use", call.id, "look", cjson.decode(call["function"].arguments) }, { use.type, use.id, use.name, use.input })
    assert.same({ type = "tool_result", tool_use_id = call.id, content = "rain" }, result)
    assert.same({ type = "text", text = "echo thanks" }, body.messages[3].content[2])
  end)

  it("is told what was dropped, in the answer and in the record", function()
    local r = chat { model = "claude", seed = 7, logprobs = true, x_mine = 1, messages = { { role = "user", name = "ann", content = "hi" } } }
    assert.equal(200, r.status, r.body)
    local names = r:get("x-moongate-dropped")
    for _, name in ipairs { "seed", "logprobs", "x_mine", "messages[0].name" } do
      assert.truthy((", " .. names .. ","):find(", " .. name .. ",", 1, true), names)
    end
    assert.equal(names, g:record(r.id).attempts[1].dropped)
  end)

  it("is refused instead where the model's row wants that, before anybody is called", function()
    local since = m:mark()
    local r = chat { model = "strict", seed = 7, logit_bias = { ["5"] = 1 }, messages = user("hi") }
    assert.equal(400, r.status, r.body)
    local error = gateway.error_of(r)
    assert.equal("unsupported_parameter", error.code)
    assert.equal("invalid_request_error", error.type)
    assert.truthy(error.message:find("logit_bias", 1, true) and error.message:find("seed", 1, true), error.message)
    assert.equal(0, #m:requests(since))
    assert.equal("invalid", g:record(r.id).outcome)
    assert.equal(200, chat({ model = "strict", messages = user("hi") }).status)
  end)

  it("is refused what cannot be said at all, in its own dialect", function()
    local since = m:mark()
    local r = chat { model = "claude", messages = { { role = "user", content = "u" },
      { role = "assistant", tool_calls = { { id = "c", type = "function", ["function"] = { name = "f", arguments = "{" } } } } } }
    assert.equal(400, r.status, r.body)
    assert.equal("invalid_body", gateway.error_of(r).code)
    assert.truthy(gateway.error_of(r).message:find("messages[1].tool_calls[0].function", 1, true))
    assert.equal(400, chat({ model = "claude", n = 2, messages = user("hi") }).status)
    assert.equal(0, #m:requests(since))
  end)

  it("hears of a provider's failure in its own words", function()
    m:script { status = 400, error_message = "the prompt is odd", error_type = "invalid_request_error" }
    local r = chat { model = "claude", messages = user("hi") }
    assert.equal(400, r.status, r.body)
    assert.truthy(gateway.error_of(r).message:find("the prompt is odd", 1, true), r.body)
  end)
end)

describe("a client of Anthropic's API on an account of OpenAI's", function()
  it("is asked and answered in its own", function()
    local since = m:mark()
    local r = messages({ model = "gpt", system = { { type = "text", text = "s", cache_control = { type = "ephemeral" } } }, messages = user("echo good day"), top_k = 5 },
      { headers = { { "anthropic-beta", "b" }, { "x-stainless-lang", "js" } } })
    assert.equal(200, r.status, r.body)
    local body = cjson.decode(r.body)
    assert.same({ "message", "assistant", "end_turn", "good day" }, { body.type, body.role, body.stop_reason, body.content[1].text })
    local request = m:request(since)
    assert.equal("/v1/chat/completions", request.path)
    assert.same({ model = "gpt-4o", max_tokens = 100, messages = { { role = "system", content = "s" }, { role = "user", content = "echo good day" } } },
      cjson.decode(request.body))
    assert.equal("Bearer " .. gateway.PROVIDER_KEY, m:header(request, "authorization"))
    for _, name in ipairs { "anthropic-beta", "anthropic-version", "x-api-key", "x-stainless-lang" } do
      assert.is_nil(m:header(request, name), name)
    end
    assert.same("system[0].cache_control, top_k", r:get("x-moongate-dropped"))
    local record = g:record(r.id)
    assert.same({ "openai/gpt-4o", "anthropic", "openai" }, { record.target, record.dialect, record.attempts[1].dialect })
    assert.equal(2, record.usage.output_tokens)
  end)

  it("streams, with usage that nobody else had to ask for", function()
    local since = m:mark()
    local r = messages { model = "gpt", stream = true, messages = user("echo one two three") }
    assert.equal(200, r.status, r.body)
    assert.truthy(r.body:find("event: message_start\n", 1, true))
    assert.truthy(r.body:find("event: message_stop\n", 1, true))
    local text = {}
    for data in r.body:gmatch("data: ([^\n]*)\n") do
      local event = cjson.decode(data)
      if event.type == "content_block_delta" then text[#text + 1] = event.delta.text end
      if event.type == "message_delta" then assert.equal(3, event.usage.output_tokens) end
    end
    assert.equal("one two three", table.concat(text))
    assert.same({ include_usage = true }, sent(since).stream_options)
    assert.equal(3, g:record(r.id).usage.output_tokens)
  end)

  it("calls tools, and brings back what they gave", function()
    local tools = { { name = "look", input_schema = { type = "object", properties = { words = { type = "string" } } } } }
    local r = messages { model = "gpt", messages = user("call look"), tools = tools }
    assert.equal(200, r.status, r.body)
    local said = cjson.decode(r.body)
    assert.equal("tool_use", said.stop_reason)
    local use = said.content[#said.content]
    assert.equal("tool_use", use.type)
    local since = m:mark()
    r = messages { model = "gpt", tools = tools, messages = { { role = "user", content = "call look" }, { role = "assistant", content = said.content },
      { role = "user", content = { { type = "text", text = "echo thanks" }, { type = "tool_result", tool_use_id = use.id, content = "rain" } } } } }
    assert.equal(200, r.status, r.body)
    local body = sent(since)
    local call = body.messages[2].tool_calls[1]
    assert.same({ use.id, "look", use.input }, { call.id, call["function"].name, cjson.decode(call["function"].arguments) })
    assert.same({ role = "tool", tool_call_id = use.id, content = "rain" }, body.messages[3])
    assert.equal("user", body.messages[4].role)
  end)

  it("bounds its answers as the model calls that", function()
    local since = m:mark()
    assert.equal(200, messages({ model = "gpt5", max_tokens = 77, messages = user("hi") }).status)
    assert.equal(77, sent(since).max_completion_tokens)
    assert.is_nil(sent(since).max_tokens)
  end)

  it("hears of a provider's failure in its own words", function()
    m:script { status = 429, error_message = "too many", retry_after = 1 }
    local r = messages { model = "gpt", messages = user("hi") }
    assert.equal(429, r.status, r.body)
    local error = cjson.decode(r.body)
    assert.same({ "error", "rate_limit_error" }, { error.type, error.error.type })
    assert.truthy(error.error.message:find("too many", 1, true), r.body)
  end)

  it("is refused what cannot be said at all, in its own dialect", function()
    local since = m:mark()
    local r = messages { model = "gpt", messages = user("hi"), tools = { { type = "web_search_20250305", name = "web_search" } } }
    assert.equal(400, r.status, r.body)
    local error = cjson.decode(r.body)
    assert.same({ "error", "invalid_request_error" }, { error.type, error.error.type })
    assert.truthy(error.error.message:find("tools[0]", 1, true))
    assert.equal(0, #m:requests(since))
  end)
end)

describe("fallbacks", function()
  it("go from one dialect to the other, each asked in its own, from the same original", function()
    m:script { status = 503, path = "/v1/chat/completions" }
    local since = m:mark()
    local r = messages { model = "auto", top_k = 5, messages = user("echo here") }
    assert.equal(200, r.status, r.body)
    assert.equal("here", cjson.decode(r.body).content[1].text)
    local seen = m:requests(since)
    assert.same({ "/v1/chat/completions", "/v1/messages" }, { seen[1].path, seen[2].path })
    assert.is_nil(cjson.decode(seen[1].body).top_k)
    assert.equal(5, cjson.decode(seen[2].body).top_k)
    assert.is_nil(r:get("x-moongate-dropped")) -- nothing was, where it was answered
    local record = g:record(r.id)
    assert.same({ "openai", nil }, { record.attempts[1].dialect, record.attempts[2].dialect })
    assert.equal("top_k", record.attempts[1].dropped)
    m:script { status = 503, path = "/v1/chat/completions" }
    r = chat { model = "auto", seed = 1, messages = user("echo there") }
    assert.equal("there", cjson.decode(r.body).choices[1].message.content)
    assert.equal("seed", r:get("x-moongate-dropped"))
  end)

  it("pass over who has no words for a request", function()
    local since = m:mark()
    local r = messages { model = "auto", messages = user("hi"), tools = { { type = "bash_20250124", name = "bash" } } }
    assert.equal(200, r.status, r.body)
    assert.equal("/v1/messages", m:request(since).path)
    local record = g:record(r.id)
    assert.equal("anthropic/claude-sonnet-4-5", record.target)
    local why
    for _, entry in ipairs(record.trace) do
      if entry.policy == "translation" then why = entry end
    end
    assert.same({ "openai/gpt-4o", "pass_over" }, { why.rule, why.verb })
    assert.truthy(why.reason:find("tools[0]", 1, true))
  end)

  -- What no account of the other dialect has words for.
  local function unsayable(stream)
    return chat { model = "auto", stream = stream, messages = user("hi"), web_search_options = { search_context_size = "low" } }
  end

  it("that nobody can take leave the caller with the failure that there was", function()
    for _, stream in ipairs { false, true } do
      for status, code in pairs { [429] = "rate_limit_exceeded", [503] = "server_is_overloaded" } do
        local since = m:mark()
        local fails = { status = status, retry_after = 3, error_code = code, error_message = "told as it is", path = "/v1/chat/completions" }
        m:script(fails)
        local r = unsayable(stream)
        assert.equal(status, r.status, r.body)
        assert.equal("3", r:get("retry-after"))
        assert.is_nil(r:get("x-should-retry"))
        assert.equal(1, #m:requests(since))
        -- As if nobody else had been meant to be asked.
        m:script(fails)
        local alone = chat { model = "gpt", stream = stream, messages = user("hi") }
        assert.same({ alone.status, alone.body }, { r.status, r.body })
        assert.truthy(r.body:find("told as it is", 1, true), r.body)
        for _, name in ipairs { "content-type", "retry-after", "retry-after-ms", "x-ratelimit-limit-requests" } do
          assert.equal(alone:get(name), r:get(name), name)
        end
        assert.truthy(r:get("x-ratelimit-remaining-requests"))
        local record = g:record(r.id)
        assert.same({ "upstream_error", "openai/gpt-4o" }, { record.outcome, record.target })
        assert.same({ 1, status }, { #record.attempts, record.attempts[1].status })
      end
    end
  end)

  it("that nobody can take tell of an account that was refused, and of one that fell silent", function()
    m:script { status = 401, path = "/v1/chat/completions" }
    local r = unsayable()
    assert.same({ 502, "upstream_account" }, { r.status, cjson.decode(r.body).error.code }, r.body)
    m:script { cut = "fin", cut_event = -1, path = "/v1/chat/completions" }
    r = unsayable()
    assert.equal(502, r.status, r.body)
    assert.same({ "upstream_error", "openai/gpt-4o" }, { g:record(r.id).outcome, g:record(r.id).target })
  end)
end)

describe("policies", function()
  it("mask what leaves, and give the client its own back", function()
    local since = m:mark()
    local r = chat({ model = "claude", messages = user("echo write to dan@example.org now") }, { at = masking })
    assert.equal(200, r.status, r.body)
    assert.is_nil(m:request(since).body:find("dan@", 1, true))
    assert.equal("write to dan@example.org now", cjson.decode(r.body).choices[1].message.content)
    m:script { text = "ask eve@example.org please" }
    r = messages({ model = "gpt", stream = true, messages = user("hi") }, { at = masking })
    assert.equal(200, r.status, r.body)
    assert.is_nil(r.body:find("eve@", 1, true))
    assert.truthy(r.body:find("event: message_stop\n", 1, true))
  end)

  it("bound answers by what a budget has, in the words of the other API", function()
    local since = m:mark()
    local r = chat({ model = "dear", messages = user("hi") }, { key = keys.poor })
    assert.equal(200, r.status, r.body)
    local bound = sent(since).max_tokens
    assert.equal(20, bound)
    assert.truthy(r:get("x-moongate-max-tokens"))
  end)

  it("pay the tier that the provider heard of", function()
    -- Who names none, as the mock does otherwise.
    m:script { body = cjson.encode { id = "msg_1", type = "message", role = "assistant", model = "m", stop_reason = "end_turn",
      content = { { type = "text", text = "one two" } }, usage = { input_tokens = 3, output_tokens = 2 } } }
    local r = chat { model = "tiers", service_tier = "flex", messages = user("echo one two") }
    assert.equal(200, r.status, r.body)
    assert.equal("service_tier", r:get("x-moongate-dropped"))
    local record = g:record(r.id)
    assert.equal(10000 * (record.usage.input_tokens + record.usage.output_tokens), record.cost.nano_usd)
  end)

  it("hold what that tier costs, though its client asked for a cheaper one", function()
    local since = m:mark()
    local r = chat({ model = "hurried", service_tier = "flex", max_tokens = 100, messages = user("hi") }, { key = keys.poor })
    assert.equal(402, r.status, r.body)
    assert.equal(0, #m:requests(since))
  end)

  it("see each attempt, may refuse one or change it, and read what the client will", function()
    for _, stream in ipairs { false, true } do
      local since = m:mark()
      local r = chat({ model = "auto", stream = stream, messages = user("echo so it is") }, { at = asking })
      assert.equal(200, r.status, r.body)
      assert.equal(7, sent(since).max_tokens)
      local record = asking:record(r.id)
      assert.equal("anthropic/claude-sonnet-4-5", record.target)
      assert.equal("so it is", record.annotations.read)
      assert.equal("3", record.annotations.used)
    end
  end)

  it("say who asks, whatever the caller says of it", function()
    local function told(ask, names, of)
      local since = m:mark()
      local json = { model = "auto", max_tokens = 9, messages = user("hi") }
      for name, value in pairs(of) do json[name] = value end
      local r = ask(json, { at = asking, headers = { { "x-anonymous", names } } })
      assert.equal(200, r.status, r.body)
      return sent(since).metadata.user_id, r:get("x-moongate-dropped")
    end
    local wants = { ["user"] = "as user", ["safety_identifier"] = "as safety_identifier",
      ["user safety_identifier"] = "as safety_identifier", ["safety_identifier user"] = "as safety_identifier" }
    for names, want in pairs(wants) do
      for _, of in ipairs { {}, { user = "bob" }, { safety_identifier = "bob" }, { user = "bob", safety_identifier = "ann" } } do
        assert.equal(want, (told(chat, names, of)), names)
      end
      for _, of in ipairs { {}, { metadata = { user_id = "bob" } }, { metadata = cjson.decode("{}") } } do
        assert.equal(want, (told(messages, names, of)), names)
      end
    end
    assert.same({ "ann", "user" }, { told(chat, "", { user = "bob", safety_identifier = "ann" }) })
  end)

  it("cut a stream for which there is no more money in the client's own events", function()
    m:script { tokens = 100, delay_ms = 2 }
    local r = chat({ model = "dear", max_tokens = 100, stream = true, messages = user("hi") }, { key = keys.poor })
    assert.equal(200, r.status, r.body)
    assert.truthy(r.body:find("budget", 1, true), r.body)
    assert.is_nil(r.body:find("[DONE]", 1, true))
    local record = g:record(r.id)
    assert.is_true(record.cost.nano_usd <= 4100000000, tostring(record.cost.nano_usd))
    r = chat({ model = "dear", max_tokens = 100, messages = user("hi") }, { key = keys.poor })
    assert.truthy(r.status == 402 or r.status == 429 or r.status == 403, r.body)
  end)

  it("keep every side door shut: the provider sees nothing", function()
    local since = m:mark()
    local asks = {
      { path = "/v1/chat/completions", json = { model = "closed", messages = user("hi") } },
      { path = "/v1/messages", json = { model = "closed", max_tokens = 9, messages = user("hi") } },
      { path = "/v1/messages/count_tokens", json = { model = "closed", messages = user("hi") } },
      { path = "/v1/chat/completions", json = '{"model":"cl\\u006fsed","messages":[{"role":"user","content":"hi"}]}' },
      { path = "/v1/messages", json = '{"m\\u006fdel":"closed","max_tokens":9,"messages":[]}' },
      { path = "/v1/completions", json = { model = "claude", prompt = "hi" } },
      { path = "/v1/embeddings", json = { model = "claude", input = "hi" } },
    }
    for _, of in ipairs(asks) do
      local r = g:ask(of)
      assert.is_true(r.status >= 400 and r.status < 500, of.path .. ": " .. r.status)
      of.key = "sk-mg-nobody"
      assert.equal(401, g:ask(of).status)
    end
    local r = chat({ model = "dear", max_tokens = 100, messages = user("hi") }, { key = keys.poor })
    assert.is_true(r.status >= 400)
    r = messages({ model = "dear", messages = user("hi") }, { key = keys.poor })
    assert.is_true(r.status >= 400)
    assert.equal(0, #m:requests(since))
  end)

  it("are explained and replayed as they were", function()
    local r = messages { model = "gpt", top_k = 5, messages = user("hi") }
    assert.equal(200, r.status, r.body)
    g:record(r.id)
    local out, code = g:command("explain", r.id)
    assert.equal(0, code, out)
    assert.truthy(out:find("openai/gpt-4o", 1, true), out)
    out, code = g:command("replay")
    assert.equal(0, code, out)
  end)
end)
