-- What callers fill into a prompt is theirs: guards that pass over the application's own words look at it, in system
-- messages and in every dialect. Draft versions under a label of one's own show it as approved ones would.
local cjson = require("cjson")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")

local g, m

local policies = {
  ["init.lua"] = 'return chain { "auth", "guards" }\n',
  ["models.lua"] = 'return models { ["gpt-4o-mini"] = { targets = { "openai/gpt-4o-mini" }, price = free } }\n',
  ["apps.lua"] = 'return apps { ["tests"] = { department = "engineering", owner = "tests" } }\n',
  ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" }, require = { "app", "department" } }\n',
  ["guards.lua"] = [[
return policy {
  rules = { { "no-falcon", when = { contains = { "project falcon" } }, deny = { 403, "guarded" } } },
  on_request = function(ctx)
    local text = ctx.request:last_user_text()
    if text and text:find("osprey", 1, true) then return deny(403, "classified", "birds are secret") end
  end,
}
]],
}

local file = [[
---
name = "%s", version = "1.0.0", department = "sales", owner = "sales-team", model = "gpt-4o-mini",
variables = { company = { default = "Acme" } },
---
@system
%s
@developer
You sell for {{company}}.
@user
Hello!
]]

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "guards", policies = policies, key = { app = "tests" } }
  g.dir:write("prompts/sales/pitch.md", file:format("sales/pitch", "Never speak of project falcon."))
  g.dir:write("prompts/sales/mild.md", file:format("sales/mild", "Be kind."))
  for _, words in ipairs { { "push", "prompts" }, { "share", "sales/pitch", "1.0.0=1000", "--label", "dev" },
    { "share", "sales/mild", "1.0.0=1000", "--label", "dev" } } do
    local out, code = g:command("prompts", unpack(words))
    assert.equal(0, code, out)
  end
end)
teardown(function()
  g:stop()
  m:stop()
end)

-- Where system texts stand apart from messages they are one text, and its own words count as its holes do.
local ways = {
  { path = "/v1/chat/completions" },
  { path = "/v1/responses" },
  { path = "/v1/messages", by_header = true, json = { model = "gpt-4o-mini", max_tokens = 9 } },
  { path = "/v1beta/models/gpt-4o-mini:generateContent", by_header = true, json = {} },
}

local function ask(way, company)
  local of = { path = way.path, method = "POST", json = {} }
  for name, value in pairs(way.json or {}) do of.json[name] = value end
  local variables = company and { company = company } or nil
  if way.by_header then
    of.headers = { { "x-moongate-prompt", "sales/mild@dev" } }
    of.json.metadata = { moongate = { variables = variables or { company = "Acme" } } }
  else
    of.json.prompt = { id = "sales/pitch", version = "@dev", variables = variables }
  end
  local since = m:mark()
  local answer = g:ask(of)
  return answer, m:requests(since)[1]
end

describe("guards", function()
  for _, way in ipairs(ways) do
    it("see what is filled into the application's words, on " .. way.path, function()
      local answer, sent = ask(way)
      assert.equal(200, answer.status, answer.body) -- the version's own words are not the caller's
      assert.truthy(cjson.encode(sent.body):find(way.by_header and "Be kind" or "project falcon", 1, true))
      answer, sent = ask(way, "those of Project\nFalcon")
      assert.equal(403, answer.status, answer.body)
      assert.truthy(answer.body:find("guarded", 1, true))
      assert.is_nil(sent)
      answer, sent = ask(way, "the osprey")
      assert.equal(403, answer.status, answer.body)
      assert.truthy(answer.body:find("classified", 1, true))
      assert.is_nil(sent)
    end)
  end

  it("see it where the application has filled it in itself", function()
    local function own(company)
      return g:ask { json = { model = "gpt-4o-mini", messages = {
        { role = "system", content = "Never speak of project falcon." },
        { role = "developer", content = "You sell for " .. company .. "." },
        { role = "user", content = "Hello!" },
      } }, headers = { { "x-moongate-prompt", "sales/pitch@dev" } } }
    end
    assert.equal(200, own("Acme").status)
    assert.equal(403, own("project falcon").status)
  end)
end)
