-- Edits of a text, and what they are as a unified diff, as git and patch take it.
--
--   local text, hunks = unified.apply(old, { { from, to, source } … })     -- bytes, both included, not overlapping
--   unified.write("policies/access.lua", hunks)                            -- "--- a/policies/access.lua …"
local core, use = ...

local unified = {}

local CONTEXT = 3

-- With their line ends.
local function lines_of(text)
  local list = {}
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then list[#list + 1] = line end
  end
  return list
end

local function starts_of(lines)
  local at, starts = 1, {}
  for i, line in ipairs(lines) do
    starts[i] = at
    at = at + #line
  end
  starts[#lines + 1] = at
  return starts
end

local function line_at(starts, offset)
  for i = 2, #starts do
    if offset < starts[i] then return i - 1 end
  end
  return #starts - 1
end

-- Edits that touch the same lines are one change of these lines: { first, last, text }.
local function changes_of(edits, starts)
  local list = {}
  for _, edit in ipairs(edits) do
    local first, last = line_at(starts, edit.from), line_at(starts, edit.to)
    local before = list[#list]
    if before and first <= before.last then
      before.last = math.max(before.last, last)
      table.insert(before.edits, edit)
    else
      list[#list + 1] = { first = first, last = last, edits = { edit } }
    end
  end
  return list
end

local function changed(text, change, starts)
  local at, out = starts[change.first], ""
  for _, edit in ipairs(change.edits) do
    out = out .. text:sub(at, edit.from - 1) .. edit.source
    at = edit.to + 1
  end
  return lines_of(out .. text:sub(at, starts[change.last + 1] - 1))
end

-- With the lines around, and with the next one where these meet.
local function hunks_of(changes, count)
  local list = {}
  for _, change in ipairs(changes) do
    local before = list[#list]
    if before and change.first - before.last <= 2 * CONTEXT then
      before.last = change.last
      table.insert(before, change)
    else
      list[#list + 1] = { change, first = change.first, last = change.last }
    end
  end
  for _, hunk in ipairs(list) do
    hunk.first, hunk.last = math.max(1, hunk.first - CONTEXT), math.min(count, hunk.last + CONTEXT)
  end
  return list
end

function unified.apply(text, given)
  local edits = { unpack(given) }
  table.sort(edits, function(a, b) return a.from < b.from end)
  local lines = lines_of(text)
  local starts = starts_of(lines)
  local changes, out, at = changes_of(edits, starts), {}, 1
  for _, change in ipairs(changes) do
    change.new = changed(text, change, starts)
    for i = at, change.first - 1 do out[#out + 1] = lines[i] end
    for _, line in ipairs(change.new) do out[#out + 1] = line end
    at = change.last + 1
  end
  for i = at, #lines do out[#out + 1] = lines[i] end
  local hunks = hunks_of(changes, #lines)
  hunks.lines = lines
  return table.concat(out), hunks
end

local function put(out, mark, line)
  out[#out + 1] = mark .. line
  if line:sub(-1) ~= "\n" then out[#out + 1] = "\n\\ No newline at end of file\n" end
end

-- old, new: how many lines a hunk has on either side.
local function write_hunk(out, hunk, lines, shift)
  local body, old, new, at = {}, 0, 0, hunk.first
  local function same(to)
    for i = at, to do put(body, " ", lines[i]) end
    old, new, at = old + to - at + 1, new + to - at + 1, to + 1
  end
  for _, change in ipairs(hunk) do
    same(change.first - 1)
    for i = change.first, change.last do put(body, "-", lines[i]) end
    for _, line in ipairs(change.new) do put(body, "+", line) end
    old, new, at = old + change.last - change.first + 1, new + #change.new, change.last + 1
  end
  same(hunk.last)
  local first = hunk.first + shift
  out[#out + 1] = ("@@ -%d,%d +%d,%d @@\n"):format(hunk.first, old, new == 0 and first - 1 or first, new)
  for _, line in ipairs(body) do out[#out + 1] = line end
  return shift + new - old
end

function unified.write(path, hunks)
  local out, shift = { ("--- a/%s\n+++ b/%s\n"):format(path, path) }, 0
  for _, hunk in ipairs(hunks) do shift = write_hunk(out, hunk, hunks.lines, shift) end
  return table.concat(out)
end

return unified
