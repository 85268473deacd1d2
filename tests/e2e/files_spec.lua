-- Files and batches, which a provider keeps: whose they are, what stands in them, and what a batch's lines ask for.
local cjson = require("cjson")
local form = require("tests.e2e.kit.form")
local gateway = require("tests.e2e.kit.gateway")
local mime = require("mime")
local mock = require("tests.e2e.kit.mock")
local side = require("tests.e2e.kit.side")

local POLICIES, SOUND = side.POLICIES, side.SOUND
local m, g

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  g = gateway.start { mock = m, name = "files", policies = POLICIES }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function sent_body(since, n)
  local request = m:request(since, n)
  return request.body or mime.unb64(request.body_base64), request
end

describe("files and batches", function()
  local open, plain, masking -- without a budget; with rights alone; with rights and masks
  setup(function()
    local files = {}
    for name, text in pairs(POLICIES) do files[name] = text end
    files["init.lua"] = 'return chain { "auth", "access", "guards", "redaction" }'
    files["budget.lua"] = nil
    open = gateway.start { mock = m, name = "open", policies = files }
  end)
  setup(function()
    local files = { ["init.lua"] = 'return chain { "auth", "access" }' }
    for _, name in ipairs { "auth.lua", "access.lua", "models.lua" } do files[name] = POLICIES[name] end
    plain = gateway.start { mock = m, name = "plain", policies = files }
    files["init.lua"], files["redaction.lua"] = 'return chain { "auth", "access", "redaction" }', POLICIES["redaction.lua"]
    masking = gateway.start { mock = m, name = "masking", policies = files }
  end)
  teardown(function()
    if open then open:stop() end
    if plain then plain:stop() end
    if masking then masking:stop() end
  end)

  local function upload(gw, purpose, bytes, of)
    of = of or {}
    of.path = "/v1/files"
    of.type, of.json = form.of { { "purpose", purpose }, { "file", bytes, filename = "a.jsonl", type = "application/octet-stream" } }
    return gw:ask(of), of.json
  end

  local function line(model, text)
    return cjson.encode { custom_id = "1", method = "POST", url = "/v1/chat/completions",
      body = { model = model, messages = { { role = "user", content = text } } } } .. "\n"
  end

  it("of any kind are kept, byte for byte, by who may", function()
    local since = m:mark()
    local r, body = upload(g, "user_data", SOUND)
    assert.equal(200, r.status, r.body)
    local got, request = sent_body(since)
    assert.same({ "/v1/files", body }, { request.path, got })
    local record = g:record(r.id)
    assert.same({ "files", "ok", 0 }, { record.api, record.outcome, record.cost and record.cost.nano_usd or 0 })
    local sales = g:new_key { app = "other", department = "sales" }
    assert.equal(403, (upload(g, "user_data", SOUND, { key = sales })).status)
    assert.equal(403, (upload(g, "user_data", "a", { headers = { { "X-Moongate-Data", "restricted" } } })).status)
    assert.equal(401, (upload(g, "user_data", "a", { key = "mgk_nobody" })).status)
    assert.equal(1, #m:requests(since))
  end)

  it("that are texts are looked into, and masked", function()
    local since = m:mark()
    assert.equal("not_that", gateway.error_of((upload(g, "user_data", "of bluebird"))).code)
    assert.equal("not_that", gateway.error_of((upload(g, "batch", line("gpt-image-1", "of Bluebird")))).code)
    assert.equal(0, #m:requests(since))
    local r = upload(g, "user_data", "a\nof ana@example.com\r\n\"b\"\n")
    assert.equal(200, r.status, r.body)
    local got, request = sent_body(since)
    assert.equal("a\nof [email]\r\n\"b\"\n", form.parts(m:header(request, "content-type"), got)[2].value)
  end)

  it("that are texts in another encoding are refused where texts are looked into", function()
    local since = m:mark()
    local function wide(text) return (text:gsub(".", "%0\0")) end
    for _, bytes in ipairs { "\255\254" .. wide("ana@example.com"), wide("ana@example.com"), "caf\233 of ana@example.com" } do
      local r = upload(masking, "user_data", bytes)
      assert.same({ 415, "unreadable_text" }, { r.status, gateway.error_of(r).code })
      r = upload(g, "user_data", bytes) -- a guard may have missed its word
      assert.same({ 403, "not_that" }, { r.status, gateway.error_of(r).code })
      assert.equal(200, (upload(plain, "user_data", bytes)).status)
    end
    local type, body = form.of { { "purpose", "user_data" }, { "file", "\1\255 ana@example.com", filename = "a.txt", type = "text/plain" } }
    assert.equal(415, masking:ask({ path = "/v1/files", type = type, json = body }).status)
    assert.equal(403, g:ask({ path = "/v1/files", type = type, json = body }).status)
    assert.equal(200, (upload(g, "user_data", "%PDF-1.7\n%\255\254\1\0 ana@example.com")).status)
    assert.equal(4, #m:requests(since))
  end)

  it("for batches have lines whose models the caller may use there", function()
    local since = m:mark()
    local r, body = upload(g, "batch", line("gpt-image-1", "a") .. line("moderation", "b"))
    assert.equal(200, r.status, r.body)
    assert.equal(body, (sent_body(since)))
    for _, case in ipairs {
      { line("gpt-image-1", "a") .. line("gpt-5", "b"), 403, "'gpt-5'" },
      { line("paint", "a"), 403, "'paint'" }, -- our name, not the provider's
      { line("gpt-image-1", "a") .. "x\n", 400, "line 2" },
      { '{"body":{"model":"gpt-image-1","model":"gpt-5","messages":[]}}\n', 400, "twice" },
      { '{"body":{"messages":[]}}\n', 400, "line 1 of the batch's file: \"model\" is missing" }, { "\255\254", 400, "UTF-8" },
      { '{"body":{}}\n', 400, "names no \"url\"" }, { '{"url":"/v1/files","body":{}}\n', 400, "names no \"url\"" },
      { '{"url":"/v1/embeddings","body":{"model":"gpt-image-1","Model":"gpt-5","input":"a"}}', 400, "lower case" },
      { '{"url":"/v1/embeddings","body":{"model":"gpt-image-1","input":"a"},"Body":{}}', 400, "lower case" },
      { "[1]\n", 400, "no JSON object" },
      { line("gpt-image-1", { { type = "image_url", image_url = { url = "https://a.test/b.png" } } }), 403, "no_pictures" },
    } do
      r = upload(g, "batch", case[1])
      assert.equal(case[2], r.status, r.body)
      assert.truthy((gateway.error_of(r).message .. gateway.error_of(r).code):find(case[3], 1, true), r.body)
    end
    assert.equal(1, #m:requests(since))
  end)

  it("for batches are such whatever follows that word", function()
    for purpose, status in pairs { ["batch-api"] = 403, Batch = 403, user_data = 200 } do
      assert.equal(status, (upload(g, purpose, line("gpt-5", "b"))).status, purpose)
    end
    local type, body = form.of { { "purpose", "batch", filename = "p" }, { "file", line("gpt-5", "b"), filename = "a.jsonl" } }
    local r = g:ask { path = "/v1/files", type = type, json = body }
    assert.truthy(r.body:find('\\"purpose\\" must be a string', 1, true), r.body)
    type, body = form.of { { "purpose", "user_data" }, { "file", "of bluebird" } }
    assert.equal("not_that", gateway.error_of(g:ask { path = "/v1/files", type = type, json = body }).code)
  end)

  it("for batches name in their lines what is their own app's alone", function()
    local id = cjson.decode((upload(open, "user_data", "a")).body).id
    local other = open:new_key { app = "other", department = "engineering" }
    local since = m:mark()
    local function named(file, key)
      return (upload(open, "batch", line("gpt-image-1", { { type = "file", file = { file_id = file } } }), { key = key }))
    end
    local answered = cjson.encode { url = "/v1/responses", body = { model = "gpt-image-1", input = "a", previous_response_id = "resp_1" } }

    assert.equal(404, named(id, other).status)
    assert.equal(404, named("file-unheard").status)
    assert.equal("previous_response_not_found", gateway.error_of((upload(open, "batch", answered))).code)
    assert.equal(0, #m:requests(since))
    local r = named(id)
    assert.equal(200, r.status, r.body)
  end)

  it("for batches are read in turns, however long, where nobody scans them", function()
    local lines, one = {}, line("gpt-image-1", ("word "):rep(200))
    for i = 1, 12000 do lines[i] = one end
    local r = upload(plain, "batch", table.concat(lines))
    assert.equal(200, r.status, r.body)
    lines[#lines + 1] = line("gpt-5", "b")
    r = upload(plain, "batch", table.concat(lines))
    lines[#lines] = "x\n"
    local bad = upload(plain, "batch", table.concat(lines))
    assert.equal(403, r.status, r.body)
    assert.truthy(bad.body:find("line 12001 of", 1, true), bad.body)
  end)

  it("of another purpose, or for another endpoint, are no batch's", function()
    local other = cjson.encode { url = "/v1/embeddings", body = { model = "gpt-image-1", input = "a" } } .. "\n"
    local since = m:mark()
    local mixed = upload(open, "batch", line("gpt-image-1", "a") .. other)
    assert.truthy(mixed.status == 400 and mixed.body:find("line 2 of the batch's file is for another", 1, true), mixed.body)
    assert.equal(0, #m:requests(since))
    for _, case in ipairs { { "user_data", line("gpt-image-1", "a"), 400 }, { "batch", other, 400 }, { "batch", line("gpt-image-1", "a"), 200 } } do
      local id = cjson.decode((upload(open, case[1], case[2])).body).id
      since = m:mark()
      local r = open:ask { path = "/v1/batches", json = { input_file_id = id, endpoint = "/v1/chat/completions", completion_window = "24h" } }
      assert.equal(case[3], r.status, r.body)
      assert.equal(case[3] == 200 and 1 or 0, #m:requests(since))
      if r.status == 400 then assert.truthy(r.body:find("names no file whose lines are for that", 1, true), r.body) end
    end
  end)

  it("are their app's: a batch is made of its own file, where nobody counts its money", function()
    local id = cjson.decode((upload(open, "batch", line("gpt-image-1", "a"))).body).id
    local function batch(gw, file, key)
      return gw:ask { path = "/v1/batches", key = key, json = { input_file_id = file, endpoint = "/v1/chat/completions", completion_window = "24h" } }
    end
    local other = open:new_key { app = "other", department = "engineering" }
    local since = m:mark()
    assert.equal(404, batch(open, id, other).status)
    assert.equal(404, batch(open, "file-unheard").status)
    assert.equal(0, #m:requests(since))
    local r = batch(open, id)
    assert.equal(200, r.status, r.body)
    assert.same({ input_file_id = id, endpoint = "/v1/chat/completions", completion_window = "24h" }, cjson.decode((sent_body(since))))
    assert.equal("batches", open:record(r.id).api)
    local made = cjson.decode(r.body).id
    local function about(method, path, key) return open:ask { method = method, path = path, key = key } end
    since = m:mark()
    for _, path in ipairs { "/v1/files/" .. id, "/v1/files/" .. id .. "/content", "/v1/batches/" .. made } do
      assert.equal(404, about("GET", path, other).status)
    end
    assert.equal(0, #m:requests(since))
    for _, bytes in ipairs { '{"a":1}\n{"b":2}\n', 'data: {"error":1}\n\nrest', "\1\2" } do
      m:script { body = bytes, content_type = "application/octet-stream" }
      r = about("GET", "/v1/files/" .. id .. "/content")
      assert.same({ 200, bytes }, { r.status, r.body })
    end
    m:script { body = cjson.encode { id = made, object = "batch", status = "completed", output_file_id = "file-out", error_file_id = cjson.null } }
    assert.equal(404, about("GET", "/v1/files/file-out").status)
    assert.equal(200, about("GET", "/v1/batches/" .. made).status)
    m:script { body = cjson.encode { id = "file-out", object = "file" } }
    assert.equal(200, about("GET", "/v1/files/file-out").status)
    assert.equal(404, about("GET", "/v1/files/file-out", other).status)
    m:script { body = cjson.encode { id = made, object = "batch", status = "cancelling" } }
    assert.equal(200, about("POST", "/v1/batches/" .. made .. "/cancel").status)
    m:script { body = cjson.encode { id = id, object = "file", deleted = true } }
    assert.equal(200, about("DELETE", "/v1/files/" .. id).status)
    assert.equal(404, about("GET", "/v1/files/" .. id).status)
    r = batch(g, cjson.decode((upload(g, "batch", line("gpt-image-1", "a"))).body).id)
    assert.equal("unpriced", gateway.error_of(r).code)
    assert.truthy(r.body:find("no policy sees what a batch", 1, true), r.body)
  end)

  it("are listed for their app alone, in pages, and no provider is asked", function()
    local function app(name) return open:new_key { app = name, department = "engineering" } end
    local one, two, three = app("lists-one"), app("lists-two"), app("lists-three")
    local function list(key, query)
      local r = open:ask { method = "GET", path = "/v1/files" .. (query or ""), key = key }
      assert.equal(200, r.status, r.body)
      local page, ids = cjson.decode(r.body), {}
      for i, file in ipairs(page.data) do ids[i] = file.id end
      return ids, page, r
    end
    local made = {}
    for i = 1, 5 do
      local r = upload(open, "user_data", "a" .. i, { key = one })
      made[i] = cjson.decode(r.body).id
      open:record(r.id)
    end
    local r = upload(open, "user_data", "b", { key = two })
    local foreign = cjson.decode(r.body).id
    open:record(r.id)
    local since = m:mark()

    local ids, page
    ids, page, r = list(one)
    assert.same({ made[5], made[4], made[3], made[2], made[1] }, ids)
    assert.same({ "list", false, made[5], made[1] }, { page.object, page.has_more, page.first_id, page.last_id })
    assert.equal("file", page.data[1].object)
    assert.is_true(math.abs(page.data[1].created_at - os.time()) < 600)
    local record = open:record(r.id)
    assert.same({ "objects", "ok", 0 }, { record.api, record.outcome, record.cost and record.cost.nano_usd or 0 })
    ids, page = list(one, "?limit=2")
    assert.same({ { made[5], made[4] }, true }, { ids, page.has_more })
    ids, page = list(one, "?limit=3&after=" .. made[4])
    assert.same({ { made[3], made[2], made[1] }, false }, { ids, page.has_more })
    ids, page = list(one, "?order=asc&limit=1&after=" .. made[1])
    assert.same({ { made[2] }, true }, { ids, page.has_more })
    ids = list(one, "?limit=10000")
    assert.equal(5, #ids)
    ids = list(two)
    assert.same({ foreign }, ids)
    ids, page = list(three)
    assert.same({ {}, cjson.null, false }, { ids, page.first_id, page.has_more })

    for query, status in pairs { ["limit=0"] = 400, ["limit=x"] = 400, ["limit=10001"] = 400, ["order=up"] = 400,
      ["purpose=batch"] = 400, ["after=" .. foreign] = 404, ["after=file-unheard"] = 404 } do
      r = open:ask { method = "GET", path = "/v1/files?" .. query, key = one }
      assert.equal(status, r.status, query .. ": " .. r.body)
    end
    assert.equal(401, open:ask({ method = "GET", path = "/v1/files", key = "mgk_nobody" }).status)
    r = open:ask { method = "GET", path = "/v1/batches", key = one }
    assert.same({ 200, 0 }, { r.status, #cjson.decode(r.body).data })
    assert.equal(0, #m:requests(since))

    m:script { body = cjson.encode { id = made[3], object = "file", deleted = true } }
    r = open:ask { method = "DELETE", path = "/v1/files/" .. made[3], key = one }
    assert.equal(200, r.status, r.body)
    open:record(r.id)
    ids = list(one)
    assert.same({ made[5], made[4], made[2], made[1] }, ids)
  end)
end)
