-- Servers that speak OpenAI's API with a difference: what each gets of one body that has everything, byte for byte; that
-- its caller is told what went, or refused where the model's row wants that; and what moongate.lua says of them.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

-- Its parts in the order in which they stand, each with the name that rejects and renames have for it.
local MESSAGES = '"messages":[{"role":"developer","content":"be brief"},  {"role":"user","name":"ana","content":"echo one two"}]'
local PARTS = {
  { "max_completion_tokens", '"max_completion_tokens": 50' }, { "store", '"store":false' }, { "logprobs", '"logprobs":true' },
  { "top_logprobs", '"top_logprobs":2' }, { "logit_bias", '"logit_bias":{"5":1}' }, { "n", '"n":2' }, { "seed", '"seed":7' },
  { "user", '"user":"u1"' }, { "service_tier", '"service_tier":"auto"' }, { "parallel_tool_calls", '"parallel_tool_calls":true' },
  { "frequency_penalty", '"frequency_penalty":0.50' }, { "presence_penalty", '"presence_penalty":1e-1' }, { "verbosity", '"verbosity":"low"' },
  { "metadata", '"metadata":{"a":"b"}' }, { "safety_identifier", '"safety_identifier":"s"' }, { "reasoning_effort", '"reasoning_effort":"low"' },
  { "response_format", '"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{}}}' },
  { "tools", '"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{}}}]' },
}
local LIMIT = { max_completion_tokens = '"max_tokens": 50' }

local SERVERS = {
  cerebras = { without = { "logit_bias", "service_tier", "parallel_tool_calls", "frequency_penalty", "presence_penalty" } },
  deepseek = { without = { "response_format" }, as = LIMIT, role = "system", told = "response_format.json_schema" },
  groq = { without = { "logprobs", "top_logprobs", "logit_bias", "n" }, nameless = true,
    told = "logit_bias, logprobs, messages[1].name, n, top_logprobs" },
  mistral = { without = { "store", "logprobs", "top_logprobs", "logit_bias", "user", "service_tier", "verbosity", "metadata", "safety_identifier" },
    as = { max_completion_tokens = LIMIT.max_completion_tokens, seed = '"random_seed":7' }, role = "system", nameless = true,
    told = "logit_bias, logprobs, messages[1].name, metadata, safety_identifier, service_tier, store, top_logprobs, user, verbosity" },
  ollama = { as = LIMIT },
  alibaba = {}, fireworks = {}, llama_cpp = {}, moonshot = {}, openrouter = {}, perplexity = {}, together = {}, vllm = {}, xai = {}, zai = {},
}

local function has(list, word)
  for _, one in ipairs(list or {}) do if one == word then return true end end
  return false
end

local function body(model, of)
  local messages = MESSAGES:gsub('"name":"ana",', of.nameless and "" or "%0"):gsub("developer", of.role or "developer")
  local parts = { ('"model" : "%s"'):format(model), messages }
  for _, part in ipairs(PARTS) do
    if not has(of.without, part[1]) then parts[#parts + 1] = of.as and of.as[part[1]] or part[2] end
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local POLICIES = {
  ["init.lua"] = 'return chain { "auth" }\n',
  ["auth.lua"] = 'return auth { keys = { headers = { "authorization", "x-api-key" } } }\n',
}
local rows = {}
for name in pairs(SERVERS) do rows[#rows + 1] = ('["m-%s"] = { targets = { "%s/some-model" }, counts_as = "gpt-4o", price = price },'):format(name, name) end
POLICIES["models.lua"] = [[local price = usd_per_million { input = "1", output = "1" }
return models {
  strict = { targets = { "strict/other-model" }, counts_as = "gpt-4o", price = price, on_dropped = "refuse" },
  own = { targets = { "own/other-model" }, counts_as = "gpt-4o", price = price },
  ]] .. table.concat(rows, "\n  ") .. "\n}\n"

local m, g

setup(function()
  m = mock.start {}
  local providers = {
    strict = { kind = "groq", url = m.url, breaker = false },
    own = { kind = "openai_compatible", server = "mistral", url = m.url, breaker = false, headers = { ["X-Title"] = "Desk" },
      rejects = { "reasoning_effort", "tools.strict" }, accepts = { "user", "seed" }, renames = { max_completion_tokens = "max_output_tokens" } },
  }
  for name in pairs(SERVERS) do providers[name] = { kind = name, url = m.url, breaker = false } end
  g = gateway.start { mock = m, name = "servers", policies = POLICIES, key = { app = "bot" }, config = { providers = providers } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

describe("a server", function()
  for name, of in pairs(SERVERS) do
    it("of " .. name .. "'s gets what it takes, and its caller is told the rest", function()
      local since = m:mark()
      local r = g:ask { json = body("m-" .. name, {}) }
      assert.equal(200, r.status, r.body)
      assert.equal(body("some-model", of), m:request(since).body)
      local told = of.told
      if not told and of.without then
        table.sort(of.without)
        told = table.concat(of.without, ", ")
      end
      assert.equal(told, r:get("x-moongate-dropped"))
      assert.equal(2, g:record(r.id).usage.output_tokens / (has(of.without, "n") and 1 or 2))
    end)
  end

  it("that rejects nothing of a body gets it as it came", function()
    for name in pairs(SERVERS) do
      local since = m:mark()
      local text = '{ "model" :"m-' .. name .. '" ,"n":1,\t"messages" : [ {"content":"echo \\u0061","role":"user"} ], "x":1.50 }'
      local r = g:ask { json = text }
      assert.equal(200, r.status, r.body)
      assert.equal((text:gsub("m%-" .. name, "some-model")), m:request(since).body)
      assert.is_nil(r:get("x-moongate-dropped"))
    end
  end)

  it("is asked for a stream's usage where it takes that", function()
    for name, asked in pairs { groq = true, mistral = false, vllm = true } do
      local since = m:mark()
      if not asked then m:script { usage = "always" } end -- as Mistral does
      local r = g:chat { model = "m-" .. name, stream = true, max_completion_tokens = 9, messages = { { role = "user", content = "echo one two" } } }
      assert.equal(200, r.status, r.body)
      assert.equal(asked, cjson.decode(m:request(since).body).stream_options ~= nil, name)
      assert.equal(not asked, r.body:find('"usage":{', 1, true) ~= nil)
      assert.equal(2, g:record(r.id).usage.output_tokens)
    end
  end)

  it("has what moongate.lua says beside its name", function()
    local since = m:mark()
    local r = g:ask { json = body("own", {}) }
    assert.equal(200, r.status, r.body)
    local sent = cjson.decode(m:request(since).body)
    assert.same({ "u1", 7, 50 }, { sent.user, sent.seed, sent.max_output_tokens })
    assert.same({}, { sent.reasoning_effort, sent.store, sent.max_tokens, sent.max_completion_tokens, sent.tools[1]["function"].strict })
    assert.truthy(r:get("x-moongate-dropped"):find("tools[0].strict", 1, true))
    assert.equal("Desk", m:header(m:request(since), "x-title"))
  end)

  it("that would lose something is not asked where the model's row refuses that", function()
    local since = m:mark()
    local r = g:ask { json = body("strict", {}) }
    assert.equal(400, r.status, r.body)
    assert.truthy(gateway.error_of(r).message:find("top_logprobs", 1, true), r.body)
    assert.equal(since, m:mark())
    assert.equal(200, g:chat({ model = "strict", messages = { { role = "user", content = "hi" } } }).status)
  end)

  it("gets translated requests so, too", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/messages", key = false, headers = { { "x-api-key", g.key } }, json = { model = "m-mistral", max_tokens = 50,
      metadata = { user_id = "u1" }, system = "be brief", messages = { { role = "user", content = "echo one two" } } } }
    assert.equal(200, r.status, r.body)
    local sent = cjson.decode(m:request(since).body)
    assert.same({ "system", 50 }, { sent.messages[1].role, sent.max_tokens })
    assert.is_nil(sent.user or sent.safety_identifier or sent.stream_options or sent.max_completion_tokens)
  end)

  -- Else the bound would go out under a name that the server passes over.
  it("is refused where it is nested deeper there than is read", function()
    local function asked(levels)
      local schema = ('{"a":'):rep(levels) .. "1" .. ("}"):rep(levels)
      return g:ask { path = "/v1/messages", key = false, headers = { { "x-api-key", g.key } }, json = '{"model":"m-mistral","max_tokens":50,'
        .. '"messages":[{"role":"user","content":"echo one two"}],"tools":[{"name":"f","input_schema":' .. schema .. "}]}" }
    end
    assert.equal(200, asked(60).status)
    local r = asked(61)
    assert.equal(400, r.status, r.body)
    assert.truthy(r.body:find("nested deeper than 64 levels", 1, true), r.body)
  end)
end)

describe("moongate check", function()
  local function check(account)
    g.dir:write("other.lua", ('return moongate.config { providers = { one = { %s } } }\n'):format(account))
    local out, code = g:command("check", "-c", "other.lua", "policies")
    return out, code
  end

  it("names a misspelt switch, and the nearest right word", function()
    local cases = {
      { 'kind = "gorq"', 'did you mean "groq"?' },
      { 'kind = "openai_compatible", server = "mistrall", url = "http://x/v1"', 'did you mean "mistral"?' },
      { 'kind = "groq", rejects = { "paralel_tool_calls" }', 'did you mean "parallel_tool_calls"?' },
      { 'kind = "groq", accepts = { "logprob" }', 'did you mean "logprobs"?' },
      { 'kind = "groq", renames = { max_completion_token = "max_tokens" }', 'did you mean "max_completion_tokens"?' },
      { 'kind = "groq", rejcts = { "store" }', "rejects" },
      { 'kind = "groq", server = "vllm"', "leave it out" },
      { 'kind = "groq", renames = { seed = 7 }', "must be the server's own name" },
      { 'kind = "openai_compatible"', "`url` is missing" },
      { 'kind = "vertex", location = "eu", project = "p"', "credentials" },
      { 'kind = "vertex", credentials = "sa.json"', "no such file" },
      { 'kind = "groq", project = "p"', "has no `project`" },
    }
    for _, case in ipairs(cases) do
      local out, code = check(case[1])
      assert.equal(1, code, case[1] .. "\n" .. out)
      assert.truthy(out:lower():find(case[2]:lower(), 1, true), case[1] .. "\n" .. out)
    end
  end)

  it("takes a name for all that there is to say", function()
    for name in pairs(SERVERS) do
      local out = check(('kind = "%s", key = env "OPENAI_API_KEY"'):format(name))
      assert.falsy(out:find("moongate.lua\" or \"other.lua", 1, true))
      assert.falsy(out:find("--> other.lua", 1, true), out)
    end
  end)
end)
