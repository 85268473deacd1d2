-- The strict edge over the wire: what is refused reaches no provider, closes the connection and says why; what is
-- legal and odd is answered.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local m, g
local BODY = '{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
local LENGTH = "Content-Length: " .. #BODY .. "\r\n"

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "edge" }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

-- @ stands for a good Authorization line.
local function fill(text)
  return (text:gsub("@", "Authorization: Bearer " .. g.key .. "\r\nContent-Type: application/json\r\n"))
end

local LINE = "POST /v1/chat/completions HTTP/1.1\r\n"
local HEAD = LINE .. "Host: h\r\n@"
local CHUNKED = HEAD .. "Transfer-Encoding: chunked\r\n\r\n"

local function chunk(text)
  return ("%x\r\n%s\r\n"):format(#text, text)
end

-- name, bytes, status
local refusals = {
  { "Content-Length with Transfer-Encoding", HEAD .. LENGTH .. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
  { "Transfer-Encoding with Content-Length", HEAD .. "Transfer-Encoding: chunked\r\n" .. LENGTH .. "\r\n0\r\n\r\n", 400 },
  { "two equal Content-Lengths", HEAD .. LENGTH .. LENGTH .. "\r\n" .. BODY, 400 },
  { "two Content-Lengths", HEAD .. LENGTH .. "Content-Length: 3\r\n\r\n" .. BODY, 400 },
  { "a list of Content-Lengths", HEAD .. ("Content-Length: %d, %d\r\n\r\n"):format(#BODY, #BODY) .. BODY, 400 },
  { "Content-Length with a plus", HEAD .. "Content-Length: +" .. #BODY .. "\r\n\r\n" .. BODY, 400 },
  { "a negative Content-Length", HEAD .. "Content-Length: -1\r\n\r\n" .. BODY, 400 },
  { "a hexadecimal Content-Length", HEAD .. "Content-Length: 0x3e\r\n\r\n" .. BODY, 400 },
  { "Content-Length with a letter", HEAD .. "Content-Length: 62a\r\n\r\n" .. BODY, 400 },
  { "Content-Length with a space inside", HEAD .. "Content-Length: 6 2\r\n\r\n" .. BODY, 400 },
  { "an empty Content-Length", HEAD .. "Content-Length:\r\n\r\n" .. BODY, 400 },
  { "a Content-Length that overflows", HEAD .. "Content-Length: 99999999999999999999999\r\n\r\n" .. BODY, { 400, 413 } },
  { "a folded header", HEAD .. "X-Fold: a\r\n b\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a fold before the first header", LINE .. " Host: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a tab fold", HEAD .. "X-Fold: a\r\n\tb\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a bare LF after the request line", "POST /v1/chat/completions HTTP/1.1\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a bare LF after a header", HEAD .. "X-A: b\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a bare LF as the blank line", HEAD .. "Content-Length: " .. #BODY .. "\r\n\n" .. BODY, 400 },
  { "a stray CR in a value", HEAD .. "X-A: b\rc\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a stray CR in the request line", "POST /v1/chat\r/completions HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "NUL in a value", HEAD .. "X-A: b\0c\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "NUL in a name", HEAD .. "X-\0A: b\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "NUL in the target", "POST /v1/chat/\0completions HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a space before the colon", HEAD .. "Content-Length : " .. #BODY .. "\r\n\r\n" .. BODY, 400 },
  { "a tab before the colon", HEAD .. "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400 },
  { "a header without a colon", HEAD .. "X-A\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a header without a name", HEAD .. ": b\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a name that is no token", HEAD .. "X[A]: b\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "no Host", LINE .. "@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "two Hosts", HEAD .. "Host: h\r\n" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "Transfer-Encoding in HTTP/1.0", "POST /v1/chat/completions HTTP/1.0\r\nHost: h\r\n@Transfer-Encoding: chunked\r\n\r\n" .. chunk(BODY) .. "0\r\n\r\n", 400 },
  { "two spaces in the request line", "POST  /v1/chat/completions HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a space in the target", "POST /v1/chat/ completions HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a request line without a version", "POST /v1/chat/completions\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "a version in small letters", "POST /v1/chat/completions http/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, { 400, 505 } },
  { "HTTP/2.0", "POST /v1/chat/completions HTTP/2.0\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 505 },
  { "HTTP/3.7", "POST /v1/chat/completions HTTP/3.7\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 505 },
  { "a method that is no token", "PO(ST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 400 },
  { "the gzip coding", HEAD .. "Transfer-Encoding: gzip\r\n\r\n", 501 },
  { "gzip under chunked", HEAD .. "Transfer-Encoding: gzip, chunked\r\n\r\n" .. chunk(BODY) .. "0\r\n\r\n", 501 },
  { "a coding that only looks like chunked", HEAD .. "Transfer-Encoding: xchunked\r\n\r\n" .. chunk(BODY) .. "0\r\n\r\n", 501 },
  { "chunked twice", HEAD .. "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" .. chunk(BODY) .. "0\r\n\r\n", { 400, 501 } },
  { "chunked not last", HEAD .. "Transfer-Encoding: chunked, identity\r\n\r\n" .. chunk(BODY) .. "0\r\n\r\n", { 400, 501 } },
  { "a chunk size that is no number", CHUNKED .. "xyz\r\n" .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "an empty chunk size", CHUNKED .. "\r\n" .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a negative chunk size", CHUNKED .. "-3e\r\n" .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a chunk size with 0x", CHUNKED .. ("0x%x\r\n"):format(#BODY) .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a chunk size with a space before it", CHUNKED .. (" %x\r\n"):format(#BODY) .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a chunk size that overflows", CHUNKED .. "ffffffffffffffffff\r\n" .. BODY .. "\r\n0\r\n\r\n", { 400, 413 } },
  { "a chunk longer than its size", CHUNKED .. "2\r\n" .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a bare LF after a chunk size", CHUNKED .. ("%x\n"):format(#BODY) .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a bare LF after a chunk", CHUNKED .. ("%x\r\n"):format(#BODY) .. BODY .. "\n0\r\n\r\n", 400 },
  { "a stray CR in a chunk extension", CHUNKED .. ("%x;a\rb\r\n"):format(#BODY) .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a chunk extension without end", CHUNKED .. ("%x;%s\r\n"):format(#BODY, ("a"):rep(20000)) .. BODY .. "\r\n0\r\n\r\n", 400 },
  { "a folded trailer", CHUNKED .. chunk(BODY) .. "0\r\nX-A: b\r\n c\r\n\r\n", 400 },
  { "a long request line", "POST /v1/chat/completions?" .. ("a"):rep(20000) .. " HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY, 414 },
  { "a long header", HEAD .. "X-A: " .. ("a"):rep(20000) .. "\r\n" .. LENGTH .. "\r\n" .. BODY, 431 },
  { "long headers", HEAD .. ("X-A: " .. ("a"):rep(4000) .. "\r\n"):rep(20) .. LENGTH .. "\r\n" .. BODY, 431 },
  { "many headers", HEAD .. ("X-A: a\r\n"):rep(500) .. LENGTH .. "\r\n" .. BODY, 431 },
  { "a head that never ends", LINE .. "Host: h\r\nX-A: " .. ("a"):rep(200000), 431 },
}

local function fits(status, wanted)
  if type(wanted) ~= "table" then return status == wanted end
  for _, one in ipairs(wanted) do
    if status == one then return true end
  end
  return false
end

describe("refused, closed, and seen by no provider:", function()
  for _, case in ipairs(refusals) do
    it(case[1], function()
      local since, records = m:mark(), #g:records()
      local c = client.connect(g.port)
      c:send(fill(case[2]))
      local r = c:answer()
      assert.is_true(fits(r.status, case[3]), "status " .. tostring(r.status) .. " " .. tostring(r.body or r.ending))
      local problem = gateway.error_of(r)
      assert.is_string(problem.message)
      assert.is_string(problem.code)
      assert.is_string(r:get("x-moongate-request-id"))
      assert.equal(r:get("x-moongate-request-id"), problem.request_id)
      local more, why = c:rest()
      assert.equal("", more)
      assert.is_true(why == "end" or why == "reset", why)
      c:close()
      assert.same({}, m:log(since))
      g:records_after(records, 1)
    end)
  end

  it("what stands behind a refused request is not read as another", function()
    local c = client.connect(g.port)
    c:send(fill(HEAD .. "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: h\r\n@\r\n"))
    assert.equal(400, c:answer().status)
    assert.equal("", (c:rest()))
    c:close()
  end)
end)

-- name, body, or body and the word that the message must have
local bodies = {
  { "no JSON at all", "hello" },
  { "an empty body", "" },
  { "half a body", '{"model":"gpt-4o","messages":[' },
  { "something after the body", BODY .. "x" },
  { "two bodies", BODY .. BODY },
  { "an array", "[" .. BODY .. "]" },
  { "a comma too many", '{"model":"gpt-4o","messages":[],}' },
  { "a comment", '{"model":"gpt-4o",/* */"messages":[]}' },
  { "single quotes", "{'model':'gpt-4o','messages':[]}" },
  { "a number with a leading zero", '{"model":"gpt-4o","messages":[],"n":01}' },
  { "a number with a plus", '{"model":"gpt-4o","messages":[],"n":+1}' },
  { "a number that ends in a point", '{"model":"gpt-4o","messages":[],"n":1.}' },
  { "NaN", '{"model":"gpt-4o","messages":[],"temperature":NaN}' },
  { "bytes that are not UTF-8", '{"model":"gpt-4o","messages":[{"role":"user","content":"\255"}]}' },
  { "an overlong UTF-8 form", '{"model":"gpt-4o","messages":[{"role":"user","content":"\192\175"}]}' },
  { "a surrogate in UTF-8", '{"model":"gpt-4o","messages":[{"role":"user","content":"\237\160\128"}]}' },
  { "a control character in a string", '{"model":"gpt-4o","messages":[{"role":"user","content":"a\nb"}]}' },
  { "an unknown escape", '{"model":"gpt-4o","messages":[{"role":"user","content":"\\x41"}]}' },
  { "a body too deep", '{"model":"gpt-4o","messages":' .. ("["):rep(1000) .. ("]"):rep(1000) .. "}" },
  { "a second model", '{"model":"gpt-4o","messages":[],"model":"gpt-4o-mini"}', "model" },
  { "a second model in escapes", '{"model":"gpt-4o","messages":[],"mod\\u0065l":"gpt-4o-mini"}', "model" },
  { "a second messages", '{"model":"gpt-4o","messages":[],"messages":[{"role":"user","content":"x"}]}', "messages" },
  { "a second stream", '{"model":"gpt-4o","stream":false,"messages":[],"stream":true}', "stream" },
  { "a second tools in escapes", '{"model":"gpt-4o","tools":[],"messages":[],"\\u0074ools":[{}]}', "tools" },
  { "a second max_tokens", '{"model":"gpt-4o","max_tokens":1,"messages":[],"max_tokens":100000}', "max_tokens" },
  { "no model", '{"messages":[]}', "model" },
  { "a model that is no string", '{"model":7,"messages":[]}', "model" },
  { "messages that are no list", '{"model":"gpt-4o","messages":{}}', "messages" },
  { "a stream that is no truth value", '{"model":"gpt-4o","stream":"yes","messages":[]}', "stream" },
}

describe("a body refused with 400 that no provider sees:", function()
  for _, case in ipairs(bodies) do
    it(case[1], function()
      local since = m:mark()
      local r = g:ask { json = case[2] }
      assert.equal(400, r.status)
      local problem = gateway.error_of(r)
      assert.equal("invalid_request_error", problem.type)
      if case[3] then assert.truthy(problem.message:find(case[3], 1, true), problem.message) end
      assert.same({}, m:requests(since))
      assert.equal("invalid", g:record(r.id).outcome)
    end)
  end

  it("names the place", function()
    local problem = gateway.error_of(g:ask { json = '{"model":"gpt-4o","messages":[],}' })
    assert.truthy(problem.message:find("%d"), problem.message)
  end)
end)

describe("legal and answered:", function()
  local function answered(text)
    local c = client.connect(g.port)
    assert(c:send(fill(text)))
    local r = c:answer()
    assert.equal(200, r.status, r.body)
    assert.equal("chat.completion", cjson.decode(r.body).object)
    c:close()
  end

  it("chunks of every size, extensions, a trailer, an upper-case coding", function()
    for size = 1, 20 do assert.equal(200, g:ask({ json = BODY, chunked = size }).status) end
    answered(CHUNKED .. ("%X;name=value\r\n%s\r\n0;last\r\nX-Trailer: v\r\n\r\n"):format(#BODY, BODY))
    answered(CHUNKED .. ("000000%x\r\n%s\r\n0\r\n\r\n"):format(#BODY, BODY))
    answered(HEAD .. "TRANSFER-ENCODING: Chunked\r\n\r\n" .. chunk(BODY) .. "0\r\n\r\n")
  end)

  it("odd spacing around values, names in any case, an empty value, bytes above 127", function()
    answered(LINE .. "hOsT:h\r\n@CONTENT-LENGTH:  \t" .. #BODY .. " \t\r\nX-Empty:\r\nX-Latin: \228\r\n\r\n" .. BODY)
  end)

  it("a target in absolute form, a query", function()
    answered("POST http://h/v1/chat/completions HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY)
    answered("POST /v1/chat/completions?api-version=1 HTTP/1.1\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY)
  end)

  it("a request in pieces of 1, 2, 3 and 7 bytes", function()
    for _, size in ipairs { 1, 2, 3, 7 } do
      for _, sizes in ipairs { false, 5 } do
        local c = client.connect(g.port)
        c:send_in_pieces(client.request { key = g.key, json = BODY, chunked = sizes or nil }, size)
        assert.equal(200, c:answer().status)
        c:close()
      end
    end
    local seen = m:requests(0)
    assert.equal(BODY, seen[#seen].body)
  end)

  it("HTTP/1.0 is answered and closed", function()
    local c = client.connect(g.port)
    c:send(fill("POST /v1/chat/completions HTTP/1.0\r\nHost: h\r\n@" .. LENGTH .. "\r\n" .. BODY))
    local r = c:answer()
    assert.equal(200, r.status)
    assert.not_equal("chunked", r.framing)
    assert.is_true(c:is_closed(5))
    c:close()
  end)

  it("Expect: 100-continue is told to go on before the body", function()
    local c = client.connect(g.port)
    c:send(fill(HEAD .. LENGTH .. "Expect: 100-continue\r\n\r\n"))
    assert.equal(100, c:head().status)
    c:send(BODY)
    assert.equal(200, c:answer().status)
    c:close()
  end)

  it("an expectation that cannot be met, or is refused, is not waited for", function()
    local c = client.connect(g.port)
    c:send("POST /v1/nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
    assert.equal(404, c:answer().status)
    c:close()
  end)

  it("HEAD has the headers of GET and no body", function()
    local get = g:ask { path = "/v1/models" }
    local c = client.connect(g.port)
    c:send(client.request { method = "HEAD", path = "/v1/models", key = g.key })
    local head = c:head(true)
    assert.equal(200, head.status)
    assert.equal(get:get("content-length"), head:get("content-length"))
    c:send(client.request { path = "/livez" })
    local r = c:answer()
    assert.equal(200, r.status)
    assert.equal("ok\n", r.body)
    c:close()
  end)

  it("OPTIONS names the methods", function()
    local r = client.ask(g.port, { method = "OPTIONS", path = "/v1/chat/completions" })
    assert.equal(204, r.status)
    assert.truthy(r:get("allow"):find("POST", 1, true))
  end)
end)

describe("a connection", function()
  it("is kept for many requests, and closed when asked", function()
    local c = client.connect(g.port)
    for _ = 1, 20 do
      c:send(client.request { key = g.key, json = BODY })
      assert.equal(200, c:answer().status)
    end
    c:send(client.request { key = g.key, json = BODY, close = true })
    local r = c:answer()
    assert.equal(200, r.status)
    assert.equal("close", r:get("connection"))
    assert.is_true(c:is_closed(5))
    c:close()
  end)

  it("answers pipelined requests in their order, refusals among them", function()
    local c = client.connect(g.port)
    local function ask(word)
      return client.request { key = g.key, json = { model = "gpt-4o", messages = { { role = "user", content = "echo " .. word } } } }
    end
    m:script { match = "echo first", head_delay_ms = 150 }
    c:send(ask("first") .. client.request { path = "/livez" } .. ask("second") ..
      client.request { path = "/v1/nowhere" } .. ask("third"))
    local function said() return cjson.decode(c:answer().body).choices[1].message.content end
    assert.equal("first", said())
    assert.equal("ok\n", c:answer().body)
    assert.equal("second", said())
    assert.equal(404, c:answer().status)
    assert.equal("third", said())
    c:close()
  end)

  it("with blank lines before a request", function()
    local c = client.connect(g.port)
    c:send("\r\n" .. client.request { path = "/livez" })
    assert.equal(200, c:answer().status)
    c:close()
  end)

  it("keeps its framing when a body is refused early", function()
    local c = client.connect(g.port)
    c:send(client.request { key = g.key, json = "{" } .. client.request { path = "/livez" })
    assert.equal(400, c:answer().status)
    assert.equal(200, c:answer().status)
    c:close()
  end)
end)
