-- Gateways that share one Redis, each with a folder and a ledger of its own, in front of one mock; and what must be true
-- of them in the end, whatever happened: what their ledgers come to is what Redis says, and nothing is held.
--
--   local f = fleet.start { gateways = 4, policies = fleet.policies { budget = "…" }, redis = { "--maxmemory", "9mb" } }
--   f.redis  f.mock  f[1] … f[4]              -- kit/redis, kit/mock, kit/gateway; the rest of the options are gateway.start's
--   f:connected()                             -- until each says that it has the Redis
--   f:counted()                               -- { spent = { ["<start> <key>"] = nano }, held = …, running = …, open = n }
--   f:charged()                               -- { ["<start> <key>"] = nano }, of all ledgers together
--   f:agrees(20)                              -- until the two say the same, and nothing is held or under way
--   f:poll { key, … }  f:polled()             -- all that Redis holds, again and again, each time at one moment: how often, and
--                                             by key { spent =, all = }: the most that was spent, and with what was
--                                             held. Raises where sums were once not those of the holds
--   local load = f:spend { lanes = 8, seed = 1, pause = 0.01 }      -- random amounts at all of them (kit/spenders);
--                                             key(g): whose, instead of g.key; wrong = 20: in a hundred answers;
--                                             tokens = 30: at most of an answer
--   load:count(200)  load:lines()             -- complete answers so far: of that status; { id =, status =, tokens =, … }
--   load:beyond()                             -- tokens of them beyond what they might have
--   load:stop()  load:check()                 -- each is in one ledger, once, and cost what the mock said
--   f:stop()
--
-- fleet.policies is dimes.policies (kit/dimes).
local signal = require("posix.signal")
local database = require("tests.e2e.kit.database")
local dimes = require("tests.e2e.kit.dimes")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local redis = require("tests.e2e.kit.redis")
local process = dofile("tests/lib/process.lua")

local fleet = { DIME = dimes.DIME }
local running = {}
running.__index = running

-- So that who tests a fleet needs no more than this.
fleet.policies = dimes.policies

-- Of a department, at each gateway one: fleet.key_of("sales")(g).
function fleet.key_of(department)
  return function(g)
    g.keys = g.keys or {}
    g.keys[department] = g.keys[department] or g:new_key { app = "app", department = department }
    return g.keys[department]
  end
end

-- As many tokens come as may.
function fleet.body(of)
  local tokens = of.tokens or 10
  return dimes.body { tokens = tokens, stream = of.stream, script = of.script or "tokens=" .. tokens }
end

local function is_connected(g)
  return g:health().body:find("[+]redis ok", 1, true) ~= nil
end

-- lease, at_least, timeout: as moongate.lua says of redis, where a busy machine is not to be taken for a lost Redis; env:
-- of Redis too; store: a kit/sentinel in its place.
function fleet.start(options)
  local f = setmetatable({ mock = mock.start {} }, running)
  f.own_redis = not options.store and redis.start(options.redis, options.env) or nil
  f.redis = options.store or f.own_redis
  local with_redis = { redis = { url = f.redis.url, lease = options.lease, gateways = options.at_least,
    timeout = options.timeout or "1s" } }
  for name, value in pairs(options.config or {}) do with_redis[name] = value end
  for i = 1, options.gateways or 2 do
    local of = {}
    for name, value in pairs(options) do of[name] = value end
    of.mock, of.config, of.name, of.redis = f.mock, with_redis, (options.name or "fleet") .. i, nil
    of.is_up = function(g) return g:is_ready() and is_connected(g) end
    f[i] = gateway.start(of)
  end
  return f
end

function running:connected(seconds)
  for i, g in ipairs(self) do
    expect.eventually(function()
      local ok, is = pcall(is_connected, g)
      return ok and is
    end, seconds or 30, "gateway " .. i .. " with its Redis")
  end
end

-- ---- What was counted, and what was charged.

-- All at one moment: sums by period and key, what runs at the same time, and how many holds are open.
local COUNTED = [[
local out = {}
for _, key in ipairs(redis.call('KEYS', 'mg1:{p0}:*')) do
  local room = key:match('^mg1:{p0}:(%a)')
  local all = (room == 'B' or room == 'R' or room == 'H') and redis.call('HGETALL', key) or {}
  for i = 1, #all, 2 do
    local letter, name = all[i]:sub(1, 1), all[i]:sub(2)
    if room == 'B' and (letter == 's' or letter == 'h') then
      out[#out + 1] = letter .. ' ' .. all[i + 1] .. ' ' .. key:match('B:(%d+)') .. ' ' .. name
    elseif room == 'R' and letter == 'k' then
      out[#out + 1] = ('k %d %s'):format(select(5, struct.unpack('<ddddd', all[i + 1])), name)
    elseif room == 'H' and letter ~= '\0' then
      out[#out + 1] = 'o 1 ' .. all[i]
    end
  end
end
return out
]]

function running:counted()
  local text = self.redis:ask("EVAL", COUNTED, 0)
  if not text then return nil end
  local rooms, open = { s = {}, h = {}, k = {} }, 0
  for letter, value, name in text:gmatch("(%a) (%d+) ([^\n]+)") do
    if letter == "o" then open = open + 1
    elseif value ~= "0" then rooms[letter][name] = tonumber(value) end
  end
  return { spent = rooms.s, held = rooms.h, running = rooms.k, open = open }
end

-- Nano-dollars below 2^53, exact in a number.
function running:charged()
  local sums = {}
  for _, g in ipairs(self) do
    local sql = "SELECT start_s || ' ' || key AS name, nano FROM charges WHERE nano > 0"
    for _, row in ipairs(database.rows(g.dir:path("data/ledger.db"), sql)) do
      sums[row.name] = (sums[row.name] or 0) + tonumber(row.nano)
    end
  end
  return sums
end

local function lines_of(map)
  local lines = {}
  for name, value in pairs(map) do lines[#lines + 1] = ("%s = %.0f"):format(name, value) end
  table.sort(lines)
  return table.concat(lines, "\n  ")
end

local function picture(charged, counted)
  if not counted then return "Redis does not answer" end
  return ("ledgers\n  %s\nRedis spent\n  %s\nheld\n  %s\nrunning\n  %s\nopen holds %d"):format(lines_of(charged),
    lines_of(counted.spent), lines_of(counted.held), lines_of(counted.running), counted.open)
end

local function is_quiet(counted)
  return counted.open == 0 and not next(counted.held) and not next(counted.running)
end

function running:agrees(seconds, what)
  local said
  local ok = pcall(expect.eventually, function()
    local charged, counted = self:charged(), self:counted()
    said = picture(charged, counted)
    return counted and is_quiet(counted) and lines_of(charged) == lines_of(counted.spent)
  end, seconds or 20)
  if not ok then error((what or "in the end") .. " the ledgers and Redis do not agree:\n" .. said, 2) end
end

-- The nano-dollars of one key, over all periods.
function running:spent(key)
  local sum = 0
  for name, nano in pairs(self:charged()) do
    if name:match(" (.*)$") == key then sum = sum + nano end
  end
  return sum
end

-- ---- What must be true at every moment.

-- What is spent and held of some keys, by which holds of requests under way, and whether all that is held, and all that
-- runs, is what the holds say.
local HELD = [[
local spent, held, open, wrong, sums, runs, number = {}, {}, '', '', {}, {}, {}
for i, key in ipairs(ARGV) do number[key] = i end
local function add(to, name, amount) to[name] = (to[name] or 0) + amount end
local function read_hold(id, record)
  local cells, count = record:byte(18, 19)
  local numbers = 3 * cells + 2 * count
  local hold = { struct.unpack('<' .. ('d'):rep(numbers) .. ('I4c0'):rep(cells + 2 * count), record, 24) }
  for i = 1, cells do add(runs, hold[numbers + i], hold[3 * i]) end
  for i = 1, count do
    local at, nano = numbers + cells + 2 * i, hold[3 * cells + 2 * i - 1] * 1e9 + hold[3 * cells + 2 * i]
    add(sums, hold[at - 1] .. ' h' .. hold[at], nano)
    local place = number[ hold[at] ]
    if place and record:sub(17, 17) == 'o' then open = open .. string.format('%d %s %.0f;', place, id, nano) end
  end
end
local keys = redis.call('KEYS', 'mg1:{p0}:*')
for _, key in ipairs(keys) do
  local all = key:match('^mg1:{p0}:H:') and redis.call('HGETALL', key) or {}
  for i = 1, #all, 2 do
    if all[i]:byte() ~= 0 then read_hold(all[i], all[i + 1]) end
  end
end
local function compare(name, is, wanted)
  if tonumber(is) ~= (wanted or 0) then wrong = wrong .. (' %s: %s, of holds %.0f;'):format(name, is, wanted or 0) end
end
for _, key in ipairs(keys) do
  local room = key:match('^mg1:{p0}:(%a)')
  local all = (room == 'B' or room == 'R') and redis.call('HGETALL', key) or {}
  for i = 1, #all, 2 do
    local name, value = all[i], all[i + 1]
    if room == 'B' and name:sub(1, 1) == 'h' then compare(key .. name:sub(2), value, sums[key .. ' ' .. name]) end
    if room == 'R' and name:sub(1, 1) == 'k' then compare(name:sub(2), select(5, struct.unpack('<ddddd', value)), runs[name]) end
    if room == 'B' and name:sub(1, 1) == 's' then add(spent, name:sub(2), value) end
    if room == 'B' and name:sub(1, 1) == 'h' then add(held, name:sub(2), value) end
  end
end
local said = ''
for _, key in ipairs(ARGV) do said = said .. string.format('%.0f %.0f;', spent[key] or 0, held[key] or 0) end
local now = redis.call('TIME')
return string.format('%s.%06d|', now[1], now[2]) .. said .. '|' .. open .. '|' .. wrong
]]

-- By a process of its own, some hundred times a second.
function running:poll(keys)
  self.poll_path, self.poll_keys = self[1].dir:path("polled"), keys
  os.remove(self.poll_path)
  self.poller = process.start { "redis-cli", "-s", self.redis.socket, "-r", "-1", "-i", "0.003", "EVAL", HELD, "0",
    output = self.poll_path, unpack(keys) }
end

local function look_at(line, keys, most)
  local i, time, sums, open, wrong = 0, line:match("^([%d.]+)|([%d ;]*)|([^|]*)|(.*)$")
  for spent, held in (sums or ""):gmatch("(%d+) (%d+);") do
    i = i + 1
    local of = most[keys[i]] or { spent = 0, all = 0, sights = {} }
    of.spent, of.all = math.max(of.spent, tonumber(spent)), math.max(of.all, spent + held)
    of.sights[#of.sights + 1] = { time = tonumber(time), all = spent + held, open = {} }
    most[keys[i]] = of
  end
  if i ~= #keys or wrong ~= "" then error("polled: " .. line, 3) end
  for number, id, nano in open:gmatch("(%d+) (%S+) (%d+);") do
    local sights = most[keys[tonumber(number)]].sights
    sights[#sights].open[id] = tonumber(nano)
  end
end

-- How often it was looked, and by key the most that was spent, and spent and held, at any time, and what was seen each
-- time: { time = seconds since 1970, all = nano-dollars, open = { hold = nano-dollars of it, of a request under way } }.
function running:polled()
  self.poller:stop()
  self.poller = nil
  local count, most = 0, {}
  for line in io.lines(self.poll_path) do
    look_at(line, self.poll_keys, most)
    count = count + 1
  end
  return count, most
end

-- ---- Clients.

local load = {}
load.__index = load

function running:spend(of)
  self.loads = (self.loads or 0) + 1
  local path = self[1].dir:path("spent-" .. self.loads)
  local words = { "luajit", "tests/e2e/kit/spenders.lua", path, of.seed or 1, of.lanes or 8, of.pause or 0.01, of.wrong or 0,
    of.tokens or 30 }
  for _, g in ipairs(self) do
    words[#words + 1] = g.dir:path("data/listen.json")
    words[#words + 1] = of.key and of.key(g) or g.key
  end
  local started = setmetatable({ fleet = self, path = path, process = process.start(words) }, load)
  started.process:expect("^in", 20)
  self.clients = self.clients or {}
  table.insert(self.clients, started)
  return started
end

function load:lines()
  local lines = {}
  local text, of_line = self.fleet[1].dir:read(self.path:match("[^/]+$")) or "", "(%S+) (%d+) (%d+) (%d+) (%S+)\n"
  for id, status, tokens, beyond, seconds in text:gmatch(of_line) do
    lines[#lines + 1] = { id = id, status = tonumber(status), tokens = tonumber(tokens), beyond = tonumber(beyond),
      seconds = tonumber(seconds) }
  end
  return lines
end

-- All of them where no status is named.
function load:count(status)
  local count = 0
  for _, line in ipairs(self:lines()) do
    if not status or line.status == status then count = count + 1 end
  end
  return count
end

function load:beyond()
  local sum = 0
  for _, line in ipairs(self:lines()) do sum = sum + line.beyond end
  return sum
end

function load:stop()
  self.process:stop(60)
end

local function costs_of(g)
  return database.rows(g.dir:path("data/ledger.db"), "SELECT lower(hex(id)) AS id, cost_nano FROM records")
end

function load:check()
  local costs = {}
  for _, g in ipairs(self.fleet) do
    for _, row in ipairs(costs_of(g)) do
      if costs[row.id] then error("two records of " .. row.id, 2) end
      costs[row.id] = tonumber(row.cost_nano)
    end
  end
  for _, line in ipairs(self:lines()) do
    local cost = costs[line.id:gsub("^req_", ""):gsub("-", "")]
    if not cost then error("no record of " .. line.id .. ", which was answered with " .. line.status, 2) end
    if cost ~= line.tokens * fleet.DIME then
      error(("%s cost %.0f, and the provider wrote %d tokens"):format(line.id, cost, line.tokens), 2)
    end
  end
end

-- ---- The end of one gateway, and of all.

-- All of it at once, as when its machine goes; again on the same ledger.
function running:kill(i)
  self[i].process:signal(signal.SIGKILL)
  self[i].process:wait(20)
end

function running:stop()
  if self.poller then self.poller:stop() end
  for _, clients in ipairs(self.clients or {}) do clients:stop() end
  local complaint
  for _, g in ipairs(self) do
    local ok, why = pcall(g.stop, g)
    if not ok then complaint = complaint or why end
  end
  if self.own_redis then self.own_redis:stop() end
  self.mock:stop()
  if complaint then error(complaint, 2) end
end

return fleet
