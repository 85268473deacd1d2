-- moongate tokens: how many tokens a text or a request is, with and without a configuration.
local cjson = require("cjson")
local process = dofile("tests/lib/process.lua")
local workdir = require("tests.e2e.kit.workdir")

local build = os.getenv("B") or "build"
local moongate = require("posix.unistd").getcwd() .. "/" .. build .. "/moongate"

-- All output (stdout and stderr) and the exit code of `moongate tokens …` in a folder.
local function run(folder, ...)
  local words = { moongate, "tokens", ... }
  words.cwd, words.seconds, words.env = folder, 30, { MOONGATE_CONFIG = "", NO_COLOR = "1" }
  return process.run(words)
end

local function has(text, part) assert.truthy(text:find(part, 1, true), "no '" .. part .. "' in:\n" .. text) end

local dir
before_each(function() dir = workdir.new("count") end)
after_each(function() dir:remove() end)

local function tokens(...)
  local out, code = run(dir.root, ...)
  assert.equal(0, code, out)
  return out
end

local function document(...) return cjson.decode((tokens("--json", ...))) end

describe("moongate tokens", function()
  local request = [[{"model":"gpt-4o-mini","messages":[
{"role":"system","content":"You are a helpful assistant."},
{"role":"user","name":"bob","content":"Hello, world!"}]}]]

  it("counts a text in the vocabulary of the model", function()
    local said = document("--model", "gpt-4o", "--text", "Hello, world!")
    assert.same({ 4, "o200k_base", "gpt-4o", false }, { said.tokens, said.vocabulary, said.family, said.estimated })
    assert.equal("cl100k_base", document("--model", "gpt-4", "--text", "x").vocabulary)
    assert.equal(0, document("--model", "gpt-4", "--text", "").tokens)
    has(tokens("--model", "gpt-4o", "--text", "Hello, world!"), "           4  tokens\n")
  end)

  it("says what is an estimate", function()
    local said = document("--model", "claude-opus-4-8", "--text", "Hello, world!")
    assert.same({ 6, true }, { said.tokens, said.estimated }) -- 4 × 1.43
    said = document("--model", "house-model", "--text", "Hello, world!")
    assert.same({ 4, true, cjson.null }, { said.tokens, said.estimated, said.family })
    has(tokens("--model", "house-model", "--text", "x"), "estimated")
  end)

  it("counts a request message by message", function()
    dir:write("request.json", request)
    local said = document("request.json")
    -- 3 + (3 + 1 + 6) + (3 + 1 + 4 + 1 + 1)
    assert.equal(23, said.tokens)
    assert.is_false(said.estimated)
    assert.same({ what = "1 system", tokens = 10, estimated = false }, said.parts[1])
    assert.same({ what = "2 user", tokens = 10, estimated = false }, said.parts[2])
    assert.same({ what = "request", tokens = 3, estimated = false }, said.parts[3])
    local out = tokens("request.json")
    has(out, "          10  1 system\n")
    has(out, "          23  tokens\n")
    has(out, "gpt-4o-mini, counted as gpt-4o-mini in o200k_base")
    assert.equal(22, document("--model", "gpt-5", "request.json").tokens) -- --model goes first
  end)

  it("shows tools, pictures and files apart, as estimates", function()
    dir:write("r.json", [[{"model":"gpt-4o","messages":[{"role":"user","content":[{"type":"text","text":"Hello, world!"},
{"type":"image_url","image_url":{"url":"https://example.com/a.png","detail":"low"}},{"type":"file","file":{"file_id":"f"}}]}],
"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}]])
    local said = document("r.json")
    local by = {}
    for _, part in ipairs(said.parts) do by[part.what] = part end
    assert.is_true(said.estimated)
    assert.equal(3 + 1 + 4 + 85, by["1 user"].tokens)
    assert.same({ count = 1, tokens = 85 }, said.pictures)
    assert.is_true(by["tools (1)"].estimated and by["tools (1)"].tokens > 9)
    local sum = 0
    for _, part in ipairs(said.parts) do sum = sum + part.tokens end
    assert.equal(said.tokens, sum)
    has(tokens("r.json"), "of them 85 in pictures (1)")
    has(tokens("r.json"), "not counted")
  end)

  it("reads stdin, plain files, prompts and inputs", function()
    dir:write("notes.md", "Hello, world!")
    assert.equal(4, document("--model", "gpt-4o", "notes.md").tokens)
    dir:write("prompt.json", '{"model":"davinci-002","prompt":["Hello, world!",[1,2,3]]}')
    assert.equal(7, document("prompt.json").tokens)
    dir:write("input.json", '{"model":"text-embedding-3-small","input":"Hello, world!"}')
    assert.equal(4, document("input.json").tokens)
    dir:write("request.json", request)
    assert.truthy(document("--plain", "--model", "gpt-4o", "request.json").tokens > 40)
    local words = { "sh", "-c", ("printf 'Hello, world!' | '%s' tokens --json --model gpt-4o -"):format(moongate),
      env = { MOONGATE_CONFIG = "" }, cwd = dir.root, seconds = 30 }
    local out, code = process.run(words)
    assert.equal(0, code, out)
    assert.equal(4, cjson.decode(out).tokens)
  end)

  it("knows the names of the policies at hand", function()
    dir:write("p/models.lua", 'return models { small = { targets = { "azure/house" }, counts_as = "gpt-4" } }\n')
    dir:write("p/init.lua", 'return chain { "a" }\n')
    dir:write("p/a.lua", "return policy {}\n")
    assert.equal("cl100k_base", document("--policies", "p", "--model", "small", "--text", "x").vocabulary)
    assert.equal("cl100k_base", document("--policies", "p", "--model", "azure/house", "--text", "x").vocabulary)
    assert.equal("o200k_base", document("--policies", "p", "--model", "gpt-4o", "--text", "x").vocabulary)
  end)

  it("says what is wrong, and what to do", function()
    local function refuses(part, ...)
      local out, code = run(dir.root, ...)
      assert.equal(2, code, out)
      has(out, part)
    end
    refuses("give a FILE, - for stdin, or --text TEXT")
    refuses("give a FILE, - for stdin, or --text TEXT", "--text", "x", "file")
    refuses("say which model counts", "--text", "x")
    refuses("nowhere.json: No such file", "--model", "gpt-4o", "nowhere.json")
    refuses("did you mean `--model`?", "--modle", "gpt-4o")
    refuses("nowhere", "--policies", "nowhere", "--model", "m", "--text", "x")
    dir:write("bad.json", '{"model":"gpt-4o","messages":"none"}')
    refuses("messages", "bad.json")
    dir:write("cut.json", '{"model":"gpt-4o","messages":[')
    refuses("--plain counts it as a text", "--model", "gpt-4o", "cut.json")
    assert.truthy(document("--plain", "--model", "gpt-4o", "cut.json").tokens > 5)
  end)
end)
