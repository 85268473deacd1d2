-- The APIs beside chats: moderations, rerank, images, speech, transcriptions. Each is governed as chats are, on every
-- path of the gateway's own table: a stranger, a caller without right, data of too high a class, an empty budget reach
-- nobody; what is let through goes byte for byte but for what policies change, and is counted, paid and recorded.
local cjson = require("cjson")
local calls = require("tests.e2e.kit.calls")
local client = require("tests.e2e.kit.client")
local form = require("tests.e2e.kit.form")
local gateway = require("tests.e2e.kit.gateway")
local mime = require("mime")
local mock = require("tests.e2e.kit.mock")
local side = require("tests.e2e.kit.side")

local POLICIES, SOUND = side.POLICIES, side.SOUND
local m, g

setup(function()
  m = mock.start { key = gateway.PROVIDER_KEY }
  g = gateway.start { mock = m, name = "side", policies = POLICIES }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)
before_each(function() m:reset() end)

local function heard(parts, of)
  parts[#parts + 1] = { "file", SOUND, filename = "talk of ana@example.com.mp3", type = "audio/mpeg" }
  of = of or {}
  of.path = of.path or "/v1/audio/transcriptions"
  of.type, of.json = form.of(parts)
  return g:ask(of), of.json
end

local function sent_body(since, n)
  local request = m:request(since, n)
  return request.body or mime.unb64(request.body_base64), request
end

local function usd(record) return record.cost.nano_usd / 1e9 end

describe("every path", function()
  local function all(ask, check)
    local since = m:mark()
    local count = 0
    local list = calls.all()
    for _, call in ipairs(calls.kept()) do list[#list + 1] = call end
    for _, call in ipairs(list) do
      for _, stream in ipairs { false, true } do
        local of = calls.of(call, "dear", stream)
        ask(of)
        local r = g:ask(of)
        check(r, call.path .. ": " .. tostring(r.body))
        count = count + 1
      end
    end
    assert.is_true(count >= 52)
    assert.equal(0, #m:requests(since))
    assert.equal(0, m:bytes_seen(since))
  end

  it("refuses a stranger", function()
    all(function(of) of.key = "mgk_nobody" end, function(r, where) assert.equal(401, r.status, where) end)
  end)

  it("refuses who may not use the model", function()
    local key = g:new_key { app = "code-assistant", department = "sales", user = "bob" }
    all(function(of) of.key = key end, function(r, where)
      assert.equal(403, r.status, where)
      assert.truthy(r.body:find("department_not_authorized", 1, true), where)
    end)
  end)

  it("refuses data of a class above the model's", function()
    all(function(of) of.headers = { { "X-Moongate-Data", "restricted" } } end, function(r, where)
      assert.equal(403, r.status, where)
      assert.truthy(r.body:find("data_not_allowed", 1, true), where)
    end)
  end)
end)

describe("moderations", function()
  it("are answered, recorded and cost nothing", function()
    local since = m:mark()
    local body = '{ "model": "judge", "input": [ "one", "two" ] }'
    local r = g:ask { path = "/v1/moderations", json = body }
    assert.equal(200, r.status, r.body)
    assert.equal(2, #cjson.decode(r.body).results)
    assert.equal((body:gsub('"judge"', '"moderation"')), (sent_body(since)))
    local record = g:record(r.id)
    assert.same({ "moderations", "ok", 0, 2 }, { record.api, record.outcome, record.cost.nano_usd, record.estimate.input_tokens })
  end)

  it("are looked into, parts too", function()
    local since = m:mark()
    for _, input in ipairs { '"of Bluebird"', '["a", "blue\\u0062ird"]', '[{"type":"text","text":"bluebird"}]' } do
      local r = g:ask { path = "/v1/moderations", json = '{"model":"judge","input":' .. input .. "}" }
      assert.equal(403, r.status, input)
      assert.equal("not_that", gateway.error_of(r).code)
    end
    assert.equal(0, #m:requests(since))
  end)
end)

describe("rerank", function()
  it("is paid by tokens, or by searches, at each of its paths", function()
    for _, path in ipairs { "/v1/rerank", "/v2/rerank", "/rerank" } do
      local since = m:mark()
      local r = g:ask { path = path, json = { model = "rank", query = "a b", documents = { "c", "d e f" } } }
      assert.equal(200, r.status, r.body)
      assert.equal("/v1/rerank", m:request(since).path)
      local record = g:record(r.id)
      assert.same({ "rerank", 6, 6000000 }, { record.api, record.usage.input_tokens, record.cost.nano_usd })
    end
    local r = g:ask { path = "/v2/rerank", json = { model = "units", query = "a", documents = { "c" } } }
    assert.equal(200, r.status, r.body)
    assert.equal(2000000, g:record(r.id).cost.nano_usd)
  end)

  it("has its question and its documents masked, and looked into", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/rerank", json = '{"model":"rank","query":"of ana@example.com","documents":["a",{"text":"bob@example.com","image":"x"}]}' }
    assert.equal(200, r.status, r.body)
    assert.equal('{"model":"ranker","query":"of [email]","documents":["a",{"text":"[email_2]","image":"x"}]}', (sent_body(since)))
    assert.equal(403, g:ask({ path = "/v1/rerank", json = { model = "rank", query = "bluebird", documents = { "a" } } }).status)
    assert.equal(403, g:ask({ path = "/v1/rerank", json = { model = "rank", query = "a", documents = { { text = "bluebird" } } } }).status)
  end)
end)

describe("images", function()
  it("are paid by their tokens, or by the piece", function()
    local r = g:ask { path = "/v1/images/generations", json = { model = "brush", prompt = "a red fox", n = 2 } }
    assert.equal(200, r.status, r.body)
    assert.equal(2, #cjson.decode(r.body).data)
    local record = g:record(r.id)
    assert.same({ "images", "paint" }, { record.api, record.model })
    assert.equal((3 * 5 + 2 * 272 * 40) / 1e6, usd(record))
    r = g:ask { path = "/v1/images/generations", json = { model = "paint-old", prompt = "a red fox", n = 3 } }
    record = g:record(r.id)
    assert.equal(0.12, usd(record))
    assert.equal(3, record.billed.images)
  end)

  it("want a model that is named", function()
    for _, path in ipairs { "/v1/images/generations", "/v1/moderations" } do
      local r = g:ask { path = path, json = { prompt = "a", input = "a" } }
      assert.equal(400, r.status, r.body)
      assert.truthy(r.body:find("GET /v1/models lists", 1, true), r.body)
    end
  end)

  it("are streamed as they come, each event", function()
    local since = m:mark()
    local body = '{"model":"paint","prompt":"a","n":2,"stream":true,"partial_images":1}'
    local r = g:ask { path = "/v1/images/generations", json = body }
    assert.equal(200, r.status, r.body)
    assert.equal((body:gsub('"paint"', '"gpt-image-1"')), (sent_body(since)))
    local direct = client.ask(m.port, { path = "/v1/images/generations", key = gateway.PROVIDER_KEY, json = (body:gsub('"paint"', '"gpt-image-1"')) })
    assert.equal(direct.body, r.body)
    local record = g:record(r.id)
    assert.same({ "ok", true, (1 * 5 + 544 * 40) / 1e6 }, { record.outcome, record.stream, usd(record) })
  end)

  it("that end before the last picture are cut", function()
    m:script { cut = "fin", cut_event = 1 }
    local r = g:ask { path = "/v1/images/generations", json = { model = "paint", prompt = "a", stream = true } }
    assert.truthy(client.last_event(r).data:find('"error"', 1, true), r.body)
    assert.equal("stream_incomplete", g:record(r.id).outcome)
  end)

  it("without a price for pictures are refused under a budget", function()
    local since = m:mark()
    local r = g:ask { path = "/v1/images/generations", json = { model = "unpriced", prompt = "a" } }
    assert.equal(403, r.status, r.body)
    assert.equal("unpriced", gateway.error_of(r).code)
    assert.truthy(gateway.error_of(r).message:find("per_image or image_output", 1, true), r.body)
    assert.equal(0, #m:requests(since))
  end)

  it("are edited from forms, whose pictures go unchanged", function()
    local since = m:mark()
    local parts = { { "image[]", "\137PNG\r\n\26\n\0one", filename = "1.png", type = "image/png" }, { "model", "paint" },
      { "image[]", "\137PNG two", filename = "2.png", type = "image/png" }, { "n", "2" }, { "prompt", "like ana@example.com" } }
    local type, body = form.of(parts)
    local r = g:ask { path = "/v1/images/edits", type = type, json = body }
    assert.equal(200, r.status, r.body)
    local got, request = sent_body(since)
    assert.equal(type, m:header(request, "content-type"))
    assert.equal((body:gsub("paint\r", "gpt-image-1\r"):gsub("ana@example.com", "[email]")), got)
    local record = g:record(r.id)
    assert.same({ "images" }, record.facts.uses)
    assert.equal((2 * 5 + 544 * 40) / 1e6, usd(record))
    type, body = form.of { { "image", "\137PNG", filename = "1.png" }, { "model", "paint-old" } }
    r = g:ask { path = "/v1/images/variations", type = type, json = body }
    assert.equal(200, r.status, r.body)
    assert.equal(0.04, usd(g:record(r.id)))
  end)
end)

describe("speech", function()
  it("comes byte for byte, whatever it looks like, and is paid by its characters", function()
    local r = g:ask { path = "/v1/audio/speech", json = { model = "say", input = "grüß dich", voice = "alloy" } }
    local direct = client.ask(m.port, { path = "/v1/audio/speech", key = gateway.PROVIDER_KEY, json = { model = "x", input = "grüß dich" } })
    assert.same({ 200, "audio/mpeg", direct.body }, { r.status, r:get("content-type"), r.body })
    local record = g:record(r.id)
    assert.same({ "speech", 9, 9 * 15000 }, { record.api, record.billed.characters, record.cost.nano_usd })
    for _, bytes in ipairs { 'data: {"error":{"message":"no"}}\n\nrest', '{"usage":{"prompt_tokens":1000000}}', "event: error\ndata: x\n\n" } do
      m:script { body = bytes, content_type = "audio/wav" }
      r = g:ask { path = "/v1/audio/speech", json = { model = "say", input = "hi", voice = "alloy" } }
      assert.same({ 200, "audio/wav", bytes }, { r.status, r:get("content-type"), r.body })
      record = g:record(r.id)
      assert.same({ "ok", 2 * 15000 }, { record.outcome, record.cost.nano_usd })
    end
  end)

  it("of any length is relayed as it comes", function()
    m:script { body_bytes = 20 * 1024 * 1024 }
    local r = g:ask { path = "/v1/audio/speech", json = { model = "say", input = "hi", voice = "alloy" } }
    assert.same({ 200, 20 * 1024 * 1024 }, { r.status, #r.body })
  end)

  it("by tokens is paid by what its stream reports, else by an estimate that says so", function()
    local r = g:ask { path = "/v1/audio/speech", json = { model = "say-new", input = "a b", voice = "alloy", stream_format = "sse" } }
    assert.equal(200, r.status, r.body)
    local record = g:record(r.id)
    assert.same({ "ok", 40 }, { record.outcome, record.billed.audio_output })
    assert.equal(2 * 600 + 40 * 12000, record.cost.nano_usd)
    r = g:ask { path = "/v1/audio/speech", json = { model = "say-new", input = "four", voice = "alloy" } }
    record = g:record(r.id)
    assert.equal(6, record.billed.audio_output)
    assert.is_true(record.billed.estimated)
  end)

  it("is masked and looked into, instructions too", function()
    local since = m:mark()
    assert.equal(403, g:ask({ path = "/v1/audio/speech", json = { model = "say", input = "hi", voice = "alloy", instructions = "as Bluebird" } }).status)
    g:ask { path = "/v1/audio/speech", json = '{"model":"say","input":"to ana@example.com","voice":"alloy"}' }
    assert.equal('{"model":"tts-1","input":"to [email]","voice":"alloy"}', (sent_body(since)))
  end)
end)

describe("transcriptions", function()
  it("have their file go unchanged, under the name that is masked, and cost what was listened to", function()
    local since = m:mark()
    local r, body = heard { { "model", "ears" }, { "prompt", "with ana@example.com" }, { "response_format", "json" } }
    assert.equal(200, r.status, r.body)
    local got, request = sent_body(since)
    local parts = form.parts(m:header(request, "content-type"), got)
    assert.equal(#body + #"whisper-1" - #"ears" + 2 * (#"[email]" - #"ana@example.com"), #got)
    assert.equal("whisper-1", parts[1].value)
    assert.equal("with [email]", parts[2].value)
    assert.equal(SOUND, parts[4].value)
    assert.equal('Content-Disposition: form-data; name="file"; filename="talk of [email].mp3"\r\nContent-Type: audio/mpeg', parts[4].head)
    local record = g:record(r.id)
    local seconds = math.ceil(#SOUND / 1000)
    assert.same({ "transcriptions", "hear", seconds, seconds * 100000 }, { record.api, record.model, record.billed.seconds, record.cost.nano_usd })
    assert.same({ "audio" }, record.facts.uses)
  end)

  it("in every format are what the provider wrote", function()
    for _, format in ipairs { "json", "text", "srt", "vtt", "verbose_json" } do
      local r = heard { { "model", "hear" }, { "response_format", format } }
      local type, body = form.of { { "model", "whisper-1" }, { "response_format", format }, { "file", SOUND, filename = "a" } }
      local direct = client.ask(m.port, { path = "/v1/audio/transcriptions", key = gateway.PROVIDER_KEY, type = type, json = body })
      assert.same({ 200, direct.body, direct:get("content-type") }, { r.status, r.body, r:get("content-type") })
      local record = g:record(r.id)
      assert.same({ "ok", true }, { record.outcome, record.billed.seconds > 0 }, format)
      assert.equal(format ~= "json" and format ~= "verbose_json" or nil, record.billed.estimated, format)
    end
  end)

  it("are streamed, and paid by tokens of sound", function()
    local r = heard { { "model", "hear-new" }, { "stream", "true" } }
    assert.equal(200, r.status, r.body)
    assert.truthy(client.last_event(r).data:find("transcript.text.done", 1, true))
    local record, seconds = g:record(r.id), math.ceil(#SOUND / 1000)
    assert.same({ "ok", true, 10 * seconds }, { record.outcome, record.stream, record.billed.audio_input })
    assert.equal(2 * 2500 + 10 * seconds * 6000 + 5 * 10000, record.cost.nano_usd)
  end)

  it("go to the next target with the same bytes when the first fails", function()
    m:script { status = 500, path = "/v1/audio/transcriptions" }
    local since = m:mark()
    local r = heard { { "model", "two" } }
    assert.equal(200, r.status, r.body)
    local requests = m:requests(since)
    assert.equal(2, #requests)
    assert.equal(requests[1].sha256, requests[2].sha256)
  end)

  it("are translated into English at a path of their own, of which policies know", function()
    assert.equal(200, (heard({ { "model", "hear-new" } }, { path = "/v1/audio/translations" })).status)
    local r = heard({ { "model", "hear" } }, { path = "/v1/audio/translations" })
    assert.equal("not_translated", gateway.error_of(r).code)
  end)

  it("name their model in Azure's paths", function()
    local since = m:mark()
    local r = heard({ { "model", "ignored" }, { "language", "en" } }, { path = "/openai/deployments/hear/audio/transcriptions" })
    assert.equal(200, r.status, r.body)
    assert.equal("whisper-1", form.parts(m:header(m:request(since), "content-type"), (sent_body(since)))[1].value)
    r = heard({ { "language", "en" } }, { path = "/openai/deployments/hear/audio/transcriptions" })
    assert.equal(200, r.status, r.body)
    local parts = form.parts(m:header(m:request(since, 2), "content-type"), (sent_body(since, 2)))
    assert.same({ "whisper-1", 'Content-Disposition: form-data; name="model"' }, { parts[3].value, parts[3].head })
  end)
end)

describe("a form", function()
  local function refused(parts, says, of)
    local since = m:mark()
    local r = heard(parts, of)
    assert.equal(400, r.status, says .. ": " .. r.body)
    assert.truthy(gateway.error_of(r).message:find(says, 1, true), r.body)
    assert.equal(0, #m:requests(since))
  end

  it("that two readers could read differently is refused", function()
    refused({ { "model", "hear" }, { "model", "dear" } }, '"model" is given twice')
    refused({ { "model", "hear" }, { "Model", "dear" } }, '"model" must be written in lower case')
    refused({ { "model", "hear", filename = "m" } }, '"model" must be a string')
    refused({ { "model", "hear" }, { "prompt", "bluebird", filename = "p.txt" } }, '"prompt" must be a string')
    refused({ { "model", "hear" }, { "stream", "maybe" } }, '"stream" must be true or false')
    refused({ { "model", "hear" }, { "prompt", "\255" } }, "is no UTF-8")
    refused({ { "prompt", "x" } }, '"model" is missing')
    refused({ { "model", "hear" }, { "prompt", 'a\n--' .. form.BOUNDARY .. '\nContent-Disposition: form-data; name="model"\n\ndear' } }, "holds the boundary")
  end)

  it("is a form where its path takes one, and nothing else", function()
    local type, body = form.of { { "model", "judge" }, { "input", "hi" } }
    assert.equal(415, g:ask({ path = "/v1/moderations", type = type, json = body }).status)
    type, body = form.of { { "model", "hear" } }
    assert.equal(415, g:ask({ path = "/v1/audio/transcriptions", type = "multipart/mixed; boundary=x", json = body }).status)
    assert.equal(415, g:ask({ path = "/v1/audio/transcriptions", type = "multipart/form-data", json = body }).status)
    assert.equal(400, g:ask({ path = "/v1/audio/transcriptions", type = type:sub(1, -2), json = body }).status)
  end)

  it("is looked into", function()
    local r = heard { { "model", "hear" }, { "prompt", "Bluebird" } }
    assert.equal("not_that", gateway.error_of(r).code)
  end)
end)
