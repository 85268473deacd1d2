-- The examples that stand in a policy file: each is decided by that file alone, at every load.
--
--   examples = { { as = { department = "sales" }, model = "gpt-4o", deny = "department_not_authorized" },
--                { model = "auto", task = "code", route = "openai/gpt-4o" },
--                { text = "write to ana@example.com", sent = "write to [email]" } }
--
-- Without deny or route an example expects the request to pass; sent is the user's last text as it leaves.
local core, use = ...
local report = use "report"
local schema = use "schema"
local request = use "request"
local catalogue = use "catalogue"
local chain = use "chain"
local raise = use "raise"
local facts = use "facts"
local sub = report.sub

local examples = {}

local expectations = { deny = true, route = true, allow = true, sent = true }

local function check_fields(example, path)
  local names = report.keys(request.fields)
  for name in pairs(expectations) do names[#names + 1] = name end
  for key in pairs(example) do
    if not request.fields[key] and not expectations[key] then
      report.at(sub(path, key), "unknown_field", ("unknown field '%s' in an example"):format(tostring(key)),
        facts.is_identity(key) and ("who calls stands in as = { %s = … }"):format(key) or report.nearest(key, names))
      return false
    end
  end
  local before = report.errors
  if example.topups then
    report.at(sub(path, "topups"), "unknown_field", "examples count nothing, so top-ups are told in specs")
  end
  if example.route ~= nil then schema.one_or_list(schema.text)(example.route, sub(path, "route")) end
  if example.deny ~= nil and example.deny ~= true then schema.code(example.deny, sub(path, "deny")) end
  if example.sent ~= nil then schema.text(example.sent, sub(path, "sent")) end
  if example.allow ~= nil and example.allow ~= true then
    report.at(sub(path, "allow"), "bad_decision", "allow is written allow = true")
  end
  return report.errors == before
end

-- An example that names no model asks for the one that routing chooses for, else for any.
local function default_model()
  if catalogue.models.auto then return "auto" end
  return catalogue.sorted[1] and catalogue.sorted[1].name
end

local function spell(outcome)
  if outcome.kind == "allow" then
    return #outcome.targets > 0 and "route " .. table.concat(outcome.targets, ", ") or "allow"
  end
  if outcome.kind == "fault" then return "a fault: " .. tostring(outcome.fault) end
  return ("deny %s (%s/%s: %s)"):format(tostring(outcome.code), tostring(outcome.policy), tostring(outcome.rule),
    tostring(outcome.reason))
end

local function is_routed(outcome, wanted)
  if outcome.kind ~= "allow" then return false end
  if type(wanted) == "string" then return outcome.targets[1] == wanted end
  return table.concat(outcome.targets, " ") == table.concat(wanted, " ")
end

local function judge(example, outcome, path, index)
  local wanted, holds
  if outcome.kind == "fault" and tostring(outcome.fault):find("^policies/[^:]+:%d+: ") then
    report.message(raise.finding_of(outcome.fault), outcome.fault, nil,
      (" (while examples[%d] was decided)"):format(index))
    return
  end
  if example.deny then
    wanted, holds = "deny " .. tostring(example.deny),
      outcome.kind == "deny" and (example.deny == true or outcome.code == example.deny)
  elseif example.route then
    local list = type(example.route) == "table" and table.concat(example.route, ", ") or tostring(example.route)
    wanted, holds = "route " .. list, is_routed(outcome, example.route)
  else wanted, holds = "allow", outcome.kind == "allow" end
  if not holds then
    report.at(path, "example_fails", ("expected %s, got %s"):format(wanted, spell(outcome)))
  elseif example.sent and outcome.sent_text ~= example.sent then
    report.at(sub(path, "sent"), "example_fails", ("'%s' is sent"):format(tostring(outcome.sent_text)))
  end
end

local function describe(example)
  local copy = {}
  for key, value in pairs(example) do copy[key] = value end
  copy.model = copy.model or default_model()
  return request.describe(copy)
end

function examples.run(policy)
  if policy.examples == nil then return end
  local list = schema.list(schema.table)(policy.examples, sub(nil, "examples"))
  local alone = { policy }
  local decide, after_fault = chain.new(alone, true)
  catalogue.is_rehearsal = true
  for i, example in ipairs(list or {}) do
    local path = sub(sub(nil, "examples"), i)
    if check_fields(example, path) then
      local ok, description = pcall(describe, example)
      local outcome, why
      if ok then outcome, why = core.simulate(description, decide, after_fault) else why = description end
      if outcome then judge(example, outcome, path, i) else report.at(path, "example_fails", tostring(why)) end
    end
  end
  catalogue.is_rehearsal = false
end

return examples
