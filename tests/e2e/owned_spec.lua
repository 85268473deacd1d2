-- Objects that a provider keeps: they are the app's that made them, and lie at the account that has them, whichever
-- worker is asked next, and after a crash and a restart.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access" }\n',
  ["auth.lua"] = "return auth {}\n",
  ["apps.lua"] = 'return apps { writer = { department = "engineering", owner = "tests", ' ..
    'objects = { west = { "vs_docs", "file-prices" }, east = { "vs_east" } } }, ' ..
    'reader = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = [[
return models {
  both = { targets = { "east/both", "west/both" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  east = { targets = { "east/east" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  west = { targets = { "west/west" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  claude = { targets = { "claude/claude" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
}
]],
  ["access.lua"] = [[
return access { default = "allow", rules = {
  { "nothing-kept", when = { uses = "stored", model = "claude", user = "careful" }, deny = { 403, "stored" } },
} }
]],
}

local east, west, g, writer, reader

local function start(name, more)
  local function account(m, kind) return { kind = kind or "openai", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } end
  local options = { mock = east, name = "owned-" .. name, policies = POLICIES, key = { app = "writer" }, workers = 2,
    config = { providers = { east = account(east), west = account(west), claude = account(east, "anthropic") } } }
  for field, value in pairs(more or {}) do options[field] = value end
  return gateway.start(options)
end

setup(function()
  east, west = mock.start { key = gateway.PROVIDER_KEY }, mock.start { key = gateway.PROVIDER_KEY }
  g = start "one"
  writer, reader = g.key, (g:new_key { app = "reader" })
  expect.eventually(function() return g:ask({ path = "/v1/models", key = reader, method = "GET" }).status == 200 end)
end)
teardown(function()
  if g then g:stop() end
  east:stop()
  west:stop()
end)
before_each(function()
  east:reset()
  west:reset()
end)

local made = 0
local function new_id(kind)
  made = made + 1
  return ("%s_%08x%d"):format(kind, math.random(0, 2 ^ 31 - 1), made)
end

local function response(id, more)
  local r = { id = id, object = "response", status = "completed", model = "m", output = { { type = "message", id = "msg_" .. id,
    role = "assistant", status = "completed", content = { { type = "output_text", text = "hello", annotations = {} } } } },
    usage = { input_tokens = 1, output_tokens = 1, total_tokens = 2 } }
  for name, value in pairs(more or {}) do r[name] = value end
  return r
end

local function stream_of(events)
  local texts = {}
  for i, event in ipairs(events) do texts[i] = ("event: %s\ndata: %s\n\n"):format(event.type, cjson.encode(event)) end
  return { body = table.concat(texts), content_type = "text/event-stream" }
end

local function streamed(id)
  return stream_of { { type = "response.created", response = response(id, { status = "in_progress", output = cjson.empty_array }) },
    { type = "response.output_text.delta", output_index = 0, content_index = 0, item_id = "msg_" .. id, delta = "hello" },
    { type = "response.completed", response = response(id) } }
end

local function ask(of, key, at)
  of.model, of.input = of.model or "both", of.input or "hi"
  return (at or g):ask { path = "/v1/responses", key = key or writer, json = of }
end

local function make(m, id, of, at)
  m:script(of and of.stream and streamed(id) or { body = cjson.encode(response(id)) })
  of = of or {}
  of.model = m == east and "east" or "west"
  local r = ask(of, nil, at)
  assert.equal(200, r.status, r.body)
  return id, r
end

local function seen(m, since) return #m:requests(since) end

describe("a response", function()
  for _, is_stream in ipairs { false, true } do
    it(("is gone on with at the account that has it (stream: %s)"):format(tostring(is_stream)), function()
      for _, m in ipairs { west, east, west, west } do
        local id, r = make(m, new_id "resp", is_stream and { stream = true } or nil)
        local other = m == west and east or west
        local since, others = m:mark(), other:mark()
        assert.equal(200, ask({ previous_response_id = id }).status)
        assert.same({ 1, 0 }, { seen(m, since), seen(other, others) })
        assert.equal(id, cjson.decode(m:request(since).body).previous_response_id)
        local record = g:record(r.id)
        assert.same({ "app:writer", id }, { record.objects.owner, record.objects.made[1].id })
      end
    end)
  end

  it("of another app is refused as one that is not there, before the provider has a byte", function()
    local id = make(west, new_id "resp")
    local since, others = east:mark(), west:mark()
    local of_other, of_nobody = ask({ previous_response_id = id }, reader), ask({ previous_response_id = new_id "resp" }, reader)
    for _, r in ipairs { of_other, of_nobody } do
      assert.equal(400, r.status, r.body)
      local err = gateway.error_of(r)
      assert.same({ "invalid_request_error", "previous_response_not_found" }, { err.type, err.code })
      assert.truthy(err.message:find("not found", 1, true))
    end
    assert.same({ 0, 0 }, { seen(east, since), seen(west, others) })
    assert.same({ id }, g:record(of_other.id).names)
    assert.equal("previous_response_not_found", g:record(of_other.id).fault.code)
  end)

  it("that is not to be kept is nobody's", function()
    local id = make(west, new_id "resp", { store = false })
    assert.equal(400, ask({ previous_response_id = id }).status)
  end)

  it("is at no account that the model may go to: refused, and said", function()
    local id, since = make(west, new_id "resp"), east:mark()
    local r = ask { model = "east", previous_response_id = id }
    assert.same({ 400, "object_elsewhere" }, { r.status, gateway.error_of(r).code }, r.body)
    assert.equal(0, seen(east, since))
    local trace = g:record(r.id).trace
    assert.same({ "objects", "east/east", "pass_over" }, { trace[#trace].policy, trace[#trace].rule, trace[#trace].verb })
  end)

  it("goes to nobody else when its account fails", function()
    local id, since = make(east, new_id "resp"), west:mark()
    east:script { status = 503, body = "{}" }
    assert.equal(503, ask({ previous_response_id = id }).status)
    assert.equal(0, seen(west, since))
  end)

  it("of two accounts are in no one's hands", function()
    local one, two = make(east, new_id "resp"), make(west, new_id "resp")
    local r = ask { previous_response_id = one, input = { { type = "item_reference", id = "msg_" .. two } } }
    assert.same({ 400, "object_elsewhere" }, { r.status, gateway.error_of(r).code }, r.body)
  end)

  it("is known to each worker the moment its answer has ended", function()
    for _ = 1, 40 do
      local id = make(west, new_id "resp", { stream = true })
      assert.equal(200, ask({ model = "west", previous_response_id = id }).status)
    end
  end)
end)

describe("a side door", function()
  local function file(id) return { { role = "user", content = { { type = "file", file = { file_id = id } } } } } end
  local doors = {
    chat_file = { "/v1/chat/completions", function(id) return { messages = file(id) } end },
    chat_File = { "/v1/chat/completions", function(id)
      return { messages = { { role = "user", content = { { type = "file", file = { ["File_ID"] = id } } } } } } end },
    chat_audio = { "/v1/chat/completions", function(id) return { messages = { { role = "assistant", audio = { id = id } } } } end },
    message_file = { "/v1/messages", function(id) return { max_tokens = 9, messages = { { role = "user",
      content = { { type = "document", source = { type = "file", file_id = id } } } } } } end },
    message_upload = { "/v1/messages", function(id) return { max_tokens = 9, messages = { { role = "user",
      content = { { type = "container_upload", file_id = id } } } } } end },
    message_result = { "/v1/messages", function(id) return { max_tokens = 9, messages = { { role = "user",
      content = { { type = "tool_result", tool_use_id = "t", content = { { type = "image", source = { type = "file", file_id = id } } } } } } } } end },
    message_container = { "/v1/messages", function(id) return { max_tokens = 9, container = id, messages = { { role = "user", content = "x" } } } end },
    message_container_object = { "/v1/messages", function(id)
      return { max_tokens = 9, container = { id = id }, messages = { { role = "user", content = "x" } } } end },
    message_skill = { "/v1/messages", function(id) return { max_tokens = 9, container = { skills = { { type = "custom", skill_id = id } } },
      messages = { { role = "user", content = "x" } } } end },
    counted_file = { "/v1/messages/count_tokens", function(id) return { messages = { { role = "user",
      content = { { type = "document", source = { type = "file", file_id = id } } } } } } end },
    response_previous = { "/v1/responses", function(id) return { input = "x", previous_response_id = id } end },
    response_conversation = { "/v1/responses", function(id) return { input = "x", conversation = id } end },
    response_conversation_object = { "/v1/responses", function(id) return { input = "x", conversation = { id = id } } end },
    response_item = { "/v1/responses", function(id) return { input = { { type = "item_reference", id = id } } } end },
    response_bare_item = { "/v1/responses", function(id) return { input = { { id = id } } } end },
    response_file = { "/v1/responses", function(id) return { input = { { role = "user", content = { { type = "input_file", file_id = id } } } } } end },
    response_image = { "/v1/responses", function(id) return { input = { { role = "user", content = { { type = "input_image", file_id = id } } } } } end },
    response_output = { "/v1/responses", function(id) return { input = { { type = "computer_call_output", call_id = "c",
      output = { type = "computer_screenshot", file_id = id } } } } end },
    response_replayed = { "/v1/responses", function(id) return { input = { { type = "code_interpreter_call", id = "ci_1", container_id = id } } } end },
    response_container = { "/v1/responses", function(id) return { input = "x", tools = { { type = "code_interpreter", container = id } } } end },
    response_files = { "/v1/responses", function(id) return { input = "x", tools = { { type = "code_interpreter",
      container = { type = "auto", file_ids = { id } } } } } end },
    response_shell = { "/v1/responses", function(id) return { input = "x", tools = { { type = "shell",
      environment = { type = "container_reference", container_id = id } } } } end },
    response_nested = { "/v1/responses", function(id) return { input = "x", tools = { { type = "namespace", name = "n", description = "d",
      tools = { { type = "file_search", vector_store_ids = { id } } } } } } end },
    response_store = { "/v1/responses", function(id) return { input = "x", tools = { { type = "file_search", vector_store_ids = { id } } } } end },
    response_mask = { "/v1/responses", function(id) return { input = "x", tools = { { type = "image_generation", input_image_mask = { file_id = id } } } } end },
    response_input_tokens = { "/v1/responses/input_tokens", function(id) return { input = "x", previous_response_id = id } end },
    response_compact = { "/v1/responses/compact", function(id) return { input = "x", previous_response_id = id } end },
  }

  for name, door in pairs(doors) do
    it(name .. " lets nobody in with another app's id", function()
      local id = make(east, new_id "resp")
      local since, others = east:mark(), west:mark()
      local of = door[2](id)
      of.model = door[1]:find("messages", 1, true) and "claude" or "both"
      local r = g:ask { path = door[1], key = reader, json = of }
      assert.truthy(r.status == 400 or r.status == 404, r.body)
      assert.truthy(r.body:find(id, 1, true), r.body)
      assert.same({ 0, 0 }, { seen(east, since), seen(west, others) })
    end)
  end

  it("is none where names are the caller's own", function()
    local of = { model = "claude", max_tokens = 9, tools = { { name = "t", input_schema = { type = "object", properties = { file_id = { type = "string" } },
      default = { file_id = "f_1" } }, input_examples = { { file_id = "f_1" } } } }, messages = { { role = "user", content = "x" },
      { role = "assistant", content = { { type = "tool_use", id = "t_1", name = "t", input = { file_id = "f_1", container = "c_1" } } } },
      { role = "user", content = { { type = "tool_result", tool_use_id = "t_1", content = "y" } } } },
      container = { skills = { { type = "anthropic", skill_id = "pptx", version = "latest" } } } }
    local since = east:mark()
    assert.equal(200, g:ask({ path = "/v1/messages", key = reader, json = of }).status)
    assert.equal(1, seen(east, since))
  end)
end)

describe("what apps.lua shares with an app", function()
  local function search(...) return { tools = { { type = "file_search", vector_store_ids = { ... } } } } end

  it("is named by it alone, at the account that has it", function()
    local others = east:mark()
    west:script { body = cjson.encode(response(new_id "resp")) }
    local r = ask(search("vs_docs"))
    assert.equal(200, r.status, r.body)
    assert.equal(0, seen(east, others))
    local said = g:command("explain", r.id)
    assert.truthy(said:find("shared with  writer: vs_docs, at west, is one of the app's objects", 1, true), said)
    r = ask(search("vs_docs"), reader)
    assert.same({ 404, "No such store object: vs_docs" }, { r.status, gateway.error_of(r).message })
    assert.equal(404, ask(search("vs_docs", "vs_other")).status)
    assert.truthy(gateway.error_of(ask(search("vs_docs", "vs_east"))).message:find("different providers", 1, true))
    west:script { body = cjson.encode(response(new_id "resp")) }
    assert.equal(200, ask({ input = { { role = "user", content = { { type = "input_file", file_id = "file-prices" } } } } }).status)
  end)

  it("goes together with its own", function()
    local id = make(west, new_id "resp")
    west:script { body = cjson.encode(response(new_id "resp")) }
    local of = search("vs_docs")
    of.previous_response_id = id
    assert.equal(200, ask(of).status)
  end)

  it("is not its own: it neither fetches it nor takes it away", function()
    local since = west:mark()
    for _, method in ipairs { "GET", "DELETE" } do
      assert.equal(404, g:ask({ method = method, path = "/v1/files/file-prices", key = writer }).status)
    end
    assert.equal(0, seen(west, since))
  end)
end)

describe("items of an answer", function()
  it("are their app's, however many, as long as the response is, or the conversation that they were made for", function()
    local id, output = new_id "resp", {}
    for i = 1, 80 do
      output[i] = { type = "message", id = ("msg_%s_%d"):format(id, i), role = "assistant", status = "completed",
        content = { { type = "output_text", text = "a", annotations = {} } } }
    end
    west:script { body = cjson.encode(response(id, { output = output })) }
    local r = ask { model = "west" }
    assert.equal(200, r.status, r.body)
    local objects = g:record(r.id).objects.made
    assert.equal(81, #objects)
    for _, object in ipairs(objects) do assert.is_true(math.abs(object["until"] - objects[1]["until"]) <= 1, object.id) end
    for _, item in ipairs { output[1].id, output[80].id } do
      local of = { model = "west", input = { { type = "item_reference", id = item } } }
      west:script { body = cjson.encode(response(new_id "resp")) }
      assert.equal(200, ask(of).status, item)
      assert.equal(404, ask(of, reader).status, item)
    end
  end)
end)

describe("what code made", function()
  it("is its app's: container and files, whole and in a stream", function()
    local ids = { new_id "container", new_id "file", new_id "container", new_id "file" }
    local function block(file) return { type = "bash_code_execution_tool_result", tool_use_id = "s",
      content = { type = "bash_code_execution_result", stdout = "", content = { { type = "bash_code_execution_output", file_id = file } } } } end
    local of = { model = "claude", max_tokens = 9, tools = { { type = "code_execution_20250825", name = "code_execution" } },
      messages = { { role = "user", content = "x" } } }
    local tool_use = { type = "tool_use", id = "t", name = "t", input = { file_id = "file_of_nobody" } }
    east:script { body = cjson.encode { type = "message", id = "msg_1", role = "assistant", model = "m", stop_reason = "end_turn",
      content = { block(ids[2]), tool_use }, container = { id = ids[1], expires_at = "2030-01-01T00:00:00Z" },
      usage = { input_tokens = 1, output_tokens = 1 } } }
    assert.equal(200, g:ask({ path = "/v1/messages", json = of }).status)
    east:script(stream_of {
      { type = "message_start", message = { type = "message", id = "msg_2", role = "assistant", model = "m", content = cjson.empty_array,
        usage = { input_tokens = 1, output_tokens = 1 } } },
      { type = "content_block_start", index = 0, content_block = block(ids[4]) }, { type = "content_block_stop", index = 0 },
      { type = "message_delta", delta = { stop_reason = "end_turn", container = { id = ids[3] } }, usage = { output_tokens = 1 } },
      { type = "message_stop" } })
    of.stream = true
    assert.equal(200, g:ask({ path = "/v1/messages", json = of }).status)
    for i, id in ipairs(ids) do
      local named = { model = "claude", max_tokens = 9, messages = { { role = "user", content = "x" } } }
      if i % 2 == 1 then named.container = id
      else named.messages[1].content = { { type = "container_upload", file_id = id } } end
      assert.equal(200, g:ask({ path = "/v1/messages", json = named }).status, id)
      assert.equal(404, g:ask({ path = "/v1/messages", key = reader, json = named }).status, id)
    end
    local r = g:ask { path = "/v1/messages", json = { model = "claude", max_tokens = 9, messages = { { role = "user",
      content = { { type = "container_upload", file_id = "file_of_nobody" } } } } } }
    assert.same({ 404, "not_found_error" }, { r.status, cjson.decode(r.body).error.type })
  end)
end)

describe("a policy", function()
  it("sees that something is named", function()
    local key = g:new_key { app = "writer", user = "careful" }
    expect.eventually(function() return g:ask({ path = "/v1/models", key = key, method = "GET" }).status == 200 end)
    local r = g:ask { path = "/v1/messages", key = key, json = { model = "claude", max_tokens = 9, messages = { { role = "user",
      content = { { type = "container_upload", file_id = "f_1" } } } } } }
    assert.equal(403, r.status, r.body)
  end)
end)

describe("what is kept", function()
  local function about(method, id, rest, key) return g:ask { method = method, path = "/v1/responses/" .. id .. (rest or ""), key = key or writer } end

  it("is fetched, listed, cancelled and deleted at its account, for its app alone", function()
    local id = make(west, new_id "resp")
    local others = east:mark()
    for _, of in ipairs { { "GET", "", "" }, { "GET", "?include%5B%5D=a&api-key=secret&stream=false", "?include%5B%5D=a&stream=false" },
      { "GET", "/input_items?limit=2&order=asc", "/input_items?limit=2&order=asc" }, { "POST", "/cancel", "/cancel" } } do
      local since = west:mark()
      assert.equal(404, about(of[1], id, of[2], reader).status)
      assert.equal(401, about(of[1], id, of[2], "mgk_nobody").status)
      assert.equal(0, seen(west, since))
      west:script { body = cjson.encode(response(id)) }
      local r = about(of[1], id, of[2])
      assert.equal(200, r.status, r.body)
      assert.equal(id, cjson.decode(r.body).id)
      local got = west:request(since)
      assert.same({ of[1], "/v1/responses/" .. id .. of[3] }, { got.method, got.path })
      local record = g:record(r.id)
      assert.same({ "objects", "ok", "west", { id } }, { record.api, record.outcome, record.provider, record.names })
      local cost = type(record.cost) == "table" and record.cost.nano_usd or 0
      assert.same({ 0, nil }, { cost, next(record.billed or {}) })
    end
    assert.equal(405, about("PUT", id).status)
    assert.equal("GET, DELETE, OPTIONS", about("PUT", id):get("allow"))
    assert.equal(404, about("DELETE", id, "", reader).status)
    west:script { status = 500, body = "{}" }
    assert.equal(500, about("DELETE", id).status)
    assert.equal(200, ask({ previous_response_id = id }).status)
    west:script { body = cjson.encode { id = id, object = "response.deleted", deleted = true } }
    local r = about("DELETE", id)
    assert.equal(200, r.status)
    assert.same({ id }, g:record(r.id).objects.gone)
    assert.equal(400, ask({ previous_response_id = id }).status)
    assert.equal(404, about("GET", id).status)
    assert.equal(0, seen(east, others))
  end)

  it("is streamed from where it was left", function()
    local id = make(east, new_id "resp")
    local since = east:mark()
    east:script(streamed(id))
    local r = about("GET", id, "?stream=true&starting_after=1")
    assert.equal(200, r.status)
    assert.truthy(r.body:find("response.completed", 1, true))
    assert.equal("/v1/responses/" .. id .. "?stream=true&starting_after=1", east:request(since).path)
  end)

  it("has an id that is no path", function()
    local since = east:mark()
    for _, id in ipairs { "..", "a%2Fb", "a%2f..%2ffiles", "%zz", ("x"):rep(300) } do
      local r = about("GET", id)
      assert.truthy(r.status == 404 or r.status == 400, r.body)
    end
    assert.equal(0, seen(east, since))
  end)
end)

describe("where answers are judged", function()
  local function fetch_with(name, policy, chain)
    local files = {}
    for file, text in pairs(POLICIES) do files[file] = text end
    files["init.lua"], files["x.lua"] = chain or 'return chain { "auth", "x", "access" }\n', policy
    local other = start(name, { policies = files })
    west:script(streamed("resp_judged"))
    local r = other:ask { path = "/v1/responses", json = { model = "west", input = "x", stream = true } }
    assert.equal(200, r.status)
    local since = west:mark()
    local got = other:ask { method = "GET", path = "/v1/responses/resp_judged" }
    assert.equal(0, seen(west, since))
    west:script { body = "{}" }
    assert.equal(200, other:ask({ method = "DELETE", path = "/v1/responses/resp_judged" }).status)
    other:stop()
    return got
  end

  it("nothing is fetched that they would not see", function()
    for name, policy in pairs {
      hook = "return policy { on_response = function(ctx) return nil end }",
      delta = "return policy { on_delta = function(ctx, text) return nil end }",
      masks = 'return redaction { detect = { "email" }, response = { ["*"] = "mask" } }' } do
      local r = fetch_with(name, policy)
      assert.same({ 403, "answers_are_judged" }, { r.status, gateway.error_of(r).code }, r.body)
    end
  end)
end)

describe("limits", function()
  it("count what is asked about objects, too", function()
    local files = {}
    for file, text in pairs(POLICIES) do files[file] = text end
    files["init.lua"] = 'return chain { "auth", "access", "ratelimit" }\n'
    files["ratelimit.lua"] = 'return ratelimit { limits = { { "few", requests = 2, per = "1h", burst = 2, when = { app = "writer" } } } }\n'
    local other = start("limits", { policies = files })
    for _, status in ipairs { 404, 404, 429 } do
      assert.equal(status, other:ask({ method = "GET", path = "/v1/responses/resp_x" }).status)
    end
    other:stop()
  end)
end)

describe("while the ledger cannot be asked", function()
  it("what is not known without it is refused, and never let pass", function()
    local signal = require("posix.signal")
    local function account(m) return { kind = "openai", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } end
    local other = start("no-ledger", { config = { ledger = { durability = "async" },
      providers = { east = account(east), west = account(west), claude = account(east) } } })
    local function known(id) return ask({ previous_response_id = id }, other.key, other) end
    west:script { body = cjson.encode(response "resp_known") }
    assert.equal(200, ask({ model = "west" }, other.key, other).status)
    local ledger = other:listen().ledger_pid
    signal.kill(ledger, signal.SIGSTOP)
    local since = west:mark()
    local r = known "resp_of_nobody"
    assert.same({ 503, "objects_unavailable" }, { r.status, gateway.error_of(r).code }, r.body)
    assert.equal(200, known("resp_known").status)
    assert.equal(1, seen(west, since))
    signal.kill(ledger, signal.SIGCONT)
    expect.eventually(function() return known("resp_of_nobody").status == 400 end)
    other:stop()
  end)
end)

describe("after", function()
  it("the death of a worker, of the ledger, and of all, it is known still", function()
    local ids = {}
    for i = 1, 6 do ids[i] = make(i % 2 == 0 and east or west, new_id "resp") end
    local function all_known()
      for i, id in ipairs(ids) do
        local m = i % 2 == 0 and east or west
        local since = m:mark()
        assert.equal(200, ask({ previous_response_id = id }).status)
        assert.equal(1, seen(m, since))
        assert.equal(400, ask({ previous_response_id = id }, reader).status)
      end
    end
    g:kill_ledger()
    all_known()
    g:reload()
    all_known()
    local signal = require("posix.signal")
    for _, pid in ipairs(g:pids()) do signal.kill(pid, signal.SIGKILL) end
    g:signal(signal.SIGKILL)
    expect.eventually(function() return g.process:wait(0) end)
    g:run()
    all_known()
  end)
end)
