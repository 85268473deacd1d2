-- Looking into the ledger from the command line, while the gateway writes it: what is found, what is said, what is safe.
local cjson = require("cjson")
local signal = require("posix.signal")
local stat = require("posix.sys.stat")
local command = require("tests.e2e.kit.command")
local database = require("tests.e2e.kit.database")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local has = command.has
local m, g, allowed, denied

local function ids_of(found)
  local ids = {}
  for _, item in ipairs(found.items) do ids[#ids + 1] = item.id end
  return ids
end

setup(function()
  m = mock.start {}
  g = gateway.start { mock = m, name = "audit", config = { billing = { timezone = "Europe/Berlin" } } }
  allowed = g:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "Hello!" } } }
  assert.equal(200, allowed.status)
  local sales = g:new_key { app = "sales-copilot", department = "sales", user = "=cmd()" }
  denied = expect.eventually(function()
    local answer = g:chat({ model = "gpt-5", messages = { { role = "user", content = "Hello!" } } }, { key = sales })
    return answer.status == 403 and answer
  end, 5, "a key that is known and may not")
  g:record(allowed.id)
  g:record(denied.id)
end)
teardown(function()
  g:stop()
  m:stop()
end)

describe("moongate requests", function()
  it("shows who asked for what, what it cost, and what all came to", function()
    local out, code = g:command("requests")
    assert.equal(0, code, out)
    has(out, allowed.id)
    has(out, "code-assistant\tengineering\tana\t")
    has(out, "403 denied")
    assert.truthy(out:find("\n%d+ requests in the last 30 days, [%d,]+ tokens, %$[%d.]+, %d+ denied"), out)
  end)

  it("finds by conditions, which all hold", function()
    assert.same({ denied.id }, ids_of(g:json("requests", "--where", "outcome:denied", "--where", "department:sales")))
    assert.same({ allowed.id }, ids_of(g:json("requests", "--where", "user:a*", "--where", "status<400")))
    assert.same({ denied.id }, ids_of(g:json("requests", "!department:engineering,", "code:*", "status:403")))
    assert.same({ allowed.id }, ids_of(g:json("requests", allowed.id)))
    assert.same({}, ids_of(g:json("requests", "--until", "2020-01-01")))
    assert.equal(0, g:json("requests", "user:' OR 1=1 --").total)
  end)

  it("goes on where a page ended, with the same totals", function()
    local all = g:json("requests")
    local first = g:json("requests", "--limit", "1")
    local second = g:json("requests", "--limit", "1", "--before", first.next)
    assert.same({ all.items[1].id, all.items[2].id }, { first.items[1].id, second.items[1].id })
    assert.equal(all.total, first.total)
    assert.equal(all.totals.cost_nano, second.totals.cost_nano)
  end)

  it("says what is wrong with a condition, and how to right it", function()
    local out, code = g:command("requests", "--where", "depratment:sales")
    assert.equal(2, code)
    has(out, "did you mean `department`?")
    out, code = g:command("requests", "--since", "yesteryear")
    assert.equal(2, code)
    has(out, "--since: `yesteryear` is no time")
    assert.equal(2, select(2, g:command("requests", "--limit", "0")))
  end)

  it("says who makes a ledger that is not there", function()
    g.dir:write("nowhere.lua", 'return moongate.config { data = "nowhere" }\n')
    for _, asked in ipairs { "requests", "ledger check", "ledger backup copy.db", "ledger rekey --yes", "audit text req_0199" } do
      local words = {}
      for word in (asked .. " -c nowhere.lua"):gmatch("%S+") do words[#words + 1] = word end
      local out, code = g:command(unpack(words))
      assert.equal(2, code)
      has(out, "nowhere/ledger.db: No such file")
      has(out, "the gateway makes it when it starts")
    end
  end)

  it("takes no other folder for that of a configuration that is not there", function()
    for _, words in ipairs { { "requests" }, { "keys", "list" }, { "ledger", "backup", "copy.db" }, { "reload" } } do
      words[#words + 1], words[#words + 2] = "-c", "away/moongate.lua"
      local out, code = g:command(unpack(words))
      assert.equal(2, code, out)
      has(out, "away/moongate.lua: No such file")
    end
  end)

  it("says that what it prints cannot be written", function()
    local out, code = process.run { "sh", "-c", ("'%s' requests >/dev/full"):format(command.path),
      cwd = g.dir.root, env = g.env, seconds = 30 }
    assert.equal(2, code, out)
    has(out, "error: stdout: No space left on device")
  end)

  it("waits for nobody to write into a pipe that was named", function()
    assert.equal(0, (stat.mkfifo or require("posix").mkfifo)(g.dir:path("pipe.jsonl")))
    for _, words in ipairs { { "explain", "pipe.jsonl" }, { "tokens", "--model", "gpt-4o", "pipe.jsonl" }, { "replay", "pipe.jsonl" },
      { "ledger", "restore", "pipe.jsonl", "--yes" }, { "test", "pipe.jsonl" } } do
      local out, code = g:command(unpack(words))
      assert.is_true(code <= 2, table.concat(words, " ") .. " ended with " .. code .. ": " .. out) -- 124: it waited
      if words[1] == "ledger" then has(out, "is no file") end
    end
  end)
end)

-- As somebody sees it who has a terminal so wide.
local function seen(columns, words)
  local out, code = process.run { "script", "-qec",
    ("stty cols %d; '%s' %s --color never"):format(columns, command.path, words), "/dev/null",
    cwd = g.dir.root, env = g.env, seconds = 30 }
  assert.equal(0, code, out)
  return (out:gsub("\r", ""))
end

describe("on a terminal", function()
  local function widest(text)
    local most = 0
    for line in text:gmatch("[^\n]+") do most = math.max(most, select(2, line:gsub("[^\128-\191]", ""))) end
    return most
  end

  it("a request fits into 80 columns, with who, what, the verdict and its cost", function()
    for _, words in ipairs { "requests", "audit search kind:exchange,start" } do
      local text = seen(80, words)
      assert.is_true(widest(text) <= 80, text)
      has(text, "403 denied")
      has(text, "WHO")
    end
    local narrow = seen(80, "requests")
    has(narrow, denied.id:sub(1, 22))
    assert.is_nil(narrow:find("TOOK", 1, true), narrow)
    local wide = seen(120, "requests")
    assert.is_true(widest(wide) <= 120, wide)
    has(wide, "TOOK")
    has(wide, "TOKENS")
  end)

  it("what follows keeps its columns", function()
    local text = seen(80, "audit tail outcome:ok")
    assert.is_true(widest(text) <= 80, text)
    has(text, allowed.id:sub(1, 22))
  end)
end)

describe("moongate audit", function()
  it("searches requests and their reasons, and what else is in the chain", function()
    local out, code = g:command("audit", "search", denied.id)
    assert.equal(0, code, out)
    has(out, "sales/=cmd()")
    has(out, "403 denied")
    local start = g:json("audit", "search", "kind:start").items[1]
    assert.equal("start", start.kind)
    local found = g:json("audit", "search", "outcome:denied").items[1]
    assert.equal(found.entry.decision.code, found.code)
    local word = found.entry.decision.reason:match("%a%a%a%a+")
    assert.same({ denied.id }, ids_of(g:json("audit", "search", word, "kind:exchange", "department:sales")))
  end)

  it("exports lines that hold what was hashed, and cells that no spreadsheet runs", function()
    local out, code = g:command("audit", "export", "-o", "all.jsonl")
    assert.equal(0, code, out)
    local last = 0
    for line in g.dir:read("all.jsonl"):gmatch("[^\n]+") do
      local entry = cjson.decode(line)
      if not entry.moongate_anchor then
        assert.equal(last + 1, entry.seq)
        assert.equal(64, #entry.hash)
        assert.equal("table", type(cjson.decode(entry.body)))
        last = entry.seq
      end
    end
    assert.is_true(last >= 3)
    out, code = g:command("audit", "export", "-o", "all.jsonl")
    assert.equal(2, code)
    has(out, "nothing is ever overwritten")
    assert.equal(0, select(2, g:command("audit", "export", "--format", "csv", "-o", "all.csv", "department:sales")))
    local csv = g.dir:read("all.csv")
    has(csv, ",'=cmd(),")
    assert.truthy(csv:find("^seq,kind,id,time,usd,[%w_,]+,hash\r\n"), csv)
  end)

  it("tells that nobody changed the chain, here or in its export, and where somebody did", function()
    local function verify(...)
      local out, code = g:command("audit", "verify", "--json", ...)
      assert.is_true(code == 0 or code == 1, out)
      return cjson.decode(out)
    end
    local here = verify()
    assert.equal("intact", here.state)
    assert.equal(0, select(2, g:command("audit", "export", "-o", "whole.jsonl")))
    local there = verify("whole.jsonl", "--key", "data/anchor.pub")
    assert.equal("intact", there.state) -- the signed heads are in it
    assert.equal(here.head, there.head)
    assert.equal(here.anchored_seq, there.anchored_seq)
    g.dir:write("changed.jsonl", (g.dir:read("whole.jsonl"):gsub("engineering", "engineerinG", 1)))
    local out, code = g:command("audit", "verify", "changed.jsonl", "--key", "data/anchor.pub")
    assert.equal(1, code, out)
    assert.truthy(out:find("hash at entry %d+: "), out)
    assert.truthy(out:find("tampered  %d+ entries"), out)
    out, code = g:command("audit", "verify", "whole.jsonl")
    assert.equal(2, code)
    has(out, "an export is verified with a key")
  end)

  it("says of what is no file that it is none, and waits for nobody to write it", function()
    assert.equal(0, select(2, process.run { "mkfifo", "pipe", cwd = g.dir.root, seconds = 10 }))
    local function refused(what, ...)
      local out, code = g:command("audit", "verify", ...)
      assert.equal(2, code, out)
      has(out, what)
    end
    refused("pipe is a pipe", "pipe", "--key", "data/anchor.pub")
    refused("write what comes of it into a file", "--witness", "pipe")
    refused("pipe is a pipe", "--key", "pipe")
    refused("data is a folder", "data")
    refused("nowhere.db: No such file", "nowhere.db")
  end)

  it("follows what comes, and ends well on Ctrl-C", function()
    local tail = process.start(g:words("audit", "tail", "-f", "--json"))
    local before = cjson.decode(tail:line(10))
    assert.equal("start", before.kind)
    local answer = g:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "Once more." } } }
    expect.eventually(function()
      local line = tail:line(5)
      return line and cjson.decode(line).id == answer.id
    end, 10, "the request that has come")
    signal.kill(tail.pid, signal.SIGINT)
    local _, status = tail:wait(5)
    tail:stop()
    assert.equal(130, status)
  end)

  it("ends when nobody reads any more", function()
    local out, code = process.run { "sh", "-c", "'" .. command.path .. "' audit tail -f | head -n 1; echo over",
      cwd = g.dir.root, env = g.env, seconds = 30 }
    assert.equal(0, code, out)
    has(out, "\nover")
  end)
end)

describe("moongate spend", function()
  it("sums by department in the billing zone, exactly as the records do", function()
    local spent = g:json("spend", "--by", "department", "--period", "7d")
    assert.equal("Europe/Berlin", spent.period.timezone)
    local sum = 0
    for _, row in ipairs(spent.rows) do sum = sum + row.cost_nano end
    assert.equal(sum, spent.total_nano)
    assert.equal(g:json("requests").totals.cost_nano, sum)
    local out, code = g:command("spend", "--by", "user", "--where", "department:engineering", "--period", "7d")
    assert.equal(0, code, out)
    assert.truthy(out:find("USER\tSPEND\tSHARE\tCHANGE\tREQUESTS\tTOKENS\nana\t%$"), out)
    has(g:command("spend", "--by", "label:nobody_has_it"), "none of these requests had the label nobody_has_it")
    assert.equal(2, select(2, g:command("spend", "--by", "team")))
    assert.equal(2, select(2, g:command("spend", "--period", "2026-13")))
  end)
end)

describe("moongate ledger", function()
  it("is copied while it is written, and put back only when no gateway runs", function()
    local made = g:json("ledger", "backup", "copy.db")
    assert.is_true(made.last_seq >= 3)
    local out, code = g:command("ledger", "restore", "copy.db", "--yes")
    assert.not_equal(0, code)
    has(out, "a gateway runs")
    out, code = g:command("ledger", "check", "--repair", "--yes")
    assert.not_equal(0, code)
    has(out, "a gateway runs")
    assert.equal(0, g:json("ledger", "check").differences)
  end)

  it("is not replaced unless it is said", function()
    local out, code = process.run { "sh", "-c", "'" .. command.path .. "' ledger restore copy.db </dev/null",
      cwd = g.dir.root, env = g.env, seconds = 30 }
    assert.equal(2, code)
    has(out, "--yes does it without being asked")
  end)
end)

describe("a ledger that keeps its entries for a second", function()
  it("is intact, and so is its export", function()
    local brief = gateway.start { mock = m, name = "audit-brief", config = { ledger = { retain = "1s" } } }
    local verified
    expect.eventually(function()
      brief:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "Hello!" } } }
      local out, code = brief:command("audit", "verify", "--json")
      assert.is_true(code == 0, out)
      verified = cjson.decode(out)
      return verified.first_seq > 1
    end, 20, "the first entries are deleted")
    assert.equal("intact", verified.state)
    local ok, why = pcall(function()
      assert.equal(0, select(2, brief:command("audit", "export", "-o", "rest.jsonl")))
      local out, code = brief:command("audit", "verify", "rest.jsonl", "--key", "data/anchor.pub", "--json")
      assert.equal(0, code, out)
      assert.is_true(cjson.decode(out).first_seq > 1)
    end)
    brief:stop()
    assert.is_true(ok, why)
  end)
end)

describe("a gateway that has ended", function()
  local ended

  setup(function()
    ended = gateway.start { mock = m, name = "audit-ended" }
    ended:record(ended:chat({ model = "gpt-4o-mini", messages = { { role = "user", content = "Hello!" } } }).id)
    ended:signal(signal.SIGTERM)
    ended.process:wait(20)
  end)
  teardown(function() ended:stop() end)

  it("leaves a ledger that is read as before, and written by commands", function()
    local out, code = ended:command("requests", "--json")
    assert.equal(0, code, out)
    assert.equal(1, cjson.decode(out).total)
    out, code = ended:command("ledger", "erase", "--subject", "user:ana", "--reason", "case 4711", "--actor", "dpo", "--yes")
    assert.equal(0, code, out)
    out, code = ended:command("audit", "search", "actor:dpo", "--json")
    assert.equal(0, code, out)
    local change = cjson.decode(out).items[1]
    assert.equal("change", change.kind)
    assert.equal("case 4711", change.entry.reason)
    out, code = ended:command("audit", "tail", "-n", "1")
    assert.equal(0, code, out)
    has(out, "change\tdpo\ttexts.erase user:ana\tok\t")
  end)

  it("is signed with another key from its next start on, which the old one has announced", function()
    local out, code = ended:command("ledger", "rekey", "--yes", "--json")
    assert.equal(0, code, out)
    local key = cjson.decode(out).key
    out, code = ended:command("ledger", "rekey", "--yes")
    assert.equal(2, code)
    has(out, "waits already for the gateway's next start")
    assert.is_true(key ~= cjson.decode((ended:command("audit", "verify", "--json"))).key)
    ended.dir:write("old.pub", ended.dir:read("data/anchor.pub"))
    ended:run()
    local verified
    expect.eventually(function()
      verified = cjson.decode((ended:command("audit", "verify", "--key", "old.pub", "--json")))
      return verified.key == key
    end, 10, "an anchor of the new key")
    assert.equal("intact", verified.state)
    ended:signal(signal.SIGTERM)
    ended.process:wait(20)
  end)

  it("takes a backup back, and rights columns that were changed", function()
    assert.equal(0, select(2, ended:command("ledger", "backup", "copy.db")))
    database.execute(ended.dir:path("data/ledger.db"), "UPDATE records SET cost_nano = cost_nano + 1")
    local out, code = ended:command("ledger", "check")
    assert.equal(1, code, out)
    has(out, "1 difference from the chain")
    out, code = ended:command("audit", "verify")
    assert.equal(1, code)
    has(out, "tables")
    out, code = ended:command("ledger", "check", "--repair", "--yes")
    assert.equal(0, code, out)
    assert.equal(0, select(2, ended:command("ledger", "check")))
    local tail = process.start(ended:words("audit", "tail", "-f", "-n", "1"))
    tail:expect("stop", 10)
    out, code = ended:command("ledger", "restore", "copy.db", "--yes")
    assert.equal(0, code, out)
    has(out, "restored copy.db: entries 1 to ")
    tail:expect("ledger.db was replaced: going on with its end", 10)
    tail:stop()
    assert.equal(0, select(2, ended:command("ledger", "check")))
  end)

  it("names a damaged file, and what can be done about it", function()
    local file = assert(io.open(ended.dir:path("data/ledger.db"), "r+b"))
    file:write(("x"):rep(4096))
    file:close()
    local out, code = ended:command("requests")
    assert.equal(2, code)
    has(out, "data/ledger.db: file is not a database")
    has(out, "moongate ledger restore FILE")
  end)
end)
