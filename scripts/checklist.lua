-- The checklist of governance: facts computed from what is so, not from what somebody ticked.
--
--   use "checklist" { now, since, config, registry, ledger, gate, nodes, gateway, is_fleet, require = { ids } }
--     → JSON { gateway, as_of, since, policies, facts, mapping, … }, 0 all that is required is well, 1 something is not
--
-- What comes in is the state of core/admin/checklist/checklist.h; what is judged here is one function a fact. A fact:
-- { id, title, status = "ok" | "attention" | "failing" | "unknown", value, wanted, as_of,
--   evidence = { query, link, sample }, cure, is_required }.
-- It says what supports a control (scripts/catalogue/controls.lua); whether that satisfies it, people judge.
local core, use = ...
use "load"
local access = use "checklist/access"
local fact = use "checklist/fact"
local governing = use "governing"
local json = use "json"
local operations = use "checklist/operations"
local people = use "checklist/people"
local report = use "report"
local controls = use "catalogue/controls"

-- id, title, wanted, judge, query, link, of_registry: it cannot be told without the registry
local facts = {
  { "access.rows", "Access is denied unless a row allows it",
    'default = "deny", and a row for each model used in the period', access.rows,
    "moongate spend --by model", "/admin/v1/checklist/access.rows" },
  { "data.classes", "Data has classes, and redaction enforces",
    "rows, apps and services classed; redaction enforces; nothing passes unscanned", access.classes,
    "moongate describe", "/admin/v1/checklist/data.classes" },
  { "approvals.sensitive", "Sensitive models ask for another person's approval",
    "rows from confidential up that are not self-hosted ask; two people or more have each role they ask for",
    access.sensitive, "moongate roles list", "/admin/v1/roles" },
  { "audit.trail", "The audit trail is whole, witnessed and kept",
    "verified within 24 hours, anchors witnessed, kept 183 days or longer, no record lost", operations.trail,
    "moongate audit verify", "/admin/v1/checklist/audit.trail" },
  { "reviews.current", "Access is looked at again in each period",
    "each plan completed in its period, every revoke in force", people.reviews, "moongate reviews list",
    "/admin/v1/reviews", true },
  { "prompts.reviewed", "Prompts in production were reviewed and tested",
    "apps go by reviewed prompts; what is in production passed its tests", people.prompts, "moongate prompts list",
    "/admin/v1/prompts", true },
  { "keys.owned", "Each key has an owner and an end", "an owner, and an end within a year", people.keys,
    "moongate keys list", "/admin/v1/keys", true },
  { "people.leavers", "Who left has nothing that is live", "no live key or grant of a disabled person", people.leavers,
    "moongate people list", "/admin/v1/people", true },
  { "roles.separated", "Nobody decides alone", "two admins or more, no service decides, nobody alone in a scope",
    people.roles, "moongate roles list", "/admin/v1/roles", true },
  { "break_glass.closed", "Break-glass is looked at afterwards", "each closed in time by a second person", people.glass,
    "moongate grants list --all", "/admin/v1/grants", true },
  { "bundle.signed", "Policies go live with signatures only", "a gate, and signatures that are valid",
    operations.signed, "moongate bundle status", "/admin/v1/checklist/bundle.signed" },
  { "bundle.one", "All processes go by the same policies", "one digest everywhere", operations.one,
    "moongate bundle status", "/readyz?verbose" },
  { "prices.current", "Prices are known and fresh", "read within 90 days, no request without a price",
    operations.prices, "moongate price MODEL", "/admin/v1/checklist/prices.current" },
  { "budgets.set", "Each department has a bound", "a budget that blocks for each department in traffic",
    operations.budgets, "moongate budgets", "/admin/v1/checklist/budgets.set" },
  { "providers.listed", "Provider accounts are known", "owner, region, contract and class of data of each",
    operations.providers, "moongate check --json", "/admin/v1/providers" },
  { "stop.works", "A provider can be switched off at once", "a switch took within 1 s, drilled within 90 days",
    operations.stop, "moongate audit search kind:change action:providers.disable", "/admin/v1/providers" },
  { "alerts.arrive", "Alerts arrive", "each sink took a notice within 7 days", operations.alerts,
    "moongate sinks test", "/admin/v1/checklist/alerts.arrive" },
  { "backup.fresh", "Backups are fresh, and were tried", "backed up within 7 days, restored within 90",
    operations.backups, "moongate audit search kind:change action:registry.backup",
    "/admin/v1/checklist/backup.fresh" },
}

local function judge(row, state)
  local why = row[7] and fact.missing(state.registry, "the registry")
  return why or row[4](state)
end

local function evidence(row, found)
  return { query = row[5], link = row[6], sample = #found.sample > 0 and found.sample or json.raw "[]" }
end

local function view(row, state, required)
  local found = judge(row, state)
  return { id = row[1], title = row[2], wanted = row[3], status = found.status, value = found.value,
    cure = found.cure or json.raw "null", as_of = fact.instant(found.as_of or state.now),
    evidence = evidence(row, found), is_required = required[row[1]] or false }
end

-- Those that the command names, else those of governance.lua, else all.
local function required_of(state)
  local given = state.require and #state.require > 0 and state.require or governing.rules().checklist.require
  local set, known = {}, {}
  for _, row in ipairs(facts) do known[row[1]] = true end
  for _, id in ipairs(given or {}) do
    if not known[id] then
      error(("there is no fact '%s'%s"):format(id, ": " .. (report.nearest(id, report.keys(known))
        or "they are " .. table.concat(report.keys(known), ", "))), 0)
    end
    set[id] = true
  end
  return next(set) and set or known
end

local function count(list)
  local sums = { ok = 0, attention = 0, failing = 0, unknown = 0 }
  for _, one in ipairs(list) do sums[one.status] = sums[one.status] + 1 end
  return sums
end

return function(state)
  local required, list, code = required_of(state), {}, 0
  for i, row in ipairs(facts) do
    list[i] = view(row, state, required)
    if list[i].is_required and (list[i].status == "failing" or list[i].status == "unknown") then code = 1 end
  end
  return json.encode { gateway = state.gateway or "moongate", as_of = fact.instant(state.now),
    since = fact.day(state.since), policies = core.digest(), facts = list, counts = count(list),
    mapping = controls.mapping(), note = controls.note, is_well = code == 0 }, code
end
