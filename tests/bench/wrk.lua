-- wrk's half of the bench: chat completions of BENCH_BYTES, what they say by BENCH_KIND and BENCH_SEED (tests/bench/text.lua),
-- the key in BENCH_KEY. Prints "bench REQUESTS ERRORS P50_US SECONDS" at the end.
local text = dofile("tests/bench/text.lua")
local next_body = text.source(os.getenv("BENCH_KIND"), tonumber(os.getenv("BENCH_BYTES")), tonumber(os.getenv("BENCH_SEED")))

local head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer "
  .. os.getenv("BENCH_KEY") .. "\r\nContent-Length: "

-- BENCH_RATE: so many requests a second over all connections, as far as the answers come in time; none: as fast as they do.
local rate, connections = tonumber(os.getenv("BENCH_RATE")), tonumber(os.getenv("BENCH_CONNECTIONS"))
if rate then
  local mean_ms = 1000 * connections / rate
  function _G.delay() return math.random(0, math.floor(2 * mean_ms)) end
end

function _G.request()
  local body = next_body()
  return head .. #body .. "\r\n\r\n" .. body
end

function _G.done(summary, latency)
  local e = summary.errors
  print(("bench %d %d %d %.6f"):format(summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), summary.duration / 1e6))
end
