-- An explanation as people read it on a terminal, and as JSON.
local core, use = ...
local words = use "words"
local moment = use "explain/moment"

local text = {}

local codes = { red = "31", green = "32", yellow = "33", blue = "34", bold = "1", dim = "2" }

local function painter(is_coloured)
  return function(colour, s)
    if not is_coloured or s == "" then return s end
    return ("\27[%sm%s\27[0m"):format(codes[colour], s)
  end
end

-- --- lines ---

local function verdict_line(v, paint)
  if v.kind == "allow" then
    local to = v.targets and #v.targets > 0 and "route " .. table.concat(v.targets, ", then ")
      or v.models and "models " .. table.concat(v.models, ", ") or "allowed"
    local by = v.policy and ("  by %s/%s"):format(v.policy, v.rule or "") or ""
    return paint("green", "✓ ") .. paint("bold", to) .. by .. (v.at and "  " .. paint("blue", v.at) or "")
  end
  return paint("red", "✕ ") .. paint("bold", ("%d %s"):format(v.status, v.code)) .. "  " .. tostring(v.reason)
    .. (v.at and "  " .. paint("blue", v.at) or "")
end

local shown = { "app", "department", "user", "team", "tier", "region", "clearance", "env", "role", "approvals", "api",
  "dialect", "asked", "model", "task", "quality", "data", "label", "max_latency_ms", "context_tokens", "max_tokens",
  "uses" }
local dull = { data = "public", api = "chat", dialect = "openai", prompt_status = "none" }

local function facts_lines(facts, digest)
  local known, parts = {}, {}
  for _, name in ipairs(shown) do known[name] = true end
  local names = {}
  for _, name in ipairs(shown) do names[#names + 1] = name end
  local rest = {}
  for name in pairs(facts) do
    if not known[name] then rest[#rest + 1] = name end
  end
  table.sort(rest)
  local skipped = { time = true, key_id = true, input_tokens = true, output_tokens = true, stream = true, tools = true,
    temperature = true, id = true }
  for _, name in ipairs(rest) do
    if not skipped[name] then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do
    local value = facts[name]
    local is_dull = value == nil or value == dull[name] or type(value) == "table" and #value == 0
      or name == "asked" and value == facts.model
    if not is_dull then parts[#parts + 1] = name .. " " .. words.value(value) end
  end
  if facts.stream then parts[#parts + 1] = "stream" end
  local time, day = moment.spell(facts.time)
  return { "  " .. table.concat(parts, "  "), ("  %s %s  policies %s"):format(day, time, digest:sub(1, 12)) }
end

local marks = { passed = { "✓", "green" }, denied = { "✕", "red" }, failed = { "✕", "red" }, off = { "–", "dim" },
  ["not reached"] = { "–", "dim" } }

local function condition_line(condition)
  local seen = condition.seen
  if condition.is_function then return condition.text .. " said no" end
  if type(seen) == "table" and #seen == 0 then seen = nil end
  return ("%s (here %s)"):format(condition.text, seen ~= nil and words.value(seen) or "none")
end

local function failed_conditions(step)
  local parts = {}
  for _, condition in ipairs(step.conditions) do
    if not condition.holds then
      parts[#parts + 1] = condition_line(condition)
    end
  end
  return table.concat(parts, "; ")
end

local function step_lines(step, out, paint)
  local name = step.rule or ""
  local mode = step.mode == "observe" and "  [only observed]" or ""
  if not step.applies then
    out[#out + 1] = paint("dim", ("      · %-28s no: %s"):format(name, failed_conditions(step))) .. "  "
      .. paint("blue", step.at or "")
    return
  end
  local verb = step.verb or step.action or "applies"
  local is_end = (verb == "deny" or verb == "fault") and step.mode ~= "observe"
  local mark = is_end and paint("red", "✕") or (verb == "skip" or verb == "http") and paint("dim", "·")
    or paint("green", "✓")
  local reason = step.reason and step.reason ~= "" and step.reason ~= verb and "  " .. step.reason or ""
  out[#out + 1] = ("      %s %-28s %s%s%s  %s"):format(mark, name, verb, reason, mode, paint("blue", step.at or ""))
end

local function policy_lines(policy, out, paint)
  local mark = marks[policy.state] or marks.passed
  local state = policy.state ~= "passed" and policy.state ~= "denied" and policy.state
    or #policy.steps == 0 and "no objection" or policy.mode == "observe" and "only observed" or ""
  out[#out + 1] = ("  %s %-12s %s"):format(paint(mark[2], mark[1]), policy.name, paint("dim", state))
  if policy.state == "not reached" or policy.state == "off" then return end
  for _, step in ipairs(policy.steps) do step_lines(step, out, paint) end
end

local function candidate_lines(candidates, out, paint)
  if #candidates == 0 then return end
  out[#out + 1] = ""
  out[#out + 1] = "  Targets that were not used"
  for _, c in ipairs(candidates) do
    out[#out + 1] = ("    %s  %s%s"):format(paint("yellow", c.target), c.reason,
      c.by and paint("dim", "  " .. c.by) or "")
  end
end

-- What was answered then.
local function recorded_verdict(r)
  if r.outcome ~= "denied" then
    return ("%s %s%s"):format(tostring(r.status), tostring(r.outcome), r.target and "  " .. r.target or "")
  end
  local by = r.policy and ("  by %s/%s"):format(r.policy, r.rule or "") or ""
  return ("%s %s  %s%s"):format(tostring(r.status), tostring(r.code), tostring(r.reason), by)
end

-- What a decision of today says otherwise than the record comes second: people ask about what was answered.
local function opening(answer, out, paint)
  local r = answer.recorded
  if not r or r.agrees then
    out[1] = verdict_line(answer.verdict, paint)
    return
  end
  local mark = (r.status or 0) < 400 and paint("green", "✓ ") or paint("red", "✕ ")
  out[1] = mark .. paint("bold", recorded_verdict(r)) .. "  as recorded " .. tostring(r.time)
  out[2] = paint("yellow", "  decided again, from what the record holds:  ") .. verdict_line(answer.verdict, paint)
end

local function spell(value)
  if value == nil or type(value) == "table" and value._raw == "null" then return "none" end
  if type(value) ~= "table" then return tostring(value) end
  if value._raw then return "none" end
  local parts = {}
  for i, item in ipairs(value) do parts[i] = spell(item) end
  if #parts > 0 then return table.concat(parts, ", ") end
  if value.verb then
    return ("%s/%s %s %s"):format(value.policy, value.rule or "", value.verb, value.reason or "")
  end
  for name, item in pairs(value) do parts[#parts + 1] = name .. " " .. spell(item) end
  table.sort(parts)
  return table.concat(parts, ", ")
end

-- What the same facts come to by the policies of now.
local function again_lines(again, out, paint)
  if not again then return end
  if again.outcome == "same" then out[#out + 1] = "  decided again  the same today" end
  if again.outcome == "undecided" then
    out[#out + 1] = paint("yellow", "  cannot be decided again: " .. again.reason)
  end
  if again.outcome == "not_replayable" then
    out[#out + 1] = paint("yellow", "  cannot be decided again: it needs " .. spell(again.missing))
  end
  local differences = again.differences._raw and {} or again.differences
  if #differences > 0 then out[#out + 1] = paint("yellow", "  decided again, it differs today:") end
  for _, one in ipairs(differences) do
    out[#out + 1] = ("      %-12s %s → %s"):format(one.what, spell(one.was), spell(one.is))
  end
end

-- What no rule decides: accounts whose circuit breakers were open (core/flow/breaking.c), objects that apps.lua shares.
local by_breakers = { pass_over = "passed over", call_anyway = "called all the same", share = "shared with" }

local function breaker_lines(r, out, paint)
  for _, e in ipairs(type(r.trace) == "table" and r.trace or {}) do
    if by_breakers[e.verb] then
      out[#out + 1] = paint("yellow", ("  %s  %s: %s"):format(by_breakers[e.verb], e.rule or "", e.reason or ""))
    end
  end
end

local function recorded_lines(r, out, paint)
  if not r then return end
  if r.agrees then out[#out + 1] = ("  recorded  %s  %s"):format(tostring(r.time), recorded_verdict(r)) end
  if r.agrees then breaker_lines(r, out, paint) end
  if not r.same_policies then
    out[#out + 1] = paint("yellow",
      ("  the policies have changed since: %s then"):format(tostring(r.policies):sub(1, 12)))
  end
  if not r.agrees then
    out[#out + 1] = paint("yellow", "  what was noted then:")
    for _, e in ipairs(type(r.trace) == "table" and r.trace or {}) do
      out[#out + 1] = ("      %s/%s  %s  %s  %s"):format(e.policy, e.rule or "", e.verb, e.reason or "",
        paint("blue", e.at or ""))
    end
  end
end

local function remedy_line(remedy, word, out, paint)
  out[#out + 1] = "    " .. word .. remedy.text .. (remedy.at and "  " .. paint("blue", remedy.at) or "")
  if remedy.source then out[#out + 1] = paint("green", "        " .. remedy.source) end
  for _, more in ipairs(remedy.also or {}) do remedy_line(more, "and ", out, paint) end
end

local function remedy_lines(answer, out, paint)
  local recorded = answer.recorded
  if recorded and not recorded.agrees and recorded.retry_after_s then
    out[#out + 1] = ""
    out[#out + 1] = paint("bold", "  To let it through")
    out[#out + 1] = ("    come again %d s after %s"):format(recorded.retry_after_s, tostring(recorded.time))
  end
  if answer.verdict.kind == "allow" then return end
  out[#out + 1] = ""
  out[#out + 1] = paint("bold", "  To let it through")
  for _, remedy in ipairs(answer.remedies) do remedy_line(remedy, "", out, paint) end
  if #answer.remedies == 0 then
    out[#out + 1] = "    nothing that was tried would: it is refused for more reasons than a few changes can lift"
  end
end

function text.render(answer, is_coloured)
  local paint, out = painter(is_coloured), {}
  opening(answer, out, paint)
  if answer.facts then
    for _, line in ipairs(facts_lines(answer.facts, answer.digest)) do out[#out + 1] = line end
  end
  for _, note in ipairs(answer.notes) do out[#out + 1] = paint("dim", "  (" .. note .. ")") end
  recorded_lines(answer.recorded, out, paint)
  again_lines(answer.again, out, paint)
  out[#out + 1] = ""
  for _, policy in ipairs(answer.policies) do policy_lines(policy, out, paint) end
  candidate_lines(answer.candidates, out, paint)
  remedy_lines(answer, out, paint)
  return table.concat(out, "\n") .. "\n"
end

-- --- JSON ---

-- Lists stay lists when they are empty, and functions and userdata stay out.
local list_names = { policies = true, steps = true, conditions = true, candidates = true, remedies = true, notes = true,
  targets = true, trace = true, role = true, approvals = true, label = true, uses = true, models = true, values = true,
  path = true, seen = true, differences = true, missing = true }

function text.jsonable(value, name)
  if type(value) ~= "table" then return value end
  if value._raw then return value end
  if list_names[name] and next(value) == nil then return { _raw = "[]" } end
  local copy = {}
  for key, item in pairs(value) do
    if type(item) ~= "function" and type(item) ~= "userdata" then copy[key] = text.jsonable(item, key) end
  end
  return copy
end

return text
