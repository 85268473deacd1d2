-- The gateway beside nginx and haproxy, side by side in one run, as ratios.
--
--   B=build luajit tests/bench/run.lua [quick] [GROUP…]       -- groups of rows (tests/bench/rows.lua); none: all; help: their names
--
-- Method: one upstream that only answers (upstream.c); each peer with one worker on core 0, load and upstream on core 1;
-- rounds in which each peer has its turn, medians of the rounds (measure.lua). moongate does everything it does by
-- default: keys, access, routing ("auto"), counting of tokens, trace, one audit line a request. Texts are fresh (text.lua)
-- unless the row says otherwise. Only ratios mean anything on another machine; differences under a tenth are none. Prints a
-- table and writes build/bench/result.json.
local cjson = require("cjson")
local gateway = dofile("tests/lib/gateway.lua")
local measure = dofile("tests/bench/measure.lua")
local peers = dofile("tests/bench/peers.lua")
local rows = dofile("tests/bench/rows.lua")
local process = gateway.process

local dir = gateway.build .. "/bench"
local bench = { dir = dir, measure = measure }

-- --- what runs ---

local upstream_words = {
  plain = { "--rate", 20, "--events", 100000 },
  sound60k = { "--rate", 10, "--events", 100000, "--sound", 60 * 1024 },
  text60k = { "--rate", 10, "--events", 100000, "--text", dir .. "/text60k" },
}
local upstreams = {}

function bench.upstream(kind)
  if upstreams[kind] then return upstreams[kind] end
  local words = peers.on_core(1)
  os.execute(("luajit tests/bench/text.lua text 1 %d 3 > %s/text60k"):format(60 * 1024, dir))
  words[#words + 1] = dir .. "/upstream"
  for _, word in ipairs(upstream_words[kind]) do words[#words + 1] = word end
  local upstream = process.start(words)
  measure.running[upstream] = true
  upstream.port = tonumber(upstream:expect("listening on 127%.0%.0%.1:(%d+)"))
  upstreams[kind] = upstream
  return upstream
end

function bench.stop(thing)
  thing:stop()
  measure.running[thing] = nil
end

-- The tests' provider, which does what it is asked to.
function bench.mock()
  local mock = gateway.mock { prefix = peers.on_core(1) }
  function mock.stop() mock.process:stop() end
  measure.running[mock] = true
  return mock
end

function bench.start_moongate(where, how)
  local g = peers.start_moongate(how and how.upstream or bench.upstream("plain").port, where, how)
  measure.running[g] = true
  return g
end

local started = { kind = nil, list = {} }

local function stop_peers()
  for _, peer in ipairs(started.list) do
    peer.stop()
    measure.running[peer] = nil
  end
  started = { kind = nil, list = {} }
end

-- The three; of the same kind the ones that run.
function bench.peers(kind)
  if started.kind == kind then return started.list end
  stop_peers()
  local upstream = bench.upstream(upstream_words[kind] and kind or "plain")
  started = { kind = kind, list = peers.start(upstream.port, dir, measure.running) }
  return started.list
end

-- --- the table ---

local function verdict_of(row)
  if not row.goal then return "", "" end
  local goal = ("%s %g %s"):format(row.is_floor and ">=" or "<=", row.goal, row.goal_unit)
  if not row.value then return goal, "not measured" end
  local is_met = row.is_floor and row.value >= row.goal or not row.is_floor and row.value <= row.goal
  return goal, is_met and "met" or "MISSED"
end

local function print_table(list)
  local function number(value) return value and ("%.1f"):format(value) or "" end
  print(("%-42s %10s %10s %10s  %-6s %7s  %-15s %s"):format("", "moongate", "nginx", "haproxy", "", "ratio", "goal", ""))
  for _, row in ipairs(list) do
    local goal, verdict = verdict_of(row)
    print(("%-42s %10s %10s %10s  %-6s %7s  %-15s %s%s"):format(row.what, number(row.moongate), number(row.nginx),
      number(row.haproxy), row.unit, row.nginx and ("%.2f"):format(row.moongate / row.nginx) or "", goal, verdict,
      row.is_disturbed and " (others were busy)" or ""))
  end
end

local function wanted()
  local names = {}
  for _, word in ipairs(arg) do
    if word == "quick" then measure.quickly()
    elseif rows.has(word) then names[#names + 1] = word
    else
      io.stderr:write(("groups of rows: %s\n"):format(table.concat(rows.names, " ")))
      os.exit(word == "help" and 0 or 2)
    end
  end
  return #names > 0 and names or rows.names
end

local function run()
  local list = {}
  for _, name in ipairs(wanted()) do
    for _, row in ipairs(rows.measure(bench, name)) do list[#list + 1] = row end
  end
  stop_peers()
  print_table(list)
  local file = assert(io.open(dir .. "/result.json", "w"))
  file:write(cjson.encode { rows = list }, "\n")
  file:close()
end

os.execute("mkdir -p " .. dir)
process.catch_signals()
local ok, why = xpcall(run, debug.traceback)
for thing in pairs(measure.running) do thing.stop(thing) end
for name in ("data start async local whole callgrind turns text60k nginx-*"):gmatch("%S+") do
  os.execute(("rm -rf %s/%s"):format(dir, name))
end
if not ok then
  io.stderr:write(tostring(why), "\n")
  os.exit(1)
end
