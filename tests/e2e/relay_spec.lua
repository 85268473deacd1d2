-- Real providers' answers through the gateway: the client gets the bytes that the provider sent, however the network
-- cut them, and record and metrics hold the usage that an independent parser read.
local cjson = require("cjson")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local SEED = 20261124
local ONE_BYTE_SAMPLE, SPLIT_SAMPLE = 12, 60
local APIS = {
  ["openai.chat"] = { path = "/v1/chat/completions", model = "gpt-4o", ask = '"messages":[{"role":"user","content":"hi"}]' },
  ["openai.completions"] = { path = "/v1/completions", model = "gpt-4o", ask = '"prompt":"hi"' },
  ["openai.embeddings"] = { path = "/v1/embeddings", model = "text-embedding-3-small", ask = '"input":"hi"' },
}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

-- Of the gateway's own account, and so not relayed.
local ABOUT_ACCOUNT = { [401] = true, [402] = true, [403] = true, [407] = true }

local recordings, refused = {}, {}
if mock.has_recordings() then
  for _, r in ipairs(cjson.decode(read(mock.recordings .. "/manifest.json")).recordings) do
    local list = ABOUT_ACCOUNT[r.status] and refused or recordings
    if APIS[r.api] then list[#list + 1] = r end
  end
end

if #recordings == 0 then
  describe("recordings", function()
    it("are not here", function() pending("no recordings at " .. mock.recordings) end)
  end)
  return
end

local m, g

setup(function()
  m = mock.start { recordings = true }
  g = gateway.start { mock = m, name = "relay" }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function present(value)
  return value ~= nil and value ~= cjson.null
end

-- Asks for the usage chunk, so that nothing may be taken out of the stream.
local function ask(recording, how)
  local api = APIS[recording.api]
  local stream = recording.stream and ',"stream":true,"stream_options":{"include_usage":true}' or ""
  local body = ('{"model":"%s",%s%s,"metadata":{"mock":"replay=%s%s"}}'):format(api.model, api.ask, stream, recording.id, how or "")
  return g:ask { path = api.path, json = body }
end

local function bytes_of(recording)
  return read(mock.recordings .. "/" .. recording.response_file)
end

local function check_bytes(recording, how)
  local r = ask(recording, how)
  assert.equal(recording.status, r.status)
  expect.equal_bytes(bytes_of(recording), r.body, recording.id .. (how or ""))
  assert.equal("end", r.ending)
  return r
end

local function check_headers(recording, r)
  for name, value in pairs(recording.response_headers or {}) do
    if name == "content-type" or name == "x-request-id" or name:find("^x%-ratelimit%-") then
      local apart = name:gsub("^x%-", "x-moongate-provider-") -- the gateway has an id of its own, and limits where it counts some
      assert.equal(value, r:get(apart) or name ~= "x-request-id" and r:get(name), name)
    end
  end
end

local PARTS = { input_tokens = "input_tokens", output_tokens = "output_tokens", total_tokens = "total_tokens",
  cached_tokens = "cached_input_tokens", reasoning_tokens = "reasoning_tokens", cache_write_tokens = "cache_write_tokens" }
-- What the provider did not say and what it said was none are the same to the manifest, but for these.
local MUST_BE_SAID = { input_tokens = true, total_tokens = true }

local function check_usage(recording, record)
  local expected, usage = recording.expected or {}, record.usage
  if not present(expected.input_tokens) then
    assert.equal(cjson.null, usage, "usage where the provider gave none")
    return
  end
  for ours, theirs in pairs(PARTS) do
    local want = present(expected[theirs]) and expected[theirs] or nil
    if want or MUST_BE_SAID[ours] then
      assert.equal(want, usage[ours], ours)
    else
      assert.is_true(usage[ours] == nil or usage[ours] == 0, ours)
    end
  end
end

local INPUT = { "input", "cached_input", "cache_write", "cache_write_1h", "audio_input", "image_input" }
local OUTPUT = { "output", "reasoning", "audio_output", "image_output" }

-- Directions are disjoint: their sums are what was read and written in all.
local function token_counts()
  local metrics, counts = g:metrics(), { input = 0, output = 0 }
  for _, name in ipairs(INPUT) do counts.input = counts.input + metrics:value("moongate_tokens_total", { direction = name }) end
  for _, name in ipairs(OUTPUT) do counts.output = counts.output + metrics:value("moongate_tokens_total", { direction = name }) end
  counts.cached_input = metrics:value("moongate_tokens_total", { direction = "cached_input" })
  counts.reasoning = metrics:value("moongate_tokens_total", { direction = "reasoning" })
  return counts
end

local function number(value) return present(value) and value or 0 end

-- Reasoning that lies beside the output is in the total only.
local function sums_of(e)
  local input, output = number(e.input_tokens), number(e.output_tokens)
  if present(e.total_tokens) and present(e.input_tokens) then output = math.max(output, e.total_tokens - input) end
  return { input = input, output = output, cached_input = number(e.cached_input_tokens), reasoning = number(e.reasoning_tokens) }
end

describe("relayed byte for byte, with its usage recorded:", function()
  for _, recording in ipairs(recordings) do
    it(recording.id, function()
      local r = check_bytes(recording)
      check_headers(recording, r)
      local record = g:record(r.id)
      check_usage(recording, record)
      assert.equal(recording.status, record.upstream.status)
      assert.equal(#r.body, record.bytes_out)
      local is_good = recording.status < 400 and not present((recording.expected or {}).error)
      for _, feature in ipairs(recording.features) do is_good = is_good and feature ~= "instream_error" end
      assert.equal(is_good and "ok" or "upstream_error", record.outcome)
    end)
  end
end)

describe("what a provider says of the gateway's account", function()
  for _, recording in ipairs(refused) do
    it(("is not relayed: %s (%d)"):format(recording.id, recording.status), function()
      local r = ask(recording)
      assert.equal(502, r.status)
      assert.equal("upstream_account", gateway.error_of(r).code)
      assert.equal(recording.status, g:record(r.id).upstream.status)
    end)
  end
end)

describe("usage in the metrics", function()
  it("is the sum of what the recordings report", function()
    local before, sums = token_counts(), { input = 0, output = 0, cached_input = 0, reasoning = 0 }
    local ids = {}
    for _, recording in ipairs(recordings) do
      -- Where the provider gave no numbers the gateway counts, and says so: those are looked at elsewhere.
      if recording.expected and present(recording.expected.input_tokens) then
        ids[#ids + 1] = ask(recording).id
        for direction, value in pairs(sums_of(recording.expected)) do sums[direction] = sums[direction] + value end
      end
    end
    for _, id in ipairs(ids) do g:record(id) end
    expect.eventually(function()
      local after, is_equal = token_counts(), true
      for direction, sum in pairs(sums) do is_equal = is_equal and after[direction] - before[direction] == sum end
      return is_equal
    end, 5, "equal sums in moongate_tokens_total")
  end)
end)

describe("the same bytes when the network cuts them:", function()
  local random = expect.random(SEED)
  local function sample(count)
    local all, picked = { unpack(recordings) }, {}
    for _ = 1, math.min(count, #all) do picked[#picked + 1] = table.remove(all, random(#all)) end
    return picked
  end

  for _, recording in ipairs(sample(SPLIT_SAMPLE)) do
    it(recording.id .. " at random places", function()
      local size, places = #bytes_of(recording), {}
      for _ = 1, 12 do places[#places + 1] = random(size) end
      table.sort(places)
      check_bytes(recording, "&split_at=" .. table.concat(places, ","))
      check_bytes(recording, "&split=" .. ({ 2, 3, 7, 64, 333 })[random(5)])
    end)
  end

  for _, recording in ipairs(sample(ONE_BYTE_SAMPLE)) do
    it(recording.id .. " one byte per write", function()
      local r = check_bytes(recording, #bytes_of(recording) > 20000 and "&split=3" or "&split=1")
      check_usage(recording, g:record(r.id))
    end)
  end

  it("head and framing too, one byte per write", function()
    local small
    for _, recording in ipairs(recordings) do
      if recording.stream and #bytes_of(recording) < 5000 then small = small or recording end
    end
    check_bytes(small, "&write_bytes=1")
  end)
end)
