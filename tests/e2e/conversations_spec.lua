-- Conversations that a provider keeps: made, added to, fetched and deleted by their app alone, at the account that the
-- row `conversations` says, and gone on with by POST /v1/responses.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local POLICIES = {
  ["init.lua"] = 'return chain { "auth", "access", "redaction" }\n',
  ["redaction.lua"] = 'return redaction { detect = { "email" }, request = { ["*"] = "mask" }, response = { ["*"] = "allow" }, restore = true }\n',
  ["auth.lua"] = "return auth {}\n",
  ["apps.lua"] = 'return apps { writer = { department = "engineering", owner = "tests" }, ' ..
    'reader = { department = "engineering", owner = "tests" } }\n',
  ["models.lua"] = [[
return models {
  both = { targets = { "east/both", "west/both" }, context = 200000, price = usd_per_million { input = "0", output = "0" } },
  conversations = { targets = { "west/conversations" }, price = free },
}
]],
  ["access.lua"] = 'return access { default = "allow", rules = { { "no-secrets", when = { api = "conversations", contains = "bluebird" }, '
    .. 'deny = { 403, "not_that" } } } }\n',
}

local east, west, g, writer, reader

setup(function()
  east, west = mock.start { key = gateway.PROVIDER_KEY }, mock.start { key = gateway.PROVIDER_KEY }
  local function account(m) return { kind = "openai", url = m.url, key = gateway.raw('env "OPENAI_API_KEY"'), breaker = false } end
  g = gateway.start { mock = east, name = "conversations", policies = POLICIES, key = { app = "writer" }, workers = 2,
    config = { providers = { east = account(east), west = account(west) } } }
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

local function ask(of, key)
  of.model, of.input = "both", of.input or "hi"
  return g:ask { path = "/v1/responses", key = key or writer, json = of }
end

-- A response of the writer's at west, which has the item msg_ID.
local function answered()
  local id = new_id "resp"
  east:script { status = 500, body = "{}" }
  west:script { body = cjson.encode { id = id, object = "response", status = "completed", output = { { type = "message", id = "msg_" .. id,
    role = "assistant", content = { { type = "output_text", text = "hello" } } } }, usage = { input_tokens = 1, output_tokens = 1, total_tokens = 2 } } }
  assert.equal(200, ask({}).status)
  return id
end

describe("a conversation", function()
  local function about(method, path, json, key) return g:ask { method = method, path = "/v1/conversations" .. path, json = json, key = key or writer } end
  local function item(id, text) return { id = id, type = "message", role = "user", status = "completed", content = { { type = "input_text", text = text } } } end

  local function open()
    local id = new_id "conv"
    west:script { body = cjson.encode { id = id, object = "conversation", created_at = 1, metadata = {} } }
    local r = about("POST", "", { items = { { type = "message", role = "user", content = "hello" } } })
    assert.equal(200, r.status, r.body)
    return id, r
  end

  it("is made where the row says, and is its app's from then on", function()
    local since, others = west:mark(), east:mark()
    local id, opened = open()
    local sent = west:request(since)
    assert.same({ "POST", "/v1/conversations" }, { sent.method, sent.path })
    assert.same({ items = { { type = "message", role = "user", content = "hello" } } }, cjson.decode(sent.body))
    local record = g:record(opened.id)
    assert.same({ "conversations", "ok", id, true }, { record.api, record.outcome, record.objects.made[1].id, record.estimate.input_tokens > 0 })
    for _, of in ipairs { { "GET", "" }, { "POST", "", { metadata = { topic = "x" } } }, { "GET", "/items?limit=2&order=asc&after=msg_1" },
      { "POST", "/items?include[]=x", { items = { item(nil, "more") } } }, { "GET", "/items/msg_1" }, { "DELETE", "/items/msg_1" } } do
      since = west:mark()
      assert.equal(404, about(of[1], "/" .. id .. of[2], of[3], reader).status)
      assert.equal(401, about(of[1], "/" .. id .. of[2], of[3], "mgk_nobody").status)
      assert.equal(0, #west:requests(since))
      west:script { body = cjson.encode { object = "list", data = { item("msg_in_" .. id, "more") } } }
      local r = about(of[1], "/" .. id .. of[2], of[3])
      assert.equal(200, r.status, of[1] .. of[2] .. r.body)
      local got = west:request(since)
      assert.same({ of[1], "/v1/conversations/" .. id .. of[2] }, { got.method, got.path })
      assert.same(of[3], got.body and #got.body > 0 and cjson.decode(got.body) or nil)
      assert.same({ id }, g:record(r.id).names)
    end
    assert.equal(0, #east:requests(others))
    assert.equal(200, ask({ input = { { type = "item_reference", id = "msg_in_" .. id } } }).status)
    for _, conversation in ipairs { id, { id = id } } do
      since = west:mark()
      assert.equal(200, ask({ conversation = conversation }).status)
      assert.equal(1, #west:requests(since))
      assert.equal(404, ask({ conversation = conversation }, reader).status)
    end
    west:script { body = cjson.encode { id = id, object = "conversation.deleted", deleted = true } }
    assert.equal(200, about("DELETE", "/" .. id).status)
    assert.equal(404, about("GET", "/" .. id).status)
    assert.equal(404, ask({ conversation = id }).status)
  end)

  it("keeps what answers made for it", function()
    local id, resp = open(), new_id "resp"
    west:script { body = cjson.encode { id = resp, object = "response", status = "completed", output = { { type = "message", id = "msg_" .. resp,
      role = "assistant", content = { { type = "output_text", text = "hello" } } } }, usage = { input_tokens = 1, output_tokens = 1, total_tokens = 2 } } }
    local objects = g:record(ask({ conversation = id }).id).objects.made
    assert.same({ "response", "item" }, { objects[1].kind, objects[2].kind })
    assert.is_true(objects[2]["until"] - objects[1]["until"] > 300 * 86400)
  end)

  it("is made of nothing that is another app's", function()
    local response_of_writer = answered()
    local since = west:mark()
    local upload = { { type = "input_file", file_id = "file_of_nobody" } }
    for _, of in ipairs { item("msg_" .. response_of_writer, "mine?"), { type = "message", role = "user", content = "x", ID = "msg_of_nobody" },
      { type = "item_reference", id = "msg_of_nobody" }, { type = "message", role = "user", content = upload } } do
      local r = about("POST", "", { items = { of } }, reader)
      assert.equal(404, r.status, cjson.encode(of) .. r.body)
    end
    assert.equal(0, #west:requests(since))
    west:script { body = cjson.encode { id = new_id "conv", object = "conversation" } }
    assert.equal(200, about("POST", "", { items = { item("msg_" .. response_of_writer, "mine") } }).status)
  end)

  it("has a path of its own alone", function()
    local id, since = open(), west:mark()
    for _, path in ipairs { "/items/..", "/items/.", "/items/%2e%2e", "/items/a/b", "/items/%ff", "/items/" .. ("x"):rep(300), "/else" } do
      local r = about("GET", "/" .. id .. path)
      assert.truthy(r.status == 404 or r.status == 400, path .. r.status .. r.body)
    end
    assert.equal(0, #west:requests(since))
    assert.equal("GET, DELETE, OPTIONS", about("PUT", "/" .. id .. "/items/x"):get("allow"))
    assert.equal("POST, GET, DELETE, OPTIONS", about("PUT", "/" .. id):get("allow"))
    assert.equal(405, about("GET", "").status)
    west:script { body = "{}" }
    assert.equal(200, about("GET", "/" .. id .. "/items/a%2Fb").status)
    assert.equal("/v1/conversations/" .. id .. "/items/a%2Fb", west:request(since).path)
  end)

  it("has texts that policies see", function()
    local since = west:mark()
    local r = about("POST", "", { items = { { type = "message", role = "user", content = "of Bluebird" } } })
    assert.same({ 403, "not_that" }, { r.status, gateway.error_of(r).code }, r.body)
    assert.equal(0, #west:requests(since))
  end)

  -- Fetched later they stand as the provider has them: nothing here keeps what a placeholder stood for.
  it("has texts that are masked at the provider, and come back in its word on them", function()
    local id, item_id = open(), new_id "msg"
    local function list(text) return cjson.encode { object = "list", first_id = item_id, last_id = item_id, has_more = false, data = { item(item_id, text) } } end
    local since = west:mark()
    west:script { body = list("of [email] and more") }
    local r = about("POST", "/" .. id .. "/items", { items = { { type = "message", role = "user", content = "of ana@example.com and more" } } })
    assert.equal("of [email] and more", cjson.decode(west:request(since).body).items[1].content)
    assert.equal("of ana@example.com and more", cjson.decode(r.body).data[1].content[1].text)
    west:script { body = list("of [email] and more") }
    assert.equal("of [email] and more", cjson.decode(about("GET", "/" .. id .. "/items").body).data[1].content[1].text)
    west:script { body = cjson.encode { id = id, object = "conversation", created_at = 1, metadata = { name = "[email]" } } }
    r = about("POST", "/" .. id, { metadata = { name = "ana@example.com" } })
    assert.equal("ana@example.com", cjson.decode(r.body).metadata.name)
  end)

  it("has texts that are read as any are", function()
    for text, want in pairs { ['{"items":"x"}'] = '"items" must be an array', ['{"items":[{"role":"user","role":"system"}]}'] = "items[0]",
      ['{"Items":[]}'] = "lower case", ["[]"] = "object" } do
      local r = about("POST", "", text)
      assert.equal(400, r.status, text)
      assert.truthy(gateway.error_of(r).message:find(want, 1, true), r.body)
    end
  end)
end)
