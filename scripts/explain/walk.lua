-- Watches one evaluation from outside: which rules were tried in which order, which condition failed, what was noted.
--
--   local seen = walk.decide(t)           -- t: a request as scripts/request.lua takes it
--   seen.outcome, seen.log, seen.facts, seen.reached
--
-- The rules of this state are wrapped once, and only states that are asked to explain ever load this file: what serves
-- requests pays nothing. The decision itself is the engine's own.
local core, use = ...
local loaded = use "load"
local chain = use "chain"
local tests = use "condition/test"
local facts = use "facts"
local request = use "request"
local words = use "words"
local moment = use "explain/moment"
local spent = use "explain/spent"

local walk = {}

local watched -- the log of the evaluation under way; nil: nobody looks

-- --- values, as the log shows them ---

local function uses_of(bits)
  local names = {}
  for i, name in ipairs(tests.uses_names) do
    if bit.band(bits, bit.lshift(1, i - 1)) ~= 0 then names[#names + 1] = name end
  end
  return names
end

-- Names of a set: a view, or a table.
local function members(set)
  local names = {}
  for name in core.safe.pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- The value of a condition's key in this request: text, number, boolean or list; nil when there is none.
local function value_of(f, key)
  if key == "role" then return members(f.ctx_roles) end
  if key == "uses" then return uses_of(f.uses) end
  if key == "label" then return members(f.labels or {}) end
  if key == "hours" or key == "days" or key == "zone" or key == "time" then
    local time, day = moment.spell(f.time)
    return day .. " " .. time
  end
  if not facts.compute[key] and key ~= "model" then return nil end
  local value = f[key]
  if (value == false and key ~= "stream") or type(value) == "userdata" or type(value) == "function" then return nil end
  return value
end

-- --- rules ---

-- Each term of a condition with a test of its own; nil without a condition.
local function parts_of(read)
  if not read then return nil end
  local parts = {}
  for i, term in ipairs(read.terms) do parts[i] = { term = term, test = tests.of { terms = { term } } } end
  return parts
end

local function judge(parts, f)
  local list, all = {}, true
  for i, part in ipairs(parts) do
    local holds = not part.test or (part.test(f) and true or false)
    all = all and holds
    local key, seen = part.term.key, nil
    if key ~= "called" then seen = value_of(f, key) end
    list[i] = { text = words.term(part.term), key = key, holds = holds, seen = seen }
  end
  return list, all
end

local function function_text(file, read) return ("the function at %s:%d"):format(file, read.terms[1].line) end

-- What `when` and `unless` say of this request; the rule as a whole was already decided.
local function reasons_of(rule, f, holds)
  local when, unless = rule.compiled.when, rule.compiled.unless
  local list, table_holds = {}, true
  if when and when.is_function then
    list[1] = { text = function_text(rule.file, when), is_function = true, holds = holds }
  elseif when then list, table_holds = judge(rule.when_parts, f) end
  if unless and unless.is_function then
    list[#list + 1] = { text = "unless " .. function_text(rule.file, unless), is_function = true,
      holds = holds or not table_holds }
  elseif unless then
    local inner, all = judge(rule.unless_parts, f)
    local texts, seen = {}, {}
    for i, item in ipairs(inner) do
      texts[i], seen[i] = item.text, item.seen ~= nil and words.value(item.seen) or "none"
    end
    list[#list + 1] = { text = "unless " .. table.concat(texts, " and "), key = inner[1] and inner[1].key,
      holds = not all, seen = table.concat(seen, ", ") }
  end
  return list
end

local function tried(rule, f, holds)
  local entry = { what = "rule", policy = rule.policy, rule = rule.name, file = rule.file, line = rule.line,
    holds = holds, conditions = reasons_of(rule, f, holds), action = rule.action, mode = rule.mode }
  for i = #watched, 1, -1 do -- asked again when targets were chosen again: the last answer stands
    local old = watched[i]
    if old.what == "rule" and old.rule == rule.name and old.policy == rule.policy and old.holds == holds then
      table.remove(watched, i)
    end
  end
  watched[#watched + 1] = entry
end

local function watched_rule(compiled, policy, written)
  return { policy = policy.name, name = compiled.name, file = policy.file, line = compiled.line, mode = compiled.mode,
    compiled = compiled, test = tests.of_rule(compiled), when_parts = parts_of(compiled.when),
    unless_parts = parts_of(compiled.unless), action = words.action(written) }
end

-- Wraps the rules of one compiled policy.
function walk.watch(policy, definition)
  if not policy.rules then return policy end
  local rules = {}
  for i, written in ipairs(definition.spec.rules or {}) do
    local compiled = policy.written_rules[i]
    if compiled and compiled.mode ~= "off" then rules[#rules + 1] = watched_rule(compiled, policy, written) end
  end
  function policy.each_rule(f, self, act)
    for _, rule in ipairs(rules) do
      local holds = not rule.test or rule.test(f) and true or false
      if watched and not f._quiet then tried(rule, f, holds) end
      local outcome = holds and act(f, self, rule.compiled)
      if outcome then return outcome end
    end
  end
  return policy
end

for i, policy in ipairs(loaded.policies) do walk.watch(policy, loaded.definitions[i]) end

-- --- what the chain notes ---

local trace = core.trace

local function is_same(a, b)
  return a.what == "note" and a.policy == b.policy and a.rule == b.rule and a.verb == b.verb and a.reason == b.reason
end

-- dropped: what scripts/targets.lua says of a target that may not be used.
function core.trace(policy, rule, verb, reason, mode, file, line, dropped)
  if watched then
    local entry = { what = "note", policy = policy, rule = rule or "", verb = verb, reason = reason or "", mode = mode,
      file = file, line = line or 0, dropped = dropped }
    local is_new = true
    for _, old in ipairs(watched) do is_new = is_new and not is_same(old, entry) end
    if is_new then watched[#watched + 1] = entry end
  end
  return trace(policy, rule, verb, reason, mode, file, line)
end

-- --- one evaluation ---

local function facts_of(f)
  local out = {}
  for _, name in ipairs(facts.names()) do out[name] = value_of(f, name) end
  out.role, out.approvals, out.label = members(f.ctx_roles), members(f.ctx_approvals), members(f.labels or {})
  for name in pairs(facts.named) do out[name] = value_of(f, name) end
  out.time = f.time
  out.model = not core.listing() and value_of(f, "model") or nil
  return out
end

-- Those that the chain has at work; { "budget", mode = "off" } in init.lua keeps one out.
function walk.at_work(policies)
  local list = {}
  for _, policy in ipairs(policies) do
    if not policy.is_off and policy.mode ~= "off" then list[#list + 1] = policy end
  end
  return list
end

-- t → { outcome, log, facts, reached }, or nil and why the request is no request. policies: others than those in force.
-- description: of a record, instead of what t says.
function walk.decide(t, policies, is_quiet, description)
  local described = true
  if not description then described, description = pcall(request.describe, t) end
  if not described then return nil, tostring(description) end
  local seen = { log = {} }
  local decide, after_fault = chain.new(walk.at_work(policies or loaded.policies))
  local function look(f)
    if is_quiet then return end
    seen.facts, seen.reached = facts_of(f), f._at
  end
  watched = not is_quiet and seen.log or nil
  local outcome, why = core.simulate(description,
    function(f)
      spent.at(f)
      decide(f)
      look(f)
    end,
    function(f, text)
      after_fault(f, text)
      look(f)
    end)
  watched = nil
  seen.outcome = outcome
  if not outcome then return nil, why end
  return seen
end

-- Does this request get an answer? For remedies.
function walk.verdict(t, policies)
  local seen = walk.decide(t, policies, true)
  return seen and seen.outcome
end

return walk
