-- Warnings about policies that load and work, but not as their author will have meant: rules that never come to act,
-- functions that could be tables, fields that are not there, rules that nothing tries.
--
--   lint.policy(definition, policy)      -- after the policy is compiled; report.begin has named its file
local core, use = ...
local report = use "report"
local schema = use "schema"
local predicates = use "predicates"
local facts = use "facts"
local sub = report.sub

local lint = {}

-- --- is one condition implied by another? ---

local function is_plain(value) return type(value) == "table" and not getmetatable(value) end

local function same(a, b)
  if a == b then return true end
  local x, y = predicates.of(a), predicates.of(b)
  if x and y then return x.op == y.op and same(x.value, y.value) end
  if not is_plain(a) or not is_plain(b) then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function list_of(value)
  if is_plain(value) then return value end
  return { value }
end

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- Numbers as an interval: low, whether low itself is in, high, whether high itself is in.
local function interval(value)
  if type(value) == "number" then return value, true, value, true end
  local p = predicates.of(value)
  if not p then return nil end
  if p.op == "gt" then return p.value, false, math.huge, true end
  if p.op == "ge" then return p.value, true, math.huge, true end
  if p.op == "lt" then return -math.huge, true, p.value, false end
  if p.op == "le" then return -math.huge, true, p.value, true end
  if p.op == "between" then return p.value[1], true, p.value[2], true end
end

local function within(a, b)
  local low, low_in, high, high_in = interval(a)
  local from, from_in, to, to_in = interval(b)
  if not low or not from then return false end
  return (low > from or low == from and (from_in or not low_in)) and (high < to or high == to and (to_in or not high_in))
end

-- Several at once may hold of one request, so that "x" does not rule out "y".
local many_valued = { role = true, uses = true, label = true }
-- Only the same is the same: what they compare is not one value.
local opaque = { called = true, hours = true, days = true, zone = true, share = true, sticky = true, prompt = true, contains = true }

local function all_in(list, set)
  for _, value in ipairs(list) do
    if not set[value] then return false end
  end
  return true
end

local function implies_none_of(narrow, refused, key)
  local p = predicates.of(narrow)
  if p and p.op == "none_of" then return all_in(refused, set_of(p.value)) end
  if p or many_valued[key] then return false end
  local set = set_of(refused)
  for _, value in ipairs(list_of(narrow)) do
    if set[value] then return false end
  end
  return true
end

local function implies_class(narrow, least)
  local p, rank = predicates.of(narrow), schema.class_rank
  if p and p.op == "at_least" then return rank[p.value] >= rank[least] end
  if p then return false end
  for _, name in ipairs(list_of(narrow)) do
    if not rank[name] or rank[name] < rank[least] then return false end
  end
  return true
end

local function implies_like(narrow, pattern)
  if predicates.of(narrow) then return false end
  for _, value in ipairs(list_of(narrow)) do
    if type(value) ~= "string" or not core.glob(pattern, value) then return false end
  end
  return true
end

-- Does every request that fits `narrow` fit `broad`, both values of the same condition?
local function implies(narrow, broad, key)
  if same(narrow, broad) then return true end
  if opaque[key] then return false end
  local p = predicates.of(broad)
  if not p then
    if interval(broad) then return within(narrow, broad) end
    return not predicates.of(narrow) and type(broad) ~= "boolean" and all_in(list_of(narrow), set_of(list_of(broad)))
  end
  if p.op == "any" then return true end
  if p.op == "none_of" then return implies_none_of(narrow, p.value, key) end
  if p.op == "at_least" then return implies_class(narrow, p.value) end
  if p.op == "like" then return implies_like(narrow, p.value) end
  return within(narrow, broad)
end

local function covers(earlier, later)
  if earlier.unless ~= nil and not (later.unless ~= nil and same(earlier.unless, later.unless)) then return false end
  local broad, narrow = earlier.when or {}, later.when or {}
  if type(broad) == "function" or type(narrow) == "function" then return broad == narrow or next({ broad }) == nil end
  if not is_plain(broad) or not is_plain(narrow) then return false end
  for key, value in pairs(broad) do
    local p = predicates.of(value)
    if not (p and p.op == "any") and (narrow[key] == nil or not implies(narrow[key], value, key)) then return false end
  end
  return true
end

-- --- rules that are never reached ---

local function is_always(rule)
  if rule.unless ~= nil or type(rule.when) == "function" then return false end
  for _, value in pairs(is_plain(rule.when) and rule.when or {}) do
    local p = predicates.of(value)
    if not (p and p.op == "any") then return false end
  end
  return true
end

-- What keeps later rules from acting once this one applies: nothing when they go on.
local function ends_with(rule, kind)
  if rule.deny ~= nil or rule.pass ~= nil then return "" end
  if kind == "routing" and rule.route ~= nil then return ", as long as it has a target left" end
end

-- Each rule is compared with those before it that end: enough of both for people's files.
local RULES_MAX, ENDERS_MAX = 500, 50

local function check_reach(rules, kind, mode)
  local enders = {}
  for i, rule in ipairs(rules) do
    if not is_plain(rule) then return end
    for _, earlier in ipairs(enders) do
      if is_always(earlier) or covers(earlier, rule) then
        local text = is_always(earlier) and "never reached: '%s' always applies%s"
          or "never reached: '%s' applies whenever this one would%s"
        report.warn(sub(sub(nil, "rules"), i), text:format(tostring(earlier[1]), ends_with(earlier, kind)),
          is_always(earlier) and "put this rule before it" or "put the narrower rule first")
        break
      end
    end
    local acts_now = (rule.mode or mode or "enforce") == "enforce"
    if #enders < ENDERS_MAX and acts_now and ends_with(rule, kind) then enders[#enders + 1] = rule end
    if i == RULES_MAX then return end
  end
end

-- --- functions that could be tables ---

local operators = {
  ["=="] = "%s = %s", ["~="] = "%s = isnt(%s)", [">"] = "%s = gt(%s)", [">="] = "%s = ge(%s)", ["<"] = "%s = lt(%s)",
  ["<="] = "%s = le(%s)",
}
local comparable = {}
for name in ([[user app department team tier region clearance env api model stream max_tokens task quality max_latency_ms
  data context_tokens input_tokens]]):gmatch("%S+") do comparable[name] = true end

-- One comparison of a field with a constant, as a condition; nil when it is none.
local function comparison(text, ctx)
  text = text:match("^%s*(.-)%s*$")
  local role = text:match("^" .. ctx .. "%.identity%.roles%[(\"[^\"]*\")%]$")
  if role then return "role = " .. role end
  local view, name, op, value = text:match("^" .. ctx .. "%.(%a+)%.([%a_]+)%s*([=~<>]=?)%s*(.+)$")
  if not view or not operators[op] or not comparable[name] then return nil end
  if not value:find("^\"[^\"]*\"$") and not value:find("^%d+%.?%d*$") and value ~= "true" and value ~= "false" then return nil end
  if op == "~=" and value:find("^\"") then return ("%s = isnt %s"):format(name, value) end
  return operators[op]:format(name, value)
end

-- "a and b and c", each a comparison → the table that says the same.
local function as_table(body, ctx)
  local parts, seen = {}, {}
  if body:find("%f[%w]or%f[%W]") or body:find("%f[%w]not%f[%W]") then return nil end
  for text in (body .. " and "):gmatch("(.-)%s+and%s+") do
    local part = comparison(text, ctx)
    local name = part and part:match("^[%a_]+")
    if not part or seen[name] then return nil end
    seen[name] = true
    parts[#parts + 1] = part
  end
  return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or nil
end

-- The source from where a function begins: behind the field that holds it, when both stand in one line.
local function source_from(file, fn, path)
  local line, at = core.function_line(fn), 1
  for _ = 2, line do
    at = (file.text:find("\n", at, true) or #file.text) + 1
  end
  local field_line, column = report.place(path)
  return file.text:sub(field_line == line and column > 0 and at + column - 1 or at)
end

local function condition_table(fn, file, path)
  local text = source_from(file, fn, path)
  local ctx, body = text:match("function%s*%(([%a_]+)%)%s*return%s+(.-)%s+end%f[%W]")
  if not ctx or body:find("%f[%w]function%f[%W]") or body:find("%f[%w]if%f[%W]") then return nil end
  return as_table(body, ctx)
end

local function check_conditions(rules, file)
  for i, rule in ipairs(rules) do
    for _, field in ipairs { "when", "unless" } do
      local fn = is_plain(rule) and rule[field]
      local path = sub(sub(sub(nil, "rules"), i), field)
      local found = type(fn) == "function" and condition_table(fn, file, path)
      if found then
        report.warn(path, "this function could be a table, which can be compared and explained",
          ("%s = %s"):format(field, found))
      end
    end
  end
end

-- on_request = function(ctx) if … then return deny(…) end end
local function check_hook(fn, file)
  local text = source_from(file, fn, sub(nil, "on_request"))
  local ctx, body, verb, arguments =
    text:match("function%s*%(([%a_]+)%)%s*if%s+(.-)%s+then%s+return%s+(%a+)(%b())%s*end%s*end%f[%W]")
  local found = ctx and (verb == "deny" or verb == "route") and as_table(body, ctx)
  if not found then return end
  local status, code = arguments:match("^%((%d+),%s*(\"[%l%d_]+\")")
  local target = arguments:match("^%((\"[^\"]*\")")
  local action = verb == "deny" and status and ("deny = { %s, %s }"):format(status, code)
    or verb == "route" and target and "route = " .. target
  if not action then return end
  report.warn(sub(nil, "on_request"), "this function could be a table, a rule, which can be compared and explained",
    ("rules = { { \"name\", when = %s, %s } }"):format(found, action))
end

-- --- fields of ctx that are not there ---

-- ctx.identity.departmnt raises when a hook comes that way: said at load, wherever it stands.
local function check_fields(file)
  local number, seen = 0, {}
  for text in (file.text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    text = text:gsub("%-%-.*", "")
    for at, view, name in text:gmatch("()%f[%w_]ctx%.(%a+)%.([%a_][%w_]*)") do
      local map = facts.fields[view]
      if map and map[name] == nil and not seen[view .. name] then
        seen[view .. name] = true
        local names = report.keys(map)
        report.warn_at(number, at + #("ctx." .. view .. "."), ("ctx.%s has no field '%s': it raises when it is read"):format(view, name),
          report.nearest(name, names) or (view == "identity" and "a label of your keys? name it in auth.lua: labels = { … }" or nil))
      end
    end
  end
end

-- --- rules that nothing tries ---

local acts = { "deny", "route", "only", "drop", "pass" }

local function decides(spec)
  if spec.on_request ~= nil then return true end
  for _, rule in ipairs(is_plain(spec.rules) and spec.rules or {}) do
    for _, verb in ipairs(acts) do
      if is_plain(rule) and rule[verb] ~= nil then return true end
    end
  end
  return false
end

function lint.policy(definition, policy)
  local spec, file = definition.spec, definition.file
  if policy.mode == "off" then return end
  if is_plain(spec.rules) then
    check_reach(spec.rules, definition.kind, policy.mode)
    check_conditions(spec.rules, file)
  end
  if type(spec.on_request) == "function" then check_hook(spec.on_request, file) end
  check_fields(file)
  if spec.examples == nil and decides(spec) then
    report.warn(nil, ("%s decides, and has no examples"):format(file.path),
      "examples = { { as = { … }, model = \"…\", deny = \"code\" } } are decided at every load")
  end
end

return lint
