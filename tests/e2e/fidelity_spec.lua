-- Byte fidelity: of a request's body nothing reaches the provider changed but what was named, and of its answer
-- nothing reaches the client changed at all.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g

local policies = {
  ["init.lua"] = 'return chain { "auth", "access", "routing" }\n',
  ["models.lua"] = [[
return models {
  auto   = { virtual = true },
  plain  = { targets = { "openai/plain" }, context = 128000, price = usd_per_million { input = "0", output = "0" } },
  short  = { targets = { "openai/a-much-longer-name-than-was-asked-for" }, aliases = { "other name", 'quo"ted' },
             context = 128000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["apps.lua"] = 'return apps { ["tests"] = { department = "engineering", owner = "tests" } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" }, require = { "app", "department" } }\n',
  ["access.lua"] = [[
return access {
  models = {
    ["plain"] = { departments = any, data = "restricted" },
    ["short"] = { departments = any, data = "restricted" },
  },
  default = "deny",
}
]],
  ["routing.lua"] = 'return routing { choose_for = { "auto" }, rules = { { "all", route = "openai/plain" } } }\n',
}

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "fidelity", policies = policies, key = { app = "tests" } }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

-- The body as the provider got it.
local function arrived(body, of)
  local since = m:mark()
  of = of or {}
  of.json = body
  local r = g:ask(of)
  assert.equal(200, r.status, r.body)
  return m:request(since).body, r
end

local function unchanged(body, of)
  expect.equal_bytes(body, arrived(body, of), "request body")
end

describe("a request's body arrives as it was sent:", function()
  it("thirty invented fields at every level", function()
    local fields = {}
    for i = 1, 10 do fields[#fields + 1] = ('"x_field_%d" : { "deep" : [ {"deeper_%d":null} , %d ] }'):format(i, i, i) end
    local part = table.concat(fields, " ,\n\t")
    unchanged(('{ %s, "model":"plain","messages":[{"role":"user","content":[{"type":"text","text":"hi",%s}],%s}]}'):format(part, part, part))
  end)

  it("empty arrays and objects, nested", function()
    unchanged('{"model":"plain","messages":[{"role":"user","content":[]}],"tools":[],"response_format":{"type":"json_schema",' ..
      '"json_schema":{"schema":{"type":"object","properties":{},"required":[],"anyOf":[{},[],[[]],{"a":{}}]}}},"metadata":{}}')
  end)

  it("numbers as text", function()
    unchanged('{"model":"plain","messages":[{"role":"user","content":"n"}],"seed":9007199263392129,"a":-9223372036854775808,' ..
      '"b":18446744073709551615,"temperature":0.1,"c":1e-7,"d":-0,"e":-0.0,"f":1E+300,"g":1.50e0,' ..
      '"h":123456789012345678901234567890.123456789012345678901234567890}')
  end)

  it("white space, order and escapes", function()
    unchanged('\r\n\t { "messages" :\n[ {"content":"\\u00fc\\u0022 \\/ \\ud83d\\ude00 ü 🙂 \\n","role" : "user"} ] ,\r\n "temperature":1.0 , "model":\t"plain" }  \n')
  end)

  it("keys that occur twice where nobody reads them", function()
    unchanged('{"model":"plain","messages":[{"role":"user","content":"x"}],"x":1,"x":2,"metadata":{"model":"a","model":"b"}}')
  end)

  it("cache_control, and the same prefix a hundred times", function()
    local prefix = '{"model":"plain","messages":[{"role":"system","content":[{"type":"text","text":"' .. ("stable "):rep(300) ..
      '","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"'
    local since = m:mark()
    for i = 1, 100 do assert.equal(200, g:chat(prefix .. i .. '"}]}').status) end
    for i, request in ipairs(m:requests(since)) do expect.equal_bytes(prefix .. i .. '"}]}', request.body) end
  end)

  it("32 KB, 1 MB and 8 MB, with a length and chunked", function()
    for _, size in ipairs { 32768, 1048576, 8388608 } do
      local body = '{"model":"plain","messages":[{"role":"user","content":"' .. ("0123456789abcdef"):rep(size / 16) .. '"}]}'
      for _, sizes in ipairs { false, 65536 } do
        local since = m:mark()
        assert.equal(200, g:ask({ json = body, chunked = sizes and { sizes, 7, 30000 } or nil }).status)
        local request = m:request(since)
        assert.equal(#body, request.body_bytes)
        local path = g.dir:write("sent", body)
        assert.equal(request.sha256, io.popen("sha256sum < " .. path):read("*a"):match("^%x+"))
      end
    end
  end)

  it("the other two APIs too", function()
    for path, ask in pairs { ["/v1/completions"] = '"prompt" : [ "a", "b" ]', ["/v1/embeddings"] = '"input":[ "a" ,"b"], "dimensions":4' } do
      unchanged(('{ %s ,"model":"plain", "x":[{}, [ ],1.0] }'):format(ask), { path = path })
    end
  end)
end)

describe("a named edit changes that and nothing else:", function()
  -- The same body with the bytes between the two marks exchanged.
  local function edited(before, from, after, to, of)
    expect.equal_bytes(before .. to .. after, (arrived(before .. from .. after, of)))
  end

  local BEFORE = '{ "messages":[ {"role":"user","content":"model \\"model\\":\\"short\\""} ] ,"tools":[],"n":1.0,\n"model" :\t'
  local AFTER = ' , "metadata":{"model":"short","e":{}} , "seed":9007199263392129}'

  it("the model's own name for its target's", function()
    edited(BEFORE, '"short"', AFTER, '"a-much-longer-name-than-was-asked-for"')
  end)

  it("an alias, also when it is spelt with escapes", function()
    edited(BEFORE, '"other name"', AFTER, '"a-much-longer-name-than-was-asked-for"')
    edited(BEFORE, '"oth\\u0065r name"', AFTER, '"a-much-longer-name-than-was-asked-for"')
    edited(BEFORE, '"quo\\"ted"', AFTER, '"a-much-longer-name-than-was-asked-for"')
  end)

  it("a choice left to the gateway", function()
    edited(BEFORE, '"auto"', AFTER, '"plain"')
  end)

  it("hints to the gateway are taken out, and metadata with them when nothing else is in it", function()
    local before = '{"model":"plain","messages":[{"role":"user","content":"hi"}], "metadata":'
    for _, case in ipairs {
      { '{ "a" : 1,"moongate":{"task":"code"} , "b":[ ]} }', { a = 1, b = {} } },
      { '{"moongate":{"task":"code"}, "b":[ ]} }', { b = {} } },
      { '{ "b":[ ] ,"moongate" : {"task":"code"}} }', { b = {} } },
      { '{ "moongate": {"task":"code"} } }' },
    } do
      local sent = before .. case[1]
      local got = arrived(sent)
      assert.same(case[2], cjson.decode(got).metadata)
      -- One run of bytes is gone, the rest is as it was.
      local at = 1
      while at <= #got and sent:byte(at) == got:byte(at) do at = at + 1 end
      assert.equal(sent:sub(#sent - (#got - at)), got:sub(at))
    end
  end)

  it("a name in escapes that needs no other stays", function()
    edited(BEFORE, '"pl\\u0061in"', AFTER, '"pl\\u0061in"')
  end)
end)

describe("a stream's request", function()
  local START = '{"model":"plain", "messages":[{"role":"user","content":"hi"}] ,"stream": true'

  local function stream_options_of(body)
    return body:match('"stream_options"%s*:%s*(%b{})')
  end

  it("is asked for usage by one insertion", function()
    local sent = START .. ' ,"x":[ ] }'
    local got = arrived(sent)
    local options = assert(stream_options_of(got), got)
    assert.truthy(options:find('"include_usage"%s*:%s*true'))
    -- Without what was put in, the two are equal: the same start, the same end.
    local at = 1
    while sent:byte(at) == got:byte(at) do at = at + 1 end
    local rest = sent:sub(at)
    assert.equal(rest, got:sub(#got - #rest + 1))
    assert.is_true(#got - #sent < 60, got)
  end)

  it("with stream_options of its own keeps them", function()
    local got = arrived(START .. ',"stream_options":{ "include_obfuscation" : false ,"x":[] }}')
    local options = stream_options_of(got)
    assert.truthy(options:find('"include_obfuscation" : false ,"x":[]', 1, true))
    assert.truthy(options:find('"include_usage"%s*:%s*true'))
  end)

  it("that asks for usage itself is not touched", function()
    unchanged(START .. ', "stream_options" : {"include_usage" : true } }')
  end)

  it("with null or false is asked all the same", function()
    for _, options in ipairs { "null", "{}", '{"include_usage":false}', '{"include_usage" : null }' } do
      local got = arrived(START .. ',"stream_options":' .. options .. "}")
      assert.truthy(got:find('"include_usage"%s*:%s*true'), got)
      local _, n = got:gsub('"stream_options"', "")
      assert.equal(1, n)
      _, n = got:gsub('"include_usage"', "")
      assert.equal(1, n)
    end
  end)
end)

describe("an answer", function()
  it("reaches the client as the provider wrote it, whatever is in it", function()
    local body = '{ "id":"x","object":"chat.completion" , "choices":[ {"index":0,"message":{"role":"assistant","content":"\\u00fc",' ..
      '"reasoning_content":"r","tool_calls":[],"x":{}},"finish_reason":"stop"} ],\n"usage":{"prompt_tokens":1,"completion_tokens":2,' ..
      '"total_tokens":3,"cost":1e-7,"big":9007199263392129},"x_new":[{}, [ ], -0, 123456789012345678901234567890.10]}\n\n'
    m:script { body = body }
    local r = g:chat('{"model":"plain","messages":[{"role":"user","content":"hi"}]}')
    expect.equal_bytes(body, r.body)
    assert.equal(2, g:record(r.id).usage.output_tokens)
  end)

  it("that is no JSON at all does too", function()
    m:script { body = "<html>it works</html>", content_type = "text/html" }
    local r = g:chat('{"model":"plain","messages":[{"role":"user","content":"hi"}]}')
    assert.equal(200, r.status)
    assert.equal("text/html", r:get("content-type"))
  end)

  it("of 20 MB is relayed whole", function()
    m:script { body_bytes = 20 * 1024 * 1024 }
    local r = g:chat('{"model":"plain","messages":[{"role":"user","content":"hi"}]}')
    assert.is_true(#r.body > 20 * 1024 * 1024)
    assert.equal("end", r.ending)
    assert.equal(#r.body, g:record(r.id).bytes_out)
  end)

  it("that is an error is the provider's own, with what it says of retries", function()
    m:script { status = 429, retry_after = 7, error_message = "slow down", header = "x-should-retry: true" }
    local r = g:chat('{"model":"plain","messages":[{"role":"user","content":"hi"}]}')
    assert.equal(429, r.status)
    assert.equal("slow down", gateway.error_of(r).message)
    assert.equal("7", r:get("retry-after"))
    assert.equal("7000", r:get("retry-after-ms"))
    assert.equal("true", r:get("x-should-retry"))
    assert.equal("upstream_error", g:record(r.id).outcome)
  end)

  it("is one even when the client's request was odd", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = '{"model":"plain","messages":[{"role":"user","content":"hi"}]}', chunked = { 1, 2, 3 } })
    assert.equal(200, c:answer().status)
    c:close()
  end)
end)
