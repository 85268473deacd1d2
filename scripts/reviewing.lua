-- What access reviews ask of a generation of policies: which cells the matrix allows, and how a declared row is
-- written so that it allows less.
--
--   use "reviewing" {}                  → { digest, rows = { { department, model, file, line, data, approval } … } }
--   use "reviewing" { answers = { { department, model, decision = "revoke" | "reduce", departments } … } }
--     → { files = { { path, text } … }, diff = a unified diff of them, left = { { department, model, at, why } … } }
--
-- department "*": the row is for any. left: what no file says as a table of its own, and where to look instead.
local core, use = ...
local loaded = use "load"
local json = use "json"
local report = use "report"
local spans = use "reviewing/spans"
local unified = use "reviewing/unified"
local walk = use "explain/walk"
local words = use "words"

local ANY = "*"

local function matrices()
  local list = {}
  for _, policy in ipairs(walk.at_work(loaded.policies)) do
    if policy.kind == "access" then list[#list + 1] = policy end
  end
  return list
end

-- --- what is allowed ---

local function allows(policy, department, model)
  local row = policy.rows[model]
  if not row then return policy.default == "allow" end
  return row.mode ~= "enforce" or not row.set or row.set[department] or false
end

-- Each matrix must let it pass.
local function is_allowed(list, department, model)
  for _, policy in ipairs(list) do
    if not allows(policy, department, model) then return false end
  end
  return true
end

local function cells_of(policy, list, known, out)
  local function add(department, model, row)
    local name = department .. "\0" .. model
    if known[name] or not is_allowed(list, department, model) then return end
    known[name] = true
    out[#out + 1] = { department = department, model = model, file = policy.file, line = row.line or 0,
      data = row.data, approval = row.approval and row.approval.by }
  end
  for _, model in ipairs(report.keys(policy.rows)) do
    local row = policy.rows[model]
    if row.mode ~= "off" then
      for _, department in ipairs(row.set and report.keys(row.set) or { ANY }) do add(department, model, row) end
    end
  end
  if policy.default == "allow" then add(ANY, ANY, { line = policy.line }) end
end

local function cells()
  local list, known, out = matrices(), {}, {}
  for _, policy in ipairs(list) do cells_of(policy, list, known, out) end
  return out
end

-- --- less of it ---

local function definition_of(policy)
  for i, other in ipairs(loaded.policies) do
    if other == policy then return loaded.definitions[i] end
  end
end

-- What is to be of a row: the departments that stay; nil: no row.
local function remaining(row, answers)
  if not row.set then
    for _, answer in ipairs(answers) do
      if answer.decision == "reduce" and answer.departments then return answer.departments end
    end
    return nil
  end
  local gone, rest = {}, {}
  for _, answer in ipairs(answers) do gone[answer.department] = true end
  for _, department in ipairs(report.keys(row.set)) do
    if not gone[department] then rest[#rest + 1] = department end
  end
  return #rest > 0 and rest or nil
end

local function leave(left, answers, at, why)
  for _, answer in ipairs(answers) do
    left[#left + 1] = { department = answer.department, model = answer.model, at = at, why = why }
  end
end

local function change_row(policy, model, answers, edits, left)
  local row, file = policy.rows[model], definition_of(policy).file
  local at = ("%s:%d"):format(policy.file, row.line or 0)
  local rest = remaining(row, answers)
  if not rest and policy.default == "allow" then
    return leave(left, answers, at, "without a row the default allows it: write who may")
  end
  local edit
  if rest then edit = spans.value(file.text, { "models", model, "departments" }, words.source(rest))
  else edit = spans.field(file.text, { "models", model }) end
  if not edit then
    return leave(left, answers, at, "the row is made by code, or stands in another file: change it there")
  end
  edits[policy.file] = edits[policy.file] or { text = file.text, path = policy.file }
  table.insert(edits[policy.file], edit)
end

-- By their row, in the order in which they came.
local function by_model(answers)
  local order, of = {}, {}
  for _, answer in ipairs(answers) do
    if not of[answer.model] then
      of[answer.model] = {}
      order[#order + 1] = answer.model
    end
    table.insert(of[answer.model], answer)
  end
  return order, of
end

local function patch(answers)
  local edits, left, files, diff = {}, {}, {}, ""
  local order, of = by_model(answers)
  for _, model in ipairs(order) do
    local is_found = false
    for _, policy in ipairs(matrices()) do
      if policy.rows[model] then
        is_found = true
        change_row(policy, model, of[model], edits, left)
      end
    end
    if not is_found then leave(left, of[model], "", "no row says it: the matrix allows what it does not name") end
  end
  for _, path in ipairs(report.keys(edits)) do
    local text, hunks = unified.apply(edits[path].text, edits[path])
    files[#files + 1] = { path = (path:gsub("^policies/", "")), text = text }
    diff = diff .. unified.write(path, hunks)
  end
  local function list(items) return #items > 0 and items or json.raw "[]" end
  return { files = list(files), diff = diff, left = list(left) }
end

return function(question)
  if question.answers then return json.encode(patch(question.answers)), 0 end
  local rows = cells()
  return json.encode { digest = core.digest(), rows = #rows > 0 and rows or json.raw "[]" }, 0
end
