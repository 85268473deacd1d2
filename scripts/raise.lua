-- Raises what a policy did wrong, with the finding that it is where somebody reports it: while files are loaded and
-- their examples decided. Lua raises texts only, so the finding of the last one is remembered beside it.
--
--   raise.error("bad_predicate", "like wants a text", 0)  -- a word of core/base/finding.h; text, level as error() has
--   raise.finding_of(message)                             -- of what was caught: its own, else what Lua's words mean
--   raise.close()                                         -- from here on nothing of a raise is kept
local core = ...

local raise = {}
local is_open = true
local last = { text = "", finding = "other_error" }

-- Longer texts are cut on their way.
local TEXT_MAX = 200

function raise.error(finding, text, level)
  if is_open then last = { text = text:sub(1, TEXT_MAX), finding = finding } end
  level = level or 1
  error(text, level == 0 and 0 or level + 1)
end

function raise.finding_of(message)
  if last.text ~= "" and message:find(last.text, 1, true) then return last.finding end
  return core.raised(message)
end

function raise.close()
  is_open, last = false, { text = "", finding = "other_error" }
end

return raise
