-- The changes of `moongate diff` as people read them.
local core, use = ...

local text = {}

local codes = { red = "31", green = "32", yellow = "33", blue = "34", bold = "1" }
local marks = { added = "+", removed = "-", changed = "~", moved = "↕" }
local mark_colours = { added = "green", removed = "red", changed = "yellow", moved = "yellow" }
local effects = { loosens = { "▲ loosens", "red" }, tightens = { "▼ tightens", "green" },
  unknown = { "? may loosen or tighten", "yellow" } }

local function painter(is_coloured)
  return function(colour, s)
    if not is_coloured then return s end
    return ("\27[%sm%s\27[0m"):format(codes[colour], s)
  end
end

local function plural(count, word) return ("%d %s%s"):format(count, word, count == 1 and "" or "s") end

local function summary(changes)
  local counts = { loosens = 0, tightens = 0, unknown = 0 }
  for _, change in ipairs(changes) do
    if change.effect then counts[change.effect] = counts[change.effect] + 1 end
  end
  return ("%s: %d loosen, %d tighten, %d may do either"):format(plural(#changes, "change"), counts.loosens,
    counts.tightens, counts.unknown)
end

function text.render(answer, is_coloured)
  local paint = painter(is_coloured)
  if #answer.changes == 0 then
    local same = answer.old.digest == answer.new.digest
    return same and "the same files\n" or "the files differ, the rules do not: comments, layout or examples\n"
  end
  local out = { ("%s (%s) → %s (%s)"):format(answer.old.name, answer.old.digest:sub(1, 12), answer.new.name,
    answer.new.digest:sub(1, 12)) }
  local section
  for _, change in ipairs(answer.changes) do
    if change.policy ~= section then
      out[#out + 1] = ""
      out[#out + 1] = paint("bold", change.policy)
      section = change.policy
    end
    local effect = effects[change.effect]
    out[#out + 1] = ("  %s %s  %s  %s%s"):format(paint(mark_colours[change.how], marks[change.how]), change.what,
      change.text, paint("blue", change.at), effect and "  " .. paint(effect[2], effect[1]) or "")
  end
  out[#out + 1] = ""
  out[#out + 1] = summary(answer.changes)
  return table.concat(out, "\n") .. "\n"
end

return text
