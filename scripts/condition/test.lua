-- Conditions as they are evaluated: the terms of scripts/condition.lua written as one Lua expression over the facts of
-- a request, and the rules of a policy as one function. Names of facts and values stand in the code itself, dear tests
-- behind cheap ones, and what holds for everything is not there at all.
--
--   local test = tests.of(when)               -- function(f); nil when it always holds
--   local each = tests.runner(rules)          -- each(f, policy, act): act(f, policy, rule) for each rule that applies,
--                                                in order, until one gives something, which is then what each gives
local core, use = ...
local schema = use "schema"
local clock = use "clock"

local tests = { uses_names = { "tools", "hosted_tools", "remote_mcp", "images", "files", "audio", "caching",
  "stored" } }

local uses_bits = {}
for i, name in ipairs(tests.uses_names) do uses_bits[name] = bit.lshift(1, i - 1) end

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- --- one term as an expression: f are the facts, k(value) gives the expression of a value that has no text ---

local function literal(value, k)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) == "number" and value - value ~= 0 then return k(value) end
  return type(value) == "number" and ("%.17g"):format(value) or tostring(value)
end

local function fact(key) return ("f[%q]"):format(key) end

local function is_one_of(key, values, k)
  if #values == 1 then return ("%s == %s"):format(fact(key), literal(values[1], k)) end
  return ("%s[%s]"):format(k(set_of(values)), fact(key))
end

local function ordered(sign)
  return function(term, k)
    return ("%s and %s %s %s"):format(fact(term.key), fact(term.key), sign, literal(term.values[1], k))
  end
end

local by_op = { gt = ordered ">", ge = ordered ">=", lt = ordered "<", le = ordered "<=" }

function by_op.one_of(term, k) return is_one_of(term.key, term.values, k) end

function by_op.none_of(term, k) return "not (" .. is_one_of(term.key, term.values, k) .. ")" end

function by_op.between(term, k)
  local v = fact(term.key)
  return ("%s and %s >= %s and %s <= %s"):format(v, v, literal(term.values[1], k), v, literal(term.values[2], k))
end

-- Of what is always there.
function by_op.within(term)
  local v, parts = fact(term.key), {}
  if term.values[1] > 0 then parts[1] = ("%s >= %.17g"):format(v, term.values[1]) end
  if term.values[2] < clock.TIME_MAX then parts[#parts + 1] = ("%s < %.17g"):format(v, term.values[2]) end
  return #parts > 0 and table.concat(parts, " and ") or "true"
end

function by_op.like(term, k)
  return ("%s and %s(%s, %s)"):format(fact(term.key), k(core.glob), literal(term.values[1], k), fact(term.key))
end

-- A rank that is not there is below all: who has no clearance has none.
function by_op.at_least(term, k)
  local classes = {}
  for rank = schema.class_rank[term.values[1]], #schema.classes do classes[#classes + 1] = schema.classes[rank] end
  return is_one_of(term.key, classes, k)
end

-- Several values at once: is one of the term's among them?
local by_key = {}

function by_key.role(term, k)
  local parts = {}
  for i, name in ipairs(term.values) do parts[i] = ("%s(%s)"):format(k(core.has_role), literal(name, k)) end
  return table.concat(parts, " or ")
end

function by_key.label(term, k)
  local parts = {}
  for i, name in ipairs(term.values) do parts[i] = ("f.labels[%s]"):format(literal(name, k)) end
  return "f.labels and (" .. table.concat(parts, " or ") .. ")"
end

function by_key.uses(term, k)
  local mask = 0
  for _, name in ipairs(term.values) do mask = bit.bor(mask, uses_bits[name]) end
  return ("%s(f.uses, %d) ~= 0"):format(k(bit.band), mask)
end

-- nil: it holds for everything, or is no test.
local function expression(term, k)
  if term.op == "any" or term.key == "called" then return nil end
  if term.test then return ("%s(f)"):format(k(term.test)) end
  if not term.many_valued then return by_op[term.op](term, k) end
  local has = by_key[term.key](term, k)
  return term.op == "none_of" and "not (" .. has .. ")" or has
end

-- --- all of them ---

-- Cheap tests before dear ones; the rest in the order of names, so that two loads do the same.
local weight = { role = 2, context_tokens = 2, input_tokens = 2, share = 2, contains = 3 }

local function by_weight(terms)
  local sorted = { unpack(terms) }
  table.sort(sorted, function(a, b)
    local x, y = weight[a.key] or 1, weight[b.key] or 1
    if x ~= y then return x < y end
    return tostring(a.key) < tostring(b.key)
  end)
  return sorted
end

local function all_of(terms, k)
  local parts = {}
  for _, term in ipairs(by_weight(terms)) do
    local one = expression(term, k)
    if one then parts[#parts + 1] = "(" .. one .. ")" end
  end
  return #parts > 0 and table.concat(parts, " and ") or nil
end

-- Of a rule: when, and not unless. nil when it always applies.
local function rule_expression(rule, k)
  local when = rule.when and all_of(rule.when.terms, k)
  if not rule.unless then return when end
  local unless = all_of(rule.unless.terms, k) or "true"
  return (when and when .. " and " or "") .. "not (" .. unless .. ")"
end

-- Values that have no text, each once.
local function constants()
  local list, known = {}, {}
  return list, function(value)
    if not known[value] then
      list[#list + 1] = value
      known[value] = ("k[%d]"):format(#list)
    end
    return known[value]
  end
end

local no_globals = {}

local function load(text, ...)
  return assert(core.load(text, "=conditions", no_globals))(...)
end

function tests.of(read)
  local list, k = constants()
  local all = all_of(read.terms, k)
  return all and load(("local k = ... return function(f) return %s end"):format(all), list)
end

-- Does a rule apply? nil when it always does.
function tests.of_rule(rule)
  local list, k = constants()
  local all = rule_expression(rule, k)
  return all and load(("local k = ... return function(f) return %s end"):format(all), list)
end

-- --- rules ---

-- LuaJIT bounds how long a function may be.
local BLOCK_MAX = 100

local function block_of(rules, first, last)
  local list, k = constants()
  local lines = { "local k, r = ... return function(f, p, act) local o" }
  for i = first, last do
    local all = rule_expression(rules[i], k)
    local act = ("o = act(f, p, r[%d]) if o then return o end"):format(i)
    lines[#lines + 1] = all and ("if %s then %s end"):format(all, act) or act
  end
  lines[#lines + 1] = "end"
  return load(table.concat(lines, "\n"), list, rules)
end

local function nothing() end

function tests.runner(rules)
  if #rules == 0 then return nothing end
  if #rules <= BLOCK_MAX then return block_of(rules, 1, #rules) end
  local blocks = {}
  for first = 1, #rules, BLOCK_MAX do
    blocks[#blocks + 1] = block_of(rules, first, math.min(first + BLOCK_MAX - 1, #rules))
  end
  return function(f, policy, act)
    for i = 1, #blocks do
      local outcome = blocks[i](f, policy, act)
      if outcome then return outcome end
    end
  end
end

return tests
