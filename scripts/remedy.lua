-- The smallest changes that would let a denied request through, each one tried in the engine before it is named.
--
--   remedy.find(t, seen)     -- t: the request (scripts/request.lua), seen: what walk.decide gave
--     → { { kind, text, fact, values, change, edit, at, source } … }, the nearest first
--
-- kind: "request" (another model, fewer tokens, …), "caller" (another department, a role, …), "approval", "topup" (of
-- the budget that refused), "edit" (a row or a rule of a file, with the line to write), "place" (a function decided:
-- where it stands).
-- change: { set = { field = value }, as = { field = value }, remove = { fields } }, to be applied to the request.
-- A remedy that was not seen to flip the decision is never given; one place is no remedy, only where to look.
local core, use = ...
local candidates = use "remedy/candidates"
local changes = use "remedy/changes"
local edits = use "remedy/edits"
local tries = use "remedy/tries"
local walk = use "explain/walk"
local in_words = use "remedy/words"

local remedy = {}

-- Decisions tried at most, for each way to search; a large bundle ends here.
local TRIES_MAX = 1000
local SHOWN_MAX = 6
local STEPS_MAX, BRANCHES_MAX = 4, 3

local function is_allowed(outcome) return outcome and outcome.kind == "allow" end

-- --- changes of the request ---

-- Those that work, one entry a fact, in the order of the facts.
local function singles(t, list, budget)
  local found, by_fact = {}, {}
  for _, change in ipairs(list) do
    if not tries.take(budget) then break end
    if is_allowed(walk.verdict(changes.apply(t, change))) then
      local entry = by_fact[change.fact]
      if not entry then
        entry = { kind = change.kind, fact = change.fact, values = {}, change = change.change, first = change }
        by_fact[change.fact] = entry
        found[#found + 1] = entry
      end
      entry.values[#entry.values + 1] = change.value
    end
  end
  return found
end

-- Two facts at once, when none alone is enough. The first pair that works for each two facts.
local function pairs_of(t, list, budget)
  local found, done = {}, {}
  for i = 1, #list do
    local once = changes.apply(t, list[i])
    for j = i + 1, #list do
      local a, b = list[i], list[j]
      local name = a.fact .. " " .. b.fact
      if a.fact ~= b.fact and not done[name] and tries.take(budget) then
        if is_allowed(walk.verdict(changes.apply(once, b))) then
          done[name] = true
          found[#found + 1] = { kind = a.kind, fact = name, values = { a.value, b.value },
            change = changes.merge(a.change, b.change),
            text = in_words(a, { a.value }) .. ", and " .. in_words(b, { b.value }) }
          if #found == 3 then return found end
        end
      end
    end
  end
  return found
end

-- --- several facts ---

local function who_denied(outcome)
  return outcome and outcome.kind == "deny"
    and ("%s/%s/%s"):format(tostring(outcome.policy), tostring(outcome.rule), outcome.code)
end

local function is_used(chosen, change)
  for _, other in ipairs(chosen) do
    if other.fact == change.fact then return true end
  end
  return false
end

local function extended(list, item)
  local longer = { unpack(list) }
  longer[#longer + 1] = item
  return longer
end

-- One fact after another, each leaving the rule that denied behind it, until nothing denies: list of changes, or nil.
local function steps(t, seen, chosen, denied, budget)
  local branches = {}
  for _, change in ipairs(candidates(t, seen)) do
    if not is_used(chosen, change) then
      if not tries.take(budget) then return nil end
      local after = changes.apply(t, change)
      local outcome = walk.verdict(after)
      if is_allowed(outcome) then return extended(chosen, change) end
      local who = who_denied(outcome)
      if who and not denied[who] and #branches < BRANCHES_MAX then
        denied[who] = true
        branches[#branches + 1] = { change, after }
      end
    end
  end
  if #chosen + 1 == STEPS_MAX then return nil end
  for _, branch in ipairs(branches) do
    local found = steps(branch[2], walk.decide(branch[2]), extended(chosen, branch[1]), denied, budget)
    if found then return found end
  end
end

local function together(chosen)
  if not chosen then return {} end
  local out = { kind = chosen[1].kind, values = {}, change = chosen[1].change }
  local texts, names = {}, {}
  for i, change in ipairs(chosen) do
    out.values[i], names[i] = change.value, change.fact
    if i > 1 then out.change = changes.merge(out.change, change.change) end
    texts[i] = in_words(change, { change.value })
  end
  out.text, out.fact = table.concat(texts, ", and "), table.concat(names, " ")
  return { out }
end

-- A change of the request after which edits let it through: for a model that does not exist, a key that is not known.
local function mixed(t, list, seen)
  local first, met = who_denied(seen.outcome), 0
  for _, change in ipairs(list) do
    local after = changes.apply(t, change)
    local who = who_denied(walk.verdict(after))
    if who and who ~= first then
      met = met + 1
      local edit = edits.find(after, walk.decide(after), tries.new(TRIES_MAX / BRANCHES_MAX))[1]
      if edit then
        edit.change, edit.fact, edit.text = change.change, change.fact,
          in_words(change, { change.value }) .. ", and " .. edit.text
        return { edit }
      end
      if met == BRANCHES_MAX then return {} end
    end
  end
  return {}
end

local function add_words(found)
  for _, entry in ipairs(found) do
    entry.text = entry.text or in_words(entry.first, entry.values)
    entry.first = nil
  end
  return found
end

-- --- functions ---

-- Where a function said no: nothing can be proven about it, but it can be read.
local function place_of(seen)
  local outcome = seen.outcome
  for i = #seen.log, 1, -1 do
    local entry = seen.log[i]
    if entry.what == "note" and entry.verb == "deny" and entry.policy == outcome.policy
      and entry.rule == outcome.rule then
      if entry.rule == "on_request" then
        return { kind = "place", at = ("%s:%d"):format(entry.file, entry.line),
          text = "a function decided this; read it" }
      end
    end
  end
  if outcome.kind == "fault" then
    local at = (outcome.fault or ""):match("^(policies/[^:]+:%d+)")
    return { kind = "place", at = at, text = "the policy failed; correct it" }
  end
end

function remedy.find(t, seen)
  if seen.outcome.kind == "fault" then return { place_of(seen) } end
  tries.begin()
  local list = candidates(t, seen)
  local found = singles(t, list, tries.new(math.huge))
  if #found == 0 then found = pairs_of(t, list, tries.new(TRIES_MAX)) end
  if #found == 0 then
    local denied = { [who_denied(seen.outcome) or ""] = true }
    found = together(steps(t, seen, {}, denied, tries.new(TRIES_MAX)))
  end
  add_words(found)
  while #found > SHOWN_MAX do table.remove(found) end
  for _, edit in ipairs(edits.find(t, seen, tries.new(TRIES_MAX))) do found[#found + 1] = edit end
  if #found == 0 then found = mixed(t, list, seen) end
  found[#found + 1] = place_of(seen)
  return found
end

return remedy
