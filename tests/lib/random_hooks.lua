-- Functions of policies by chance: Lua that a person could have written, and much that nobody would.
--
--   local hooks = dofile("tests/lib/random_hooks.lua")(random)     -- random: tests/lib/random_policies.lua
--   hooks.file()                                                   -- the text of a policy file with on_request
--
-- Statements and expressions are put together without regard to types, so many raise; all stay within one request: the only
-- upvalues are constants. A few never end.
return function(random)
  local pick, chance, number = random.pick, random.chance, random.number
  local hooks, expression = {}, nil

  local fields = { "ctx.request.model", "ctx.identity.department", "ctx.identity.tier", "ctx.request.task", "ctx.request.max_tokens",
    "ctx.estimate.context_tokens", "ctx.request.stream", "ctx.identity.roles", "ctx.identity.user", "ctx.time", "ctx.id",
    "ctx.request.headers", "ctx.request.tools", "ctx.identity[\"departmnt\"]", "ctx.request:last_user_text()", "ctx.request:text_bytes()" }
  local atoms = { "0", "1", "-1", "2^53", "nil", "true", "\"x\"", "\"sales\"", "\"%d+\"", "\".-.-b\"", "{}", "{ 1, 2, 3 }", "a", "b", "t",
    "math.huge", "\"\\0\\255\"", "function(v) return v end" }
  local calls = { "tostring(%s)", "tonumber(%s)", "#(%s)", "type(%s)", "string.rep(%s, %s)", "string.find(%s, %s)", "string.gsub(%s, %s, %s)",
    "string.format(%s, %s)", "string.sub(%s, %s)", "table.concat(%s)", "table.insert(t, %s)", "table.sort(%s)", "math.floor(%s)", "unpack(%s)",
    "next(%s)", "select(%s, %s)", "setmetatable(t, %s)", "json.encode(%s)", "json.decode(%s)", "time.hour(%s)", "bit.bxor(%s, %s)",
    "math.random(%s)", "ctx.request:contains(%s)", "string.upper(%s)", "string.match(%s, %s)", "error(%s)", "assert(%s)" }
  local verbs = { "deny(403, \"no\")", "deny(unpack { %s, %s })", "route(\"p/one\")", "route(unpack { %s })", "only { \"p/*\" }", "only(unpack { %s })",
    "drop(\"local/*\")",    "pass(unpack { %s })", "deny { status = 429, code = \"slow\", retry_after = unpack { %s } }" }

  local function fill(form, depth)
    return (form:gsub("%%s", function() return expression(depth - 1) end))
  end

  function expression(depth)
    if depth <= 0 then return chance(50) and pick(atoms) or pick(fields) end
    local kind = number(6)
    if kind == 1 then return pick(fields) end
    if kind == 2 then return pick(atoms) end
    if kind <= 4 then return (fill(pick(calls), depth)) end
    return ("(%s %s %s)"):format(expression(depth - 1), pick { "+", "-", "..", "==", "<", "and", "or", "%", "^", "~=" }, expression(depth - 1))
  end

  local statement

  local function block(depth, indent)
    local lines = {}
    for i = 1, number(3) do lines[i] = statement(depth - 1, indent) end
    return table.concat(lines, "\n")
  end

  local makers = {
    function(_, indent) return indent .. pick { "a", "b", "t" } .. " = " .. expression(2) end,
    function(_, indent) return ("%sctx:annotate(%s, %s)"):format(indent, chance(80) and "\"k\"" or expression(1), expression(1)) end,
    function(_, indent) return ("%slocal _ = %s"):format(indent, expression(3)) end,
    function(depth, indent)
      return ("%sif %s then\n%s\n%send"):format(indent, expression(2), block(depth, indent .. "  "), indent)
    end,
    function(depth, indent)
      return ("%sfor i = 1, %s do\n%s\n%send"):format(indent, pick { "3", "10", "100" }, block(depth, indent .. "  "), indent)
    end,
    function(_, indent) return ("%sif %s then return %s end"):format(indent, expression(1), fill(pick(verbs), 2)) end,
    function(_, indent) return ("%sctx:warn(\"w\", %s)"):format(indent, expression(1)) end,
    function(depth, indent)
      return ("%sfor k, v in pairs(%s) do a = k\n%s\n%send"):format(indent, expression(1), block(depth, indent .. "  "), indent)
    end,
  }

  function statement(depth, indent)
    return makers[depth > 0 and number(#makers) or number(3)](depth, indent)
  end

  local endings = { "", "", "", "    return deny(403, \"last\")\n", "    return pass(\"enough\")\n", "    return 42 + 0\n",
    "    local _ = deny(403, \"lost\")\n" }

  function hooks.file()
    local body = {}
    for i = 1, number(6) do body[i] = statement(3, "    ") end
    if number(300) == 1 then body[#body + 1] = "    while true do t[#t + 1] = a end" end
    return ("return policy {%s\n  on_request = function(ctx)\n    local a, b, t = 1, \"text\", {}\n%s\n%s  end,\n}\n"):format(
      chance(20) and "\n  on_error = \"skip\"," or "", table.concat(body, "\n"), pick(endings))
  end

  return hooks
end
