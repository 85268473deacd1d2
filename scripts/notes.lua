-- What the chain leaves behind: a line in the trace for each word that is said, and the denial that ends it.
--
--   notes.note(f, policy, rule, verb, reason, mode, line)
--   return notes.deny(f, policy, rule, { status =, code =, retry_after =, approval = }, reason, mode, line)
--     -- "over", or nil when observed
local core, use = ...

local notes = {}

function notes.note(f, policy, rule, verb, reason, mode, line)
  if f._quiet then return end
  core.trace(policy.name, rule, verb, reason, mode, policy.file, line)
end

-- Ends the chain, unless this is only observed.
function notes.deny(f, policy, rule, action, reason, mode, line)
  reason = reason or action.code:gsub("_", " ")
  notes.note(f, policy, rule, "deny", reason, mode, line)
  if mode == "observe" then return nil end
  if not f._quiet then
    core.deny(action.status, action.code, reason, policy.name, rule, action.retry_after, action.approval)
  end
  return "over"
end

-- A text without a policy's place gets the nearest that is known: what fails in a tail call has left its line behind.
function notes.placed(policy, line, text)
  local without = text:gsub("^policies/[%w_/]+%.lua: ", ""):gsub("^scripts/[%w_/]+%.lua:%d+: ", "")
  if without:find("^policies/[%w_/]+%.lua:%d") then return without end
  return ("%s:%d: %s"):format(policy.file, line or policy.line or 1, without)
end

return notes
