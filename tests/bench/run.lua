-- The gateway beside nginx and haproxy, side by side in one run, as ratios.
--
--   B=build luajit tests/bench/run.lua [quick]
--
-- Method: one upstream that only answers (upstream.c); each peer with one worker on core 0, load and upstream on core 1;
-- rounds in which each peer has its turn; processor time from the scheduler (schedstat of the peer, its threads and
-- children) divided by what was completed; medians of the rounds. moongate does everything it does by default: keys,
-- access, routing ("auto"), trace, one audit line a request. A round in which others used more than FOREIGN_MAX of a
-- core is repeated twice at most and marked if it stays so. Only ratios mean anything on another machine; differences
-- under a tenth are none. Prints a table and writes build/bench/result.json.
local cjson = require("cjson")
local times = require("posix.sys.times")
local peers = dofile("tests/bench/peers.lua")
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

local quick = arg[1] == "quick"
local ROUNDS = quick and 1 or 3
local WRK_SECONDS = quick and 1 or 3
local STREAMS, STREAM_SECONDS, STREAM_ROUNDS = 1000, quick and 2 or 4, quick and 1 or 3
local FOREIGN_MAX = 0.15
local TICK = 100 -- clock ticks a second in /proc/stat and times()

local dir = gateway.build .. "/bench"
local running = {} -- everything to stop

local function median(list)
  local sorted = { unpack(list) }
  table.sort(sorted)
  local n = #sorted
  if n == 0 then return 0 / 0 end
  return n % 2 == 1 and sorted[(n + 1) / 2] or (sorted[n / 2] + sorted[n / 2 + 1]) / 2
end

local function note(text, ...)
  io.stderr:write("  ", text:format(...), "\n")
end

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

local function wrk(peer, bytes, connections)
  local words = peers.on_core(1)
  for _, word in ipairs { "wrk", "-t1", "-c" .. connections, "-d" .. WRK_SECONDS .. "s", "--latency", "-s",
    "tests/bench/wrk.lua", "http://127.0.0.1:" .. peer.port } do words[#words + 1] = word end
  words.env = { BENCH_BYTES = tostring(bytes), BENCH_KEY = peer.key }
  words.seconds = 60
  local said = process.run(words)
  local requests, errors, p50, seconds = said:match("bench (%d+) (%d+) (%d+) ([%d.]+)")
  if not requests then error("wrk said:\n" .. said) end
  if tonumber(errors) > 0 then error(peer.name .. ": " .. errors .. " requests failed:\n" .. said) end
  return { requests = tonumber(requests), p50_us = tonumber(p50), seconds = tonumber(seconds) }
end

-- One case over all peers and rounds: {name = {cpu_us = {…}, p50_us = {…}, rate = {…}, is_disturbed}}.
local function request_case(list, upstream, bytes, connections)
  local results = {}
  for _, peer in ipairs(list) do results[peer.name] = { cpu_us = {}, p50_us = {}, rate = {} } end
  for round = 1, ROUNDS do
    for _, peer in ipairs(list) do
      local r, used, foreign
      for _ = 1, 3 do
        r, used, foreign = measured(peer, upstream, nil, function() return wrk(peer, bytes, connections) end)
        if foreign <= FOREIGN_MAX or quick then break end
      end
      local to = results[peer.name]
      to.cpu_us[#to.cpu_us + 1] = used / 1000 / r.requests
      to.p50_us[#to.p50_us + 1] = r.p50_us
      to.rate[#to.rate + 1] = r.requests / r.seconds
      to.is_disturbed = to.is_disturbed or foreign > FOREIGN_MAX
      note("round %d  %5d bytes  %-8s %6.1f us CPU/request  %6.0f requests/s  p50 %d us  others %.2f core", round, bytes,
        peer.name, used / 1000 / r.requests, r.requests / r.seconds, r.p50_us, foreign)
    end
  end
  return results
end

local function streams(peer, upstream, wants_memory)
  local words = peers.on_core(1)
  for _, word in ipairs { gateway.build .. "/bench/streams", peer.stream_port, STREAMS, STREAM_SECONDS, peer.key } do
    words[#words + 1] = word
  end
  words.input = true
  local memory = peers.anon_bytes(peer.pid)
  local load = process.start(words)
  running[load] = true
  local opened = tonumber(load:expect("^open (%d+)", 30))
  if opened ~= STREAMS then error(("%s: %d of %d streams opened"):format(peer.name, opened, STREAMS)) end
  process.sleep(1)
  memory = (peers.anon_bytes(peer.pid) - memory) / STREAMS
  load:write("\n")
  load:expect("^start", 5)
  local r, used, foreign = measured(peer, upstream, load.pid, function()
    load:write("\n")
    return cjson.decode(load:expect("^end (.*)", STREAM_SECONDS + 20))
  end)
  load:stop()
  running[load] = nil
  if r.lost > 0 then error(("%s lost %d streams"):format(peer.name, r.lost)) end
  r.cpu_us = used / 1000 / r.events
  r.bytes = wants_memory and memory or nil
  r.is_disturbed = foreign > FOREIGN_MAX
  note("%d streams  %-8s %5.1f us CPU/event  %6.0f events/s  p50 %d us%s  others %.2f core", STREAMS, peer.name, r.cpu_us,
    r.events / r.seconds, r.p50_us, r.bytes and ("  %.1f KB a stream"):format(r.bytes / 1024) or "", foreign)
  process.sleep(1) -- the peer sees 1,000 clients leave
  return r
end

local function stream_case(list, upstream)
  local results = {}
  for _, peer in ipairs(list) do results[peer.name] = { cpu_us = {}, p50_us = {}, bytes = {} } end
  for round = 1, STREAM_ROUNDS do
    for _, peer in ipairs(list) do
      local r = streams(peer, upstream, round == 1)
      local to = results[peer.name]
      to.cpu_us[#to.cpu_us + 1] = r.cpu_us
      to.p50_us[#to.p50_us + 1] = r.p50_us
      to.bytes[#to.bytes + 1] = r.bytes
      to.is_disturbed = to.is_disturbed or r.is_disturbed
    end
  end
  return results
end

local function milliseconds(work)
  local began = process.now()
  work()
  return (process.now() - began) * 1000
end

-- From exec to the first 200 of /readyz, and one `moongate reload` as a person types it.
local function start_and_reload(upstream_port)
  local starts, reloads = {}, {}
  for i = 1, 5 do
    local g = peers.start_moongate(upstream_port, dir .. "/start")
    starts[#starts + 1] = g.start_ms
    for _ = 1, i == 5 and 9 or 0 do
      reloads[#reloads + 1] = milliseconds(function()
        local said, code = g:command("reload")
        if code ~= 0 then error("moongate reload: " .. said) end
      end)
    end
    g:stop()
  end
  return median(starts), median(reloads)
end

-- Instructions inside of one C function while a bench tool runs.
local function instructions(inside, words)
  local said, code = process.run { "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
    "--toggle-collect=" .. inside, unpack(words) }
  local collected = said:match("Collected : (%d+)")
  if code ~= 0 or not collected then error("callgrind said:\n" .. said) end
  return tonumber(collected)
end

-- Those for each byte, in a program that is told rounds and bytes behind other words.
local function cost_per_byte(inside, program, ...)
  local bytes, rounds = 32768, 20
  local words = { gateway.build .. "/bench/" .. program, ... }
  words[#words + 1], words[#words + 2] = rounds, bytes
  return instructions(inside, words) / rounds / bytes
end

-- Those of one decision.
local function chain_cost(...)
  local rounds = 200
  return instructions("decide_once", { gateway.build .. "/bench/chain", rounds, ... }) / rounds
end

-- --- tokens ---

local function said(pattern, ...)
  local words = { ... }
  words.seconds = 120
  local text = process.run(words)
  return tonumber(text:match(pattern)) or error(table.concat({ ... }, " ") .. ": " .. text)
end

local function mb_per_second(kind) return said("speed ([%d.]+)", dir .. "/tokens", "speed", kind, "4000000") end

-- npm's tiktoken on the same text; nil where it cannot be installed.
local function tiktoken_mb()
  local packages = dofile("tests/lib/packages.lua")
  local home = "build/clients/tokens"
  if not packages.npm(home, "tests/tokens") then
    note("tiktoken is not here (no registry): no comparison")
    return nil
  end
  os.execute(("%s/tokens text english 1000000 > %s/english.txt && cp tests/bench/tiktoken.mjs %s/"):format(dir, dir, home))
  return said("tiktoken ([%d.]+)", "node", home .. "/tiktoken.mjs", dir .. "/english.txt")
end

local function count_us(what) return said("count %d+ %d+ %d+ ([%d.]+)", dir .. "/count", what, "40", "102400") end

-- {milliseconds of CPU of loading, of its longest turn, of the longest turn of freeing}
local function turns(...)
  local words = { gateway.build .. "/bench/turns", ... }
  words.seconds = 120
  local text = process.run(words)
  local all, longest = text:match("load %d+ turns, [%d.]+ ms, ([%d.]+) ms of CPU; longest [%d.]+ ms, ([%d.]+) ms")
  local freeing = text:match("free %d+ turns, [%d.]+ ms, [%d.]+ ms of CPU; longest [%d.]+ ms, ([%d.]+) ms")
  if not freeing then error("turns said:\n" .. text) end
  return { all = tonumber(all), longest = tonumber(longest), freeing = tonumber(freeing) }
end

local function measure_tokens()
  local english, tiktoken = mb_per_second("english"), tiktoken_mb()
  return {
    english = english, chinese = mb_per_second("chinese"), code = mb_per_second("code"),
    tiktoken = tiktoken and english / tiktoken, worst_ms = said("worst ([%d.]+)", dir .. "/tokens", "worst"),
    map_ms = said("map %d+ ([%d.]+)", dir .. "/tokens", "map"), table_mb = said("map (%d+)", dir .. "/tokens", "map") / 1048576,
    per_byte = instructions("token_count", { dir .. "/tokens", "rounds", "english", 20, 32768 }) / 20 / 32768,
    request = instructions("count_once", { dir .. "/count", "request", 100, 1024 }) / 100,
    again = count_us("first") / count_us("history"),
    meter_us = said("meter %d+ %d+ ([%d.]+)", dir .. "/meter", "2000", "20"),
  }
end

local function of(case, name, field) return median(case[name][field]) end

-- {what, moongate, nginx, haproxy, unit, value to compare, goal, goal's unit}
local function table_of(m)
  local function compared(what, case, field, unit, goal)
    local mine, nginx, haproxy = of(case, "moongate", field), of(case, "nginx", field), of(case, "haproxy", field)
    local disturbed = case.moongate.is_disturbed or case.nginx.is_disturbed
    return { what = what, moongate = mine, nginx = nginx, haproxy = haproxy, unit = unit, value = mine / nginx,
      goal = goal, goal_unit = "x nginx", is_disturbed = disturbed }
  end
  local function alone(what, value, unit, goal) return { what = what, moongate = value, unit = unit, value = value,
    goal = goal, goal_unit = unit } end
  local function at_least(what, value, unit, goal)
    local row = alone(what, value, unit, goal)
    row.is_floor = true
    return row
  end
  local t = m.tokens
  local memory = compared("memory per open stream", m.streams, "bytes", "bytes", 24 * 1024)
  memory.value, memory.goal_unit = memory.moongate, "bytes"
  return {
    compared("CPU per request, 1 KB", m.small, "cpu_us", "us", 2.5),
    compared("CPU per request, 32 KB", m.large, "cpu_us", "us", 5),
    compared("p50 latency, 1 KB, 32 connections", m.small, "p50_us", "us"),
    compared("CPU per SSE event, 1000 streams", m.streams, "cpu_us", "us", 1.6),
    compared("p50 event delay, 1000 streams", m.streams, "p50_us", "us"),
    memory,
    alone("JSON tape, instructions per byte", m.tape, "instr", 5),
    alone("detectors, instructions per byte", m.detect, "instr", 10),
    alone("the same, in pieces of 20 bytes", m.detect_stream, "instr"),
    alone("keywords, instructions per byte", m.keywords, "instr", 10),
    at_least("tokens, English", t.english, "MB/s", 80),
    at_least("tokens, Chinese", t.chinese, "MB/s", 40),
    at_least("tokens, code", t.code, "MB/s", 100),
    at_least("tokens, English, against tiktoken", t.tiktoken, "times", 10),
    alone("tokens, English, instructions per byte", t.per_byte, "instr"),
    alone("tokens, the worst of 1 MB", t.worst_ms, "ms", 300),
    alone("tokens, first count of a process", t.map_ms, "ms", 1),
    alone("tokens, tables of both vocabularies", t.table_mb, "MB", 16),
    alone("counting a request of 1 KB", t.request, "instr"),
    alone("a history of 100 KB again, quicker by", t.again, "times"),
    alone("metering a stream, per event", t.meter_us, "us", 2),
    alone("policies, \"auto\"", m.chain_auto, "instr", 30000),
    alone("policies, a model by name", m.chain_named, "instr", 30000),
    alone("policies, a denial", m.chain_denied, "instr", 30000),
    alone("access: 1,000 rows against 10", m.rows_1000 / m.rows_10, "times", 2),
    alone("1,000 rows of access: loading", m.access.all, "ms", 60),
    alone("5,000 models: loading", m.models.all, "ms"),
    alone("5,000 models: a worker's longest turn", m.models.longest, "ms", 5),
    alone("5,000 models: the same, freeing", m.models.freeing, "ms", 5),
    alone("4,000 keywords: a worker's longest turn", m.words.longest, "ms", 5),
    alone("start to ready", m.start_ms, "ms", 100),
    alone("reload", m.reload_ms, "ms", 20),
  }
end

local function print_table(rows)
  local function number(value) return value and ("%.1f"):format(value) or "" end
  print(("%-38s %10s %10s %10s  %-6s %9s  %-14s %s"):format("", "moongate", "nginx", "haproxy", "", "ratio", "goal", ""))
  for _, row in ipairs(rows) do
    local goal = row.goal and ("%s %g %s"):format(row.is_floor and ">=" or "<=", row.goal, row.goal_unit) or ""
    local is_met = row.goal and row.value and (row.is_floor and row.value >= row.goal or not row.is_floor and row.value <= row.goal)
    local verdict = row.goal and (is_met and "met" or row.value and "MISSED" or "not measured") or ""
    print(("%-38s %10s %10s %10s  %-6s %9s  %-14s %s%s"):format(row.what, number(row.moongate), number(row.nginx),
      number(row.haproxy), row.unit, row.nginx and ("%.2f"):format(row.moongate / row.nginx) or "", goal, verdict,
      row.is_disturbed and " (others were busy)" or ""))
  end
end

local function run()
  local upstream_words = peers.on_core(1)
  for _, word in ipairs { dir .. "/upstream", "--rate", 20, "--events", 100000 } do
    upstream_words[#upstream_words + 1] = word
  end
  local upstream = process.start(upstream_words)
  running[upstream] = true
  local port = tonumber(upstream:expect("listening on 127%.0%.0%.1:(%d+)"))
  local m = {
    tape = cost_per_byte("json_parse", "tape"),
    detect = cost_per_byte("detect_scan", "detect", "whole"),
    detect_stream = cost_per_byte("detect_scan", "detect", "stream"),
    keywords = cost_per_byte("keywords_scan", "detect", "keywords"),
    tokens = measure_tokens(),
    chain_auto = chain_cost("shipped", "auto"),
    chain_named = chain_cost("shipped", "gpt-4o"),
    chain_denied = chain_cost("shipped", "claude-3-opus"),
    rows_10 = chain_cost("rows", 10),
    rows_1000 = chain_cost("rows", 1000),
    access = turns("access", 1000),
    models = turns("models", 5000),
    words = turns("words", 4000),
  }
  m.start_ms, m.reload_ms = start_and_reload(port)
  for _, case in ipairs { "streams", "requests" } do
    local list = peers.start(port, dir, running)
    if case == "streams" then
      m.streams = stream_case(list, upstream)
    else
      for _, peer in ipairs(list) do wrk(peer, 1024, 32) end -- warm
      m.small, m.large = request_case(list, upstream, 1024, 32), request_case(list, upstream, 32768, 32)
    end
    for _, peer in ipairs(list) do
      peer.stop()
      running[peer] = nil
    end
  end
  local rows = table_of(m)
  print_table(rows)
  local file = assert(io.open(dir .. "/result.json", "w"))
  file:write(cjson.encode { rows = rows, raw = m }, "\n")
  file:close()
end

os.execute("mkdir -p " .. dir)
process.catch_signals()
local ok, why = xpcall(run, debug.traceback)
for thing in pairs(running) do thing.stop(thing) end
os.execute(("rm -rf %s/data %s/start %s/nginx-*"):format(dir, dir, dir))
if not ok then
  io.stderr:write(tostring(why), "\n")
  os.exit(1)
end
