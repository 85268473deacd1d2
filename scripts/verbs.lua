-- Verbs: what a hook returns. deny(403, "code", "why"), route { "a/b" }, only { "local/*" }, drop { "z/*" },
-- pass("why"). A verb that was built and not returned is an error:
-- `deny(…)` without `return` would let the request through.
local core, use = ...
local schema = use "schema"
local catalogue = use "catalogue"
local modules = use "modules"
local raise = use "raise"

local verbs = {}
local Token = { __metatable = "decision", __newindex = function() error("a decision cannot be changed", 2) end }

local function bad(finding, text) raise.error(finding, text, 0) end

-- What the hook gets is an empty token: nothing of the decision can be changed before it comes back.
local function make(decision)
  local f = core.facts()
  local file, line = core.where()
  decision.place = file and ("%s:%d"):format(file, line)
  decision.line = line
  local made = f._made
  if made then made[#made + 1] = decision else f._made = { decision } end
  decision.token = setmetatable({}, Token)
  return decision.token
end

local function check_reason(verb, reason)
  if reason ~= nil and type(reason) ~= "string" then
    bad("bad_decision", ("%s: the reason is a text, got %s"):format(verb, schema.kind_of(reason)))
  end
  return reason
end

-- deny(status, code, reason), deny { status =, code =, reason =, retry_after = }
local function deny(status, code, reason)
  local retry_after
  if type(status) == "table" then
    local given = status
    for key in pairs(given) do
      if key ~= "status" and key ~= "code" and key ~= "reason" and key ~= "retry_after" then
        bad("undefined_name", ("deny { … } has no field '%s': status, code, reason, retry_after"):format(tostring(key)))
      end
    end
    status, code, reason, retry_after = given.status or 403, given.code, given.reason, given.retry_after
  end
  if not schema.statuses[status] then
    bad("bad_decision", ("deny: not a standard HTTP status from 400 on: %s"):format(schema.kind_of(status)))
  end
  if type(code) ~= "string" or not code:find("^[a-z][a-z0-9_]*$") then
    bad("bad_decision", "deny(status, code, reason): a code is made of a-z, 0-9 and _; got " .. schema.kind_of(code))
  end
  if retry_after ~= nil and (type(retry_after) ~= "number" or retry_after < 1) then
    bad("bad_decision", "deny: retry_after is a number of seconds, got " .. schema.kind_of(retry_after))
  end
  return { verb = "deny", status = status, code = code, reason = check_reason("deny", reason),
    retry_after = retry_after }
end

-- The reason in route(…, { reason = "…" }).
local function option(verb, options)
  if options == nil then return nil end
  if type(options) ~= "table" then
    bad("bad_decision", verb .. "(targets, { reason = \"…\" }): the second argument is a table")
  end
  for key in pairs(options) do
    if key ~= "reason" then
      bad("unknown_field", ("%s: unknown option '%s': only reason"):format(verb, tostring(key)))
    end
  end
  return check_reason(verb, options.reason)
end

local function route(targets, options)
  targets = modules.thaw(targets)
  if type(targets) == "string" then targets = { targets } end
  if type(targets) ~= "table" or #targets == 0 then bad("bad_decision", "route wants a target or a list of them") end
  local list = {}
  for i, name in ipairs(targets) do
    list[i] = catalogue.targets[name]
    if not list[i] then
      bad("unknown_model", ("route: no target '%s' in policies/models.lua%s"):format(tostring(name),
        catalogue.near_target(name)))
    end
  end
  return { verb = "route", targets = list, reason = option("route", options) }
end

local function narrow(verb)
  return function(wanted, options)
    wanted = modules.thaw(wanted)
    local set, why, finding = catalogue.select(wanted)
    if not set then bad(finding, verb .. ": " .. why) end
    return { verb = verb, set = set, spelt = catalogue.spell(wanted), reason = option(verb, options) }
  end
end

-- The decisions as such, for whoever tries what a file says: each raises what is wrong with its arguments.
verbs.decide = {
  deny = deny,
  route = route,
  only = narrow "only",
  drop = narrow "drop",
  pass = function(reason) return { verb = "pass", reason = check_reason("pass", reason) } end,
}

verbs.words = {}
for name, decide in pairs(verbs.decide) do
  verbs.words[name] = function(...) return make(decide(...)) end
end

-- What a hook returned, checked: a decision or nil; raises when it is neither, or when another was built and lost.
function verbs.returned(f, value, hook)
  local made = f._made
  if not made and value == nil then return nil end
  f._made = false
  if value ~= nil and getmetatable(value) ~= "decision" then
    bad("bad_decision", ("%s returned %s: return deny(…), route(…), only(…), drop(…), pass(…) or nothing"):format(
      hook, schema.kind_of(value)))
  end
  local returned
  for _, decision in ipairs(made or {}) do
    if decision.token == value then returned = decision
    else
      bad("not_returned", ("%s%s(…) was built but not returned: write 'return %s(…)'"):format(
        decision.place and decision.place .. ": " or "", decision.verb, decision.verb))
    end
  end
  if value ~= nil and not returned then
    bad("bad_decision", hook .. " returned a decision that was made for another request")
  end
  return returned
end

return verbs
