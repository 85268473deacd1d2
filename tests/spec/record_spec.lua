-- How a request is to be recorded, as rules and hooks say it.
local gw = require "moongate.test"

local MODELS = 'return models { m = { targets = { "p/m" }, price = free } }'

local function chain(...)
  local files, names = { models = MODELS }, {}
  for i, text in ipairs { ... } do
    names[i] = "p" .. i
    files[names[i]] = text
  end
  files.chain = names
  return gw.load_text(files)
end

local function rules(text) return "return policy { rules = { " .. text .. " } }" end
local function hook(text) return "return policy { on_request = function(ctx) " .. text .. " end }" end

local function wish(...)
  return chain(...):request({ model = "m", task = "code" }).record
end

describe("record", function()
  it("says nothing where no policy does", function()
    assert.is_nil(wish(rules ""))
    assert.is_nil(wish(rules "{ 'r', when = { task = 'other' }, record = { durability = 'remote' } }"))
  end)

  it("is a rule's word", function()
    assert.same({ durability = "remote", intent = true, prompt = true, answer = true },
      wish(rules "{ 'r', when = { task = 'code' }, record = { durability = 'remote', intent = true, texts = { 'prompt', 'answer' } } }"))
    assert.same({ intent = true, prompt = false, answer = false }, wish(rules "{ 'r', record = { intent = true } }"))
  end)

  it("is a hook's word", function()
    assert.same({ durability = "async", intent = false, prompt = true, answer = false },
      wish(hook "ctx:record { durability = 'async', texts = { 'prompt' } }"))
  end)

  it("adds up: the strongest durability, all intents, all texts", function()
    local weak, strong = rules "{ 'r', record = { durability = 'async', texts = { 'answer' } } }",
      rules "{ 'r', record = { durability = 'local', intent = true } }"
    local all = { durability = "local", intent = true, prompt = false, answer = true }
    assert.same(all, wish(weak, strong))
    assert.same(all, wish(strong, weak))
    assert.same(all, wish(strong, hook "ctx:record { durability = 'async', texts = { 'answer' } }"))
  end)

  it("is only noted where a policy observes", function()
    local r = chain(rules "{ 'r', mode = 'observe', record = { intent = true } }"):request { model = "m" }
    assert.is_nil(r.record)
    assert.explained_by(r, "p1/r")
  end)

  it("stands in the trace, in words", function()
    local r = chain(rules "{ 'r', record = { durability = 'remote', intent = true, texts = { 'prompt', 'answer' } } }"):request { model = "m" }
    local said
    for _, entry in ipairs(r.trace) do
      if entry.verb == "record" then said = entry.reason end
    end
    assert.equal("remote, with an intent, keeps prompt and answer", said)
  end)

  it("is a rule of any policy", function()
    assert.same({ intent = true, prompt = false, answer = false },
      wish('return access { default = "allow", models = {}, rules = { { "r", record = { intent = true } } } }'))
  end)
end)

describe("what is wrong with record", function()
  local function error_of(text)
    return table.concat(gw.errors { init = "return chain { 'p' }", p = text,
      models = 'return models { m = { targets = { "p/m" }, price = free } }' }, "\n")
  end
  local function says(body, ...)
    local text = error_of(rules("{ 'r', record = " .. body .. " }"))
    for _, word in ipairs { ... } do assert.truthy(text:find(word, 1, true), text) end
  end

  it("is told with its place and the nearest word", function()
    says("{ durability = 'locl' }", "rules[1].record.durability", "expected one of async, local, remote", "did you mean 'local'?")
    says("{ durabilty = 'local' }", "unknown field of record 'durabilty'", "did you mean 'durability'?")
    says("{ texts = { 'promt' } }", "did you mean 'prompt'?")
    says("{ texts = 'prompt' }", "expected a list")
    says("{ intent = 'yes' }", "expected true or false")
    says("{}", "record says nothing")
    says("{ intent = false, texts = {} }", "record says nothing")
    says("'remote'", "expected a table")
  end)

  it("is raised in a hook", function()
    local function raised(body)
      return chain(hook("local how = " .. body .. " ctx:record(how)")):request({ model = "m" }).fault or ""
    end
    assert.truthy(raised("{ durability = 'locl' }"):find("did you mean 'local'?", 1, true))
    assert.truthy(raised("{ durabilty = 'local' }"):find("did you mean 'durability'?", 1, true))
    assert.truthy(raised("{ texts = { 'x' } }"):find("a text is one of prompt, answer", 1, true))
    assert.truthy(raised("{ texts = { prompt = true } }"):find('texts is a list: { "prompt" }', 1, true))
    assert.truthy(raised("{ intent = 1 }"):find("intent is true or false", 1, true))
    assert.truthy(raised("{}"):find("it wants a table", 1, true))
  end)

  it("is told at load where it is written in a hook", function()
    local function told(body) return error_of(hook(body)) end
    assert.truthy(told("ctx:record { durability = 'locl' }"):find("did you mean 'local'?", 1, true))
    assert.truthy(told("ctx:record { durabilty = ctx.identity.app }"):find("did you mean 'durability'?", 1, true))
    assert.truthy(told("ctx:record { texts = { prompt = true } }"):find('texts is a list: { "prompt" }', 1, true))
    assert.truthy(told("ctx:record 'remote'"):find("it wants a table", 1, true))
    assert.is_nil(told("ctx:record { durability = ctx.identity.tier, intent = ctx.stream, texts = { ctx.identity.app } }"):find("record", 1, true))
  end)

  it("warns of texts that nobody masks", function()
    local kept = rules "{ 'r', record = { texts = { 'prompt' } } }"
    assert.truthy(error_of(kept):find("rule 'r' keeps texts, and no redaction policy masks them", 1, true), error_of(kept))
    assert.is_nil(error_of(rules "{ 'r', record = { intent = true } }"):find("keeps texts", 1, true))
  end)
end)

describe("a change of record", function()
  it("tightens when there is more to be had", function()
    local changes = gw.diff(chain(rules ""), chain(rules "{ 'r', record = { durability = 'remote' } }")).changes
    assert.equal("tightens", changes[1].effect)
    local function effect(old, new)
      local all = gw.diff(chain(rules("{ 'r', record = " .. old .. " }")), chain(rules("{ 'r', record = " .. new .. " }"))).changes
      return all[1].effect or "none"
    end
    assert.equal("tightens", effect("{ durability = 'async' }", "{ durability = 'local' }"))
    assert.equal("loosens", effect("{ durability = 'local', intent = true }", "{ durability = 'local' }"))
    assert.equal("unknown", effect("{ durability = 'local' }", "{ durability = 'async', intent = true }"))
    assert.equal("none", effect("{ intent = true }", "{ intent = true, texts = { 'prompt' } }"))
  end)
end)
