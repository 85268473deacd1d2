-- Warnings about policies that load and work, but not as their author will have meant: rules that never come to act,
-- functions that could be tables, fields that are not there, rules that nothing tries.
--
--   lint.policy(definition, policy)      -- after the policy is compiled; report.begin has named its file
local core, use = ...
local report = use "report"
local implies = use "condition/implies"
local catalogue = use "catalogue"
local schema = use "schema"
local sub = report.sub

local lint = {}

-- --- rules that are never reached ---

local function terms_of(read) return read and read.terms end

-- What a rule's `when` says in single texts, by key. A rule that says another text of a key, or nothing, is not covered
-- by it: that is seen at once, and of many rules it is the usual case.
local function texts_of(rule)
  local texts = {}
  for _, term in ipairs(terms_of(rule.when) or {}) do
    local is_text = term.op == "one_of" and #term.values == 1 and type(term.values[1]) == "string"
    if is_text and not term.many_valued and not term.opaque and not term.targets then
      texts[term.key] = term.values[1]
    end
  end
  return texts
end

local function keys_of(rule)
  local keys = {}
  for _, term in ipairs(terms_of(rule.when) or {}) do keys[term.key] = true end
  return keys
end

local function may_cover(earlier_texts, texts, keys)
  for key, text in pairs(earlier_texts) do
    if texts[key] ~= text and (texts[key] or not keys[key]) then return false end
  end
  return true
end

-- Does the earlier rule apply wherever the later one would?
local function covers(earlier, later)
  if not implies(terms_of(later.when), terms_of(earlier.when)) then return false end
  if not earlier.unless then return true end
  if not later.unless then return implies.never(earlier.unless.terms) end
  return implies(earlier.unless.terms, later.unless.terms)
end

local function is_always(rule) return not rule.unless and implies(nil, terms_of(rule.when)) end

-- What keeps later rules from acting once this one applies: nothing when they go on.
-- A denial of what is called goes on.
local function ends_with(rule, kind)
  if rule.mode ~= "enforce" or rule.called then return nil end
  local verb = rule.action.verb
  if verb == "deny" or verb == "pass" then return "" end
  if kind == "routing" and verb == "route" then return ", as long as it has a target left" end
end

-- Each rule is compared with those before it that end: enough of both for people's files.
local RULES_MAX, ENDERS_MAX = 500, 50

local function check_reach(rules, kind)
  local enders, texts_of_enders, anchors = {}, {}, {} -- anchor: one of the keys that an ender says a text of
  for i = 1, math.min(#rules, RULES_MAX) do
    local rule = rules[i]
    local texts, keys, is_never = texts_of(rule), keys_of(rule), implies.never(terms_of(rule.when) or {})
    for j, earlier in ipairs(enders) do
      local said, anchor = texts_of_enders[j], anchors[j]
      local is_other = anchor and texts[anchor] ~= said[anchor] and (texts[anchor] or not keys[anchor])
      if (is_never or not is_other and may_cover(said, texts, keys)) and covers(earlier, rule) then
        local text = is_always(earlier) and "never reached: '%s' always applies%s"
          or "never reached: '%s' applies whenever this one would%s"
        report.warn(sub(sub(nil, "rules"), i), "never_reached", text:format(earlier.name, ends_with(earlier, kind)),
          is_always(earlier) and "put this rule before it" or "put the narrower rule first")
        break
      end
    end
    if #enders < ENDERS_MAX and ends_with(rule, kind) then
      enders[#enders + 1], texts_of_enders[#enders + 1], anchors[#enders + 1] = rule, texts, next(texts) or false
    end
  end
end

-- --- rules of access that come after its matrix ---

local function term_of(rule, key)
  for _, term in ipairs(terms_of(rule.when) or {}) do
    if term.key == key then return term end
  end
end

local function is_without(term, set)
  if not term or term.op ~= "one_of" or not set then return false end
  for _, value in ipairs(term.values) do
    if set[value] then return false end
  end
  return true
end

local function least_rank(term)
  if not term or term.op ~= "one_of" and term.op ~= "at_least" then return 1 end
  local least = #schema.classes
  for _, class in ipairs(term.values) do least = math.min(least, schema.class_rank[class]) end
  return least
end

-- Does the matrix refuse this model to whatever the rule applies to?
local function is_refused(policy, rule, model)
  local row = policy.rows[model.name]
  if model.virtual then return false end
  if not row then return policy.default ~= "allow" and policy.mode == "enforce" end
  return row.mode == "enforce" and (is_without(term_of(rule, "department"), row.set)
    or least_rank(term_of(rule, "data")) > row.rank)
end

local function models_of(rule)
  local term = term_of(rule, "model")
  if not term or term.op ~= "one_of" then return catalogue.sorted end
  local list = {}
  for i, name in ipairs(term.values) do list[i] = catalogue.models[name] end
  return list
end

local function comes_too_late(policy, rule)
  if rule.when and rule.when.is_function then return false end
  for _, model in ipairs(models_of(rule)) do
    if not is_refused(policy, rule, model) then return false end
  end
  return true
end

local REFUSED = "never acts: the matrix refuses such requests before rules are asked"
local TOO_LATE = "never acts: the matrix has been asked before rules are, and nothing follows that could be passed over"

local function check_matrix(policy)
  local rules = policy.written_rules
  if not policy.rows or next(policy.rows) == nil then return end
  for i = 1, math.min(#rules, RULES_MAX) do
    local rule, is_last = rules[i], i == #rules and not policy.on_request
    local text = rule.mode ~= "off"
      and (comes_too_late(policy, rule) and REFUSED or rule.action.verb == "pass" and is_last and TOO_LATE)
    if text then
      report.warn(sub(sub(nil, "rules"), i), "refused_before", text,
        "an exception stands in the matrix: departments = { … } of the model's row")
    end
  end
end

-- --- functions that could be tables ---

local operators = {
  ["=="] = "%s = %s", ["~="] = "%s = isnt(%s)", [">"] = "%s = gt(%s)", [">="] = "%s = ge(%s)", ["<"] = "%s = lt(%s)",
  ["<="] = "%s = le(%s)",
}
local comparable = {}
for name in (
  [[user app department team tier region clearance env api model stream max_tokens task quality max_latency_ms
  data context_tokens input_tokens]]):gmatch("%S+") do comparable[name] = true end

-- One comparison of a field with a constant, as a condition; nil when it is none.
local function comparison(text, ctx)
  text = text:match("^%s*(.-)%s*$")
  local role = text:match("^" .. ctx .. "%.identity%.roles%[(\"[^\"]*\")%]$")
  if role then return "role = " .. role end
  local view, name, op, value = text:match("^" .. ctx .. "%.(%a+)%.([%a_]+)%s*([=~<>]=?)%s*(.+)$")
  if not view or not operators[op] or not comparable[name] then return nil end
  if not value:find("^\"[^\"]*\"$") and not value:find("^%d+%.?%d*$") and value ~= "true" and value ~= "false" then
    return nil
  end
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

local function check_functions(rules, file)
  for _, rule in ipairs(rules) do
    for _, field in ipairs { "when", "unless" } do
      local term = rule[field] and rule[field].is_function and rule[field].terms[1]
      local found = term and condition_table(term.fn, file, term.path)
      if found then
        report.warn(term.path, "opaque_function", "this function could be a table, which can be compared and explained",
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
  report.warn(sub(nil, "on_request"), "opaque_function",
    "this function could be a table, a rule, which can be compared and explained",
    ("rules = { { \"name\", when = %s, %s } }"):format(found, action))
end

-- --- rules that nothing tries ---

local acts = { deny = true, route = true, only = true, drop = true, pass = true }

local function decides(policy)
  if policy.on_request then return true end
  for _, rule in ipairs(policy.written_rules) do
    if acts[rule.action.verb] then return true end
  end
  return false
end

function lint.policy(definition, policy)
  local spec, file = definition.spec, definition.file
  if policy.mode == "off" then return end
  check_reach(policy.written_rules, definition.kind)
  if definition.kind == "access" then check_matrix(policy) end
  check_functions(policy.written_rules, file)
  if policy.on_request then check_hook(policy.on_request, file) end
  if spec.examples == nil and decides(policy) then
    report.warn(nil, "no_examples", ("%s decides, and has no examples"):format(file.path),
      "examples = { { as = { … }, model = \"…\", deny = \"code\" } } are decided at every load")
  end
end

return lint
