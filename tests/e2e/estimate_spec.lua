-- Tokens counted before a call: the gateway counts what `moongate tokens` counts, decides by it, and keeps nobody waiting
-- while it does.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local crowd = require("tests.e2e.kit.crowd")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local MODELS = [[
return models {
  auto  = { virtual = true },
  exact = { targets = { "openai/exact" }, context = 128000, counts_as = "gpt-4o", aliases = { "nickname" } },
  old   = { targets = { "openai/old", "openai/exact" }, context = 8000, counts_as = "gpt-4" },
  plain = { targets = { "openai/unheard-of" }, context = 2000000 },
  mixed = { targets = { { "openai/exact", counts_as = "gpt-4o" }, { "anthropic/second", counts_as = "gpt-4" } }, context = 128000 },
}
]]

-- A bit of everything that is counted.
local REQUEST = [[{"model":"%s","messages":[{"role":"system","content":"Be brief."},
{"role":"user","name":"user","content":[{"type":"text","text":"Hello, w\u006frld!"},{"type":"image_url","image_url":
{"url":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAABAAAAAQACAIAAADwf7zUAAAA"}}]},
{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
{"role":"tool","tool_call_id":"1","content":"한국어 ภาษาไทย"}],
"tools":[{"type":"function","function":{"name":"f","description":"What it does","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}],
"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}]]

describe("the gateway", function()
  local m, g
  local policies = {
    ["init.lua"] = 'return chain { "long" }\n',
    ["models.lua"] = MODELS,
    ["long.lua"] = [[
return access {
  models = {},
  default = "allow",
  rules = {
    { "no-long-ones", when = { model = "exact", context_tokens = gt(12) }, deny = { 403, "too_long" }, reason = "{context_tokens} tokens are too many" },
  },
}
]],
  }
  setup(function()
    m = mock.start()
    g = gateway.start { mock = m, name = "count", policies = policies }
  end)
  teardown(function()
    g:stop()
    m:stop()
  end)

  local function tokens(body)
    g.dir:write("body.json", body)
    local out, code = g:command("tokens", "--json", "body.json")
    assert.equal(0, code, out)
    return cjson.decode(out)
  end

  local function ask(body, path)
    return g:ask { json = body, path = path }
  end

  it("counts what moongate tokens counts", function()
    local bodies = {
      { '{"model":"plain","messages":[{"role":"user","content":"Hello, world!"}]}' },
      { '{"model":"old","messages":[{"role":"user","content":"한국어 ภาษาไทย हिन्दी \\n\\ud83d\\ude00"}]}' },
      { '{"model":"exact","messages":[{"role":"user","content":"Hello"}]}' },
      { '{"model":"nickname","messages":[{"role":"user","content":"Hello"}]}' },
      { '{"model":"old","prompt":"Hello, world!"}', "/v1/completions" },
      { '{"model":"old","input":["Hello, world!",[1,2,3]]}', "/v1/embeddings" },
      { REQUEST:format("old") }, { REQUEST:format("plain") },
    }
    for _, case in ipairs(bodies) do
      local estimate, counted = g:record(ask(case[1], case[2]).id).estimate, tokens(case[1])
      assert.same({ counted.tokens, counted.estimated }, { estimate.input_tokens, estimate.estimated }, case[1])
      assert.is_nil(estimate.at_least)
    end
  end)

  it("counts for each target that it calls in that one's vocabulary", function()
    local text = ("한국어 ภาษาไทย हिन्दी "):rep(500)
    local body = '{"model":"%s","messages":[{"role":"user","content":"' .. text .. '"}]}'
    local exact, old = tokens(body:format("exact")).tokens, tokens(body:format("old")).tokens
    assert.is_true(old > 2 * exact)
    assert.equal(exact, g:record(ask(body:format("mixed")).id).estimate.input_tokens)
    m:script { { match = '"model":"exact"', status = 500 }, { match = '"model":"second"' } }
    local record = g:record(ask(body:format("mixed")).id)
    m:reset()
    assert.same({ 2, old, false }, { #record.attempts, record.estimate.input_tokens, record.estimate.estimated })
  end)

  it("decides by the count", function()
    local body = '{"model":"exact","messages":[{"role":"user","content":"%s"}]}'
    assert.equal(200, ask(body:format("one two three four five")).status)      -- 5 + 1 + 3 + 3 = 12
    local answer = ask(body:format("one two three four five six"))
    assert.equal(403, answer.status)
    assert.same({ "too_long", "13 tokens are too many" }, { gateway.error_of(answer).code, gateway.error_of(answer).message })
    assert.equal(13, g:record(answer.id).estimate.input_tokens)
    assert.equal(403, ask('{"model":"exact","max_tokens":1,"messages":[{"role":"user","content":"one two three four five"}]}').status)
  end)

  it("says that it is at least so much where it stopped", function()
    local record = g:record(ask('{"model":"plain","messages":[{"role":"user","content":"' .. ("word "):rep(2500000) .. '"}]}').id)
    assert.is_true(record.estimate.at_least)
    assert.is_true(record.estimate.input_tokens > 2000000 and record.estimate.input_tokens < 2100000)
  end)

  it("counts a long prompt between others' requests", function()
    local letters = {}
    math.randomseed(7)
    for i = 1, 3000000 do letters[i] = string.char(97 + math.random(0, 25)) end
    local body = '{"model":"plain","messages":[{"role":"user","content":"' .. table.concat(letters) .. '"}]}'
    local small = '{"model":"exact","messages":[{"role":"user","content":"hi"}]}'
    local is_sent, is_answered, neighbours = false, false, 0
    local id
    crowd.run(function(all)
      all.add(function()
        local c = client.connect(g.port)
        local request = client.request { key = g.key, json = body }
        c:send(request:sub(1, -2))
        client.sleep(0.2) -- all but one byte has arrived
        c:send(request:sub(-1))
        is_sent = true
        local head = c:head()
        is_answered = true
        assert.equal(200, head.status)
        id = head:get("x-moongate-request-id")
        c:close()
      end)
      all.add(function()
        local c = client.connect(g.port)
        while not is_answered do
          c:send(client.request { key = g.key, json = small })
          assert.equal(200, c:answer().status)
          if is_sent and not is_answered then neighbours = neighbours + 1 end
        end
        c:close()
      end)
    end, 60)
    assert.is_true(neighbours >= 5, "only " .. neighbours .. " requests were answered while the long one was counted")
    assert.equal(tokens(body).tokens, g:record(id).estimate.input_tokens)
  end)
end)
