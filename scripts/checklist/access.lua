-- Facts about who may use what, with which data: they go by the policies at work, and by whom the ledger has seen.
local core, use = ...
local loaded = use "load"
local catalogue = use "catalogue"
local facts = use "facts"
local report = use "report"
local schema = use "schema"
local fact = use "checklist/fact"
local people = use "checklist/people"

local access = {}

local function at_work(kind)
  local list = {}
  for _, policy in ipairs(loaded.policies) do
    if policy.kind == kind and not policy.is_off and policy.mode ~= "off" then list[#list + 1] = policy end
  end
  return list
end
access.at_work = at_work

-- Those that enforce; the first that denies what has no row, if one does.
local function matrices()
  local list, closed = {}, nil
  for _, policy in ipairs(at_work "access") do
    if policy.mode == "enforce" then
      list[#list + 1] = policy
      closed = closed or policy.default == "deny" and policy or nil
    end
  end
  return list, closed
end

-- Models that callers were let through to, by their own names; one that models.lua no longer has cannot be used again.
function access.used(ledger)
  local used, seen = {}, {}
  for _, row in ipairs(ledger.models) do
    local entry = catalogue.names[row.name]
    local name = entry and entry.model.name
    if name and row.requests > row.denied and not seen[name] then
      used[#used + 1], seen[name] = name, true
    end
  end
  return used
end

function access.rows(state)
  local _, matrix = matrices()
  if not matrix then
    return fact.failing("no access policy that enforces denies what has no row",
      'a matrix in the chain with default = "deny": policies/access.lua')
  end
  local why = fact.missing(state.ledger, "the ledger")
  if why then return why end
  local used, without = access.used(state.ledger), {}
  for _, name in ipairs(used) do
    local row = matrix.rows[name]
    if not catalogue.models[name].virtual and not (row and row.mode == "enforce") then without[#without + 1] = name end
  end
  if #without > 0 then
    return fact.failing(("%d of %s used have no row that enforces"):format(#without, fact.count(#used, "model")),
      ('["%s"] = { departments = { … }, data = "…" } in %s'):format(without[1], matrix.file), without)
  end
  return fact.ok(("default is deny; %d of %s used since %s have a row"):format(#used, fact.count(#used, "model"),
    fact.day(state.since)))
end

-- --- data classes ---

local function apps_without_class()
  local without = {}
  for _, name in ipairs(report.keys(facts.apps or {})) do
    if not facts.apps[name].defaults.data then without[#without + 1] = name end
  end
  return without
end

local function check_redaction(found)
  local enforcing
  for _, policy in ipairs(at_work "redaction") do
    if policy.mode == "enforce" then enforcing = policy end
  end
  if not enforcing then
    found[#found + 1] = { "failing", "no redaction enforces", "a redaction policy in the chain of policies/init.lua" }
  elseif enforcing.unscanned == "warn" then
    found[#found + 1] = { "failing", "what redaction cannot look at is let through with a warning",
      ('unscanned = "deny" in %s:%d'):format(enforcing.file, enforcing.line) }
  end
end

function access.classes()
  local found, without = {}, apps_without_class()
  if #matrices() == 0 then
    found[1] = { "failing", "no row says which data a model may see", "policies/access.lua" }
  end
  if not facts.apps then
    found[#found + 1] = { "failing", "no policies/apps.lua says which data requests hold", "policies/apps.lua" }
  elseif #without > 0 then
    found[#found + 1] = { "failing", fact.count(#without, "app has no data class", "apps have no data class"),
      'defaults = { data = "internal" } in policies/apps.lua' }
  end
  check_redaction(found)
  return fact.of(found, "rows and apps are classed, services by what they are cleared for; redaction enforces, and "
    .. "denies what it cannot look at", without)
end

-- --- approvals ---

-- Loopback, private and unique local addresses, names that no public zone has.
local function is_inside(url)
  local host = url:match("^%w+://%[?([^/%]]+)") or ""
  if not url:find("://[", 1, true) then host = host:gsub(":%d+$", "") end
  local second = tonumber(host:match("^172%.(%d+)%."))
  return host == "localhost" or host == "::1" or host:find("^127%.") or host:find("^10%.") or host:find("^192%.168%.")
    or second and second >= 16 and second <= 31 or host:find("^f[cd]%x%x:") or not host:find("[.:]")
    or host:find("%.internal$") or host:find("%.local$") or host:find("%.lan$") or host:find("%.home%.arpa$")
end

-- Every target that has an account runs in the house.
local function is_self_hosted(model, accounts)
  local any = false
  for _, target in ipairs(model.targets) do
    local account = accounts and accounts[target.provider]
    if account and not is_inside(account.url or "") then return false end
    any = any or account ~= nil
  end
  return any
end

local function departments_of(row)
  return row.set and report.keys(row.set) or { "*" }
end

local function check_roles(state, row, name, found)
  for _, role in ipairs { row.approval.by, row.approval.also } do
    for _, department in ipairs(departments_of(row)) do
      local count = people.count(state.registry.roles, role, department)
      if count < 2 then
        found[#found + 1] = { "failing", ("%s: %s may approve as %s%s"):format(name,
          count == 0 and "nobody" or "one person", role, department == "*" and "" or " for " .. department),
          ("moongate roles give PERSON %s %s"):format(role, department) }
      end
    end
  end
end

function access.sensitive(state)
  local found, open, sensitive = {}, {}, 0
  local why = fact.missing(state.registry, "the registry")
  for _, policy in ipairs((matrices())) do
    for _, name in ipairs(report.keys(policy.rows)) do
      local row, model = policy.rows[name], catalogue.models[name]
      local is_sensitive = row.mode == "enforce" and row.rank >= schema.class_rank.confidential and model
        and not is_self_hosted(model, state.config.providers)
      if is_sensitive then sensitive = sensitive + 1 end
      if is_sensitive and not row.approval then open[#open + 1] = ("%s (%s:%d)"):format(name, policy.file, row.line) end
      if row.approval and row.mode == "enforce" and not why then check_roles(state, row, name, found) end
    end
  end
  if #open > 0 then
    table.insert(found, 1, { "failing",
      ("%d of %s from confidential up and not self-hosted ask for no approval"):format(#open,
        fact.count(sensitive, "row")), 'approval = "manager" in the row' })
  end
  if #found == 0 and why then return why end
  return fact.of(found, sensitive == 0 and "no row from confidential up leaves the house"
    or ("%s from confidential up; each asks for an approval that two people or more may give"):format(
      fact.count(sensitive, "row")), open)
end

return access
