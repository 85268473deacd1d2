-- Why a request is allowed or denied: `moongate explain`, and mg:explain of the test kit.
--
--   use "explain" { flags = { as = { "sales/ana" }, model = "gpt-5" }, json = true } → text, 0 allowed or 1 denied
--
-- The question is what scripts/explain/question.lua reads, with spent (scripts/explain/spent.lua), with json and colour
-- for the form of the answer, and is_brief for one without remedies. An answer:
-- verdict, request, facts, notes, policies { name, kind, file, state, steps }, candidates, recorded, remedies.
local core, use = ...
local loaded = use "load"
local json = use "json"
local question = use "explain/question"
local walk = use "explain/walk"
local spent = use "explain/spent"
local remedy = use "remedy"
local text = use "explain/text"

local function place(file, line)
  if not file then return nil end
  return line and line > 0 and ("%s:%d"):format(file, line) or file
end

-- --- steps ---

local function rule_step(entry, notes)
  local said = notes[entry.policy .. "/" .. entry.rule]
  return { rule = entry.rule, at = place(entry.file, entry.line), applies = entry.holds, verb = said and said.verb,
    reason = said and said.reason, action = entry.action, mode = entry.mode, conditions = entry.conditions }
end

local function note_step(entry)
  local reason = entry.verb == "http" and "not called here: decided as if it gave no answer" or entry.reason
  return { rule = entry.rule ~= "" and entry.rule or nil, at = place(entry.file, entry.line), applies = true,
    verb = entry.verb, reason = reason, mode = entry.mode, conditions = {} }
end

-- The last word of each rule, and which rules were tried at all.
local function index(log)
  local notes, tried = {}, {}
  for _, entry in ipairs(log) do
    local name = entry.policy .. "/" .. entry.rule
    if entry.what == "rule" then tried[name] = true
    elseif not entry.dropped then notes[name] = entry end
  end
  return notes, tried
end

local function steps_of(name, log)
  local notes, tried = index(log)
  local steps = {}
  for _, entry in ipairs(log) do
    if entry.policy == name then
      if entry.what == "rule" then steps[#steps + 1] = rule_step(entry, notes)
      elseif not entry.dropped and not tried[name .. "/" .. entry.rule] then steps[#steps + 1] = note_step(entry) end
    end
  end
  return steps
end

local function is_denied_by(outcome, policy)
  return outcome.kind ~= "allow" and outcome.policy == policy
end

local function policies_of(seen)
  local list, is_listing = {}, seen.facts and seen.facts.api == "models"
  local place_in_chain, is_over = 0, false
  for i, policy in ipairs(loaded.policies) do
    local steps = steps_of(policy.name, seen.log)
    local state = "passed"
    if not policy.is_off then place_in_chain = place_in_chain + 1 end
    if is_denied_by(seen.outcome, policy.name) then state = seen.outcome.kind == "fault" and "failed" or "denied"
    elseif policy.is_off or policy.mode == "off" then state = "off"
    elseif (is_over or seen.reached and place_in_chain > seen.reached) and not is_listing then
      state = "not reached"
    end
    is_over = is_over or state == "denied" -- limits and budgets are asked together, and the first one answers
    list[i] = { name = policy.name, kind = policy.kind, file = policy.file, mode = policy.mode, state = state,
      steps = steps }
  end
  local models = steps_of("models", seen.log)
  if #models > 0 then
    list[#list + 1] = { name = "models", kind = "models", file = "policies/models.lua", mode = "enforce",
      steps = models, state = is_denied_by(seen.outcome, "models") and "denied" or "passed" }
  end
  return list
end

-- Targets that were proposed and not used, with who says so.
local function candidates_of(log)
  local list = {}
  for _, entry in ipairs(log) do
    local one = entry.dropped
    if one then
      list[#list + 1] = { target = one.target, by = one.by and one.by .. "/" .. one.rule, reason = one.why,
        proposed_by = entry.policy .. "/" .. entry.rule }
    end
  end
  return list
end

-- --- the verdict ---

local function place_of(seen)
  local outcome = seen.outcome
  if outcome.kind == "fault" then return (outcome.fault or ""):match("^(policies/[^:]+:%d+)") end
  local wanted = outcome.kind == "deny" and "deny" or "route"
  for i = #seen.log, 1, -1 do
    local entry = seen.log[i]
    if entry.what == "note" and entry.verb == wanted and (wanted == "route" or entry.policy == outcome.policy) then
      return place(entry.file, entry.line)
    end
  end
end

local function verdict_of(seen)
  local outcome = seen.outcome
  local verdict = { kind = outcome.kind, at = place_of(seen), policy = outcome.policy, rule = outcome.rule,
    model = outcome.model }
  if outcome.kind == "deny" then
    verdict.status, verdict.code, verdict.reason = outcome.status, outcome.code, outcome.reason
    verdict.retry_after_s = outcome.retry_after
  elseif outcome.kind == "fault" then
    verdict.status, verdict.code, verdict.reason = 500, "policy_error", outcome.fault
  else
    verdict.targets = outcome.targets
    if #outcome.models > 0 then verdict.models = outcome.models end
    for _, entry in ipairs(seen.log) do
      if entry.what == "note" and entry.verb == "route" and entry.mode ~= "observe" then
        verdict.policy, verdict.rule, verdict.reason = entry.policy, entry.rule, entry.reason
      end
    end
  end
  return verdict
end

-- What the record of a past request says, beside what is decided today.
local function recorded_of(record)
  if not record then return nil end
  local decision, fault = record.decision or {}, record.fault or {}
  return { id = record.id, time = record.time, status = record.status, outcome = record.outcome,
    policy = decision.policy, rule = decision.rule, code = decision.code or fault.code,
    reason = decision.reason or fault.text, target = record.target, retry_after_s = tonumber(decision.retry_after_s),
    trace = record.trace, policies = record.policy and record.policy.sha256,
    same_policies = record.policy and record.policy.sha256 == core.digest() }
end

local function is_same_verdict(recorded, verdict)
  if recorded.outcome == "denied" then return verdict.kind == "deny" and verdict.code == recorded.code end
  return verdict.kind == "allow"
end

-- A record that nothing is added to is decided by all that it holds.
local function decide(t, q)
  local again = q.again and not q.spent and q.again.outcome
  if not again or again == "undecided" or next(q.flags or {}) then return walk.decide(t) end
  return walk.decide(t, nil, false, '{"record":' .. q.record_text .. "}")
end

-- What only the counters of that time refused: with counters of which nothing was taken it passes, and so does each
-- change of it; none can be shown to be the one that matters.
local function of_its_time(t, answer)
  local recorded = answer.recorded
  local fresh = recorded and recorded.agrees and walk.verdict(t)
  if not fresh or fresh.kind ~= "allow" then return nil end
  local after = recorded.retry_after_s
  return { { kind = "place", at = answer.verdict.at, text = (after and "come again %d s after %s, or raise the limit"
    or "come again when it says, ask for less, or raise the limit"):format(after, tostring(recorded.time)) } }
end

local function note_unmet(names, notes)
  for _, name in ipairs(names) do
    notes[#notes + 1] = name == "" and "nothing is spent: this request comes to no budget"
      or ("nothing of %s is used: this request does not come to it"):format(name)
  end
end

local function explain(t, q, notes)
  spent.suppose(q.spent)
  local seen, why = decide(t, q)
  if not seen then error(why, 0) end
  note_unmet(spent.settle(), notes)
  local answer = { verdict = verdict_of(seen), facts = seen.facts, policies = policies_of(seen),
    candidates = candidates_of(seen.log), request = t, recorded = recorded_of(q.record), digest = core.digest() }
  if answer.recorded then answer.recorded.agrees = is_same_verdict(answer.recorded, answer.verdict) end
  answer.again = not q.spent and q.again or nil
  if answer.verdict.kind ~= "allow" and not q.is_brief then
    answer.remedies = of_its_time(t, answer) or remedy.find(t, seen)
  end
  return answer
end

-- What is only known when a target is called.
local function add_later(answer, notes)
  if answer.verdict.kind ~= "allow" then return end
  for _, policy in ipairs(walk.at_work(loaded.policies)) do
    if policy.on_attempt and policy.mode ~= "off" then
      notes[#notes + 1] = ("on_attempt of %s may still pass over a target when it is called: %s:%d"):format(policy.name,
        policy.file, policy.lines.on_attempt)
    end
  end
end

return function(q)
  local t, notes = question.read(q)
  local answer = explain(t, q, notes)
  add_later(answer, notes)
  answer.notes = notes
  local code = (answer.recorded and (answer.recorded.status or 0) >= 400 or answer.verdict.kind ~= "allow") and 1 or 0
  if q.json then return json.encode(text.jsonable(answer)), code end
  return text.render(answer, q.colour), code
end
