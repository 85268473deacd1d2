-- The rules of governance of this generation, written out for who keeps the registry (core/store/governance.h): what
-- policies/governance.lua says, and the rows of the access matrix that want an approval.
--
--   governing.begin(rules)        -- of scripts/constructors/governance.lua; nil: there is no such file
--   governing.rules()             -- those in force here
--   governing.text(policies)      -- JSON, when all is compiled
--   governing.install(policies)   -- hands it to C
local core, use = ...
local governance = use "constructors/governance"
local json = use "json"
local report = use "report"

local governing = {}

local rules

function governing.begin(given) rules = given or governance.rules_of {} end

function governing.rules() return rules end

local function list(items)
  return items and #items > 0 and items or json.raw "[]"
end

local function reviewers(given)
  local out = {}
  for i, one in ipairs(given) do out[i] = { by = one.by, departments = list(one.departments) } end
  return out
end

local function plans(given)
  local out = {}
  for i, one in ipairs(given) do
    out[i] = { name = one.name, every = one.every, scope = one.scope, by = one.by, due_s = one.due,
      unused_s = one.unused, unanswered = one.unanswered }
  end
  return list(out)
end

local function glass(given)
  return given and { by = given.by, longest_s = given.longest, close_within_s = given.close_within } or nil
end

-- Rows that enforce: what is only observed asks nobody.
local function rows(policies)
  local out = {}
  for _, policy in ipairs(policies) do
    for _, model in ipairs(policy.kind == "access" and report.keys(policy.rows) or {}) do
      local row = policy.rows[model]
      local approval = row.approval
      if approval and row.mode == "enforce" then
        out[#out + 1] = { model = model, by = approval.by, also = approval.also, data = row.data, file = policy.file,
          line = row.line, longest_s = approval.longest, covers = approval.covers, purposes = list(approval.purposes),
          departments = list(row.set and report.keys(row.set)) }
      end
    end
  end
  return list(out)
end

function governing.text(policies)
  local approvals, checklist = rules.approvals, rules.checklist
  return json.encode {
    digest = core.digest(),
    prompts = { review = reviewers(rules.prompts.review), protected = rules.prompts.protected,
      tests = rules.prompts.tests },
    approvals = { pending_s = approvals.pending, longest_s = approvals.longest,
      break_glass = glass(approvals.break_glass) },
    reviews = plans(rules.reviews),
    checklist = { require = list(checklist.require), audit_retention_s = checklist.audit_retention or 0 },
    rows = rows(policies),
  }
end

function governing.install(policies)
  if not core.governance(governing.text(policies)) then
    report.at(nil, "other_error", "too many rows of the access matrix want an approval: what they say is above 4 MB")
  end
end

return governing
