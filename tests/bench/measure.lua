-- How the bench measures: processor time of one peer while something is done to it, rounds, instructions.
--
--   local measure = dofile("tests/bench/measure.lua")
--   measure.requests(list, upstream, { kind = "half", bytes = 32768, connections = 32 })
--     -- { moongate = { cpu_us = {…}, p50_us = {…}, rate = {…}, is_disturbed }, nginx = …, haproxy = … }
--   measure.streams(list, upstream, { streams = 1000, wants_memory = true })
--     -- { moongate = { cpu_us, p50_us, bytes, is_disturbed }, … }
--   measure.strangers(peer, { count = 3000, kind = "bodies" })      -- { bytes, slower }
--   measure.instructions("json_parse", { "build/bench/tape", 20, 32768 })
--   measure.quickly()                     -- one short round of each
--
-- Processor time is the scheduler's (schedstat of the peer, its threads and children), divided by what was completed. In
-- each round every peer has its turn, so that what the machine does meanwhile meets all alike. A turn in which others used
-- more than FOREIGN_MAX of a core is repeated twice at most, and the row is marked when it stays so.
local cjson = require("cjson")
local socket = require("posix.sys.socket")
local times = require("posix.sys.times")
local unistd = require("posix.unistd")
local peers = dofile("tests/bench/peers.lua")
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

local measure = { running = {} } -- everything to stop

local ROUNDS, WRK_SECONDS, STREAM_SECONDS, STREAM_ROUNDS = 3, 3, 4, 3
local FOREIGN_MAX = 0.15
local TICK = 100 -- clock ticks a second in /proc/stat and times()
local is_quick = false

function measure.quickly()
  ROUNDS, WRK_SECONDS, STREAM_SECONDS, STREAM_ROUNDS = 1, 1, 2, 1
  is_quick = true
end

function measure.median(list)
  local sorted = { unpack(list) }
  table.sort(sorted)
  local n = #sorted
  if n == 0 then return 0 / 0 end
  return n % 2 == 1 and sorted[(n + 1) / 2] or (sorted[n / 2] + sorted[n / 2 + 1]) / 2
end

function measure.note(text, ...)
  io.stderr:write("  ", text:format(...), "\n")
end

-- The first capture of what a program prints, as a number.
function measure.said(pattern, words)
  words.seconds = 120
  local text = process.run(words)
  return tonumber(text:match(pattern)) or error(table.concat(words, " ") .. ": " .. text)
end

function measure.milliseconds(work)
  local began = process.now()
  work()
  return (process.now() - began) * 1000
end

-- --- processor time ---

-- Busy seconds of all cores, and of our own children that have ended.
local function machine_busy()
  local fields = {}
  for n in gateway.read_file("/proc/stat"):match("^cpu%s+([^\n]*)"):gmatch("%d+") do fields[#fields + 1] = tonumber(n) end
  local idle = fields[4] + fields[5]
  local sum = 0
  for i = 1, 8 do sum = sum + (fields[i] or 0) end
  return (sum - idle) / TICK
end

local function children_busy()
  local t = times.times()
  return (t.tms_cutime + t.tms_cstime + t.tms_utime + t.tms_stime) / TICK
end

-- Runs work() and says what it gave, the peer's processor time, and what share of a core others used meanwhile.
local function measured(peer, upstream, load_pid, work)
  local busy, ours, began = machine_busy(), children_busy(), process.now()
  local function cpu() return peers.cpu_ns(upstream.pid) + (load_pid and peers.cpu_ns(load_pid) or 0) end
  local others_before, before = cpu(), peers.cpu_ns(peer.pid)
  local result = work()
  local used = peers.cpu_ns(peer.pid) - before
  local known = used / 1e9 + (cpu() - others_before) / 1e9 + children_busy() - ours
  local foreign = (machine_busy() - busy - known) / (process.now() - began)
  return result, used, foreign
end

-- --- requests ---

local seed = 1 -- each turn sends texts of its own

-- how: kind (tests/bench/text.lua), bytes, connections, seconds, rate (requests a second; nil: as many as are answered).
function measure.wrk(peer, how)
  local words = peers.on_core(1)
  for _, word in ipairs { "wrk", "-t1", "-c" .. how.connections, "-d" .. (how.seconds or WRK_SECONDS) .. "s", "--timeout", "30s", "--latency", "-s",
    "tests/bench/wrk.lua", "http://127.0.0.1:" .. peer.port } do words[#words + 1] = word end
  seed = seed + 1
  words.env = { BENCH_BYTES = tostring(how.bytes), BENCH_KIND = how.kind, BENCH_SEED = tostring(seed), BENCH_KEY = peer.key,
    BENCH_RATE = how.rate and tostring(how.rate), BENCH_CONNECTIONS = tostring(how.connections) }
  words.seconds = 60
  local said = process.run(words)
  local requests, errors, p50, seconds = said:match("bench (%d+) (%d+) (%d+) ([%d.]+)")
  if not requests then error("wrk said:\n" .. said) end
  if tonumber(errors) > 0 then error(peer.name .. ": " .. errors .. " requests failed:\n" .. said) end
  return { requests = tonumber(requests), p50_us = tonumber(p50), seconds = tonumber(seconds) }
end

function measure.requests(list, upstream, how)
  local results = {}
  for _, peer in ipairs(list) do
    results[peer.name] = { cpu_us = {}, p50_us = {}, rate = {} }
    measure.wrk(peer, { kind = how.kind, bytes = how.bytes, connections = how.connections, seconds = 1 })
  end
  for round = 1, ROUNDS do
    for _, peer in ipairs(list) do
      local r, used, foreign
      for _ = 1, 3 do
        r, used, foreign = measured(peer, upstream, nil, function() return measure.wrk(peer, how) end)
        if foreign <= FOREIGN_MAX or is_quick then break end
      end
      local to = results[peer.name]
      to.cpu_us[#to.cpu_us + 1] = used / 1000 / r.requests
      to.p50_us[#to.p50_us + 1] = r.p50_us
      to.rate[#to.rate + 1] = r.requests / r.seconds
      to.is_disturbed = to.is_disturbed or foreign > FOREIGN_MAX
      measure.note("round %d  %-5s %7d bytes  %-8s %7.1f us CPU/request  %6.0f requests/s  p50 %d us  others %.2f core", round,
        how.kind, how.bytes, peer.name, used / 1000 / r.requests, r.requests / r.seconds, r.p50_us, foreign)
    end
  end
  return results
end

-- --- streams ---

local function stream_turn(peer, upstream, how, wants_memory)
  local words = peers.on_core(1)
  for _, word in ipairs { gateway.build .. "/bench/streams", peer.stream_port, how.streams, STREAM_SECONDS, peer.key } do
    words[#words + 1] = word
  end
  words.input = true
  local memory = peers.anon_bytes(peer.pid)
  local load = process.start(words)
  measure.running[load] = true
  local opened = tonumber(load:expect("^open (%d+)", 30))
  if opened ~= how.streams then error(("%s: %d of %d streams opened"):format(peer.name, opened, how.streams)) end
  process.sleep(1)
  memory = (peers.anon_bytes(peer.pid) - memory) / how.streams
  load:write("\n")
  load:expect("^start", 5)
  local r, used, foreign = measured(peer, upstream, load.pid, function()
    load:write("\n")
    return cjson.decode(load:expect("^end (.*)", STREAM_SECONDS + 20))
  end)
  load:stop()
  measure.running[load] = nil
  if r.lost > 0 then error(("%s lost %d streams"):format(peer.name, r.lost)) end
  r.cpu_us = used / 1000 / r.events
  r.bytes = wants_memory and memory or nil
  r.is_disturbed = foreign > FOREIGN_MAX
  measure.note("%d streams  %-8s %5.1f us CPU/event  %6.0f events/s  p50 %d us%s  others %.2f core", how.streams, peer.name,
    r.cpu_us, r.events / r.seconds, r.p50_us, r.bytes and ("  %.1f KB a stream"):format(r.bytes / 1024) or "", foreign)
  process.sleep(1) -- the peer sees its clients leave
  return r
end

-- how: streams, wants_memory. Memory is told by the first round: later ones find some of it there.
function measure.streams(list, upstream, how)
  local results = {}
  for _, peer in ipairs(list) do results[peer.name] = { cpu_us = {}, p50_us = {}, bytes = {} } end
  for round = 1, STREAM_ROUNDS do
    for _, peer in ipairs(list) do
      local r = stream_turn(peer, upstream, how, how.wants_memory and round == 1)
      local to = results[peer.name]
      to.cpu_us[#to.cpu_us + 1] = r.cpu_us
      to.p50_us[#to.p50_us + 1] = r.p50_us
      to.bytes[#to.bytes + 1] = r.bytes
      to.is_disturbed = to.is_disturbed or r.is_disturbed
    end
  end
  return results
end

-- --- crowds ---

local ENDLESS = "fast=1&endless=1&event_bytes=4000"

-- Until the peer holds as much as it will: what is said no more grows no more.
local function settled_bytes(pid)
  local still, bytes = 0, peers.anon_bytes(pid)
  for _ = 1, 60 do
    process.sleep(1)
    local now = peers.anon_bytes(pid)
    still = now - bytes < 65536 and still + 1 or 0
    bytes = now
    if still == 3 then break end
  end
  return bytes
end

-- how: readers, sleepers, of streams without end. bytes: held for each sleeper; cpu_us: for each MB that was read.
function measure.crowd(peer, how)
  local words = peers.on_core(1)
  for _, word in ipairs { gateway.build .. "/bench/crowd", peer.port, how.readers, how.sleepers, peer.key, ENDLESS } do
    words[#words + 1] = word
  end
  words.input = true
  local memory = peers.anon_bytes(peer.pid)
  local load = process.start(words)
  measure.running[load] = true
  local opened = tonumber(load:expect("^open (%d+)", 90))
  if opened ~= how.readers + how.sleepers then error(("%d of the crowd came in"):format(opened)) end
  if how.readers == 0 then memory = settled_bytes(peer.pid) - memory end
  local used = peers.cpu_ns(peer.pid)
  process.sleep(STREAM_SECONDS)
  used = peers.cpu_ns(peer.pid) - used
  load:write("\n")
  local r = cjson.decode(load:expect("^end (.*)", 20))
  load:stop()
  measure.running[load] = nil
  if r.lost > 0 then error(("%d of the crowd were lost"):format(r.lost)) end
  local each = how.readers == 0 and memory / how.sleepers or nil
  measure.note("%d read, %d do not: %.0f MB/s%s", how.readers, how.sleepers, r.bytes / 1e6 / STREAM_SECONDS,
    each and (", %.0f KB held for each that does not"):format(each / 1024) or "")
  process.sleep(1)
  return { bytes = each, cpu_us = used / 1e3 / (r.bytes / 1e6) }
end

-- --- strangers ---

-- The most that a process has had in memory so far.
local function peak_bytes(pid)
  return 1024 * tonumber((gateway.read_file("/proc/" .. pid .. "/status") or ""):match("VmHWM:%s*(%d+)"))
end

-- What clients cost that nobody wants (tests/bench/strangers.c), beside one with a key: the worker's memory above what it
-- was at its most without them, and how long the one waits, in times of what it waits alone. how: count, kind, key.
function measure.strangers(peer, how)
  local function known() return measure.wrk(peer, { kind = "same", bytes = 1024, connections = 1 }).p50_us end
  known()
  local quiet, worker = known(), peers.busiest(peer.pid)
  local before = peak_bytes(worker)
  local words = peers.on_core(1)
  -- They share a core with the one who is measured, and must not keep it from running: what is wanted is the gateway's part.
  for _, word in ipairs { "nice", "-n", "19", gateway.build .. "/bench/strangers", peer.port, how.count, how.kind, how.key } do words[#words + 1] = word end
  words.input = true
  local load = process.start(words)
  measure.running[load] = true
  load:expect("^open (%d+)", 60)
  local beside = known()
  load:write("\n")
  local said = cjson.decode(load:expect("^end (.*)", 20))
  load:stop()
  measure.running[load] = nil
  local bytes = peak_bytes(worker) - before
  measure.note("%d %s  %.1f MB above idle, %.0f bytes each  p50 %d us beside %d us alone  %d opened, %d closed, %.0f MB sent",
    how.count, how.kind, bytes / 1048576, bytes / how.count, beside, quiet, said.opened, said.refused, said.sent / 1048576)
  return { bytes = bytes, slower = beside / quiet }
end

-- --- instructions ---

-- Inside of one C function while a bench tool runs.
function measure.instructions(inside, words)
  local said, code = process.run { "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
    "--toggle-collect=" .. inside, unpack(words) }
  local collected = said:match("Collected : (%d+)")
  if code ~= 0 or not collected then error("callgrind said:\n" .. said) end
  return tonumber(collected)
end

local FEW, MANY = 500, 1500

local function send_all(fd, bytes)
  local at = 1
  while at <= #bytes do at = at + assert(socket.send(fd, bytes:sub(at))) end
end

-- Reads one answer and forgets it: its status.
local function receive(fd)
  local answer, length = "", nil
  while not length or #answer < length do
    local part = socket.recv(fd, 65536)
    if not part or part == "" then return nil end
    answer = answer .. part
    local head = not length and answer:match("^.-\r\n\r\n")
    if head then length = #head + tonumber(head:lower():match("content%-length: (%d+)")) end
  end
  return tonumber(answer:match("^HTTP/1.1 (%d+)"))
end

-- So many requests one after the other on one connection; none may fail.
local function send_requests(peer, how, count)
  local next_body = dofile("tests/bench/text.lua").source(how.kind, how.bytes, 1)
  local head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
    .. peer.key .. "\r\nContent-Length: "
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  assert(socket.connect(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = peer.port }))
  for i = 1, count do
    local body = next_body()
    send_all(fd, head .. #body .. "\r\n\r\n" .. body)
    local status = receive(fd)
    if status ~= 200 then error(("request %d of %d: %s"):format(i, count, status or "no answer")) end
  end
  unistd.close(fd)
end

-- Instructions of a worker's whole life under callgrind, of so many requests: always the same ones, from the first on.
local function life(upstream_port, dir, how, count)
  local out = dir .. "/callgrind"
  os.execute(("rm -rf %s && mkdir -p %s"):format(out, out))
  local g = peers.start_moongate(upstream_port, dir .. "/whole", { prefix = { "valgrind", "--tool=callgrind",
    "--callgrind-out-file=" .. out .. "/%p" } })
  measure.running[g] = true
  send_requests({ port = g.port, key = g:key { app = "demo" } }, how, count)
  local worker = peers.busiest(g.process.pid)
  g:stop()
  measure.running[g] = nil
  local counted = gateway.read_file(out .. "/" .. worker) or ""
  return tonumber(counted:match("\nsummary: (%d+)")) or error("callgrind has written nothing")
end

-- Those of a whole request in user space: what a longer life has more than a shorter one that begins alike.
-- LuaJIT draws lots in each: differences under a thirtieth are none.
function measure.whole_request(upstream_port, dir, how)
  local each = (life(upstream_port, dir, how, MANY) - life(upstream_port, dir, how, FEW)) / (MANY - FEW)
  measure.note("%d requests under callgrind, %.0f instructions each", MANY - FEW, each)
  return each
end

return measure
