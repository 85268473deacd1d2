-- The rows of the bench's table, in groups that can be measured alone, and what each is to come to.
--
--   local rows = dofile("tests/bench/rows.lua")
--   rows.names                            -- in the table's order
--   rows.measure(bench, "history")        -- a list of { what, moongate, nginx, haproxy, unit, value, goal, goal_unit, … }
--
-- bench: dir, upstream(kind) → {pid}, port; peers(kind) → the three, started anew for another kind. value is what the goal
-- is about; is_floor: at least that much is wanted.
local cjson = require("cjson")
local ffi = require("ffi")
local agent = dofile("tests/bench/agent.lua")
local gateway = dofile("tests/lib/gateway.lua")
local median

local rows = { names = {} }
local groups = {}

local function group(name, work)
  rows.names[#rows.names + 1] = name
  groups[name] = work
end

-- --- kinds of rows ---

-- goal in times of nginx
local function compared(what, case, field, unit, goal)
  local mine, nginx, haproxy = median(case.moongate[field]), median(case.nginx[field]), median(case.haproxy[field])
  return { what = what, moongate = mine, nginx = nginx, haproxy = haproxy, unit = unit, value = mine / nginx, goal = goal,
    goal_unit = "x nginx", is_disturbed = case.moongate.is_disturbed or case.nginx.is_disturbed, rounds = case }
end

-- goal in the row's own unit
local function absolute(what, case, field, unit, goal)
  local row = compared(what, case, field, unit, goal)
  row.value, row.goal_unit = row.moongate, unit
  return row
end

local function alone(what, value, unit, goal)
  return { what = what, moongate = value, unit = unit, value = value, goal = goal, goal_unit = unit }
end

local function at_least(what, value, unit, goal)
  local row = alone(what, value, unit, goal)
  row.is_floor = true
  return row
end

-- --- beside nginx and haproxy ---

local function requests(bench, kind, bytes)
  return bench.measure.requests(bench.peers("requests"), bench.upstream("plain"), { kind = kind, bytes = bytes, connections = 32 })
end

group("again", function(bench)
  local small, large = requests(bench, "same", 1024), requests(bench, "same", 32768)
  return {
    compared("one 1 KB body again and again, CPU", small, "cpu_us", "us", 2.5),
    compared("one 32 KB body again and again, CPU", large, "cpu_us", "us", 5),
    compared("p50 latency of the first, 32 connections", small, "p50_us", "us"),
  }
end)

group("fresh", function(bench)
  local small, large = requests(bench, "fresh", 1024), requests(bench, "fresh", 32768)
  return {
    compared("1 KB of fresh text, CPU", small, "cpu_us", "us"),
    compared("32 KB of fresh text, CPU", large, "cpu_us", "us"),
    compared("p50 latency of the first, 32 connections", small, "p50_us", "us"),
  }
end)

group("history", function(bench)
  return {
    compared("history of 32 KB, all seen, CPU", requests(bench, "seen", 32768), "cpu_us", "us"),
    absolute("history of 32 KB, half new, CPU", requests(bench, "half", 32768), "cpu_us", "us", 250),
    compared("history of 32 KB, all new, CPU", requests(bench, "new", 32768), "cpu_us", "us"),
  }
end)

group("streams", function(bench)
  local case = bench.measure.streams(bench.peers("streams"), bench.upstream("plain"), { streams = 1000, wants_memory = true })
  return {
    compared("CPU per SSE event, 1000 streams", case, "cpu_us", "us", 1.6),
    compared("p50 event delay, 1000 streams", case, "p50_us", "us"),
    absolute("memory per open stream", case, "bytes", "bytes", 20 * 1024),
  }
end)

-- --- the ledger ---

-- The same gateway twice, side by side: answers that do not wait for the disk, and answers that do, as by default.
local function durable_peers(bench)
  local list = {}
  for _, name in ipairs { "async", "local" } do
    local g = bench.start_moongate(bench.dir .. "/" .. name, name == "async" and { config = "tests/bench/async/moongate.lua" } or nil)
    list[#list + 1] = { name = name, port = g.port, pid = g.process.pid, key = g:key { app = "demo" }, gateway = g }
  end
  return list
end

group("durable", function(bench)
  local list, upstream = durable_peers(bench), bench.upstream "plain"
  local paced = bench.measure.requests(list, upstream, { kind = "fresh", bytes = 1024, connections = 64, rate = 2000 })
  local full = bench.measure.requests(list, upstream, { kind = "fresh", bytes = 1024, connections = 64 })
  for _, peer in ipairs(list) do bench.stop(peer.gateway) end
  local function p50(case, name) return median(case[name].p50_us) end
  return {
    alone("2,000 requests/s, p50, nothing waits", p50(paced, "async"), "us"),
    alone("the same, answers wait for the disk", p50(paced, "local"), "us"),
    alone("what that adds", (p50(paced, "local") - p50(paced, "async")) / 1000, "ms", 1),
    alone("requests/s as fast as they come, nothing waits", median(full["async"].rate), "1/s"),
    alone("the same, answers wait for the disk", median(full["local"].rate), "1/s"),
  }
end)

-- --- strangers ---

-- What those cost who are not wanted, and those with a key who hold all that they may.
group("strangers", function(bench)
  local g = bench.start_moongate(bench.dir .. "/start")
  local peer = { name = "moongate", port = g.port, pid = g.process.pid, key = g:key { app = "demo" } }
  local bodies = bench.measure.strangers(peer, { count = 3000, kind = "bodies" })
  local heads = bench.measure.strangers(peer, { count = 3000, kind = "heads" })
  local keyed = bench.measure.strangers(peer, { count = 100, kind = "keyed", key = g:key { app = "support-bot" } })
  bench.stop(g)
  return {
    alone("3000 strangers with bodies, bytes of each", bodies.bytes / 3000, "bytes"),
    alone("the same, a worker's memory above idle", bodies.bytes / 1048576, "MB", 64),
    alone("a key beside them, p50 against alone", bodies.slower, "times", 1.5),
    alone("3000 strangers with slow heads, bytes of each", heads.bytes / 3000, "bytes"),
    alone("a key beside them, p50 against alone", heads.slower, "times", 1.5),
    alone("a key that holds all it may, a worker's memory", keyed.bytes / 1048576, "MB", 160),
    alone("another key beside it, p50 against alone", keyed.slower, "times", 1.5),
  }
end)

group("event60k", function(bench)
  local function events(kind)
    return bench.measure.streams(bench.peers(kind), bench.upstream(kind), { streams = 50 })
  end
  local sound = events "sound60k"
  return {
    compared("CPU per SSE event of 60 KB, sound", sound, "cpu_us", "us", 1.5),
    compared("p50 delay of such an event", sound, "p50_us", "us"),
    compared("CPU per SSE event of 60 KB, text, counted", events "text60k", "cpu_us", "us", 1.5),
  }
end)

-- --- the loop ---

-- Milliseconds of the longest turn of all processes since the last look: the worker's, once there was load.
local function longest_turn(folder, is_first)
  local longest = 0
  for name in io.popen("ls " .. folder):lines() do
    local text = assert(gateway.read_file(folder .. "/" .. name))
    longest = math.max(longest, tonumber(ffi.cast("const uint64_t *", text)[1]))
    local file = io.open(folder .. "/" .. name, "r+b")
    file:write(("\0"):rep(16))
    file:close()
  end
  if longest == 0 and not is_first then error("no turn was measured in " .. folder) end
  return longest / 1e6
end

group("turn", function(bench)
  local folder = bench.dir .. "/turns"
  os.execute(("rm -rf %s && mkdir -p %s"):format(folder, folder))
  local g = bench.start_moongate(bench.dir .. "/start", { env = { BENCH_TURNS = folder, LD_PRELOAD = bench.dir .. "/turns.so" } })
  local peer = { name = "moongate", port = g.port, key = g:key { app = "demo" } }
  local function turn(kind, bytes, connections)
    bench.measure.wrk(peer, { kind = kind, bytes = bytes, connections = connections, seconds = 1 })
    longest_turn(folder, true)
    bench.measure.wrk(peer, { kind = kind, bytes = bytes, connections = connections })
    return longest_turn(folder)
  end
  local list = {
    alone("longest turn, 1 KB of fresh text", turn("fresh", 1024, 32), "ms", 5),
    alone("longest turn, new histories of 32 KB", turn("new", 32768, 32), "ms", 5),
    alone("longest turn, 1 MB of fresh text", turn("new", 1048576, 4), "ms", 5),
  }
  bench.stop(g)
  os.execute("rm -rf " .. folder)
  return list
end)

-- A provider that sends without end to as many who read as who do not: what a turn of the worker's loop is then, and what
-- is held for each that does not read.
local READERS, SLEEPERS = 1000, 1000

group("turns", function(bench)
  local folder, mock = bench.dir .. "/turns", bench.mock()
  os.execute(("rm -rf %s && mkdir -p %s"):format(folder, folder))
  local g = bench.start_moongate(bench.dir .. "/start", { upstream = mock.port,
    env = { BENCH_TURNS = folder, LD_PRELOAD = bench.dir .. "/turns.so" } })
  local peer = { pid = g.process.pid, port = g.port, key = g:key { app = "demo" } }
  local function crowd(readers, sleepers)
    longest_turn(folder, true)
    local said = bench.measure.crowd(peer, { readers = readers, sleepers = sleepers })
    said.turn_ms = longest_turn(folder)
    return said
  end
  local asleep = crowd(0, SLEEPERS)
  local both = crowd(READERS, SLEEPERS)
  local _, metrics = gateway.get(g.admin_port, "/metrics")
  local metric = metrics:match("\nmoongate_loop_turn_longest_seconds ([%d.]+)")
  if not metrics:find("\nmoongate_worker_restarts_total 0\n") then error("a worker was lost") end
  local list = {
    alone("longest turn, endless: 1,000 read, 1,000 do not", both.turn_ms, "ms", 5),
    alone("the same, as /metrics tells it", metric and tonumber(metric) * 1000, "ms"),
    alone("memory per client that reads nothing", asleep.bytes, "bytes", 640 * 1024),
    alone("CPU per MB that the others read", both.cpu_us, "us"),
  }
  bench.stop(g)
  bench.stop(mock)
  os.execute("rm -rf " .. folder)
  return list
end)

group("whole", function(bench)
  local function whole(kind, bytes)
    return bench.measure.whole_request(bench.upstream("plain").port, bench.dir, { kind = kind, bytes = bytes })
  end
  return {
    alone("a whole 1 KB request, fresh text", whole("fresh", 1024), "instr", 205000),
    alone("the same, one body again and again", whole("same", 1024), "instr"),
    alone("a whole history of 32 KB, half new", whole("half", 32768), "instr"),
  }
end)

-- --- formats ---

-- Instructions for each byte, in a program that is told rounds and bytes behind other words.
local function per_byte(bench, inside, program, ...)
  local bytes, count = 32768, 20
  local words = { bench.dir .. "/" .. program, ... }
  words[#words + 1], words[#words + 2] = count, bytes
  return bench.measure.instructions(inside, words) / count / bytes
end

group("tape", function(bench) return { alone("JSON tape, instructions per byte", per_byte(bench, "json_parse", "tape"), "instr", 5) } end)

-- Instructions of `inside` for each of 200 bodies of that kind, after 4 MB of others.
local function per_body(bench, inside, program, kind, bytes)
  local file, skipped, counted = bench.dir .. "/bodies", math.floor(4194304 / bytes), 200
  os.execute(("luajit tests/bench/text.lua %s %d %d 7 > %s"):format(kind, skipped + counted, bytes, file))
  local each = bench.measure.instructions(inside, { bench.dir .. "/" .. program, file, skipped }) / counted
  os.remove(file)
  return each
end

group("detect", function(bench)
  return {
    alone("detectors, instructions per byte", per_byte(bench, "detect_scan", "detect", "whole"), "instr", 10),
    alone("the same, in pieces of 20 bytes", per_byte(bench, "detect_scan", "detect", "stream"), "instr"),
    alone("a request's text, lookalikes and escapes looked for", per_byte(bench, "look", "detect", "look"), "instr", 10),
    alone("keywords, instructions per byte", per_byte(bench, "keywords_scan", "detect", "keywords"), "instr", 10),
    alone("scanning 1 KB of fresh text", per_body(bench, "scan_once", "scan", "fresh", 1024), "instr"),
    alone("scanning a history of 32 KB, all seen", per_body(bench, "scan_once", "scan", "seen", 32768), "instr"),
    alone("scanning a history of 32 KB, half new", per_body(bench, "scan_once", "scan", "half", 32768), "instr"),
    alone("scanning a history of 32 KB, all new", per_body(bench, "scan_once", "scan", "new", 32768), "instr"),
  }
end)

-- --- the ledger's writer ---

-- Records a second in batches of a size: with columns, chain and sums; or the bodies alone.
local function fed(bench, mode, batch, count, pattern)
  local dir = bench.dir .. "/ledger.data"
  os.execute(("rm -rf %s && mkdir -p %s"):format(dir, dir))
  local said = bench.measure.said(pattern or "ledger ([%d.]+)", { bench.dir .. "/ledger", mode, batch, count, dir })
  os.execute("rm -rf " .. dir)
  return said
end

group("writer", function(bench)
  local put, plain = fed(bench, "put", 1024, 60000), fed(bench, "plain", 1024, 60000)
  return {
    alone("ledger, a batch of 1", fed(bench, "put", 1, 2000), "1/s"),
    alone("ledger, batches of 16", fed(bench, "put", 16, 20000), "1/s"),
    alone("ledger, batches of 128", fed(bench, "put", 128, 40000), "1/s"),
    at_least("ledger, batches of 1024", put, "1/s", 20000),
    alone("the bodies alone, batches of 1024", plain, "1/s"),
    alone("ledger, a batch of 128 to the disk, p99", fed(bench, "put", 128, 40000, "ledger [%d.]+ [%d.]+ ([%d.]+)"), "ms"),
  }
end)

-- --- the ledger's process ---

-- What the feeder said (tests/bench/feed.c), of an empty data folder.
local function feed(bench, count, rate)
  local dir = bench.dir .. "/feed.data"
  os.execute(("rm -rf %s"):format(dir))
  local text = gateway.process.run { bench.dir .. "/feed", dir, tostring(count), rate and tostring(rate) or nil, seconds = 600 }
  os.execute(("rm -rf %s"):format(dir))
  local said, cpu = text:match("fed (%b{}).*cpu (%b{})")
  if not cpu then error("feed said:\n" .. text) end
  said, cpu = cjson.decode(said), cjson.decode(cpu)
  said.cpu_us = cpu.user_us + cpu.system_us
  return said
end

group("feed", function(bench)
  local full, paced = feed(bench, 100000), feed(bench, 10000, 500)
  return {
    at_least("records fed at the ledger's socket", full.rate, "1/s", 20000),
    alone("CPU of a record, the ledger process's", full.cpu_us, "us"),
    alone("100,000 records of 1.6 KB: the file", full.db_mb, "MB"),
    alone("the same: the most of its log", full.wal_mb, "MB", 64),
    alone("500 records/s: sent until acknowledged, p50", paced.p50_us / 1000, "ms"),
    alone("the same, p99", paced.p99_us / 1000, "ms"),
  }
end)

-- --- tokens ---

local function mb_per_second(bench, kind)
  return bench.measure.said("speed ([%d.]+)", { bench.dir .. "/tokens", "speed", kind, "4000000" })
end

-- npm's tiktoken on the same text; nil where it cannot be installed.
local function tiktoken_mb(bench)
  local packages = dofile("tests/lib/packages.lua")
  local home, dir = "build/clients/tokens", bench.dir
  if not packages.npm(home, "tests/tokens") then
    bench.measure.note("tiktoken is not here (no registry): no comparison")
    return nil
  end
  os.execute(("%s/tokens text english 1000000 > %s/english.txt && cp tests/bench/tiktoken.mjs %s/"):format(dir, dir, home))
  return bench.measure.said("tiktoken ([%d.]+)", { "node", home .. "/tiktoken.mjs", dir .. "/english.txt" })
end

group("tokens", function(bench)
  local tool = bench.dir .. "/tokens"
  local english, tiktoken = mb_per_second(bench, "english"), tiktoken_mb(bench)
  local per_english = bench.measure.instructions("token_count", { tool, "rounds", "english", 20, 32768 }) / 20 / 32768
  return {
    at_least("tokens, English", english, "MB/s", 80),
    at_least("tokens, Chinese", mb_per_second(bench, "chinese"), "MB/s", 40),
    at_least("tokens, code", mb_per_second(bench, "code"), "MB/s", 100),
    at_least("tokens, English, against tiktoken", tiktoken and english / tiktoken, "times", 10),
    alone("tokens, English, instructions per byte", per_english, "instr"),
    alone("tokens, the worst of 1 MB", bench.measure.said("worst ([%d.]+)", { tool, "worst" }), "ms", 300),
    alone("tokens, first count of a process", bench.measure.said("map %d+ ([%d.]+)", { tool, "map" }), "ms", 1),
    alone("tokens, tables of both vocabularies", bench.measure.said("map (%d+)", { tool, "map" }) / 1048576, "MB", 16),
  }
end)

group("count", function(bench)
  return {
    alone("counting 1 KB of fresh text", per_body(bench, "count_once", "count", "fresh", 1024), "instr"),
    alone("counting a history of 32 KB, all seen", per_body(bench, "count_once", "count", "seen", 32768), "instr"),
    alone("counting a history of 32 KB, half new", per_body(bench, "count_once", "count", "half", 32768), "instr"),
    alone("counting a history of 32 KB, all new", per_body(bench, "count_once", "count", "new", 32768), "instr"),
    alone("metering a stream, per event", bench.measure.said("meter %d+ %d+ ([%d.]+)", { bench.dir .. "/meter", "2000", "20" }),
      "us", 2),
  }
end)

-- A row for each line that the tool says: a pair of dialects, then numbers, of which the last counts.
local function pairs_of(bench, what, unit, goal, tool, ...)
  local words, list = { bench.dir .. "/" .. tool, ... }, {}
  words.seconds = 120
  for line in gateway.process.run(words):gmatch("[^\n]+") do
    local pair, value = line:match("^(%w+_to_%w+) .-([%d.]+)$")
    list[#list + 1] = alone(what:format((pair:gsub("_", " "))), tonumber(value), unit, goal)
  end
  if #list == 0 then error(tool .. " said nothing of any pair") end
  return list
end

group("translate", function(bench)
  local list = {}
  local function add(rows_of) for _, row in ipairs(rows_of) do list[#list + 1] = row end end
  add(pairs_of(bench, "translating a stream, %s, per event", "us", 6, "translate_answer", "2000", "20"))
  add(pairs_of(bench, "translating a request of 1 KB, %s", "us", 30, "translate_request", "1024", "20000"))
  add(pairs_of(bench, "translating a request of 64 KB, %s", "us", nil, "translate_request", "65536", "300"))
  return list
end)

group("template", function(bench) return { alone("filling a prompt of 2 KB with 4 KB, all told",
  bench.measure.said("template %d+ (%S+)", { bench.dir .. "/template", "100000" }), "us", 2) } end)

-- Instructions of one byte.
local function reading(bench, api)
  local asked, count, file = agent.request(api, 65536), 20, bench.dir .. "/parse.json"
  gateway.write_private(file, asked.body)
  local words = { bench.dir .. "/parse", asked.dialect, asked.model, file, tostring(count) }
  return bench.measure.instructions("parse_once", words) / count / #asked.body
end

group("reading", function(bench)
  if not agent.is_here() then return {} end
  local chat, list = reading(bench, "chat"), {}
  for _, api in ipairs { "messages", "responses", "gemini" } do
    list[#list + 1] = alone("reading an agent's 64 KB, " .. api .. " beside chat", reading(bench, api) / chat, "times", 1.3)
  end
  return list
end)

local function counters(bench, pattern, users)
  return bench.measure.said(pattern, { bench.dir .. "/counters", users, "1000", "200000" })
end

group("counters", function(bench)
  return {
    alone("eleven limits, admitted and settled", counters(bench, "counters ([%d.]+)", "1000"), "us", 2),
    alone("the same, of 100,000 users", counters(bench, "counters ([%d.]+)", "100000"), "us"),
    alone("the same, what the ledger's process says of it", counters(bench, "recorded ([%d.]+)", "1000"), "us"),
    alone("the same, instructions", bench.measure.instructions("request_once", { bench.dir .. "/counters", "1000", "1000",
      "2048" }) / 2048, "instr"),
    alone("memory of a key that is counted", counters(bench, "memory (%d+)", "1000"), "bytes"),
    alone("memory of a request that holds something", counters(bench, "memory %d+ (%d+)", "1000"), "bytes"),
  }
end)

-- --- policies ---

local function chain_cost(bench, ...)
  local count = 200
  return bench.measure.instructions("decide_once", { bench.dir .. "/chain", count, ... }) / count
end

group("chain", function(bench)
  return {
    alone("policies, \"auto\"", chain_cost(bench, "shipped", "auto"), "instr", 45000),
    alone("policies, a model by name", chain_cost(bench, "shipped", "gpt-4o"), "instr", 40000),
    alone("policies, a denial", chain_cost(bench, "shipped", "claude-3-opus"), "instr", 25000),
    alone("access: 1,000 rows against 10", chain_cost(bench, "rows", 1000) / chain_cost(bench, "rows", 10), "times", 2),
  }
end)

-- What a worker does of it between turns of its loop (tests/bench/loading.c): milliseconds of CPU in all, and of the longest
-- turn while it loads and while it frees.
local function turns(bench, what, count)
  local text = gateway.process.run { bench.dir .. "/loading", what, tostring(count), seconds = 120 }
  local all, longest = text:match("load %d+ turns, [%d.]+ ms, ([%d.]+) ms of CPU; longest [%d.]+ ms, ([%d.]+) ms")
  local freeing = text:match("free %d+ turns, [%d.]+ ms, [%d.]+ ms of CPU; longest [%d.]+ ms, ([%d.]+) ms")
  if not freeing then error("loading said:\n" .. text) end
  return { all = tonumber(all), longest = tonumber(longest), freeing = tonumber(freeing) }
end

group("loading", function(bench)
  local access, models, words = turns(bench, "access", 1000), turns(bench, "models", 5000), turns(bench, "words", 4000)
  return {
    alone("1,000 rows of access: loading", access.all, "ms", 60),
    alone("5,000 models: loading", models.all, "ms"),
    alone("5,000 models: a worker's longest turn", models.longest, "ms", 5),
    alone("5,000 models: the same, freeing", models.freeing, "ms", 5),
    alone("4,000 keywords: a worker's longest turn", words.longest, "ms", 5),
  }
end)

group("sections", function(bench) -- a worker takes the keys of the registry, milliseconds of CPU
  local ms = bench.measure.said("take (%S+) ms", { bench.dir .. "/sections", "100000" })
  return { alone("100,000 keys: a worker's pause for a push", ms, "ms", 5) }
end)

-- A backlog on its way into PostgreSQL on one connection, each commit on the disk; beside it a plain COPY of the same rows
-- (tests/bench/ship.c).
group("ship", function(bench)
  local text = gateway.process.run { bench.dir .. "/ship", "200000", seconds = 600 }
  local function said(name) return tonumber(text:match("%f[%w]" .. name .. " ([%d.]+)")) or error("ship said:\n" .. text) end
  return {
    at_least("PostgreSQL, one connection, 1.2 KB records", said("rows/s"), "rows/s", 30000),
    alone("the same rows by COPY, nothing summed", said("copy/s"), "rows/s"),
    alone("CPU of a row, here", said("cpu_us"), "us"),
    alone("CPU of a row, PostgreSQL's", said("server_cpu_us"), "us"),
    alone("memory at the end of the backlog", said("memory_mib"), "MiB", 64),
  }
end)

-- From exec to the first 200 of /readyz, and one `moongate reload` as a person types it.
group("start", function(bench)
  local starts, reloads = {}, {}
  for i = 1, 5 do
    local g = bench.start_moongate(bench.dir .. "/start")
    starts[#starts + 1] = g.start_ms
    for _ = 1, i == 5 and 9 or 0 do
      reloads[#reloads + 1] = bench.measure.milliseconds(function()
        local said, code = g:command("reload")
        if code ~= 0 then error("moongate reload: " .. said) end
      end)
    end
    bench.stop(g)
  end
  return { alone("start to ready", median(starts), "ms", 100), alone("reload", median(reloads), "ms", 20) }
end)

function rows.measure(bench, name)
  median = bench.measure.median
  local list = groups[name](bench)
  for _, row in ipairs(list) do row.group = name end
  return list
end

-- Nothing of that name?
function rows.has(name) return groups[name] ~= nil end

return rows
