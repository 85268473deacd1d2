-- The three that are measured, each on free ports of 127.0.0.1 and pinned to core 0: moongate, nginx, haproxy.
--
--   local peers = dofile("tests/bench/peers.lua")
--   local list = peers.start(upstream_port, "build/bench", running) -- { {name, port, stream_port, pid, key, stop}, … }
--   peers.cpu_ns(pid), peers.anon_bytes(pid)                  -- of the process, all its threads and children
--
-- nginx and haproxy only pass on: no log, no policy, kept connections to the upstream.
local dirent = require("posix.dirent")
local socket = require("posix.sys.socket")
local unistd = require("posix.unistd")
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

local peers = {}

local _, cores = (gateway.read_file("/proc/cpuinfo") or ""):gsub("processor%s*:", "")

-- The words that pin what follows to a core; nothing on a machine with one.
function peers.on_core(core) return cores > 1 and { "taskset", "-c", tostring(core) } or {} end

local function with(words, more)
  for _, word in ipairs(more) do words[#words + 1] = word end
  return words
end

local function free_port()
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  assert(socket.bind(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = 0 }))
  local port = socket.getsockname(fd).port
  unistd.close(fd)
  return port
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function wait_for(p, port, log)
  for _ = 1, 400 do
    if p:wait(0) then break end
    if gateway.get(port, "/") then return end
    process.sleep(0.01)
  end
  p:stop()
  error("it did not start:\n" .. (gateway.read_file(log) or ""))
end

local NGINX = [[
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid %(dir)/nginx.pid;
error_log %(dir)/nginx.log warn;
events { worker_connections 10000; }
http {
  access_log off;
  client_body_temp_path %(dir)/nginx-body;
  proxy_temp_path %(dir)/nginx-proxy;
  fastcgi_temp_path %(dir)/nginx-fastcgi;
  uwsgi_temp_path %(dir)/nginx-uwsgi;
  scgi_temp_path %(dir)/nginx-scgi;
  client_body_buffer_size 64k;
  keepalive_requests 100000000;
  upstream model { server 127.0.0.1:%(upstream); keepalive 256; keepalive_requests 100000000; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server { listen 127.0.0.1:%(port) backlog=4096; location / { proxy_pass http://model; } }
  server { listen 127.0.0.1:%(stream) backlog=4096; location / { proxy_pass http://model; proxy_buffering off; } }
}
]]

local HAPROXY = [[
global
  maxconn 4000
  nbthread 1
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:%(port) backlog 4096
  default_backend model
backend model
  server one 127.0.0.1:%(upstream)
]]

local function fill(template, values)
  return (template:gsub("%%%((%w+)%)", values))
end

local function start_nginx(upstream, dir)
  local log = dir .. "/nginx.log"
  local port, stream = free_port(), free_port()
  write(dir .. "/nginx.conf", fill(NGINX, { dir = ".", upstream = upstream, port = port, stream = stream }))
  local words = with(peers.on_core(0), { "nginx", "-p", dir .. "/", "-c", "nginx.conf" })
  words.output = log
  local p = process.start(words)
  wait_for(p, port, log)
  return { name = "nginx", port = port, stream_port = stream, pid = p.pid, key = "-", stop = function() p:stop() end }
end

local function start_haproxy(upstream, dir)
  local log, port = dir .. "/haproxy.log", free_port()
  write(dir .. "/haproxy.cfg", fill(HAPROXY, { upstream = upstream, port = port }))
  local words = with(peers.on_core(0), { "haproxy", "-db", "-f", dir .. "/haproxy.cfg" })
  words.output = log
  local p = process.start(words)
  wait_for(p, port, log)
  return { name = "haproxy", port = port, stream_port = port, pid = p.pid, key = "-", stop = function() p:stop() end }
end

-- how: words before the gateway's (prefix), more of its environment (env), another config; nil: as it is measured.
function peers.start_moongate(upstream, dir, how)
  local env = { BENCH_UPSTREAM_URL = "http://127.0.0.1:" .. upstream .. "/v1" }
  for name, value in pairs(how and how.env or {}) do env[name] = value end
  local g, why = gateway.start {
    config = how and how.config or "tests/bench/moongate.lua", is_relaxed = true, data = dir .. "/data",
    prefix = with(peers.on_core(0), how and how.prefix or {}), env = env,
  }
  if not g then error("the gateway did not start:\n" .. why) end
  return g
end

-- Each is noted in `running` as soon as it runs, so that whoever stops what is there leaves none behind.
function peers.start(upstream, dir, running)
  local list = {}
  local function add(peer)
    list[#list + 1] = peer
    running[peer] = true
  end
  local g = peers.start_moongate(upstream, dir)
  local own = { name = "moongate", port = g.port, stream_port = g.port, pid = g.process.pid, stop = function() g:stop() end }
  add(own)
  own.key = g:key { app = "demo" }
  add(start_nginx(upstream, dir))
  add(start_haproxy(upstream, dir))
  return list
end

-- The process and all that come from it.
local function family(pid, list)
  list = list or {}
  list[#list + 1] = pid
  local children = gateway.read_file(("/proc/%d/task/%d/children"):format(pid, pid)) or ""
  for child in children:gmatch("%d+") do family(tonumber(child), list) end
  return list
end

-- Time on a processor as the scheduler counts it.
function peers.cpu_ns(pid)
  local sum = 0
  for _, member in ipairs(family(pid)) do
    for _, task in ipairs(dirent.dir("/proc/" .. member .. "/task") or {}) do
      local text = gateway.read_file(("/proc/%d/task/%s/schedstat"):format(member, task))
      if text and task:find("^%d") then sum = sum + tonumber(text:match("^%d+")) end
    end
  end
  return sum
end

-- The one of its family that has worked most: the worker, once there was load.
function peers.busiest(pid)
  local busiest, most = pid, -1
  for _, member in ipairs(family(pid)) do
    local ns = tonumber((gateway.read_file("/proc/" .. member .. "/schedstat") or "0"):match("^%d+"))
    if ns > most then busiest, most = member, ns end
  end
  return busiest
end

-- Memory of its own: what malloc and Lua hold; no files, no shared pages, no socket buffers of the kernel.
function peers.anon_bytes(pid)
  local sum = 0
  for _, member in ipairs(family(pid)) do
    local text = gateway.read_file("/proc/" .. member .. "/status") or ""
    sum = sum + 1024 * tonumber(text:match("RssAnon:%s*(%d+)") or 0)
  end
  return sum
end

return peers
