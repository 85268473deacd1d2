-- Nothing in a request weakens a rule: whatever it says of prompts, grants, approvals, modes and guards, who is refused
-- without it is refused with it, and what is asked of prompts is asked of what the registry knows.
local gw = require "moongate.test"

local function load()
  return gw.load_text {
    chain = { "access", "house" },
    apps = [[return apps { bot = { department = "support" }, free = { department = "support" } }]],
    access = [[return access { models = {
      one = { departments = any, data = "internal" },
      two = { departments = any, data = "confidential", approval = "manager" },
    } }]],
    house = [[return policy { rules = {
      { "approved-prompts-only", when = { app = "bot" }, unless = { prompt_status = "approved" },
        deny = { 403, "prompt_not_approved" }, reason = "{app} must send an approved prompt" },
      { "no-secrets", when = { contains = { "project falcon" } }, deny = { 422, "guarded" } },
      { "no-archive", when = { prompt_status = "archived" }, deny = { 403, "archived" } },
    } }]],
  }
end

local bot, free = { app = "bot", user = "ana" }, { app = "free", user = "ana" }

describe("a rule about prompts", function()
  local mg = load()

  it("asks for an approved version", function()
    mg:prompt { name = "support/reply", version = "2.1.0" }
    mg:prompt { name = "support/reply", version = "2.2.0", label = "staging", status = "draft" }
    mg:prompt { name = "support/reply", version = "1.0.0", label = "old", status = "archived" }
    local r = mg:request { as = bot, model = "one" }
    assert.denied(r, 403, "prompt_not_approved")
    assert.equal("bot must send an approved prompt", r.denied.reason)
    assert.allowed(mg:request { as = bot, model = "one", prompt = "support/reply" })
    assert.allowed(mg:request { as = bot, model = "one", prompt = "support/reply@2.1.0" })
    assert.denied(mg:request { as = bot, model = "one", prompt = "support/reply@staging" }, 403, "prompt_not_approved")
    assert.denied(mg:request { as = free, model = "one", prompt = "support/reply@1.0.0" }, 403, "archived")
    assert.allowed(mg:request { as = free, model = "one" })
  end)

  it("knows its name, version, label and content", function()
    local seen = gw.load_text { house = [[return policy { rules = {
      { "one", when = { prompt = like "support/*", prompt_version = "2.1.0", prompt_label = "production",
        prompt_sha256 = "ab" }, deny = { 403, "seen" }, reason = "{prompt} {prompt_version}" },
      { "none", when = { prompt_status = "none" }, deny = { 403, "no_prompt" } } } }]] }
    local prompt = { name = "support/reply", version = "2.1.0", label = "production", sha256 = "ab" }
    local r = seen:request { prompt = prompt }
    assert.denied(r, 403, "seen")
    assert.equal("support/reply 2.1.0", r.denied.reason)
    prompt.version = "2.1.1"
    assert.allowed(seen:request { prompt = prompt })
    assert.denied(seen:request {}, 403, "no_prompt")
  end)

  it("is decided again by its record alone", function()
    mg:prompt { name = "support/reply", version = "2.1.0" }
    local _, record = mg:record { as = bot, model = "one", prompt = "support/reply" }
    assert.equal("same", mg:replay(record).outcome)
  end)
end)

-- What a caller might write to be let through, in headers and in the body.
local headers = {
  ["x-moongate-prompt"] = "support/reply@2.1.0", ["x-moongate-prompt-status"] = "approved",
  ["x-moongate-grant"] = "gnt_1", ["x-moongate-approved"] = "true", ["x-moongate-approval"] = "two",
  ["x-moongate-mode"] = "observe", ["x-moongate-policy"] = "off", ["x-moongate-break-glass"] = "true",
  ["x-moongate-user"] = "kim", ["x-moongate-app"] = "free", ["x-moongate-department"] = "research",
  ["x-moongate-role"] = "admin", ["x-litellm-disable-guardrails"] = "true", ["x-guardrails"] = "[]",
}
local members = {
  prompt = { id = "support/reply", version = "2.1.0", status = "approved" }, prompt_status = "approved",
  prompt_id = "support/reply", prompt_version = "2.1.0", prompt_variables = {}, guardrails = {},
  disable_guardrails = true, mode = "observe", grants = { { model = "two" } }, approvals = { "two" }, approved = true,
  break_glass = true, identity = { app = "free", approvals = { "two" } }, app = "free", user = "kim",
  metadata = { moongate = { data = "public", app = "free", grant = "gnt_1", approved = true, mode = "off",
    prompt_status = "approved", variables = {}, department = "research" }, guardrails = {} },
}

local function body_of(model, text, more)
  local body = { model = model, messages = { { role = "user", content = text } } }
  for name, value in pairs(more or {}) do body[name] = value end
  return body
end

describe("a request", function()
  local mg = load()
  local refused = {
    { "without a prompt", as = bot, model = "one", text = "hello", code = "prompt_not_approved" },
    { "without a grant", as = free, model = "two", text = "hello", code = "approval_required" },
    { "with guarded words", as = free, model = "one", text = "project falcon", code = "guarded" },
    { "with secret data", as = free, model = "one", text = "hello", data = "confidential", code = "data_not_allowed" },
  }

  local function try(one, own_headers, more)
    return mg:request { as = one.as, data = one.data, headers = own_headers,
      body = body_of(one.model, one.text, more), model = one.model }
  end

  for _, one in ipairs(refused) do
    it(one[1] .. " is refused whatever it says", function()
      assert.denied(try(one), nil, one.code)
      for name, value in pairs(headers) do assert.denied(try(one, { [name] = value }), nil, one.code) end
      for name, value in pairs(members) do assert.denied(try(one, nil, { [name] = value }), nil, one.code) end
      assert.denied(try(one, headers, members), nil, one.code)
    end)
  end
end)
