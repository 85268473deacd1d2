-- What an exchange keeps is copied: a text that points into a body, a parsed JSON text, a buffer or a connection's head is
-- gone before the exchange is (core/exchange/exchange.h), and whoever reads it then reads what somebody else wrote there.
local house = dofile("tests/house/lib.lua")

-- Names under which the code holds an exchange, a part of it, or the request that chat_parse() fills.
local KEEPERS = { x = true, r = true, attempt = true, a = true, d = true, v = true, id = true, identity = true, told = true }
-- What gives a text without copying it.
local BORROWED = { "json_text", "json_raw", "json_key", "json_key_text", "buf_slice", "chat_last_user_text", "conn_peer",
  "http_find" }

-- Assignments to a member, one a line or broken behind the `=`; the call that the value begins with.
local function each_kept(text, visit)
  local number, left = 0, nil
  house.each_line(text, function(line)
    number = number + 1
    local target, value = line:match("([%w_.%->%[%]]+) =%s*(.*)$") -- also behind an if
    if target and value == "" then
      left = target
      return
    elseif not target and left then
      target, value = left, line:match("^%s*(.*)$")
    end
    left = nil
    if not target then return end
    local holder = target:match("([%w_]+)%->[%w_.%[%]]+$")
    if holder and KEEPERS[holder] then visit(number, target, value:match("^([%w_]+)%(") or "", value) end
  end)
end

house.rule("what is kept is copied", house.files("core/exchange core/flow core/lua core/wire", "/chat[%w_]*%.c$",
  "core/exchange/[%w_]+%.c$", "core/flow/.+%.c$", "core/lua/[%w_]+%.c$"), function(_, text, complain)
  each_kept(text, function(number, target, call, value)
    for _, name in ipairs(BORROWED) do
      if call == name then complain(number, ("%s keeps what %s() borrows: arena_copy() it"):format(target, name)) end
    end
    if value:find("^head%->headers") or value:find("^event%->") then complain(number, target .. " keeps what is borrowed") end
  end)
end)
house.must_fail("what is kept is copied", "    if (is(t)) in->r->service_tier = json_text(in->tape, t, in->arena);\n")
house.must_fail("what is kept is copied", "    if (x) y();\n    x->identity.token_issuer =\n        json_raw(tape, node);\n")
house.must_fail("what is kept is copied", "    exchange_attempt(x)->status = 1;\n    attempt->request_id = head->headers[i].value;\n")
house.must_pass("what is kept is copied", "    x->told = arena_copy(&x->arena, json_text(tape, node, &x->arena));\n")
house.must_pass("what is kept is copied", "    s->text = json_text(&x->request.tape, node, &x->arena);\n")

os.exit(house.close("house/kept"))
