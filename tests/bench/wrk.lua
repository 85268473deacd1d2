-- wrk's half of the bench: one chat completion over and over, its size in BENCH_BYTES, the key in BENCH_KEY.
-- Prints "bench REQUESTS ERRORS P50_US SECONDS" at the end.
local bytes, key = tonumber(os.getenv("BENCH_BYTES")), os.getenv("BENCH_KEY")

local line = "The gateway said \\\"not yet\\\" and the client, who had waited for it, asked again.\\n"
local messages, length = {}, 0
repeat
  local role = #messages % 2 == 0 and "user" or "assistant"
  local text = line:rep(math.max(1, math.min(9, math.floor((bytes - length) / #line) - 2)))
  messages[#messages + 1] = ('{"role":"%s","content":"%s"}'):format(role, text)
  length = length + #messages[#messages] + 1
until length + 250 > bytes
local body = '{"model":"auto","stream":false,"messages":[' .. table.concat(messages, ",") .. '],"temperature":0.7,"user":"'
body = body .. ("x"):rep(math.max(1, bytes - #body - 2)) .. '"}'

wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.body = body
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. key

function _G.done(summary, latency)
  local e = summary.errors
  print(("bench %d %d %d %.6f"):format(summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), summary.duration / 1e6))
end
