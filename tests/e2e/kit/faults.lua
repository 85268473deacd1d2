-- What may happen to a fleet (kit/fleet): each as { name, strike(f, random) }, which leaves everything running again.
--
--   for _, fault in ipairs(faults.of_any) do fault.strike(f, expect.random(1)) end      -- f.lease_s: of its sessions
local signal = require("posix.signal")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local process = dofile("tests/lib/process.lua")

local faults = {}

local function pause(random, most_ms) process.sleep(random(most_ms) / 1000) end

local function has_another_ledger(g, before)
  local ok, now = pcall(g.listen, g)
  return ok and now.ledger_pid and now.ledger_pid > 0 and now.ledger_pid ~= before
end

local function kill_process(name, pid)
  signal.kill(pid, signal.SIGKILL)
  expect.eventually(function() return not gateway.is_alive(pid) end, 20, "the end of " .. name)
end

local function gateway_is_killed(f, random)
  local i = random(#f)
  f:kill(i)
  pause(random, 300)
  f[i]:run()
end

local function gateway_is_killed_for_long(f, random)
  local i = random(#f)
  f:kill(i)
  process.sleep(f.lease_s + 1.5) -- others return what it held
  f[i]:run()
end

local function worker_is_killed(f, random)
  local workers = f[random(#f)]:listen().workers
  kill_process("a worker", workers[random(#workers)])
end

local function ledger_is_killed(f, random)
  local g = f[random(#f)]
  local pid = g:listen().ledger_pid
  kill_process("a ledger process", pid)
  expect.eventually(function() return has_another_ledger(g, pid) end, 30, "another ledger process")
end

local function gateway_is_stopped(f, random)
  local g = f[random(#f)]
  g.process:signal(signal.SIGSTOP)
  process.sleep(f.lease_s + 1.5)
  g.process:signal(signal.SIGCONT)
end

local function redis_comes_back_empty(f, random)
  f.redis:kill()
  pause(random, 500)
  f.redis:run()
end

local function redis_is_emptied(f) f.redis:ask("FLUSHALL") end

local function session_is_deleted(f, random)
  local keys = {}
  for key in f.redis:ask("KEYS", "mg1:{p0}:H:*"):gmatch("%S+") do keys[#keys + 1] = key end
  if #keys > 0 then f.redis:ask("DEL", keys[random(#keys)]) end
end

local function scripts_are_forgotten(f) f.redis:ask("SCRIPT", "FLUSH") end

local function redis_is_silent(f, random)
  f.redis:stop_answering()
  pause(random, 1500)
  f.redis:answer()
end

local function redis_is_full(f, random)
  f.redis:ask("CONFIG", "SET", "maxmemory", "1")
  pause(random, 1000)
  f.redis:ask("CONFIG", "SET", "maxmemory", "0")
end

local function connections_are_cut(f, random)
  for _ = 1, 5 do
    f.redis:ask("CLIENT", "KILL", "TYPE", "normal")
    pause(random, 100)
  end
end

-- What it was asked is done, after nobody waits for it.
local function redis_is_late(f, random)
  for _ = 1, 3 do
    f.redis:ask("CLIENT", "PAUSE", 50 + random(200), "ALL")
    pause(random, 400)
  end
end

local function append_only_file_is_cut(f, random)
  f.redis:kill()
  f.redis:cut_tail(random(200000))
  pause(random, 300)
  f.redis:run()
end

local function replica_takes_over(f) f.redis:fail_over() end

faults.of_gateways = {
  { name = "a gateway is killed", strike = gateway_is_killed },
  { name = "a worker is killed", strike = worker_is_killed },
  { name = "a ledger process is killed", strike = ledger_is_killed },
  { name = "a gateway is stopped for longer than its lease", strike = gateway_is_stopped },
}
-- Of a fleet with one Redis that keeps no file.
faults.of_any = {
  { name = "Redis is killed and comes back empty", strike = redis_comes_back_empty },
  { name = "Redis is emptied", strike = redis_is_emptied },
  { name = "what a gateway holds in Redis is deleted", strike = session_is_deleted },
  { name = "Redis forgets its scripts", strike = scripts_are_forgotten },
  { name = "Redis is silent", strike = redis_is_silent },
  { name = "Redis is late", strike = redis_is_late },
  { name = "Redis is full", strike = redis_is_full },
  { name = "Redis cuts its connections", strike = connections_are_cut },
  unpack(faults.of_gateways),
}
faults.long = { { name = "a gateway is killed for longer than its lease", strike = gateway_is_killed_for_long } }
faults.of_files = { { name = "Redis is killed and its append-only file cut", strike = append_only_file_is_cut } }
faults.of_sentinels = { { name = "a replica takes over", strike = replica_takes_over } }

return faults
