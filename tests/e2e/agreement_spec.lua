-- The test kit and the gateway say the same of the same policies, request and provider's answer: verdict, what was delivered,
-- and what the record keeps. What a spec proves is only worth something if the gateway does likewise.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local workdir = require("tests.e2e.kit.workdir")
local process = dofile("tests/lib/process.lua")

local BUILD = os.getenv("B") or "build"
local MODELS = [[return models {
  one = { targets = { "openai/one", "anthropic/two" }, price = usd_per_million { input = 1, output = 2 } },
}]]
-- What policies see at the end goes into the record.
local LAST = [[return policy { on_done = function(ctx)
  local finish = ctx.outcome == "ok" and ctx.response.finish_reason or "-"
  local cost = ctx.outcome == "ok" and ctx.usage.cost_usd or "-"
  ctx:annotate("end", ("%s %s %s %s"):format(ctx.outcome, finish, cost, ctx.response.status or "-"))
end }]]
local GUARD = [[return policy { buffer = %s, on_response = function(ctx)
  ctx:annotate("said", ctx.response:text())
  if ctx.response:text():find("secret", 1, true) then return deny(422, "leak", "it told a secret") end
  if ctx.response:text():find("oops", 1, true) then return ctx['nothing'] end
end }]]
local REDACTION = [[return redaction {
  detect = { "email" }, custom = { { "employee_id", like = "EMP-######" } },
  request = { ["*"] = "mask" }, response = { ["*"] = "mask" }, restore = true }]]

local BUNDLES = {
  { "plain", {} },
  { "refuses requests", { a = [[return policy { rules = { { "no", when = { contains = "ana@" }, deny = { 403, "not_her" } } } }]] } },
  { "judges deltas", { a = [[return policy { on_delta = function(ctx, text)
      if text:find("secret", 1, true) then return deny(403, "leak", "it told a secret") end
      if text:find("oops", 1, true) then return ctx['nothing'] end
    end }]] } },
  { "judges answers", { a = GUARD:format("false") } },
  { "judges answers, held", { a = GUARD:format("true") } },
  { "skips a target", { a = [[return policy { on_attempt = function(ctx, target)
      if target.provider == "openai" then return deny(403, "not_there") end
    end }]] } },
  { "skips all", { a = [[return policy { on_attempt = function() return deny(451, "nowhere", "not here") end }]] } },
  { "redacts", { a = REDACTION } },
  { "redacts, and judges what is left", { a = REDACTION, b = GUARD:format("true") } },
}

local TEXTS = {
  { "all is ", "well" },
  { "secret ", "it is" },
  { "oops ", "it is" },
  { "mail [em", "ail] soon" },
  { "from bo@x", ".org and EMP-12", "3456" },
  { "caf\195\169 \"quoted\"\n", "\\ and \240\159\152\128" },
  { "" },
  { ("word "):rep(60), ("more "):rep(60) },
}
local ASKED = { "hello", "I am ana@example.com" }
local REASONS = { "stop", "length" }

local function each_case(visit)
  local number = 0
  for _, chunks in ipairs(TEXTS) do
    for _, asked in ipairs(ASKED) do
      for _, is_stream in ipairs { false, true } do
        number = number + 1
        visit { number = number, asked = asked, is_stream = is_stream, chunks = chunks, reason = REASONS[number % 2 + 1] }
      end
    end
  end
end

local function policies_of(bundle)
  local files, names = { ["models.lua"] = MODELS, ["last.lua"] = LAST }, {}
  for name, text in pairs(bundle[2]) do
    files[name .. ".lua"] = text
    names[#names + 1] = ("%q"):format(name)
  end
  table.sort(names)
  names[#names + 1] = '"last"'
  files["init.lua"] = "return chain { " .. table.concat(names, ", ") .. " }"
  return files
end

-- --- by the kit: a spec that writes down what it is told ---

local KIT = [==[
local gw = require "moongate.test"
local cjson = require "cjson"
describe("what the kit says", function()
  it("is written down", function()
    local asked = assert(io.open(%q))
    local out = assert(io.open(%q, "w"))
    local case = cjson.decode(asked:read("*a"))
    for _, bundle in ipairs(case.bundles) do
      local mg = gw.load_text(bundle.files)
      for _, c in ipairs(bundle.cases) do
        local answer = { finish_reason = c.reason, input_tokens = 3, output_tokens = 4 }
        if c.is_stream then answer.chunks = c.chunks else answer.text = table.concat(c.chunks) end
        local r = mg:respond({ model = "one", stream = c.is_stream, messages = { { role = "user", content = c.asked } } }, answer)
        local word = r.answer or (r.kind ~= "allow" and r) or {}
        out:write(cjson.encode { outcome = r.outcome, delivered = r.delivered, status = word.status, code = word.code,
          policy = word.policy, rule = word.rule, kind = word.kind, said = r.annotations.said, ["end"] = r.annotations["end"] }, "\n")
      end
    end
    out:close()
  end)
end)
]==]

local function ask_kit(dir)
  local bundles = {}
  for _, bundle in ipairs(BUNDLES) do
    local files, cases = {}, {}
    for name, text in pairs(policies_of(bundle)) do files[name:gsub("%.lua$", "")] = text end
    each_case(function(case) cases[#cases + 1] = case end)
    bundles[#bundles + 1] = { files = files, cases = cases }
  end
  dir:write("cases.json", cjson.encode { bundles = bundles })
  dir:write("kit_spec.lua", KIT:format(dir:path("cases.json"), dir:path("said.jsonl")))
  local said, code = process.run { BUILD .. "/moongate", "test", dir:path("kit_spec.lua"), seconds = 120 }
  assert(code == 0, said)
  local list = {}
  for line in dir:read("said.jsonl"):gmatch("[^\n]+") do list[#list + 1] = cjson.decode(line) end
  return list
end

-- --- by the gateway ---

local USAGE = { prompt_tokens = 3, completion_tokens = 4, total_tokens = 7 }

local function bytes_of(case)
  if not case.is_stream then
    return cjson.encode { choices = { { index = 0, finish_reason = case.reason,
      message = { role = "assistant", content = table.concat(case.chunks) } } }, usage = USAGE }
  end
  local events = {}
  local function add(chunk) events[#events + 1] = "data: " .. cjson.encode(chunk) .. "\n\n" end
  for _, text in ipairs(case.chunks) do add { choices = { { index = 0, delta = { content = text } } } } end
  add { choices = { { index = 0, delta = {}, finish_reason = case.reason } } }
  return table.concat(events) .. 'data: {"choices":[],"usage":' .. cjson.encode(USAGE) .. "}\n\ndata: [DONE]\n\n"
end

local function read_stream(body)
  local text, problem = {}, nil
  for _, event in ipairs(client.events(body)) do
    local ok, chunk = pcall(cjson.decode, event.data or "")
    local choice = ok and type(chunk) == "table" and chunk.choices and chunk.choices[1]
    if ok and type(chunk) == "table" and chunk.error then problem = chunk.error end
    if choice and choice.delta and type(choice.delta.content) == "string" then text[#text + 1] = choice.delta.content end
  end
  return table.concat(text), problem
end

local function ask_gateway(m, g, case)
  m:script { count = 1, body = bytes_of(case), content_type = case.is_stream and "text/event-stream" or "application/json" }
  local since = m:mark()
  local r = g:chat { model = "one", stream = case.is_stream or nil, messages = { { role = "user", content = case.asked } } }
  local said = { status = r.status, delivered = "" }
  if r.status >= 300 then
    said.problem = gateway.error_of(r)
  elseif case.is_stream then
    said.delivered, said.problem = read_stream(r.body)
  else
    said.delivered = cjson.decode(r.body).choices[1].message.content
  end
  said.record = g:record(r.id)
  if #m:requests(since) == 0 then m:reset() end -- the script is nobody's
  return said
end

local function name_of(bundle, case)
  return ("%s, %s of %q to %q"):format(bundle[1], case.is_stream and "a stream" or "a whole answer", table.concat(case.chunks), case.asked)
end

local function same(name, what, kit, real)
  if kit ~= real then error(("%s: %s: the kit says %s, the gateway %s"):format(name, what, tostring(kit), tostring(real)), 2) end
end

local function compare(name, kit, real)
  local record = real.record
  same(name, "outcome", kit.outcome, record.outcome)
  same(name, "what is delivered", kit.delivered, real.delivered)
  same(name, "what on_response saw", kit.said, (record.annotations or {}).said)
  assert(kit["end"], name)
  same(name, "what on_done saw", kit["end"], (record.annotations or {})["end"])
  if kit.kind == "deny" then
    if real.status >= 300 then same(name, "status", kit.status, real.status) end
    same(name, "code", kit.code, real.problem and real.problem.code)
    same(name, "policy", kit.policy, real.problem and real.problem.policy)
    same(name, "rule", kit.rule, real.problem and real.problem.rule)
  elseif kit.kind == "fault" then
    same(name, "code", "policy_error", real.problem and real.problem.code)
  else
    same(name, "status", 200, real.status)
    same(name, "input", 3, record.usage.input_tokens)
    same(name, "output", 4, record.usage.output_tokens)
  end
end

describe("the kit and the gateway agree", function()
  local m, dir, kit
  setup(function()
    m, dir = mock.start(), workdir.new("agreement")
    kit = ask_kit(dir)
  end)
  teardown(function()
    m:stop()
    dir:remove()
  end)

  local at = 0
  for number, bundle in ipairs(BUNDLES) do
    it("where a bundle " .. bundle[1], function()
      local g = gateway.start { mock = m, name = "agreement-" .. at, policies = policies_of(bundle) }
      local ok, why = pcall(each_case, function(case)
        at = at + 1
        compare(name_of(bundle, case), kit[(number - 1) * #kit / #BUNDLES + case.number], ask_gateway(m, g, case))
      end)
      g:stop()
      assert(ok, why)
    end)
  end

  it("on two hundred and more", function() assert.truthy(at > 200 and at == #kit, at .. " of " .. #kit) end)
end)
