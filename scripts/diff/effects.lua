-- What a change means for requests: more is allowed than before, less, or either. Nothing where it is neither.
--
--   effects.more(rule, policy)     -- of a rule that came, or holds for more: "loosens", "tightens", "unknown" or nil
--   effects.whole(policy)          -- of a policy that came
--   effects.mode(old, new, more)   -- of a mode that changed, of what does `more` at work; policy_mode: of a policy's
--   effects.opposite[effect]
--
-- rule, policy: of diff/snapshot.lua.
local core, use = ...
local implies = use "condition/implies"
local schema = use "schema"
local lattice = use "diff/lattice"

local effects = { opposite = { loosens = "tightens", tightens = "loosens", unknown = "unknown" } }
local opposite = effects.opposite

-- --- directions ---

-- way: as diff/lattice.lua gives it; more: what holding for more requests does.
function effects.of_way(way, more)
  if way == "same" or not more then return nil end
  if way == "wider" then return more end
  return way == "narrower" and opposite[more] or "unknown"
end

function effects.class(old, new)
  local a, b = schema.class_rank[old] or 0, schema.class_rank[new] or 0
  return b > a and "loosens" or "tightens"
end

function effects.number(old, new)
  local a, b = tonumber(old), tonumber(new)
  if not a or not b then return "unknown" end
  return b > a and "loosens" or "tightens"
end

local function is_enforced(mode) return (mode or "enforce") == "enforce" end
effects.is_enforced = is_enforced

function effects.mode(old, new, more)
  if is_enforced(old) == is_enforced(new) or not more then return nil end
  return is_enforced(new) and more or opposite[more]
end

-- --- rules ---

-- What must be recorded better is refused more often: while that cannot be.
local verbs = { deny = "tightens", only = "tightens", drop = "tightens", route = "loosens", record = "tightens" }

local function proposes(policy)
  if policy.proposes then return true end
  for _, rule in ipairs(policy.rules) do
    if rule.verb == "route" then return true end
  end
  return false
end

-- At work: more denials tighten, a proposal more may find a target, and pass skips what would have denied or proposed.
function effects.verb(rule, policy)
  if rule.verb == "pass" then return proposes(policy) and "unknown" or "loosens" end
  return verbs[rule.verb]
end

function effects.more(rule, policy)
  return is_enforced(rule.mode) and effects.verb(rule, policy) or nil
end

-- --- policies ---

local refusing = { access = true, ratelimit = true, budget = true, redaction = true }

local function has_function(policy)
  for _, value in pairs(policy.fields) do
    if type(value) == "table" and value._source then return true end
  end
  return false
end

-- Without auth nobody has the department of an app; what redaction finds may be a class or a label of the data.
local function settles_facts(policy)
  return policy.kind == "auth" or policy.kind == "redaction" and policy.fields.classify ~= nil
end
effects.settles_facts = settles_facts

function effects.whole(policy)
  if settles_facts(policy) then return "unknown" end
  if not is_enforced(policy.mode) then return nil end
  local more = refusing[policy.kind] and "tightens" or nil
  for _, rule in ipairs(policy.rules) do
    local one = is_enforced(rule.mode) and verbs[rule.verb]
    if one then more = (more == nil or more == one) and one or "unknown" end
  end
  if has_function(policy) and (policy.proposes or not refusing[policy.kind]) then return "unknown" end
  return more
end

-- A policy that fails refuses too, so that even one that only notes something lets more through when it is only
-- observed.
function effects.policy_mode(old, new, policy)
  if settles_facts(policy) then return "unknown" end
  local at_work = setmetatable({ mode = "enforce" }, { __index = policy })
  return effects.mode(old, new, effects.whole(at_work) or "tightens")
end

-- --- the data class of a request ---

local function holds_for(term, class)
  return implies({ { key = "data", op = "one_of", values = { class } } }, { term }) == true
end

-- Does it hold for every class above one that it holds for? With is_down: for every class below.
local function is_closed(term, is_down)
  local first, last, step = 1, #schema.classes, 1
  if is_down then first, last, step = last, first, -1 end
  local was = false
  for rank = first, last, step do
    local holds = holds_for(term, schema.classes[rank])
    if was and not holds then return false end
    was = holds
  end
  return true
end

local function data_terms_are(read, is_down)
  for _, term in ipairs(read and read.terms or {}) do
    if term.op == "function" or term.key == "data" and not is_closed(term, is_down) then return false end
  end
  return true
end

local function asks_for_data(policy)
  for _, value in pairs(policy.fields) do
    if type(value) == "table" and value._source and value._source:find("%f[%w_]data%f[^%w_]") then return true end
  end
  return false
end

-- Is a request with a higher class never let through where one with a lower class is not?
local function rises(policy)
  if asks_for_data(policy) then return false end
  for _, rule in ipairs(policy.rules) do
    local more = effects.more(rule, policy)
    if more == "unknown" then return false end
    local is_down = more == "loosens"
    if more and not (data_terms_are(rule.when, is_down) and data_terms_are(rule.unless, not is_down)) then
      return false
    end
  end
  for _, row in pairs(policy.rows) do
    if not data_terms_are(row.when, false) then return false end
  end
  return true
end

-- Of a class that requests have by default.
function effects.default_class(old, new, bundles)
  for _, bundle in ipairs(bundles) do
    for _, policy in ipairs(bundle.policies) do
      if is_enforced(policy.mode) and not rises(policy) then return "unknown" end
    end
  end
  return opposite[effects.class(old or "public", new or "public")]
end

-- Does a bundle refuse by what targets cost?
function effects.has_budget(bundle)
  for _, policy in ipairs(bundle.policies) do
    if policy.kind == "budget" and is_enforced(policy.mode) then return true end
  end
  return false
end

function effects.lists(old, new, more) return effects.of_way(lattice.lists(old or {}, new or {}), more) end

return effects
