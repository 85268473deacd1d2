-- trace.span(name, f): runs f and notes in the request's trace how long it took; gives what f gives.
-- together(f, g, …): runs them beside each other, so that their waiting overlaps; gives the first value of each.
--
-- Neither catches anything: what stops or fails inside stops or fails the hook.
local core, use = ...
local notes = use "notes"
local raise = use "raise"

local trace = {}

local function ended(f, name, began, ...)
  notes.note(f, f._policy, name, "span", ("%.1f ms"):format(core.clock_ms() - began), f._policy.mode, 0)
  return ...
end

trace.words = {
  span = function(name, fn)
    if type(name) ~= "string" or type(fn) ~= "function" then
      raise.error("bad_value", "trace.span(name, f) wants a text and a function", 0)
    end
    local f = core.facts()
    return ended(f, name:sub(1, 64), core.clock_ms(), fn())
  end,
}

function trace.together(...)
  core.together_start(...)
  return core.together_take()
end

return trace
