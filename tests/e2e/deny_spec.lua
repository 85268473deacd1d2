-- Refusals by policy: who is refused what, in which words, before any provider hears of it.
local cjson = require("cjson")
local client = require("tests.e2e.kit.client")
local expect = require("tests.e2e.kit.expect")
local gateway = require("tests.e2e.kit.gateway")
local mock = require("tests.e2e.kit.mock")
local process = dofile("tests/lib/process.lua")

local m, g
local keys = {}
local SAY = { { role = "user", content = "hi" } }

setup(function()
  m = mock.start()
  g = gateway.start { mock = m, name = "deny" }
  keys.engineering = g.key
  keys.sales = g:new_key { app = "sales-copilot" }
  keys.research = g:new_key { app = "code-assistant", department = "research" }
  keys.approved = g:new_key { app = "code-assistant", department = "research", approve = "claude-3-opus" }
  keys.contractor = g:new_key { app = "support-bot", department = "contractors" }
  keys.unheard = g:new_key { app = "unheard-of" }
end)
teardown(function()
  if g then g:stop() end
  m:stop()
end)

local function check_denied(r, status, code, since, more)
  more = more or {}
  assert.equal(status, r.status, r.body)
  local problem = gateway.error_of(r)
  assert.equal(code, problem.code)
  assert.is_string(problem.message)
  assert.is_true(#problem.message > 0)
  assert.equal(r.id or r:get("x-moongate-request-id"), problem.request_id)
  -- LiteLLM makes of any other word an error that its callers repeat (tests/clients).
  assert.equal(status == 401 and "authentication_error" or "invalid_request_error", problem.type)
  assert.equal("false", r:get("x-should-retry"))
  assert.equal(cjson.null, problem.param or cjson.null)
  assert.falsy(r.body:find("%.lua:%d"), "a place in a file")
  assert.same({}, m:requests(since))
  local record = g:record(problem.request_id)
  assert.equal("denied", record.outcome)
  assert.equal(status, record.status)
  assert.equal(code, record.decision.code)
  assert.equal(problem.policy or "", record.decision.policy)
  assert.equal(problem.rule or "", record.decision.rule)
  assert.truthy(record.policy.sha256:find("^%x+$"))
  if more.policy then assert.equal(more.policy, problem.policy) end
  if more.rule then assert.equal(more.rule, problem.rule) end
  return problem, record
end

describe("without a good key", function()
  local function ask(headers)
    return client.ask(g.port, { json = { model = "gpt-4o", messages = SAY }, headers = headers })
  end

  it("401 invalid_api_key, whatever was wrong", function()
    for _, headers in ipairs {
      {}, { { "Authorization", "Bearer mg_unknown" } }, { { "Authorization", "Bearer" } }, { { "Authorization", "Bearer " } },
      { { "Authorization", "Basic " .. "dXNlcjpwYXNz" } }, { { "Authorization", g.key } }, { { "Authorization", "Bearer " .. g.key .. "x" } },
      { { "Authorization", "Bearer " .. g.key:sub(1, -2) } }, { { "Authorization", "Bearer " .. g.key:upper() } },
      { { "X-Api-Key", "mg_unknown" } },
    } do
      local since = m:mark()
      local r = ask(headers)
      check_denied(r, 401, "invalid_api_key", since, { policy = "auth" })
      assert.truthy(r:get("www-authenticate"):find('^Bearer realm="moongate"'))
    end
  end)

  it("a body that is wrong too tells nobody more", function()
    local r = client.ask(g.port, { json = { model = "no-such-model", messages = SAY } })
    assert.equal(401, r.status)
  end)

  it("a revoked key is refused, at once after the answer", function()
    local key, id = g:new_key { app = "code-assistant" }
    assert.equal(200, g:ask({ key = key, json = { model = "gpt-4o", messages = SAY } }).status)
    local out, code = g:command("keys", "revoke", id)
    assert.equal(0, code, out)
    expect.eventually(function()
      return g:ask({ key = key, json = { model = "gpt-4o", messages = SAY } }).status == 401
    end, 5, "the refusal of a revoked key")
    local since = m:mark()
    check_denied(g:ask { key = key, json = { model = "gpt-4o", messages = SAY } }, 401, "invalid_api_key", since)
  end)

  it("an expired key is refused", function()
    local key = g:new_key { app = "code-assistant", expires = "1s" }
    expect.eventually(function()
      return g:ask({ key = key, json = { model = "gpt-4o", messages = SAY } }).status == 401
    end, 5, "the key's end")
  end)

  it("a new key is good at once", function()
    for _ = 1, 3 do
      local key = g:new_key { app = "code-assistant" }
      assert.equal(200, g:ask({ key = key, json = { model = "gpt-4o", messages = SAY } }).status)
    end
  end)
end)

describe("by policy", function()
  local cases = {
    { "an app that nobody declared", "unheard", { model = "gpt-4o-mini" }, 403, "unknown_app", { policy = "auth" } },
    { "a model of other departments", "sales", { model = "gpt-4o" }, 403, "department_not_authorized", { policy = "access", rule = "models.gpt-4o.departments" } },
    { "its snapshot", "sales", { model = "gpt-4o-2024-08-06" }, 403, "department_not_authorized", { policy = "access" } },
    { "a model that needs approval", "research", { model = "claude-3-opus" }, 403, "approval_required", { policy = "access" } },
    { "tools for contractors", "contractor", { model = "gpt-4o-mini", tools = { { type = "function", ["function"] = { name = "f" } } } },
      403, "tools_not_allowed", { policy = "access", rule = "no-tools-for-contractors" } },
    { "a model that is not there", "engineering", { model = "no-such-model" }, 404, "model_not_found" },
    { "a model's name with a slash", "engineering", { model = "openai/gpt-4o/../x" }, 404, "model_not_found" },
  }

  for _, case in ipairs(cases) do
    for _, stream in ipairs { false, true } do
      it(case[1] .. (stream and ", streamed" or ""), function()
        local since = m:mark()
        local body = { stream = stream, messages = SAY }
        for name, value in pairs(case[3]) do body[name] = value end
        local problem = check_denied(g:ask { key = keys[case[2]], json = body }, case[4], case[5], since, case[6])
        if case[4] == 403 then
          assert.is_string(problem.policy)
          assert.is_string(problem.rule)
        end
      end)
    end
  end

  it("data too sensitive for the model, said by header or metadata", function()
    for _, of in ipairs {
      { headers = { { "X-Moongate-Data", "confidential" } }, json = { model = "gpt-4o", messages = SAY } },
      { json = { model = "gpt-4o", messages = SAY, metadata = { moongate = { data = "confidential" } } } },
    } do
      local since = m:mark()
      check_denied(g:ask(of), 403, "data_not_allowed", since, { policy = "access" })
    end
  end)

  it("other APIs are held to the same", function()
    for _, of in ipairs {
      { path = "/v1/completions", json = { model = "gpt-4o", prompt = "x" } },
      { path = "/v1/embeddings", json = { model = "gpt-4o", input = "x" } },
    } do
      local since = m:mark()
      of.key = keys.sales
      check_denied(g:ask(of), 403, "department_not_authorized", since)
    end
  end)

  it("the same with what is missing given is allowed", function()
    assert.equal(200, g:ask({ key = keys.approved, json = { model = "claude-3-opus", messages = SAY } }).status)
    assert.equal(200, g:ask({ key = keys.contractor, json = { model = "gpt-4o-mini", messages = SAY } }).status)
    assert.equal(200, g:ask({ key = keys.engineering, json = { model = "gpt-4o-2024-08-06", messages = SAY } }).status)
  end)

  it("sensitive data goes to the racks at home", function()
    local since = m:mark()
    local r = g:ask { headers = { { "X-Moongate-Data", "restricted" } }, json = { model = "auto", messages = SAY } }
    assert.equal(200, r.status, r.body)
    assert.equal("llama-3.1-70b", cjson.decode(m:request(since).body).model)
    assert.equal("local/llama-3.1-70b", g:record(r.id).target)
  end)

  it("is counted", function()
    local function denials()
      return g:metrics():value("moongate_errors_total", { error_type = "department_not_authorized" })
    end
    local before = denials()
    for _ = 1, 3 do g:ask { key = keys.sales, json = { model = "gpt-4o", messages = SAY } } end
    expect.eventually(function() return denials() == before + 3 end, 5, "three more denials")
  end)

  it("leaves the connection open", function()
    local c = client.connect(g.port)
    for _ = 1, 3 do
      c:send(client.request { key = keys.sales, json = { model = "gpt-4o", messages = SAY } })
      assert.equal(403, c:answer().status)
    end
    c:send(client.request { key = keys.sales, json = { model = "gpt-4o-mini", messages = SAY } })
    assert.equal(200, c:answer().status)
    c:close()
  end)
end)

describe("the ledger", function()
  it("holds no key and no prompt", function()
    local secret = "the-word-that-nobody-may-keep"
    g:ask { json = { model = "gpt-4o", messages = { { role = "user", content = secret } } } }
    g:ask { json = { model = "gpt-4o", messages = { { role = "user", content = "echo " .. secret } }, stream = true } }
    local r = g:ask { key = keys.sales, json = { model = "gpt-4o", messages = { { role = "user", content = secret } } } }
    g:record(r.id)
    local audit = table.concat(g:entries(), "\n") .. g:said()
    for _, word in ipairs { secret, g.key, keys.sales, gateway.PROVIDER_KEY } do assert.falsy(audit:find(word, 1, true)) end
  end)

  it("is one JSON object an entry, in one line", function()
    local entries = g:entries()
    assert.is_true(#entries > 0)
    for _, text in ipairs(entries) do
      assert.is_nil(text:find("\n", 1, true))
      assert.is_table(cjson.decode(text))
    end
  end)
end)

describe("a policy that fails", function()
  local files = {
    ["init.lua"] = 'return chain { "auth", "broken" }\n',
    ["models.lua"] = 'return models { ["gpt-4o"] = { targets = { "openai/gpt-4o" }, context = 128000, price = usd_per_million { input = "0", output = "0" } } }\n',
    ["apps.lua"] = 'return apps { ["tests"] = { department = "engineering", owner = "tests" } }\n',
    ["auth.lua"] = 'return auth { keys = { header = "authorization", scheme = "Bearer" }, require = { "app", "department" } }\n',
    ["broken.lua"] = [[
local broken = {
  raise = function() error("secret-of-the-house") end,
  index = function() local none; return none.field end,
  loop  = function() while true do end end,
  grow  = function() local all = {} for i = 1, 1e9 do all[i] = ("x"):rep(1000) .. i end end,
}
return policy {
  on_request = function(ctx)
    local how = broken[ctx.request:last_user_text()]
    if how then how() end
  end,
}
]],
  }

  it("refuses the request with 500 and says why in the record alone; the next is served", function()
    local other = gateway.start { mock = m, name = "deny-broken", policies = files, key = { app = "tests" } }
    for _, how in ipairs { "raise", "index", "loop", "grow" } do
      local since = m:mark()
      local r = other:chat { model = "gpt-4o", messages = { { role = "user", content = how } } }
      assert.equal(500, r.status, how)
      local problem = gateway.error_of(r)
      assert.equal("policy_error", problem.code)
      assert.falsy(r.body:find("secret", 1, true))
      assert.falsy(r.body:find(".lua", 1, true))
      assert.equal("false", r:get("x-should-retry"))
      assert.same({}, m:requests(since))
      local record = other:record(r.id)
      assert.equal("policy_error", record.outcome)
      assert.truthy(record.fault.text:find("broken.lua:%d+"), record.fault.text)
      assert.equal(200, other:chat({ model = "gpt-4o", messages = SAY }).status)
    end
    other:stop()
  end)
end)

describe("moongate keys", function()
  it("lists ids and never the keys", function()
    local out, code = g:command("keys", "list", "--json")
    assert.equal(0, code)
    assert.truthy(out:find(g.key_id, 1, true))
    for _, key in pairs(keys) do assert.falsy(out:find(key, 1, true)) end
    local _, missing = g:command("keys", "revoke", "key_nosuchkey00")
    assert.equal(1, missing)
    assert.is_true(process.now() > 0)
  end)
end)
