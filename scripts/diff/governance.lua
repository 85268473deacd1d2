-- Rules of governance of two generations: loosens what asks fewer people, or less of them, than before.
local core, use = ...
local changes = use "diff/changes"
local effects = use "diff/effects"
local units = use "units"

local governance = {}

local FILE = "policies/governance.lua"

-- What a row of the matrix asks for, as the author wrote it: "manager" or { by = "manager", … }.
local function asked(value) return type(value) == "table" and value or { by = value } end

local function more(effect) return effects.opposite[effect] end

local function span(value) return units.duration(value, nil) end

-- One cell of an approval: what is not there bounds nothing.
local cell_effects = {
  by = function() return "unknown" end,
  also = function(old, new) return old and new and "unknown" or new and "tightens" or "loosens" end,
  longest = function(old, new)
    if not old or not new then return new and "tightens" or "loosens" end
    return effects.number(span(old), span(new))
  end,
  purposes = function(old, new)
    if not old or not new then return new and "tightens" or "loosens" end
    return effects.lists(old, new, "loosens")
  end,
  covers = function(old, new)
    if (old or "user") == (new or "user") then return nil end
    local is_wide, was_wide = new == "department", old == "department"
    return is_wide ~= was_wide and (is_wide and "loosens" or "tightens") or "unknown"
  end,
}

local function is_same(a, b) return changes.spell(a) == changes.spell(b) end

-- Of the cell `approval` of a row.
function governance.approval(old, new)
  if old == nil or new == nil then return old == nil and "tightens" or "loosens" end
  local a, b, seen = asked(old), asked(new), nil
  for _, cell in ipairs(changes.keys(a, b)) do
    local effect = not is_same(a[cell], b[cell]) and cell_effects[cell](a[cell], b[cell])
    if effect then seen = (seen == nil or seen == effect) and effect or "unknown" end
  end
  return seen
end

-- --- the file ---

local function spelt_seconds(seconds)
  if seconds == nil then return "nothing" end
  if seconds % 86400 == 0 then return seconds / 86400 .. "d" end
  return seconds % 3600 == 0 and seconds / 3600 .. "h" or seconds .. "s"
end

local function note(what, text, line, effect)
  changes.add("governance", "changed", what, text, changes.place(FILE, line), effect)
end

-- effect: of more of it.
local function compare_span(what, old, new, line, effect)
  if old == new then return end
  local way = effects.number(old or 0, new or 0)
  note(what, spelt_seconds(old) .. " → " .. spelt_seconds(new), line,
    effect and (way == "loosens" and effect or more(effect)) or nil)
end

local function compare_list(what, old, new, line)
  if is_same(old, new) then return end
  note(what, changes.text(old, new), line, effects.lists(old, new, "tightens"))
end

local function reviewer_text(one)
  return one.departments and one.by .. " for " .. changes.spell(one.departments) or one.by
end

local function compare_reviewers(old, new, line)
  local before, after = {}, {}
  for _, one in ipairs(old) do before[reviewer_text(one)] = true end
  for _, one in ipairs(new) do after[reviewer_text(one)] = true end
  for _, text in ipairs(changes.keys(before, after)) do
    if not before[text] then
      changes.add("governance", "added", "reviewer", text, changes.place(FILE, line), "tightens")
    elseif not after[text] then
      changes.add("governance", "removed", "reviewer", text, changes.place(FILE, line), "loosens")
    end
  end
end

local function compare_glass(old, new, line)
  if not old or not new then
    local text, effect = "is there", "loosens"
    if old then text, effect = "is no more", "tightens" end
    if old ~= new then note("break_glass", text, line, effect) end
    return
  end
  if old.by ~= new.by then note("break_glass by", old.by .. " → " .. new.by, line, "unknown") end
  compare_span("break_glass longest", old.longest, new.longest, line, "loosens")
  compare_span("break_glass close_within", old.close_within, new.close_within, line, "loosens")
end

local often = { year = 1, ["half-year"] = 2, quarter = 3, month = 4 }
local strict = { flag = 1, recommendation = 2, revoke = 3 }

local function ranked(ranks, old, new) return ranks[new] > ranks[old] and "tightens" or "loosens" end

local function compare_plan(name, old, new, line)
  local what = "review " .. name
  if old.every ~= new.every then
    note(what, ("every %s → %s"):format(old.every, new.every), line, ranked(often, old.every, new.every))
  end
  if old.unanswered ~= new.unanswered then
    note(what, ("unanswered %s → %s"):format(old.unanswered, new.unanswered), line,
      ranked(strict, old.unanswered, new.unanswered))
  end
  if old.by ~= new.by then note(what, ("by %s → %s"):format(old.by, new.by), line, "unknown") end
  compare_list(what .. " scope", old.scope, new.scope, line)
  compare_span(what .. " due", old.due, new.due, line, "loosens")
  compare_span(what .. " unused", old.unused, new.unused, line)
end

local function compare_plans(old, new, lines)
  local before, after = changes.by_name(old), changes.by_name(new)
  for _, name in ipairs(changes.keys(before, after)) do
    local a, b, at = before[name], after[name], changes.place(FILE, lines[name])
    if not a then changes.add("governance", "added", "review " .. name, "every " .. b.every, at, "tightens")
    elseif not b then changes.add("governance", "removed", "review " .. name, "every " .. a.every, FILE, "loosens")
    else compare_plan(name, a, b, lines[name]) end
  end
end

-- old, new: of diff/snapshot.lua, { rules, lines }.
function governance.compare(old, new)
  local a, b, lines = old.rules, new.rules, new.lines
  compare_reviewers(a.prompts.review, b.prompts.review, lines.review)
  compare_list("protected", a.prompts.protected, b.prompts.protected, lines.protected)
  if a.prompts.tests ~= b.prompts.tests then
    local words = { [true] = "required", [false] = "optional" }
    note("tests", words[a.prompts.tests] .. " → " .. words[b.prompts.tests], lines.tests,
      b.prompts.tests and "tightens" or "loosens")
  end
  compare_span("pending", a.approvals.pending, b.approvals.pending, lines.pending)
  compare_span("longest", a.approvals.longest, b.approvals.longest, lines.longest, "loosens")
  compare_glass(a.approvals.break_glass, b.approvals.break_glass, lines.break_glass)
  compare_plans(a.reviews, b.reviews, lines.reviews)
  compare_list("checklist require", a.checklist.require, b.checklist.require, lines.require)
  compare_span("audit_retention", a.checklist.audit_retention, b.checklist.audit_retention, lines.audit_retention,
    "tightens")
end

return governance
