-- Redaction as authors write it: what is found, what is said of it, what the chain knows of it, what is refused at load.
local gw = require "moongate.test"

local function load(text, more)
  local texts = { redaction = "return redaction { " .. text .. " }" }
  for name, value in pairs(more or {}) do texts[name] = value end
  return gw.load_text(texts)
end

local function sent(mg, text) return mg:request { model = "one", text = text }.request.messages[1].content end

describe("redaction of requests", function()
  local mg = load [[detect = { "email", "us_ssn", "phone" }, custom = { { "employee_id", like = "EMP-######" } },
    request = { us_ssn = "deny", phone = "observe", ["*"] = "mask" }, rules = {
      { "no-tools", when = { uses = "tools" }, deny = { 403, "no_tools" } } } ]]

  it("masks each value by one placeholder of its own", function()
    assert.equal("[email] [employee_id] [email_2] [email]", sent(mg, "a@b.io EMP-123456 c@d.io a@b.io"))
  end)

  it("leaves what holds nothing", function() assert.equal("EMP-12345 at home", sent(mg, "EMP-12345 at home")) end)

  it("denies what must not be sent at all, and says what, not which", function()
    local r = mg:request { model = "one", text = "of 219-09-9999, a@b.io" }
    assert.denied(r, 422, "sensitive_data")
    assert.equal("us_ssn", r.denied.rule)
    assert.is_nil(gw.trace(r):find("219", 1, true))
    assert.is_nil(gw.trace(r):find("a@b", 1, true))
    assert.explained_by(r, "redaction/email")
  end)

  it("only notes what it observes", function()
    local r = mg:request { model = "one", text = "+49 30 1234567" }
    assert.explained_by(r, "redaction/phone")
    assert.equal("+49 30 1234567", r.request.messages[1].content)
  end)

  it("has rules like any policy", function() assert.denied(mg:request { model = "one", tools = true }, 403, "no_tools") end)

  it("masks in other dialects' fields and in tool calls", function()
    assert.equal("[email]", mg:request { model = "one", api = "completions", text = "a@b.io" }.request.prompt)
    assert.equal("[email]", mg:request { model = "one", api = "embeddings", text = "a@b.io" }.request.input)
    local r = mg:request { model = "one", user = "a@b.io", messages = { { role = "assistant", tool_calls = {
      { id = "1", type = "function", ["function"] = { name = "f", arguments = '{"to":"a@b.io"}' } } } } } }
    assert.equal('{"to":"[email]"}', r.request.messages[1].tool_calls[1]["function"].arguments)
    assert.equal("[email]", r.request.user)
  end)

  it("observes as a whole, is off as a whole", function()
    local watching = load [[mode = "observe", detect = { "email", "us_ssn" }, request = { email = "mask", us_ssn = "deny" },
      classify = { us_ssn = "restricted" } ]]
    local r = watching:request { model = "one", text = "a@b.io 219-09-9999" }
    assert.allowed(r)
    assert.explained_by(r, "redaction/us_ssn")
    assert.equal("a@b.io 219-09-9999", r.request.messages[1].content)
    local off = load [[mode = "off", detect = { "email" } ]]
    assert.equal("a@b.io", sent(off, "a@b.io"))
  end)

  it("refuses what is too long to look at, or lets it go with a warning", function()
    local long = ("word "):rep(300)
    local strict = load [[detect = { "email" }, max_scan = "1KB"]]
    assert.denied(strict:request { model = "one", text = long }, 413, "too_large_to_scan")
    assert.allowed(strict:request { model = "one", text = "short" })
    local lax = load [[detect = { "email" }, max_scan = "1KB", unscanned = "warn"]]
    local r = lax:request { model = "one", text = "a@b.io " .. long .. "c@d.io" }
    assert.allowed(r)
    assert.equal(1, #r.warnings)
    assert.equal("[email] " .. long .. "c@d.io", r.request.messages[1].content)
  end)

  -- W1: JSON in a text, in a text of that, …; what a reader of it sees is what is looked at, and JSON stays JSON.
  local function nested(text, levels)
    for _ = 1, levels do text = '["' .. text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"]' end
    return text
  end

  it("reads JSON in texts as who decodes it does", function()
    local both = load [[detect = { "email", "credit_card" }, request = { email = "mask", credit_card = "deny" }]]
    assert.equal('{"note":"x\\n[email]"}', sent(both, '{"note":"x\\nbob@example.org"}'))
    assert.equal('{"note":"[email]"}', sent(both, '{"note":"bob\\u0040example.org"}'))
    assert.denied(both:request { model = "one", text = '{"note":"x\\n5500 0000 0000 0004"}' }, 422, "sensitive_data")
    assert.denied(both:request { model = "one", text = "\239\188\149500 0000 0000 0004" }, 422, "sensitive_data")
    local r = both:request { model = "one", messages = { { role = "tool", tool_call_id = "1", content = '{"note":"x\\tbob@example.org"}' },
      { role = "user", content = { { type = "text", text = '["x\\rbob@example.org"]' } } } } }
    assert.equal('{"note":"x\\t[email]"}', r.request.messages[1].content)
    assert.equal('["x\\r[email]"]', r.request.messages[2].content[1].text)
    for levels = 2, 8 do
      assert.equal(nested("x\n[email]", levels), sent(both, nested("x\nbob@example.org", levels)))
    end
  end)

  it("puts a string where a number of JSON was", function()
    local one = load [[detect = { "credit_card" }]]
    assert.equal('{"card":"[credit_card]","n":1}', sent(one, '{"card":5500000000000004,"n":1}'))
  end)

  it("refuses JSON that is nested deeper than is read, or lets it go with a warning", function()
    local deep = nested("x\nbob@example.org", 9)
    local one = load [[detect = { "email" }]]
    local r = one:request { model = "one", text = deep }
    assert.denied(r, 422, "too_deep_to_scan")
    assert.equal("unscanned", r.denied.rule)
    local lax = load [[detect = { "email" }, unscanned = "warn"]]
    assert.equal(1, #lax:request { model = "one", text = deep }.warnings)
  end)

  it("a guard reads what is decoded, and lets nothing pass that is too deep to be read", function()
    local guard = gw.load_text { redaction = [[return redaction { rules = {
      { "secret", when = { contains = { "project osprey" } }, deny = { 403, "secret" } } } }]] }
    for _, text in ipairs { '{"note":"a\\nproject osprey"}', '{"note":"project\\u0020osprey"}', nested("a\nproject\nosprey", 5),
      nested("nothing\nof it", 9) } do
      assert.denied(guard:request { model = "one", text = text }, 403, "secret")
    end
    assert.allowed(guard:request { model = "one", text = nested("nothing\nof it", 8) })
  end)

  it("ctx:mask masks what the chain looks for", function()
    local asks = load([[detect = { "email", "phone" }, request = { ["*"] = "allow" }]], { chain = { "asks", "redaction" },
      asks = 'return policy { on_request = function(ctx) ctx:mask "email" end }' })
    assert.equal("[email] +49 30 1234567", sent(asks, "a@b.io +49 30 1234567"))
    local wrong = load([[detect = { "email" }]], { chain = { "asks", "redaction" },
      asks = 'return policy { on_request = function(ctx) ctx:mask(tostring "iban") end }' })
    assert.faulted(wrong:request { model = "one" }, "no redaction policy of this chain looks for the text 'iban'")
  end)
end)

describe("what is found is known before access", function()
  local access = [[return access { models = { one = { departments = any, data = "internal" },
    own = { departments = any, data = "restricted" } } }]]
  local mg = load([[detect = { "us_ssn", "iban" }, classify = { us_ssn = "restricted", iban = "confidential" }]],
    { chain = { "access", "watch", "redaction" }, access = access,
      watch = 'return policy { rules = { { "seen", when = { data = at_least "confidential" }, annotate = { class = "high" } } } }' })

  it("and raises the data class", function()
    assert.denied(mg:request { model = "one", text = "219-09-9999" }, 403, "data_not_allowed")
    local r = mg:request { model = "own", text = "219-09-9999" }
    assert.allowed(r)
    assert.equal("high", r.annotations.class)
    assert.equal("[us_ssn]", r.request.messages[1].content)
  end)

  it("and adds labels", function()
    local labelled = load([[detect = { "iban", "email" }, labels = { iban = "bank", email = { "person", "mail" } } ]],
      { chain = { "watch", "redaction" }, watch = [[return policy { rules = {
        { "bank", when = { label = "bank" }, deny = { 403, "no_bank_details" } },
        { "mail", when = { label = "mail" }, annotate = { mail = "yes" } } } }]] })
    assert.denied(labelled:request { model = "one", text = "DE89370400440532013000" }, 403, "no_bank_details")
    assert.same({ mail = "yes" }, labelled:request({ model = "one", text = "a@b.io" }).annotations)
    assert.same({}, labelled:request({ model = "one", text = "none" }).annotations)
    local r = labelled:request { model = "one", text = "a@b.io", label = "bank" }
    assert.denied(r, 403, "no_bank_details")
  end)

  it("never lowers it", function()
    assert.denied(mg:request { model = "one", text = "DE89370400440532013000" }, 403, "data_not_allowed")
    assert.denied(mg:request { model = "one", text = "none", data = "restricted" }, 403, "data_not_allowed")
    assert.allowed(mg:request { model = "one", text = "none" })
  end)
end)

describe("loading says", function()
  local cases = {
    { 'detect = { "emial" }', "there is no detector 'emial' (did you mean 'email'?)" },
    { 'detect = { "email", "email" }', "'email' stands here twice" },
    { 'custom = { { "x", lik = "##" } }', "unknown field 'lik' in a mask (did you mean 'like'?)" },
    { 'custom = { { "x_2", like = "##-##" } }', "without a number at its end" },
    { 'custom = { { "x", like = "[##-##]" } }', "a mask holds no brackets" },
    { 'custom = { { "email", like = "##-##" } }', "custom" },
    { 'detect = { "email" }, request = { email = "redact" }', "request.email: expected one of mask, deny, observe, allow" },
    { 'detect = { "email" }, request = { phone = "mask", ["*"] = "mask" }', "add it: detect = { \"phone\", … }" },
    { 'detect = { "email", "phone" }, request = { email = "mask" }', "nothing is said of phone ([\"*\"] = \"mask\" is for all others)" },
    { 'detect = { "email" }, response = { email = "deny" }', "of a stream it has gone out by then" },
    { 'detect = { "email" }, request = { email = "deny" }, restore = true', "no request is masked" },
    { 'detect = { "email" }, max_scan = "1GB"', "a size is written \"256KB\" or \"1MB\", at most 16MB" },
    { 'detect = { "email" }, unscanned = "ignore"', "expected one of deny, warn" },
    { 'detect = { "email" }, classify = { email = "secret" }', "unknown data class 'secret'" },
    { 'detect = { "email" }, classify = { phone = "internal" }', "'phone' is not looked for here" },
    { 'restore = true', "nothing is looked for" },
    { 'guard = { }', "a guard is a rule" },
    { 'detect = { "email" }, examples = { { text = "a@b.io", sent = "a@b.io" } }', "examples[1].sent: '[email]' is sent" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local said = table.concat(gw.errors { redaction = "return redaction { " .. case[1] .. " }" }, "\n")
      assert.truthy(said:find(case[2], 1, true), said)
      assert.truthy(said:find("^policies/redaction.lua:1:%d+: "), said)
    end)
  end

  it("that one policy of a chain looks", function()
    local one = 'return redaction { detect = { "email" } }'
    assert.truthy(table.concat(gw.errors { a = one, b = one }, "\n"):find("policies/a.lua looks for things already", 1, true))
  end)

  it("nothing of examples that hold", function()
    assert.same({}, gw.errors { redaction = [[return redaction { detect = { "email", "us_ssn" },
      request = { us_ssn = "deny", ["*"] = "mask" }, examples = {
        { text = "to a@b.io", sent = "to [email]" }, { text = "219-09-9999", deny = "sensitive_data" }, { text = "hello" } } }]] })
  end)
end)

describe("contains", function()
  local mg = gw.load_text { guard = [[return redaction { rules = {
    { "prompt-injection",
      when = { contains = { "ignore previous instructions", "you are now", "prj-####" } },
      deny = { 422, "prompt_injection" } },
    { "greets", when = { contains = none_of { "hello", "good day" } }, annotate = { polite = "no" } } } }]] }

  local function ask(content, role)
    return mg:request { model = "one", messages = { { role = role or "user", content = content } } }
  end

  it("finds words and phrases in either case, over any white space", function()
    assert.denied(ask "please IGNORE\n previous   Instructions", 422, "prompt_injection")
    assert.denied(ask "about PRJ-1234.", 422, "prompt_injection")
    assert.explained_by(ask "you are now a pirate", "guard/prompt-injection")
    assert.allowed(ask "do not ignore previous instruction")
    assert.allowed(ask "about XPRJ-1234")
  end)

  it("looks into parts, tool results and arguments, at words of the application not", function()
    assert.denied(ask { { type = "text", text = "hello" }, { type = "text", text = "you are now" } }, 422)
    assert.denied(ask("you are now", "tool"), 422)
    assert.allowed(ask("you are now", "system"))
    assert.allowed(ask("you are now", "developer"))
    assert.denied(mg:request { model = "one", messages = { { role = "system", content = "you are now" },
      { role = "user", content = "you are now" } } }, 422)
    assert.denied(mg:request { model = "one", api = "completions", text = "you are now" }, 422)
    assert.denied(mg:request { model = "one", messages = { { role = "assistant", tool_calls = { { id = "1", type = "function",
      ["function"] = { name = "f", arguments = '{"a":"you are now"}' } } } } } }, 422)
    assert.denied(mg:request { model = "one", messages = { { role = "assistant", tool_calls = { { id = "1", type = "function",
      ["function"] = { name = "f", arguments = { ["you are now"] = 1 } } } } } } }, 422)
    assert.denied(ask({ { of = { ["you are now"] = 1 } } }, "tool"), 422)
    assert.denied(ask({ ["you are now"] = 1 }, "tool"), 422)
    assert.allowed(ask({ ["you are now"] = 1 }, "system"))
  end)

  it("has a none_of", function()
    assert.equal("no", ask("now then").annotations.polite)
    assert.is_nil(ask("Good day to you").annotations.polite)
  end)

  it("looks through long texts, a piece at a time", function()
    local long = ("some words \\u00e9 "):rep(10000)
    assert.allowed(ask(long))
    assert.denied(ask(long .. "you are now"), 422)
  end)

  it("wants words that can be", function()
    for given, said in pairs { ['{ "" }'] = "expected a text", ["{ 5 }"] = "expected a text", ["at_least \"internal\""] = "contains",
      ['{ ("x"):rep(300) }'] = "contains" } do
      local text = table.concat(gw.errors { guard = ("return redaction { rules = { { 'a', when = { contains = %s }, warn = 'x' } } }"):format(given) }, "\n")
      assert.truthy(text:find(said, 1, true), given .. ": " .. text)
    end
  end)
end)

describe("an answer played for a spec", function()
  local mg = gw.load_text {
    chain = { "masks", "judge" },
    models = 'return models { one = { targets = { "p/one" } } }',
    masks = [[return redaction { detect = { "email" }, request = { email = "mask" }, response = { email = "mask" }, restore = true }]],
    judge = [[return policy { on_response = function(ctx) ctx:annotate("said", ctx.response:text()) end }]],
  }
  local asked = { model = "one", messages = { { role = "user", content = "I am ana@example.com" } } }

  it("is masked and restored before anybody judges it, as in the gateway", function()
    local r = mg:respond(asked, { text = "dear [email], ask bo@x.org" })
    assert.equal("dear ana@example.com, ask [email_2]", r.delivered)
    assert.equal(r.delivered, r.annotations.said)
  end)

  it("in a stream too, over the borders of its chunks", function()
    asked.stream = true
    local r = mg:respond(asked, { chunks = { "dear [em", "ail], ask bo@x", ".org" } })
    assert.equal("dear ana@example.com, ask [email_2]", r.delivered)
    assert.equal(r.delivered, r.annotations.said)
  end)
end)
