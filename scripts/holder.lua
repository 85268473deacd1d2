-- Whose key is being made? Names that the policies refute, before it is given away: an app that nobody lists is refused
-- at every request, a label that nobody names is read by no policy.
--
--   use "holder" { app = "nigtly", clearance = "internl", labels = { "cost_centre" }, approvals = { "gpt5" } }
--     → what is wrong first, its cure in a second line, and 1; "", 0 else
local core, use = ...
local report = use "report"
local schema = use "schema"
local facts = use "facts"
local catalogue = use "catalogue"
use "load"

local function listed(names, what)
  return #names > 0 and what .. ": " .. table.concat(names, ", ", 1, math.min(#names, 8)) or nil
end

local function wrong_app(q)
  local names = report.keys(facts.apps or {})
  if not q.app or not facts.apps or facts.apps[q.app] then return nil end
  return ("app '%s' is not in policies/apps.lua: such a key is refused (unknown_app)"):format(q.app),
    report.nearest(q.app, names) or listed(names, "the apps are")
end

local function wrong_clearance(q)
  if not q.clearance or schema.class_rank[q.clearance] then return nil end
  return ("'%s' is no data class"):format(q.clearance),
    report.nearest(q.clearance, schema.classes) or listed(schema.classes, "the classes are")
end

local function wrong_label(q)
  for _, name in ipairs(q.labels or {}) do
    if not facts.labels[name] then
      local names = report.keys(facts.labels)
      return ("no policy can read the label '%s'"):format(name), report.nearest(name, names)
        or ("auth.lua names labels: labels = { %q }"):format(name)
    end
  end
end

local function wrong_approval(q)
  for _, name in ipairs(q.approvals or {}) do
    if not catalogue.models[name] then
      local known = catalogue.names[name]
      return ("no model '%s' in policies/models.lua"):format(name),
        known and ("approvals name the model, '%s'"):format(known.model.name)
        or report.nearest(name, report.keys(catalogue.models))
    end
  end
end

return function(q)
  for _, check in ipairs { wrong_app, wrong_clearance, wrong_label, wrong_approval } do
    local text, hint = check(q)
    if text then return text .. "\n" .. (hint or ""), 1 end
  end
  return "", 0
end
