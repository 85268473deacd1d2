-- Dialects are reached through tables: an exchange's client through its row of core/exchange/api.c, a provider through
-- its account's kind. Whoever names one elsewhere has decided for all callers what theirs is.
local house = dofile("tests/house/lib.lua")

-- Files that may name a dialect: its own, the list of all, and the rows that say whose a path is.
local OWN = { "^core/wire/dialect%.[ch]$", "^core/wire/openai/[%w_]*%.[ch]$", "^core/wire/anthropic/[%w_]*%.[ch]$",
  "^core/wire/responses/[%w_]*%.[ch]$", "^core/wire/converse/[%w_]*%.[ch]$", "^core/exchange/api%.c$" }

local function is_own(path)
  for _, pattern in ipairs(OWN) do
    if path:find(pattern) then return true end
  end
  return false
end

house.rule("dialects are named in tables", house.files("core", "%.[ch]$"), function(path, text, complain)
  if is_own(path) then return end
  house.each_line(text, function(line, number)
    local name = line:match("dialect_openai") or line:match("dialect_anthropic") or line:match("[^%w_](openai_[%w_]+)%(") or
      line:match("[^%w_](anthropic_[%w_]+)%(") or line:match("dialect_responses") or line:match("[^%w_](responses_[%w_]+)%(") or
      line:match("dialect_converse") or line:match("[^%w_](converse_[%w_]+)%(")
    if name then complain(number, name .. ": take the dialect from the exchange's api, or from the provider's account") end
  end)
end)
house.must_fail("dialects are named in tables", "    dialect_openai.write_body_error(&body, &error);\n", "core/flow/reply.c")
house.must_fail("dialects are named in tables", "    .client = &dialect_openai,\n", "core/flow/attempt.c")
house.must_fail("dialects are named in tables", "    n = openai_next_text(r, n);\n", "core/wire/redact.c")
house.must_fail("dialects are named in tables", "    n = anthropic_role(tape, n);\n", "core/wire/chat_text.c")
house.must_fail("dialects are named in tables", "    .client = &dialect_anthropic,\n", "core/flow/attempt.c")
house.must_fail("dialects are named in tables", "    n = responses_role(tape, n);\n", "core/wire/chat_text.c")
house.must_fail("dialects are named in tables", "    d = &dialect_converse;\n", "core/flow/send.c")
house.must_pass("dialects are named in tables", "    x->api->client->write_body_error(&body, &error);\n", "core/flow/reply.c")
house.must_pass("dialects are named in tables", "const struct api api_none = {.client = &dialect_openai};\n", "core/exchange/api.c")

os.exit(house.close("house/dialects"))
