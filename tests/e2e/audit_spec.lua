-- Looking into the ledger from the command line, while the gateway writes it: what is found, what is said, what is safe.
local cjson = require("cjson")
local signal = require("posix.signal")
local stat = require("posix.sys.stat")
local unistd = require("posix.unistd")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local MOONGATE = unistd.getcwd() .. "/" .. (os.getenv("B") or "build") .. "/moongate"
local m, g, allowed, denied

local function run(...)
  local words = { ... }
  words[#words + 1] = "-c"
  words[#words + 1] = "moongate.lua"
  return g:command(unpack(words))
end

local function json_of(...)
  local words = { ... }
  words[#words + 1] = "--json"
  local out, code = run(unpack(words))
  assert.equal(0, code, out)
  return cjson.decode(out)
end

local function ids_of(found)
  local ids = {}
  for _, item in ipairs(found.items) do ids[#ids + 1] = item.id end
  return ids
end

local function has(text, part)
  assert.truthy(text:find(part, 1, true), "no '" .. part .. "' in:\n" .. text)
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
    local out, code = run("requests")
    assert.equal(0, code, out)
    has(out, allowed.id)
    has(out, "code-assistant\tengineering\tana\t")
    has(out, "403 denied")
    assert.truthy(out:find("\n%d+ requests in the last 30 days, [%d,]+ tokens, %$[%d.]+, %d+ denied"), out)
  end)

  it("finds by conditions, which all hold", function()
    assert.same({ denied.id }, ids_of(json_of("requests", "--where", "outcome:denied", "--where", "department:sales")))
    assert.same({ allowed.id }, ids_of(json_of("requests", "--where", "user:a*", "--where", "status<400")))
    assert.same({ denied.id }, ids_of(json_of("requests", "!department:engineering,", "code:*", "status:403")))
    assert.same({ allowed.id }, ids_of(json_of("requests", allowed.id)))
    assert.same({}, ids_of(json_of("requests", "--until", "2020-01-01")))
    assert.equal(0, json_of("requests", "user:' OR 1=1 --").total)
  end)

  it("goes on where a page ended, with the same totals", function()
    local all = json_of("requests")
    local first = json_of("requests", "--limit", "1")
    local second = json_of("requests", "--limit", "1", "--before", first.next)
    assert.same({ all.items[1].id, all.items[2].id }, { first.items[1].id, second.items[1].id })
    assert.equal(all.total, first.total)
    assert.equal(all.totals.cost_nano, second.totals.cost_nano)
  end)

  it("says what is wrong with a condition, and how to right it", function()
    local out, code = run("requests", "--where", "depratment:sales")
    assert.equal(2, code)
    has(out, "did you mean `department`?")
    out, code = run("requests", "--since", "yesteryear")
    assert.equal(2, code)
    has(out, "--since: `yesteryear` is no time")
    assert.equal(2, select(2, run("requests", "--limit", "0")))
  end)

  it("says who makes a ledger that is not there", function()
    g.dir:write("nowhere.lua", 'return moongate.config { data = "nowhere" }\n')
    for _, command in ipairs { "requests", "ledger check", "ledger backup copy.db", "ledger rekey --yes", "audit text req_0199" } do
      local words = {}
      for word in (command .. " -c nowhere.lua"):gmatch("%S+") do words[#words + 1] = word end
      local out, code = g:command(unpack(words))
      assert.equal(2, code)
      has(out, "nowhere/ledger.db: No such file")
      has(out, "the gateway makes it when it starts")
    end
  end)

  it("takes no other folder for that of a configuration that is not there", function()
    for _, command in ipairs { { "requests" }, { "keys", "list" }, { "ledger", "backup", "copy.db" }, { "reload" } } do
      command[#command + 1], command[#command + 2] = "-c", "away/moongate.lua"
      local out, code = g:command(unpack(command))
      assert.equal(2, code, out)
      has(out, "away/moongate.lua: No such file")
    end
  end)

  it("waits for nobody to write into a pipe that was named", function()
    assert.equal(0, (stat.mkfifo or require("posix").mkfifo)(g.dir:path("pipe.jsonl")))
    for _, command in ipairs { { "explain", "pipe.jsonl" }, { "tokens", "--model", "gpt-4o", "pipe.jsonl" }, { "replay", "pipe.jsonl" },
      { "ledger", "restore", "pipe.jsonl", "--yes" }, { "test", "pipe.jsonl" } } do
      command[#command + 1], command[#command + 2] = "-c", "moongate.lua"
      local ok, why = pcall(g.command, g, unpack(command))
      assert.is_true(ok, table.concat(command, " ") .. ": " .. tostring(why))
      if command[1] == "ledger" then has(why, "is no file") end
    end
  end)
end)

-- As somebody sees it who has a terminal so wide.
local function seen(columns, command)
  local out, code = process.run { "script", "-qec",
    ("stty cols %d; '%s' %s -c moongate.lua --color never"):format(columns, MOONGATE, command), "/dev/null",
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
    for _, command in ipairs { "requests", "audit search kind:exchange,start" } do
      local text = seen(80, command)
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
    local out, code = run("audit", "search", denied.id)
    assert.equal(0, code, out)
    has(out, "sales/=cmd()")
    has(out, "403 denied")
    local start = json_of("audit", "search", "kind:start").items[1]
    assert.equal("start", start.kind)
    local found = json_of("audit", "search", "outcome:denied").items[1]
    assert.equal(found.entry.decision.code, found.code)
    local word = found.entry.decision.reason:match("%a%a%a%a+")
    assert.same({ denied.id }, ids_of(json_of("audit", "search", word, "kind:exchange", "department:sales")))
  end)

  it("exports lines that hold what was hashed, and cells that no spreadsheet runs", function()
    local out, code = run("audit", "export", "-o", "all.jsonl")
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
    out, code = run("audit", "export", "-o", "all.jsonl")
    assert.equal(2, code)
    has(out, "nothing is ever overwritten")
    assert.equal(0, select(2, run("audit", "export", "--format", "csv", "-o", "all.csv", "department:sales")))
    local csv = g.dir:read("all.csv")
    has(csv, ",'=cmd(),")
    assert.truthy(csv:find("^seq,kind,id,time,usd,[%w_,]+,hash\r\n"), csv)
  end)

  it("tells that nobody changed the chain, here or in its export, and where somebody did", function()
    local function verify(...)
      local out, code = run("audit", "verify", "--json", ...)
      assert.is_true(code == 0 or code == 1, out)
      return cjson.decode(out)
    end
    local here = verify()
    assert.equal("intact", here.state)
    assert.equal(0, select(2, run("audit", "export", "-o", "whole.jsonl")))
    local there = verify("whole.jsonl", "--key", "data/anchor.pub")
    assert.equal("intact", there.state) -- the signed heads are in it
    assert.equal(here.head, there.head)
    assert.equal(here.anchored_seq, there.anchored_seq)
    g.dir:write("changed.jsonl", (g.dir:read("whole.jsonl"):gsub("engineering", "engineerinG", 1)))
    local out, code = run("audit", "verify", "changed.jsonl", "--key", "data/anchor.pub")
    assert.equal(1, code, out)
    assert.truthy(out:find("hash at entry %d+: "), out)
    assert.truthy(out:find("tampered  %d+ entries"), out)
    out, code = run("audit", "verify", "whole.jsonl")
    assert.equal(2, code)
    has(out, "an export is verified with a key")
  end)

  it("follows what comes, and ends well on Ctrl-C", function()
    local tail = process.start { MOONGATE, "audit", "tail", "-f", "--json", "-c", "moongate.lua", cwd = g.dir.root,
      env = g.env }
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
    local out, code = process.run { "sh", "-c", "'" .. MOONGATE .. "' audit tail -f -c moongate.lua | head -n 1; echo over",
      cwd = g.dir.root, env = g.env, seconds = 30 }
    assert.equal(0, code, out)
    has(out, "\nover")
  end)
end)

describe("moongate spend", function()
  it("sums by department in the billing zone, exactly as the records do", function()
    local spent = json_of("spend", "--by", "department", "--period", "7d")
    assert.equal("Europe/Berlin", spent.period.timezone)
    local sum = 0
    for _, row in ipairs(spent.rows) do sum = sum + row.cost_nano end
    assert.equal(sum, spent.total_nano)
    assert.equal(json_of("requests").totals.cost_nano, sum)
    local out, code = run("spend", "--by", "user", "--where", "department:engineering", "--period", "7d")
    assert.equal(0, code, out)
    assert.truthy(out:find("USER\tSPEND\tSHARE\tCHANGE\tREQUESTS\tTOKENS\nana\t%$"), out)
    has(run("spend", "--by", "label:nobody_has_it"), "none of these requests had the label nobody_has_it")
    assert.equal(2, select(2, run("spend", "--by", "team")))
    assert.equal(2, select(2, run("spend", "--period", "2026-13")))
  end)
end)

describe("moongate ledger", function()
  it("is copied while it is written, and put back only when no gateway runs", function()
    local made = json_of("ledger", "backup", "copy.db")
    assert.is_true(made.last_seq >= 3)
    local out, code = run("ledger", "restore", "copy.db", "--yes")
    assert.not_equal(0, code)
    has(out, "a gateway runs")
    out, code = run("ledger", "check", "--repair", "--yes")
    assert.not_equal(0, code)
    has(out, "a gateway runs")
    assert.equal(0, json_of("ledger", "check").differences)
  end)


  it("is not replaced unless it is said", function()
    local out, code = process.run { "sh", "-c", "'" .. MOONGATE .. "' ledger restore copy.db -c moongate.lua </dev/null",
      cwd = g.dir.root, env = g.env, seconds = 30 }
    assert.equal(2, code)
    has(out, "--yes does it without being asked")
  end)
end)

describe("a ledger that keeps its entries for a second", function()
  it("is intact, and so is its export", function()
    local brief = gateway.start { mock = m, name = "audit-brief", config = { ledger = { retain = "1s" } } }
    local function of_brief(...)
      local words = { ... }
      words[#words + 1] = "-c"
      words[#words + 1] = "moongate.lua"
      return brief:command(unpack(words))
    end
    local verified
    expect.eventually(function()
      brief:chat { model = "gpt-4o-mini", messages = { { role = "user", content = "Hello!" } } }
      local out, code = of_brief("audit", "verify", "--json")
      assert.is_true(code == 0, out)
      verified = cjson.decode(out)
      return verified.first_seq > 1
    end, 20, "the first entries are deleted")
    assert.equal("intact", verified.state)
    local ok, why = pcall(function()
      assert.equal(0, select(2, of_brief("audit", "export", "-o", "rest.jsonl")))
      local out, code = of_brief("audit", "verify", "rest.jsonl", "--key", "data/anchor.pub", "--json")
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

  local function of_ended(...)
    local words = { ... }
    words[#words + 1] = "-c"
    words[#words + 1] = "moongate.lua"
    return ended:command(unpack(words))
  end

  it("leaves a ledger that is read as before, and written by commands", function()
    local out, code = of_ended("requests", "--json")
    assert.equal(0, code, out)
    assert.equal(1, cjson.decode(out).total)
    out, code = of_ended("ledger", "erase", "--subject", "user:ana", "--reason", "case 4711", "--actor", "dpo", "--yes")
    assert.equal(0, code, out)
    out, code = of_ended("audit", "search", "actor:dpo", "--json")
    assert.equal(0, code, out)
    local change = cjson.decode(out).items[1]
    assert.equal("change", change.kind)
    assert.equal("case 4711", change.entry.reason)
    out, code = of_ended("audit", "tail", "-n", "1")
    assert.equal(0, code, out)
    has(out, "change\tdpo\ttexts.erase user:ana\tok\t")
  end)

  it("is signed with another key from its next start on, which the old one has announced", function()
    local out, code = of_ended("ledger", "rekey", "--yes", "--json")
    assert.equal(0, code, out)
    local key = cjson.decode(out).key
    out, code = of_ended("ledger", "rekey", "--yes")
    assert.equal(2, code)
    has(out, "waits already for the gateway's next start")
    assert.is_true(key ~= cjson.decode((of_ended("audit", "verify", "--json"))).key)
    ended.dir:write("old.pub", ended.dir:read("data/anchor.pub"))
    ended:run()
    local verified
    expect.eventually(function()
      verified = cjson.decode((of_ended("audit", "verify", "--key", "old.pub", "--json")))
      return verified.key == key
    end, 10, "an anchor of the new key")
    assert.equal("intact", verified.state)
    ended:signal(signal.SIGTERM)
    ended.process:wait(20)
  end)

  it("takes a backup back, and rights columns that were changed", function()
    assert.equal(0, select(2, of_ended("ledger", "backup", "copy.db")))
    local db = assert(require("luasql.sqlite3").sqlite3():connect(ended.dir:path("data/ledger.db")))
    assert(db:execute("UPDATE records SET cost_nano = cost_nano + 1"))
    db:close()
    local out, code = of_ended("ledger", "check")
    assert.equal(1, code, out)
    has(out, "1 difference from the chain")
    out, code = of_ended("audit", "verify")
    assert.equal(1, code)
    has(out, "tables")
    out, code = of_ended("ledger", "check", "--repair", "--yes")
    assert.equal(0, code, out)
    assert.equal(0, select(2, of_ended("ledger", "check")))
    out, code = of_ended("ledger", "restore", "copy.db", "--yes")
    assert.equal(0, code, out)
    has(out, "restored copy.db: entries 1 to ")
    assert.equal(0, select(2, of_ended("ledger", "check")))
  end)

  it("names a damaged file, and what can be done about it", function()
    local file = assert(io.open(ended.dir:path("data/ledger.db"), "r+b"))
    file:write(("x"):rep(4096))
    file:close()
    local out, code = of_ended("requests")
    assert.equal(2, code)
    has(out, "data/ledger.db: file is not a database")
    has(out, "moongate ledger restore FILE")
  end)
end)
