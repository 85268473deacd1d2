-- What of OpenAI's Responses API could go by those who are to see it: texts that come with the end of a stream alone, and
-- what the provider keeps under an id, which does not say whose it is.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local FILES = {
  ["auth.lua"] = "return auth {}\n",
  ["apps.lua"] = 'return apps { bot = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = 'return models { free = { targets = { "openai/free" }, context = 200000, ' ..
    'price = usd_per_million { input = "0", output = "0" } } }\n',
  ["routing.lua"] = 'return routing { rules = { { "all", route = { "openai/free" } } } }\n',
}

local m

setup(function() m = mock.start { key = gateway.PROVIDER_KEY } end)
teardown(function() m:stop() end)
before_each(function() m:reset() end)

local function start(name, policy)
  local files = { ["init.lua"] = ('return chain { "auth", %s"routing" }\n'):format(policy and '"x", ' or ""), ["x.lua"] = policy }
  for file, text in pairs(FILES) do files[file] = text end
  return gateway.start { mock = m, name = "responses-unseen-" .. name, policies = files, key = { app = "bot" } }
end

local function ask(g, of)
  of.model, of.input = "free", of.input or "hi"
  return g:ask { path = "/v1/responses", key = g.key, json = of }
end

local function stream_of(events)
  local texts = {}
  for i, event in ipairs(events) do texts[i] = ("event: %s\ndata: %s\n\n"):format(event.type, cjson.encode(event)) end
  return { body = table.concat(texts), content_type = "text/event-stream" }
end

local function message(text) return { type = "message", content = { { type = "output_text", text = text } } } end

-- Items that came in deltas, and one more with the end alone: a proxy that has no stream itself writes like that.
local function ended(text, before)
  local events, output = {}, {}
  for i = 1, before do
    output[i] = message "w"
    events[#events + 1] = { type = "response.output_text.delta", output_index = i - 1, content_index = 0, delta = "w" }
    events[#events + 1] = { type = "response.output_item.done", output_index = i - 1, item = output[i] }
  end
  output[before + 1] = message(text)
  events[#events + 1] = { type = "response.output_text.delta", output_index = before, content_index = 0, delta = "" }
  events[#events + 1] = { type = "response.completed", response = { model = "m", status = "completed", output = output } }
  return stream_of(events)
end

describe("a text that comes with the end of a stream alone", function()
  local FINDS = 'if text:find("secret", 1, true) then return deny(403, "leak", "it told a secret") end end }'
  local HOOKS = {
    on_delta = "return policy { on_delta = function(ctx, text) " .. FINDS,
    on_response = "return policy { buffer = true, on_response = function(ctx) local text = ctx.response:text() " .. FINDS,
  }

  for hook, policy in pairs(HOOKS) do
    it("is refused by " .. hook .. " before it has left", function()
      local g = start(hook, policy)
      for _, before in ipairs { 0, 3 } do
        m:script(ended("the secret plans", before))
        local r = ask(g, { stream = true })
        assert.falsy(r.body:find("secret plans", 1, true), r.body)
        assert.equal("denied", g:record(r.id).outcome)
      end
      g:stop()
    end)
  end

  it("is kept and counted, and none is twice, however many items there are", function()
    local g = start("kept", 'return policy { rules = { { "all", when = { model = "free" }, record = { texts = { "answer" } } } } }')
    m:script(ended("kept", 300))
    local r = ask(g, { stream = true })
    local record = g:record(r.id)
    assert.equal(#(("w"):rep(300) .. "\nkept"), record.texts.answer.bytes)
    assert.truthy(record.billed.output > 0 and record.billed.estimated)
    m:script(ended("kept", 0))
    assert.truthy(g:record(ask(g, { stream = true }).id).billed.output > 0)
    g:stop()
  end)

  it("is masked", function()
    local g = start("masks", 'return redaction { detect = { "email" }, response = { ["*"] = "mask" } }')
    m:script(ended("ask eve@example.org", 0))
    local r = ask(g, { stream = true })
    assert.truthy(r.body:find('"ask [email]"', 1, true), r.body)
    g:stop()
  end)
end)

describe("what a provider keeps", function()
  local g
  setup(function() g = start("ids", [[return policy { rules = {
    { "no-pictures", when = { uses = "images" }, deny = { 403, "no_pictures" } } } }]]) end)
  teardown(function() if g then g:stop() end end)

  local function expect_refused(of, says)
    local since = m:mark()
    local r = ask(g, of)
    assert.equal(says:find("No such", 1, true) and 404 or 400, r.status, r.body)
    assert.truthy(gateway.error_of(r).message:find(says, 1, true), r.body)
    assert.same({}, m:requests(since))
  end

  it("is refused where an item has nothing but its id", function()
    for _, item in ipairs { { type = "image_generation_call", id = "ig_1", status = "completed" },
      { type = "reasoning", id = "rs_1", summary = { { type = "summary_text", text = "" } } } } do
      expect_refused({ input = { { role = "user", content = "x" }, item } }, "No such item object: " .. item.id)
    end
    local since, item = m:mark(), { type = "reasoning", id = "rs_1", encrypted_content = "AAAA" }
    assert.equal(200, ask(g, { input = { { role = "user", content = "x" }, item } }).status)
    assert.same(item, cjson.decode(m:request(since).body).input[2])
  end)

  it("is refused as a file and as a container", function()
    expect_refused({ input = { { role = "user", content = { { type = "input_file", file_id = "file-1" } } } } },
      "No such file object: file-1")
    expect_refused({ tools = { { type = "code_interpreter", container = "cntr_1" } } }, "No such container object: cntr_1")
    expect_refused({ tools = { { type = "shell", environment = { type = "container_reference", container_id = "cntr_1" } } } },
      "No such container object: cntr_1")
  end)

  it("would be what works in the background, however that is asked for", function()
    for _, value in ipairs { true, "true", "false", 1, 0, {} } do
      expect_refused({ background = value }, '"background" must be left out: ')
    end
    for _, value in ipairs { false, cjson.null } do assert.equal(200, ask(g, { background = value }).status) end
  end)

  it("is a picture like any other where it is sent along", function()
    local r = ask(g, { input = { { type = "image_generation_call", id = "ig_1", result = "AAAA" } } })
    assert.same({ 403, "no_pictures" }, { r.status, gateway.error_of(r).code }, r.body)
  end)
end)
