-- access { models = { … }, default = "deny", rules = { … } }: who may use which model, with what data.
--
-- The matrix is asked for the model of the request, and again for every target that could be called in its place.
local core, use = ...
local report = use "report"
local schema = use "schema"
local predicates = use "predicates"
local policies = use "policies"
local conditions = use "condition"
local catalogue = use "catalogue"
local chain = use "chain"
local approval = use "approval"
local sub = report.sub

local access = {}
local class_rank = schema.class_rank

local everybody = { ["*"] = true, any = true, all = true, everybody = true, everyone = true }

local function department(value, path)
  if not everybody[value] then return schema.text(value, path) end
  report.at(path, "bad_value", ("'%s' would be the name of one department"):format(value), "write departments = any")
end

-- { departments, data, approval } → a set of names; nil stands for any.
local function departments(value, path)
  local predicate = predicates.of(value)
  if predicate and predicate.op == "any" then return { any = true } end
  local set = {}
  for _, name in ipairs(schema.one_or_list(department)(value, path) or {}) do set[name] = true end
  return { set = set }
end

local shape = schema.record({ departments = departments, data = schema.class, approval = approval.shape,
  mode = schema.mode, description = schema.text }, { "departments", "data" }, "field of a row")

local function compile_rows(spec, policy)
  local rows = {}
  for name, row in pairs(schema.map(shape)(spec.models or {}, sub(nil, "models")) or {}) do
    local path = sub(sub(nil, "models"), name)
    local model = conditions.check_model(name, path)
    if model and model ~= name then
      report.at(path, "unknown_model", ("'%s' is an alias of '%s': name the model"):format(name, model))
    end
    local known = model and catalogue.models[model]
    if known and known.virtual then
      report.at(path, "bad_name", "a virtual model needs no row: what it leads to is checked")
    end
    local mode = row and row.mode or policy.mode
    if policy.mode == "observe" and mode == "enforce" then mode = "observe" end
    if row and row.departments and row.data and mode ~= "off" then
      local line = report.place(path)
      rows[name] = {
        set = row.departments.set, rank = schema.class_rank[row.data], data = row.data, approval = row.approval,
        mode = mode, line = line, rule = "models." .. name,
      }
    elseif mode == "off" then
      rows[name] = { rank = math.huge, mode = "off", rule = "models." .. name }
    end
  end
  return rows
end

local codes = {
  departments = { status = 403, code = "department_not_authorized" },
  data = { status = 403, code = "data_not_allowed" },
  approval = { status = 403, code = "approval_required" },
  approvals_unknown = { status = 503, code = "approvals_unknown", retry_after = 5 },
  default = { status = 403, code = "model_not_authorized" },
}

-- What a row has against this request: the column's name, a reason, and for want of an approval how to ask for it; nil
-- when nothing.
local function objection(row, name, f)
  if row.set and not row.set[f.department] then
    local who = f.department and "department " .. f.department or "a caller without a department"
    return "departments", ("%s may not use %s"):format(who, name)
  end
  if row.rank < schema.class_rank[f.data] then
    return "data", ("%s data may not be sent to %s, which may see data up to %s"):format(f.data, name, row.data)
  end
  if not row.approval then return nil end
  if approval.unknown() then
    return "approvals_unknown", ("whether %s is still approved cannot be looked up now: try again"):format(name)
  end
  local grant = approval.of(f, name, row.approval)
  if not grant then return "approval", approval.refusal(f, name, row.approval) end
  f._granted = f._granted or {}
  f._granted[name] = grant
end

-- The matrix' word on one model: nil, or a reason, the rule, the column, the row's mode and line, and how to ask.
local function verdict(policy, f, name)
  local row = policy.rows[name]
  -- Nothing against it, nearly always: asked in one breath, because every candidate is.
  if row and not row.approval and class_rank[f.data] <= row.rank then
    local set = row.set
    if not set or set[f.department] then return nil end
  end
  if not row then
    if policy.default == "allow" then return nil end
    return ("no row in policies/access.lua lets anybody use %s"):format(name), "default", "default", policy.mode,
      policy.line
  end
  local column, reason, ask = objection(row, name, f)
  if not column then return nil end
  return reason, row.rule .. "." .. column, column, row.mode, row.line, ask
end

-- As a filter on candidates; what is only observed lets them through.
local function check_target(policy)
  return function(f, target)
    local reason, rule, _, mode = verdict(policy, f, target.owner.name)
    if reason and mode == "enforce" then return reason, rule end
  end
end

local function check_model(f, policy)
  local model = f._entry.model
  if model.virtual then return nil end
  local reason, rule, column, mode, line, ask = verdict(policy, f, model.name)
  if not reason then return nil end
  local action = codes[column]
  if ask then action = { status = action.status, code = action.code, approval = ask } end
  return chain.deny(f, policy, rule, action, reason, mode, line)
end

local function run(f, policy)
  if check_model(f, policy) then return "over" end
  local filters = f._filters
  filters[#filters + 1] = policy.filter
  return chain.run_all(f, policy)
end

-- For the list of models: the same without the hook, which speaks of requests.
local function run_listing(f, policy)
  if check_model(f, policy) then return "over" end
  local filters = f._filters
  filters[#filters + 1] = policy.filter
  return chain.run_rules(f, policy)
end

function access.compile(spec, policy)
  policies.check(spec, { "models", "default" })
  policies.compile(spec, policy,
    { deny = true, only = true, drop = true, pass = true, annotate = true, warn = true, record = true })
  policy.rows = compile_rows(spec, policy)
  policy.default = spec.default == nil and "deny"
    or schema.choice { "deny", "allow" }(spec.default, sub(nil, "default")) or "deny"
  policy.filter = { policy = policy, check = check_target(policy) }
  policy.run, policy.run_listing = run, run_listing
end

return access
