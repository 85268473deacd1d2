-- What the chain leaves behind: a line in the trace for each word that is said, and the denial that ends it.
--
--   notes.note(f, policy, rule, verb, reason, mode, line)
--   return notes.deny(f, policy, rule, { status =, code =, retry_after = }, reason, mode, line)     -- "over", or nil when observed
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
  if not f._quiet then core.deny(action.status, action.code, reason, policy.name, rule, action.retry_after) end
  return "over"
end

return notes
