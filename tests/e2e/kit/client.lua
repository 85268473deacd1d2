-- A raw HTTP/1.1 client: every byte that goes out is the test's, every byte that comes back can be looked at.
--
--   local c = client.connect(port)
--   c:send(client.request { method = "POST", path = "/v1/chat/completions", key = key, json = { … } })
--   local head = c:head()                 -- { status, reason, headers = {{name, value}, …}, get = function(name) }
--   local bytes, why = c:body_some()      -- decoded body as it comes; nil, "end" | "cut" | "reset" | "timeout"
--   local event = c:event()               -- next event of an event stream: { raw, data, comment, name }
--   c:close()  c:reset()  c:half_close()
--   local r = client.ask(port, { … })     -- all of it: { status, headers, get, body, raw_head, ending = "end" | "cut" … }
--   client.last_event(r)                  -- of such a body; client.events(text): all
--
-- Inside crowd.run() the same calls let the others go on instead of blocking. Nothing waits longer than `seconds`.
local cjson = require("cjson")
local errno = require("posix.errno")
local fcntl = require("posix.fcntl")
local posix_socket = require("posix.sys.socket")
local socket = require("socket")

local client = { seconds = 20 }
local connection = {}
connection.__index = connection

-- crowd.lua puts its own in place of this while it runs: wait until sock can be read or written, false at the deadline.
function client.wait(sock, mode, deadline)
  local left = deadline - socket.gettime()
  if left < 0 then return false end
  local set = { sock }
  local readable, writable = socket.select(mode == "read" and set or nil, mode == "write" and set or nil, left)
  return #readable + #writable > 0
end

function client.sleep(seconds)
  socket.sleep(seconds)
end

-- receive_buffer: a small one makes a slow reader slow.
function client.connect(port, options)
  options = options or {}
  local sock = socket.tcp4()
  sock:settimeout(0)
  -- A gateway or mock started while this is open must not keep it open.
  fcntl.fcntl(sock:getfd(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  if options.receive_buffer then sock:setoption("recv-buffer-size", options.receive_buffer) end
  sock:setoption("tcp-nodelay", true)
  local ok, why = sock:connect("127.0.0.1", port)
  local c = setmetatable({ sock = sock, buffer = "", received = 0, seconds = options.seconds or client.seconds }, connection)
  if not ok and why == "timeout" then
    if not client.wait(sock, "write", c:deadline()) then error("connecting to " .. port .. " took too long", 2) end
    ok, why = sock:connect("127.0.0.1", port)
  end
  -- "closed": it was accepted, and reset before we looked.
  if not ok and why ~= "already connected" and why ~= "closed" then error("cannot connect to " .. port .. ": " .. tostring(why), 2) end
  return c
end

function connection:deadline()
  return socket.gettime() + self.seconds
end

-- true, or nil and why: the peer may close while we still send, and that is for the test to judge.
function connection:send(bytes)
  local at, deadline = 1, self:deadline()
  while at <= #bytes do
    local last, why, partial = self.sock:send(bytes, at)
    at = (last or partial or at - 1) + 1
    if not last and why ~= "timeout" then return nil, why end
    if not last and not client.wait(self.sock, "write", deadline) then return nil, "timeout" end
  end
  return true
end

-- In pieces of `size` bytes, each its own write; pause: seconds between two.
function connection:send_in_pieces(bytes, size, pause)
  for at = 1, #bytes, size do
    local ok, why = self:send(bytes:sub(at, at + size - 1))
    if not ok then return nil, why end
    if pause then client.sleep(pause) end
  end
  return true
end

function connection:close()
  if self.sock then self.sock:close() end
  self.sock = nil
end

function connection:reset()
  self.sock:setoption("linger", { on = true, timeout = 0 })
  self:close()
end

function connection:half_close()
  self.sock:shutdown("send")
end

-- More bytes into the buffer; nil and "end" (FIN), "reset" or "timeout".
function connection:more(seconds)
  local deadline = socket.gettime() + (seconds or self.seconds)
  while true do
    -- luasocket calls a reset "closed" too, so the kernel is asked itself; the socket never blocks.
    local bytes, _, number = posix_socket.recv(self.sock:getfd(), 65536)
    if bytes and bytes ~= "" then
      self.buffer = self.buffer .. bytes
      self.received = self.received + #bytes
      return true
    end
    if bytes then return nil, "end" end
    if number ~= errno.EAGAIN and number ~= errno.EINTR then return nil, "reset" end
    if not client.wait(self.sock, "read", deadline) then return nil, "timeout" end
  end
end

-- Everything until the peer closes.
function connection:rest(seconds)
  local ok, why = true, nil
  while ok do ok, why = self:more(seconds) end
  local bytes = self.buffer
  self.buffer = ""
  return bytes, why
end

-- Nothing new comes for this long.
function connection:is_silent(seconds)
  return select(2, self:more(seconds)) == "timeout"
end

function connection:is_closed(seconds)
  local ok, why = self:more(seconds)
  return not ok and why ~= "timeout", why
end

local function get(self, name)
  for _, header in ipairs(self.headers) do
    if header[1]:lower() == name:lower() then return header[2] end
  end
  return nil
end

function client.parse_head(text)
  local status, reason = text:match("^HTTP/1%.1 (%d%d%d) ([^\r\n]*)\r\n")
  if not status then error("no HTTP/1.1 status line: " .. text:sub(1, 200), 2) end
  local head = { status = tonumber(status), reason = reason, headers = {}, raw = text, get = get }
  for name, value in text:gmatch("\n([^:\r\n]+): *([^\r\n]*)") do head.headers[#head.headers + 1] = { name, value } end
  return head
end

-- One head, interim ones too; sets how the body is framed. `to_head`: the request was a HEAD.
function connection:head(to_head)
  local from, to
  repeat
    from, to = self.buffer:find("\r\n\r\n", 1, true)
    if not from then
      local ok, why = self:more()
      if not ok then return nil, why, self.buffer end
    end
  until from
  local head = client.parse_head(self.buffer:sub(1, to))
  self.buffer = self.buffer:sub(to + 1)
  local coding, length = head:get("transfer-encoding"), tonumber(head:get("content-length"))
  self.framing = { kind = coding and "chunked" or length and "length" or "close", left = length or 0, ended = false }
  if to_head or head.status < 200 or head.status == 204 or head.status == 304 then
    self.framing = { kind = "length", left = 0, ended = true }
  end
  return head
end

local function take(self, bytes)
  local part = self.buffer:sub(1, bytes)
  self.buffer = self.buffer:sub(bytes + 1)
  return part
end

-- The next chunk's size line, and the line end of the one before; nil and why.
local function next_chunk(self)
  while true do
    local line, at = self.buffer:match("^\r?\n?(%x+)[^\r\n]*\r\n()")
    if line and (not self.framing.begun or self.buffer:sub(1, 2) == "\r\n") then
      self.buffer = self.buffer:sub(at)
      self.framing.begun = true
      return tonumber(line, 16)
    end
    local ok, why = self:more()
    if not ok then return nil, why == "end" and "cut" or why end
  end
end

local function chunked_some(self)
  local f = self.framing
  if f.left == 0 then
    local size, why = next_chunk(self)
    if not size then return nil, why end
    if size == 0 then
      local line -- of trailers, and the empty one behind them
      repeat
        line = self.buffer:match("^([^\r\n]*\r\n)")
        if line then
          take(self, #line)
        else
          local ok, reason = self:more()
          if not ok then return nil, reason == "end" and "cut" or reason end
        end
      until line == "\r\n"
      f.ended = true
      return nil, "end"
    end
    f.left = size
    f.chunks = (f.chunks or 0) + 1
  end
end

-- Decoded body bytes as they come. "end" only where the framing says so: with no framing a FIN is an end.
function connection:body_some()
  local f = self.framing
  if f.ended or (f.kind == "length" and f.left == 0) then return nil, "end" end
  if f.kind == "chunked" then
    local _, why = chunked_some(self)
    if why then return nil, why end
  end
  while self.buffer == "" do
    local ok, why = self:more()
    if not ok then return nil, why == "end" and f.kind ~= "close" and "cut" or why end
  end
  local part = take(self, f.kind == "close" and #self.buffer or math.min(f.left, #self.buffer))
  if f.kind ~= "close" then f.left = f.left - #part end
  return part
end

function connection:body()
  local parts = {}
  while true do
    local part, why = self:body_some()
    if not part then return table.concat(parts), why end
    parts[#parts + 1] = part
  end
end

-- One event of a stream that ends its events with LF LF, as the mock's do; nil, why and what was left at the end.
function connection:event()
  self.events = self.events or ""
  while true do
    local from, to = self.events:find("\n\n", 1, true)
    if from then
      local raw = self.events:sub(1, to)
      self.events = self.events:sub(to + 1)
      return client.parse_event(raw)
    end
    local part, why = self:body_some()
    if not part then return nil, why, self.events end
    self.events = self.events .. part
  end
end

function client.parse_event(raw)
  local event, data = { raw = raw }, {}
  for line in raw:gmatch("([^\r\n]+)") do
    local name, value = line:match("^([^:]*): ?(.*)$")
    if name == "" then event.comment = value
    elseif name == "data" then data[#data + 1] = value
    elseif name == "event" then event.name = value end
  end
  event.data = #data > 0 and table.concat(data, "\n") or nil
  return event
end

-- All events of a whole body, whatever its line ends.
function client.events(body)
  local events = {}
  body = body:gsub("^\239\187\191", ""):gsub("\r\n", "\n"):gsub("\r", "\n")
  for raw in (body .. "\n\n"):gmatch("(.-\n)\n+") do
    if raw ~= "\n" then events[#events + 1] = client.parse_event(raw) end
  end
  return events
end

function client.last_event(answer)
  local events = client.events(answer.body)
  return events[#events]
end

-- The text of a request. json: a table or the body itself as a string; headers: {{name, value}, …} after the usual ones.
function client.request(of)
  local body = of.json
  if type(body) == "table" then body = cjson.encode(body) end
  local lines = { (of.method or (body and "POST" or "GET")) .. " " .. (of.path or "/v1/chat/completions") .. " HTTP/1.1" }
  lines[#lines + 1] = "Host: 127.0.0.1"
  if of.key then lines[#lines + 1] = "Authorization: Bearer " .. of.key end
  if body then lines[#lines + 1] = "Content-Type: " .. (of.type or "application/json") end
  if body and not of.chunked then lines[#lines + 1] = "Content-Length: " .. #body end
  if of.chunked then lines[#lines + 1] = "Transfer-Encoding: chunked" end
  for _, header in ipairs(of.headers or {}) do lines[#lines + 1] = header[1] .. ": " .. header[2] end
  if of.close then lines[#lines + 1] = "Connection: close" end
  local head = table.concat(lines, "\r\n") .. "\r\n\r\n"
  if not body then return head end
  return head .. (of.chunked and client.chunked(body, of.chunked) or body)
end

-- sizes: a number, or a list used in turn.
function client.chunked(body, sizes)
  if type(sizes) ~= "table" then sizes = { tonumber(sizes) or 1000 } end
  local parts, at, n = {}, 1, 0
  while at <= #body do
    local part = body:sub(at, at + sizes[n % #sizes + 1] - 1)
    parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#part, part)
    at, n = at + #part, n + 1
  end
  parts[#parts + 1] = "0\r\n\r\n"
  return table.concat(parts)
end

-- One answer on an open connection.
function connection:answer(to_head)
  local head, why, rest = self:head(to_head)
  if not head then return { ending = why, body = rest, headers = {}, get = get } end
  while head.status < 200 do head = self:head(to_head) end
  head.body, head.ending = self:body()
  head.framing = self.framing.kind
  return head
end

-- One request on a connection of its own.
function client.ask(port, of)
  local c = client.connect(port, of)
  local ok, why = c:send(client.request(of))
  local answer = c:answer(of.method == "HEAD")
  c:close()
  if not ok and not answer.status then answer.ending = why end
  return answer
end

return client
