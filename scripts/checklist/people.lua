-- Facts about people, keys, roles, reviews and prompts: they go by the registry.
local core, use = ...
local loaded = use "load"
local governing = use "governing"
local fact = use "checklist/fact"

local people = {}

local function part(count, all, one) return ("%d of %s"):format(count, fact.count(all, one)) end

function people.keys(state)
  local keys = state.registry.keys
  local found = {}
  if keys.unowned > 0 then
    found[1] = { "failing", ("%s have no owner"):format(part(keys.unowned, keys.live, "key")),
      "moongate keys rotate ID, or an owner by PATCH /admin/v1/keys/{id}" }
  end
  if keys.endless > 0 then
    found[#found + 1] = { "failing", ("%s live longer than a year"):format(part(keys.endless, keys.live, "key")),
      "moongate keys create … --expires 365d, and revoke the old one" }
  end
  return fact.of(found, keys.live == 0 and "no key is live"
    or ("%s, each with an owner and an end within a year"):format(fact.count(keys.live, "live key")), keys.sample)
end

-- Who is disabled is let in nowhere, whatever he still has; with a key or a grant he would be back when enabled again.
function people.leavers(state)
  local leavers = state.registry.leavers
  if leavers.left > 0 then
    return fact.attention(("%s of disabled people: they count for nobody until their owner is enabled again"):format(
      fact.count(leavers.left, "key or grant is left", "keys or grants are left")),
      "moongate keys revoke ID, moongate grants revoke ID", leavers.sample)
  end
  return fact.ok(("%s, no live key or grant of theirs"):format(
    fact.count(leavers.disabled, "person is disabled", "people are disabled")))
end

-- --- roles ---

-- Different people, not disabled, that have the role where it covers the department.
function people.count(roles, role, department)
  local seen, count = {}, 0
  for _, one in ipairs(roles) do
    local covers = one.scope == "*" or one.scope == department
    if one.role == role and covers and one.kind == "human" and not seen[one.who] then
      seen[one.who], count = true, count + 1
    end
  end
  return count
end

local idle = { viewer = true, author = true, content_reader = true }

local function scopes_of(roles)
  local list, seen = {}, {}
  for _, one in ipairs(roles) do
    local name = one.role .. " in " .. one.scope
    if not idle[one.role] and not seen[name] then list[#list + 1], seen[name] = one, true end
  end
  return list
end

function people.roles(state)
  local roles, found, sample = state.registry.roles, {}, {}
  local admins = people.count(roles, "admin", "*")
  if admins < 2 then
    found[1] = { "failing", ("%s has the role admin everywhere"):format(admins == 0 and "nobody" or "one person"),
      "moongate roles give PERSON admin" }
  end
  for _, one in ipairs(roles) do
    if one.kind == "service" and not idle[one.role] then sample[#sample + 1] = one.person end
  end
  if #sample > 0 then
    found[#found + 1] = { "failing", fact.count(#sample, "service has a role that decides",
      "services have a role that decides"), "moongate roles take PERSON ROLE SCOPE" }
  end
  for _, one in ipairs(scopes_of(roles)) do
    if one.role ~= "admin" and people.count(roles, one.role, one.scope) < 2 then
      local whom = one.scope == "*" and "everybody" or one.scope
      found[#found + 1] = { "failing", ("one person alone is %s for %s"):format(one.role, whom),
        ("moongate roles give PERSON %s %s"):format(one.role, one.scope) }
    end
  end
  return fact.of(found, ("%s; no service decides, and nobody is alone in a scope"):format(fact.count(admins, "admin")),
    sample)
end

-- --- break-glass ---

function people.glass(state)
  local glass = governing.rules().approvals.break_glass
  local within = glass and glass.close_within or 0
  local late, waiting, sample = 0, 0, {}
  for _, one in ipairs(state.registry.glass) do
    local closed = one.closed_at > 0 and one.closed_at or state.now
    if closed > one.ends_at + within then
      late, sample[#sample + 1] = late + 1, one.id
    elseif one.closed_at == 0 then waiting = waiting + 1 end
  end
  if late > 0 then
    return fact.failing(("%d of %s not closed within %s"):format(late,
      fact.count(#state.registry.glass, "break-glass was", "break-glasses were"), fact.span(within)),
      "moongate approvals close ID, by a second person", sample)
  end
  return fact.ok(("%d since %s%s"):format(#state.registry.glass, fact.day(state.since),
    waiting > 0 and (", %d still in time to be closed"):format(waiting) or ", all closed in time"))
end

-- --- reviews ---

local period_s = { month = 31, quarter = 92, ["half-year"] = 184, year = 366 }

-- The last of a plan that was completed, and the one that is under way.
local function of_plan(reviews, name)
  local done, open
  for _, one in ipairs(reviews) do -- the newest first
    if one.plan == name and one.is_done and not done then done = one end
    if one.plan == name and not one.is_done and not open then open = one end
  end
  return done, open
end

local function judge_plan(state, plan, found)
  local done, open = of_plan(state.registry.reviews, plan.name)
  local oldest = state.now - period_s[plan.every] * fact.DAY - plan.due
  local cure = ("moongate reviews open %s"):format(plan.name)
  if open and open.due_at < state.now then
    found[#found + 1] = { "failing", ("%s was due on %s"):format(plan.name, fact.day(open.due_at)),
      ("moongate reviews show %s"):format(open.id) }
  elseif not (done and done.opened_at >= oldest) and not open then
    found[#found + 1] = { "failing", done and ("%s was last opened on %s"):format(plan.name, fact.day(done.opened_at))
      or ("%s was never done"):format(plan.name), cure }
  elseif not (done and done.opened_at >= oldest) then
    found[#found + 1] = { "attention", ("%s is under way, due on %s"):format(plan.name, fact.day(open.due_at)),
      ("moongate reviews show %s"):format(open.id) }
  end
end

function people.reviews(state)
  local plans, found = governing.rules().reviews or {}, {}
  if #plans == 0 then
    return fact.failing("no plan: nobody looks at rows, grants, keys and roles again",
      'reviews = { { "quarterly", every = "quarter", scope = { "rows", "grants", "keys", "roles" } } } in '
      .. "policies/governance.lua")
  end
  for _, plan in ipairs(plans) do judge_plan(state, plan, found) end
  local waiting = state.registry.revokes_waiting
  if waiting > 0 then
    found[#found + 1] = { "failing", fact.count(waiting, "revoke that was decided is not in force",
      "revokes that were decided are not in force"), "moongate reviews patch ID" }
  end
  return fact.of(found, ("%s, each completed in its period; every revoke is in force"):format(
    fact.count(#plans, "plan")))
end

-- --- prompts ---

local function asks_for_prompts(read)
  for _, term in ipairs(read and read.terms or {}) do
    if term.key == "prompt_status" then return true end
  end
  return false
end

-- A rule that goes by what a request's prompt is worth.
local function has_rule()
  for _, policy in ipairs(loaded.policies) do
    for _, rule in ipairs(policy.is_off and {} or policy.rules or {}) do
      local asks = asks_for_prompts(rule.when) or asks_for_prompts(rule.unless)
      if policy.mode == "enforce" and asks then return true end
    end
  end
  return false
end

function people.prompts(state)
  local found, sample, wants_tests = {}, {}, governing.rules().prompts.tests == "required"
  for _, one in ipairs(state.registry.prompts) do
    local is_tested = one.ran_at > 0 and one.failed == 0 and one.passed > 0
    local is_good = one.status == "approved" and one.reviews > 0 and (is_tested or not wants_tests)
    if not is_good then sample[#sample + 1] = one.name end
  end
  if #sample > 0 then
    found[1] = { "failing", ("%d of %s in production without a review or passed tests of the very text"):format(#sample,
      fact.count(#state.registry.prompts, "prompt")), "moongate prompts test NAME" }
  end
  if not has_rule() then
    found[#found + 1] = { "attention", "no rule asks apps for reviewed prompts",
      'a rule with prompt_status in the chain, as policies/README.md shows' }
  end
  return fact.of(found, ("%s in production, each reviewed by another person%s"):format(
    fact.count(#state.registry.prompts, "prompt"), wants_tests and ", its tests passed" or ""), sample)
end

return people
