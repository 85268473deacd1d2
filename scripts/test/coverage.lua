-- Which lines of the policy files ran, and which rules applied, while the specs ran: `moongate test --coverage`.
--
--   coverage.watch(engine) -- before anything is loaded
--   local list = coverage.files()
--     -- { file, lines, ran, percent, missed = { { 3, 7 } }, rules, matched, unmatched = { … } }
--
-- Counted are files that were read from a folder, not those written in a spec. A line counts when it has code of its
-- own; a table of constants has none. A rule has matched when a trace speaks of it.
local engine, use = ...
local files = use "test/files"

local coverage = {}

local seen = {} -- text of a file → what is known of it

-- --- lines that have code ---

local function add_lines(proto, lines)
  local util = require "jit.util"
  local info = util.funcinfo(proto)
  for pc = 1, info.bytecodes - 1 do
    local line = util.funcinfo(proto, pc).currentline
    if line and line > 0 then lines[line] = true end
  end
  for index = -1, -info.gcconsts, -1 do
    local constant = util.funck(proto, index)
    if type(constant) == "proto" then add_lines(constant, lines) end
  end
end

local function code_lines(text)
  local lines, chunk = {}, loadstring(text)
  if chunk then add_lines(chunk, lines) end
  return lines
end

-- --- watching ---

local function entry_of(bundle_path, text)
  local path = files.path_of(text)
  if not path then return nil end
  local entry = seen[text]
  if not entry then
    entry = { path = path, bundle_path = "policies/" .. bundle_path, code = code_lines(text), ran = {}, rules = {},
      order = {} }
    seen[text] = entry
  end
  return entry
end

local watched = setmetatable({}, { __mode = "k" }) -- engine → its entries by path

local function note_rules(set, entries)
  for policy, path, line, name in engine.outline(set):gmatch("([^\t\n]*)\t([^\t\n]*)\t(%d+)\t([^\n]*)") do
    local entry = entries[path]
    if entry and not entry.rules[policy .. "/" .. name] then
      local rule = { name = policy .. "/" .. name, line = tonumber(line), matched = false }
      entry.rules[rule.name] = rule
      entry.order[#entry.order + 1] = rule
    end
  end
end

local function collect(set)
  for path, entry in pairs(watched[set] or {}) do
    for line in pairs(entry.code) do
      if not entry.ran[line] and engine.ran(set, path, line) then entry.ran[line] = true end
    end
  end
end

local function note_outcome(set, outcome)
  for _, step in ipairs(type(outcome) == "table" and outcome.trace or {}) do
    for _, entry in pairs(watched[set]) do
      local rule = step.verb ~= "skip" and entry.rules[("%s/%s"):format(step.policy, step.rule or "")]
      if rule then rule.matched = true end
    end
  end
end

local function note(set, outcome, ...)
  if watched[set] then
    note_outcome(set, outcome)
    collect(set)
  end
  return outcome, ...
end

local harmless = { memory = true, outline = true, ran = true, remembered = true }

function coverage.watch()
  local load = engine.load -- that of C, unless somebody wrapped it before
  for name, fn in pairs(engine) do
    if type(fn) == "function" and not harmless[name] then
      engine[name] = function(set, ...) return note(set, fn(set, ...)) end
    end
  end
  engine.load = function(bundle, providers)
    local set, errors, text = load(bundle, providers, true)
    if set then
      local entries = {}
      for path, source in pairs(bundle) do
        local entry = entry_of(path, source)
        if entry then entries[entry.bundle_path] = entry end
      end
      watched[set] = entries
      note_rules(set, entries)
      collect(set)
    end
    return set, errors, text
  end
end

-- --- what came of it ---

-- Lines with code that never ran, as ranges; lines without code do not end one.
local function missed_ranges(entry, count)
  local ranges, open = {}, nil
  for line = 1, count do
    if entry.code[line] and not entry.ran[line] then
      if open then open[2] = line else open = { line, line } end
    elseif entry.code[line] and open then
      ranges[#ranges + 1], open = open, nil
    end
  end
  ranges[#ranges + 1] = open
  return ranges
end

local function summary(entry, text)
  local one = { file = entry.path, lines = 0, ran = 0, rules = #entry.order, matched = 0, unmatched = {} }
  for line in pairs(entry.code) do
    one.lines = one.lines + 1
    if entry.ran[line] then one.ran = one.ran + 1 end
  end
  for _, rule in ipairs(entry.order) do
    if rule.matched then one.matched = one.matched + 1
    else one.unmatched[#one.unmatched + 1] = { name = rule.name, line = rule.line } end
  end
  one.percent = one.lines > 0 and math.floor(one.ran * 100 / one.lines) or 100
  one.missed = missed_ranges(entry, select(2, text:gsub("\n", "")) + 1)
  return one
end

function coverage.files()
  local list = {}
  for text, entry in pairs(seen) do list[#list + 1] = summary(entry, text) end
  table.sort(list, function(a, b) return a.file < b.file end)
  return list
end

return coverage
