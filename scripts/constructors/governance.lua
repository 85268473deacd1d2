-- governance { prompts = { … }, approvals = { … }, reviews = { … }, checklist = { … } }: who must look before something
-- counts. Nothing of it decides a request: the registry goes by it, under a floor of its own that no file lowers
-- (another person's eyes, break-glass of an hour at most). Gives the rules, as C keeps them (core/store/governance.h).
local core, use = ...
local report = use "report"
local schema = use "schema"
local units = use "units"
local sub = report.sub

local governance = {}

governance.DAY = 86400
local DAY = governance.DAY

-- What holds where the file, or a field of it, is not there.
local usual = {
  review = { { by = "approver" } }, pending = 7 * DAY, longest = 90 * DAY,
  break_glass = { by = "admin", longest = 3600, close_within = 3 * DAY },
  due = 14 * DAY, unused = 90 * DAY, unanswered = "flag",
}

-- Roles that look, write, or read, and decide nothing.
local idle = { viewer = true, author = true, content_reader = true }

-- A role that decides: approver, admin, or a word of the house.
governance.role = schema.shape({ kind = "string" }, function(value, path)
  if type(value) ~= "string" or not value:find("^[a-z][a-z0-9_%-]*$") or #value > 64 then
    report.at(path, "bad_value", "a role is a word of a-z, 0-9, _ and -, such as \"manager\"; got "
      .. schema.kind_of(value))
  elseif idle[value] then
    report.at(path, "bad_value", ("'%s' decides nothing"):format(value), "approver, admin, or a role of your own")
  else return value end
end)

local role = governance.role

local function known_department(value, path)
  return schema.text(value, path)
end

local when = schema.record({ department = schema.one_or_list(known_department) }, { "department" },
  "condition of a reviewer")

local reviewer = schema.record({ by = role, when = when }, { "by" }, "field of a reviewer")

local label = schema.shape({ kind = "string" }, function(value, path)
  if type(value) == "string" and value:find("^[a-z][a-z0-9_%-]*$") and #value <= 64 then return value end
  report.at(path, "bad_value", "a label is a word of a-z, 0-9, _ and -, such as \"production\"; got "
    .. schema.kind_of(value))
end)

-- The store's own floor: nothing here makes it longer.
local function at_most(most, words)
  return schema.shape({ kind = "string" }, function(value, path)
    local seconds = units.duration(value, path)
    if not seconds or seconds <= most then return seconds end
    report.at(path, "bad_time", ("at most %s, got %q"):format(words, value))
  end)
end

local duration = schema.shape({ kind = "string" }, units.duration)

local break_glass = schema.record({ by = role, longest = at_most(3600, "an hour (\"1h\")"), close_within = duration },
  nil, "field of break_glass")

-- break_glass = false: there is none.
local function glass(value, path)
  if value == false then return { is_off = true } end
  return break_glass(value, path)
end

governance.facts = { "access.rows", "data.classes", "approvals.sensitive", "audit.trail", "reviews.current",
  "prompts.reviewed", "keys.owned", "people.leavers", "roles.separated", "break_glass.closed", "bundle.signed",
  "bundle.one", "prices.current", "budgets.set", "providers.listed", "stop.works", "alerts.arrive", "backup.fresh" }

local plan = schema.record({ schema.text, every = schema.choice { "month", "quarter", "half-year", "year" },
  scope = schema.list(schema.choice { "rows", "grants", "keys", "roles" }), by = role, due = duration,
  unused = duration, unanswered = schema.choice { "flag", "revoke", "recommendation" } },
  { 1, "every", "scope" }, "field of a plan")

local example = schema.record({ prompt = schema.record { department = schema.text },
  reviewers = schema.list(schema.text) }, { "prompt", "reviewers" }, "field of an example")

local shape = schema.record {
  description = schema.text,
  prompts = schema.record({ review = schema.list(reviewer), protected = schema.list(label),
    tests = schema.choice { "required", "optional" } }, nil, "field of prompts"),
  approvals = schema.record({ pending = duration, longest = duration, break_glass = glass }, nil,
    "field of approvals"),
  reviews = schema.list(plan),
  checklist = schema.record({ require = schema.list(schema.choice(governance.facts)), audit_retention = duration }, nil,
    "field of the checklist"),
  examples = schema.list(example),
}

-- --- what is read, with what is not said ---

local function reviewers_of(given)
  local list = {}
  for _, one in ipairs(given or usual.review) do
    if one.by then list[#list + 1] = { by = one.by, departments = one.when and one.when.department } end
  end
  return list
end

-- production is protected whatever is said.
local function protected_of(given)
  local list = { "production" }
  for _, name in ipairs(given or {}) do
    if name ~= "production" then list[#list + 1] = name end
  end
  return list
end

local function glass_of(given)
  local one = given or {}
  if one.is_off then return nil end
  return { by = one.by or usual.break_glass.by, longest = one.longest or usual.break_glass.longest,
    close_within = one.close_within or usual.break_glass.close_within }
end

local function plans_of(given)
  local list = {}
  for i, one in ipairs(given or {}) do
    list[i] = { name = one[1], every = one.every, scope = one.scope, by = one.by or "approver",
      due = one.due or usual.due, unused = one.unused or usual.unused, unanswered = one.unanswered or usual.unanswered }
  end
  return list
end

function governance.rules_of(spec)
  local prompts, approvals, checklist = spec.prompts or {}, spec.approvals or {}, spec.checklist or {}
  return {
    prompts = { review = reviewers_of(prompts.review), protected = protected_of(prompts.protected),
      tests = prompts.tests == "required" },
    approvals = { pending = approvals.pending or usual.pending, longest = approvals.longest or usual.longest,
      break_glass = glass_of(approvals.break_glass) },
    reviews = plans_of(spec.reviews),
    checklist = { require = checklist.require or {}, audit_retention = checklist.audit_retention },
  }
end

-- Who must look at a prompt of that department: roles, each met by another person.
function governance.reviewers(rules, department)
  local list = {}
  for _, one in ipairs(rules.prompts.review) do
    local applies = not one.departments
    for _, name in ipairs(one.departments or {}) do applies = applies or name == department end
    if applies then list[#list + 1] = one.by end
  end
  return list
end

-- --- checks over several fields ---

local function check_reviewers(spec)
  local path = sub(sub(nil, "prompts"), "review")
  local given = spec.prompts and spec.prompts.review
  if not given then return end
  local always = false
  for _, one in ipairs(given) do always = always or not one.when end
  if #given == 0 or not always then
    report.at(path, "missing_field", "some prompts would have no reviewer: one line without `when` is wanted",
      "{ by = \"approver\" }")
  end
end

local function check_plans(spec)
  local seen = {}
  for i, one in ipairs(spec.reviews or {}) do
    local path = sub(sub(nil, "reviews"), i)
    if one[1] and seen[one[1]] then
      report.at(path, "said_twice", ("two plans are called '%s'"):format(one[1]))
    end
    seen[one[1] or ""] = true
    if one.scope and #one.scope == 0 then
      report.at(sub(path, "scope"), "missing_field", "a review of nothing", "scope = { \"grants\", \"keys\" }")
    end
  end
end

local function check_glass(spec)
  local approvals = spec.approvals or {}
  local longest, glass_longest = approvals.longest, approvals.break_glass and approvals.break_glass.longest
  if longest and glass_longest and glass_longest > longest then
    report.at(sub(sub(sub(nil, "approvals"), "break_glass"), "longest"), "bad_time",
      "break-glass may not outlast what can be approved")
  end
end

local function check_examples(spec, rules)
  for i, one in ipairs(spec.examples or {}) do
    local seen = one.prompt and governance.reviewers(rules, one.prompt.department) or {}
    local wanted, found = { unpack(one.reviewers or {}) }, { unpack(seen) }
    table.sort(wanted)
    table.sort(found)
    if table.concat(wanted, ", ") ~= table.concat(found, ", ") then
      report.at(sub(sub(nil, "examples"), i), "example_fails",
        ("expected the reviewers %s, got %s"):format(table.concat(wanted, ", "), table.concat(found, ", ")))
    end
  end
end

function governance.compile(given)
  local before = report.errors
  local spec = shape(given, nil) or {}
  if report.errors == before then
    check_reviewers(spec)
    check_plans(spec)
    check_glass(spec)
  end
  local rules = governance.rules_of(spec)
  if report.errors == before then check_examples(spec, rules) end
  return rules
end

return governance
