-- `make demo`: the mock provider, the gateway with the shipped policies, a key, and lines to copy; until Ctrl-C.
--
--   B=build luajit examples/demo/run.lua [DATA-DIRECTORY [PORT ADMIN-PORT]]
--
-- Both programs die with this one; the data directory (build/demo) and the key in it are removed at the end.
local gateway = dofile("tests/lib/gateway.lua")
local process = gateway.process

local data = arg[1] or gateway.build .. "/demo"
-- A second demo in the same folder leaves the first one's data alone.
local function free_folder(first)
  local folder, number = first, 1
  while gateway.is_data_in_use(folder) do
    number = number + 1
    folder = first .. "-" .. number
  end
  return folder
end
data = free_folder(data)

local port, admin_port = tonumber(arg[2] or 8090), tonumber(arg[3] or 8091)

local function address(number, what)
  if number ~= 0 and not gateway.port_is_free(number) then
    print(("Port %d is taken; the %s gets a free one."):format(number, what))
    number = 0
  end
  return "127.0.0.1:" .. number
end

local ANSWER = "Hello+from+the+mock+provider.+Each+word+of+this+came+through+moongate."
local QUESTION = [["messages":[{"role":"user","content":"Hello!"}]}']]

local function say(g, key, mock_url)
  local curl = [[%s/v1/chat/completions -H "Authorization: Bearer %s" --json '{"model":"gpt-4o-mini",]]
  curl = curl:format(g.url, key)
  print(([[
moongate is up. A mock provider answers; nothing leaves this machine.

  gateway   %s/v1
  admin     %s/readyz?verbose  and  /metrics
  key       %s   (app sales-copilot; ends with the demo)
  records   %s/ledger.db  (moongate requests)

A completion, then the same as a stream:

  curl %s%s
  curl -N %s"stream":true,%s

More at once than ratelimit.lua lets through: some 200, then 429 with the seconds to wait.

  seq 40 | xargs -P 40 -I@ curl -so /dev/null -w '%%{http_code} %%header{retry-after}\n' %s%s | sort | uniq -c

A budget: write limit = "0.001" into the row of sales in policies/budget.lua, let it be loaded, and ask again: 402.

  MOONGATE_DATA_DIR=%s DEMO_PROVIDER_URL=%s %s/moongate reload -c examples/demo/moongate.lua

Ctrl-C ends it.]]):format(g.url, g.admin_url, key, data, curl, QUESTION, curl, QUESTION, curl, QUESTION, data,
    mock_url, gateway.build))
  io.stdout:flush()
end

process.catch_signals()
local listen, admin = address(port, "gateway"), address(admin_port, "admin listener")
local mock = gateway.mock { words = { "--defaults", "rate=30&text=" .. ANSWER } }
local g, why = gateway.start {
  config = "examples/demo/moongate.lua", data = data, listen = listen, admin = admin,
  env = { DEMO_PROVIDER_URL = mock.url .. "/v1" },
}
local status = 0
if g then
  local key = g:key { app = "sales-copilot", user = "ann" }
  gateway.write_private(data .. "/key", key .. "\n")
  say(g, key, mock.url .. "/v1")
  while not process.interrupted do
    if g.process:wait(0) or mock.process:wait(0) then
      io.stderr:write("The ", g.process.status and "gateway" or "mock provider", " ended by itself:\n",
        gateway.read_file(data .. "/gateway.log") or "", "\n")
      status = 1
      break
    end
    mock.process:line(0.2)
  end
  g:stop()
elseif not process.interrupted then
  io.stderr:write("The gateway did not start:\n", why, "\n")
  status = 1
end
mock.process:stop()
os.execute("rm -rf '" .. data .. "'")
if status == 0 then print("\nThe demo has ended; nothing is left running.") end
os.exit(status)
