-- moongate tokens: how many tokens a text or a request is, with and without a configuration.
local cjson = require("cjson")
local process = dofile("tests/lib/process.lua")
local command = require("tests.e2e.kit.command")
local workdir = require("tests.e2e.kit.workdir")

local has = command.has
local function run(folder, ...) return command.run(folder, "tokens", ...) end

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
    local words = { "sh", "-c", ("printf 'Hello, world!' | '%s' tokens --json --model gpt-4o -"):format(command.path),
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

  it("shows parts that add up, whatever counts", function()
    local body = [[{"model":"%s","messages":[{"role":"system","content":"Be brief."},{"role":"user","name":"user","content":
[{"type":"text","text":"Hello, w\u006frld!"},{"type":"image_url","image_url":"https://example.com/a.png"}]},
{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"한국어 ภาษาไทย"}],
"tools":[{"type":"function","function":{"name":"f","description":"What it does"}}],
"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}]]
    local models = { "gpt-4o", "gpt-4", "gpt-5", "o3-mini", "claude-3-5-haiku-latest", "claude-opus-4-7", "gemini-2.5-flash", "mistral-large", "nobody" }
    for _, model in ipairs(models) do
      dir:write("r.json", body:format(model))
      local said, sum = document("r.json"), 0
      for _, part in ipairs(said.parts) do sum = sum + part.tokens end
      assert.equal(said.tokens, sum, model)
      assert.same({ "1 system", "2 user", "3 assistant", "4 tool" },
        { said.parts[1].what, said.parts[2].what, said.parts[3].what, said.parts[4].what })
    end
    dir:write("r.json", '{"model":"gpt-4o","messages":[1,null,{"role":7}]}')
    assert.same({ "1 ?", "2 ?", "3 ?" }, { document("r.json").parts[1].what, document("r.json").parts[2].what, document("r.json").parts[3].what })
  end)

  it("counts a body without a model by the one that is given", function()
    dir:write("r.json", ' {"messages":[{"role":"user","content":"Hello, world!"}]}')
    assert.same({ 11, "gpt-4o" }, { document("--model", "gpt-4o", "r.json").tokens, document("--model", "gpt-4o", "r.json").model })
    local out, code = run(dir.root, "r.json")
    assert.equal(2, code)
    has(out, "say which model counts\n  = help: --model MODEL")
  end)

  it("counts bytes that are no text as they would be sent", function()
    dir:write("bytes", "a\255b") -- "a", U+FFFD, "b"
    assert.equal(3, document("--model", "gpt-4o", "bytes").tokens)
    dir:write("bytes.json", '{"model":"gpt-4o","messages":[{"role":"user","content":"a\255b"}]}')
    local out, code = run(dir.root, "bytes.json")
    assert.equal(2, code)
    has(out, "expected valid UTF-8, found byte 0xFF")
    has(out, "--plain counts it as a text")
  end)

  it("finds the policies by the configuration, and their names however they are asked for", function()
    local text = "한국어 ภาษาไทย हिन्दी" -- 5 tokens in o200k_base, 20 in cl100k_base
    dir:write("p/models.lua", 'return models { auto = { virtual = true }, old = { targets = { "p/old" }, counts_as = "gpt-4", aliases = { "nickname" } } }\n')
    dir:write("p/init.lua", 'return chain { "a" }\n')
    dir:write("p/a.lua", "return policy {}\n")
    assert.equal(5, document("--model", "old", "--text", text).tokens)
    dir:write("moongate.lua", 'return moongate.config { policies = "p", data = "d", providers = {} }\n')
    for _, name in ipairs { "old", "nickname", "p/old" } do assert.equal(20, document("--model", name, "--text", text).tokens, name) end
    assert.same({ 5, cjson.null }, { document("--model", "auto", "--text", text).tokens, document("--model", "auto", "--text", text).family })
    dir:write("p/a.lua", "return policy {")
    local out, code = run(dir.root, "--model", "old", "--text", text)
    assert.equal(2, code)
    has(out, "do not load: `moongate check` says why")
    out, code = run(dir.root, "-c", "nowhere.lua", "--model", "old", "--text", text)
    assert.equal(2, code)
    has(out, "nowhere.lua: No such file or directory")
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
    refuses('"messages" must be an array\n  = help: --plain counts it as a text', "bad.json")
    dir:write("bad.json", '{"model":7,"messages":[]}')
    refuses('"model" must be a string', "bad.json")
    dir:write("bad.json", '{"model":"gpt-4o","messages":[],"messages":[]}')
    refuses('"messages" is given twice', "bad.json")
    refuses("say which model counts", "--model", "", "--text", "x")
    refuses("Is a directory", "--model", "gpt-4o", dir.root)
    dir:write("cut.json", '{"model":"gpt-4o","messages":[')
    refuses("--plain counts it as a text", "--model", "gpt-4o", "cut.json")
    assert.truthy(document("--plain", "--model", "gpt-4o", "cut.json").tokens > 5)
  end)
end)
