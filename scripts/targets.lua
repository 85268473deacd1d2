-- Which targets are left: filters that policies install, proposals that pass through them.
--
--   local dropped, filter = targets.rejection(f, target)      -- nil when it may be used
--   targets.propose(f, policy, rule, list, reason, mode, line)
--
-- A filter is { policy, rule, check = function(f, target) → why, rule } or { policy, rule, set, keep, reason }. What is
-- said of a target that was dropped is data, { target, by, rule, why }, with the names of the target, the policy and
-- its rule; by and rule are nil where no account of moongate.lua has it, or none that can be asked for this.
local core, use = ...
local catalogue = use "catalogue"
local note = use("notes").note

local targets = {}

-- What says so when no account of moongate.lua has the target.
local unconfigured = {}
targets.unconfigured = unconfigured

local function dropped(target, by, rule, why) return { target = target.name, by = by, rule = rule, why = why } end

-- What says so when its account speaks another dialect than the caller, and his request is not translated.
local foreign = {}
targets.foreign = foreign

-- Can the target's account be asked for this, in the caller's dialect or another? Lists have what can be asked for in
-- chats, which cross from one to the other.
local function understands(f, target)
  local how = target.dialects[f.dialect]
  return how == true or how == "translated" and f.crosses
end

local function speaks(f, target)
  return ("its account is of kind \"%s\", and the request in the API of \"%s\""):format(target.kind, f.dialect)
end

-- What to do about it, when there is no other target.
function targets.cure(f)
  local list = f._entry.targets
  local kind = list[1] and list[1].kind or "another kind"
  local text = "the model %s is served by accounts of kind \"%s\" alone, and this request (%s) is in the API of " ..
    "\"%s\", which is not translated to that: ask for it with a client of that API, or for a model that has a " ..
    "target of kind \"%s\""
  return text:format(f.model, kind, f.api, f.dialect, f.dialect == "responses" and "openai" or f.dialect)
end

-- Why not, and the filter that says so; nil when the target may be used.
function targets.rejection(f, target)
  if not target.usable and not catalogue.is_rehearsal then
    return dropped(target, nil, nil, "no account of that provider in moongate.lua"), unconfigured
  end
  if target.dialects and not understands(f, target) and not catalogue.is_rehearsal then
    return dropped(target, nil, nil, speaks(f, target)), foreign
  end
  local filters = f._filters
  for i = 1, #filters do
    local filter = filters[i]
    local check = filter.check
    if check then
      local why, rule = check(f, target)
      if why then return dropped(target, filter.policy.name, rule, why), filter end
    elseif (filter.set[target] ~= nil) ~= filter.keep then
      return dropped(target, filter.policy.name, filter.rule, filter.reason), filter
    end
  end
end

-- "p/one (access/home: stays here)"
local function spell(one)
  return ("%s (%s%s)"):format(one.target, one.by and ("%s/%s: "):format(one.by, one.rule) or "", one.why)
end

-- All that were dropped, as one text.
function targets.spell(list)
  local texts = {}
  for i = 1, #list do texts[i] = spell(list[i]) end
  return table.concat(texts, "; ")
end

local function remember(f, one, filter)
  local rejected = f._rejected
  if not rejected then
    rejected = { by = filter }
    f._rejected = rejected
  elseif rejected.by ~= filter then
    rejected.by = nil
  end
  rejected[#rejected + 1] = one
end

-- The trace of a request holds texts; who watches an evaluation (explain/walk.lua) is given the data beside it.
local function note_dropped(f, policy, rule, one, mode, line)
  if f._quiet then return end
  core.trace(policy.name, rule, "skip", spell(one), mode, policy.file, line, one)
end

-- Those of the targets that may be used, each other one noted; false when none is left.
local function pick(f, policy, rule, list, mode, line)
  local usable = false
  for i = 1, #list do
    local target = list[i]
    local one, filter = targets.rejection(f, target)
    if one then
      remember(f, one, filter)
      note_dropped(f, policy, rule, one, mode, line)
    else
      usable = usable or {}
      usable[#usable + 1] = target
    end
  end
  return usable
end

-- A proposal: the first one with a target left wins.
function targets.propose(f, policy, rule, list, reason, mode, line)
  if f._chosen then return note(f, policy, rule, "ignored", "a target was chosen before", mode, line) end
  if mode == "observe" then return note(f, policy, rule, "route", reason, mode, line) end
  f._chosen = pick(f, policy, rule, list, mode, line)
  if f._chosen then
    f._by = { policy, rule, reason, mode, line }
    f._filter_count = #f._filters
  end
end

return targets
