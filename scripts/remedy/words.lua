-- Changes of a request as they are said: "call as department sales or support".
--
--   use("remedy/words")(change, { "sales", "support" })      -- values: all that were seen to help, of this fact
local core, use = ...
local words = use "words"
local moment = use "explain/moment"
local vocabulary = use "remedy/vocabulary"

local NAMES_MAX = 4

local function some(values)
  local shown = {}
  for i, value in ipairs(values) do
    if i <= NAMES_MAX then shown[i] = value end
  end
  local more = #values - #shown
  return words.joined(shown, "or") .. (more > 0 and (" (and %d more)"):format(more) or "")
end

local texts = {
  model = function(values) return "ask for " .. some(values) end,
  approval = function(values)
    return ("an approval of %s for this caller: `moongate keys create --approve %s …`"):format(some(values),
      tostring(values[1]))
  end,
  uses = function(values) return "send it without " .. some(values) end,
  label = function(values) return "send it without the label " .. some(values) end,
  text = function() return "send it without what the text holds: with another text it goes through" end,
  key = function() return "send a key that is known, not revoked and not expired (`moongate keys list`)" end,
  stream = function(values) return values[1] and "ask for a stream" or "ask for one answer, not a stream" end,
  time = function(values)
    local time, day = moment.spell(values[1])
    return ("send it on %s %s"):format(day, time)
  end,
  topup = function(values) return ("add to the budget: moongate topup %s --until 1d --reason …"):format(values[1]) end,
  wait = function(values) return ("come again in %d s"):format(values[1]) end,
  role = function(values)
    local with, less = {}, {}
    for _, value in ipairs(values) do
      local taken = value:match("^%-(.*)$")
      if taken then less[#less + 1] = taken else with[#with + 1] = value end
    end
    local parts = {}
    if #less > 0 then parts[#parts + 1] = "without the role " .. some(less) end
    if #with > 0 then parts[#parts + 1] = "with the role " .. some(with) end
    return "call " .. table.concat(parts, ", or ")
  end,
  data = function(values)
    local named = vocabulary.without(vocabulary.without(values, "default"), false)
    return #named > 0 and ("send %s data"):format(some(named)) or "send it without naming a data class"
  end,
}

return function(change, values)
  local spell = texts[change.fact]
  if spell then return spell(values) end
  local fact = change.fact:gsub("_", " ")
  if values[1] == false then return "send it without " .. fact end
  if type(values[1]) == "number" then
    return ("with %s %s%s"):format(words.joined({ values[1] }), fact,
      values[#values] == false and ", or none said" or "")
  end
  if change.kind == "caller" then
    local named = vocabulary.without(vocabulary.without(values, "other"), "any")
    if #named > 0 then return ("call as %s %s"):format(fact, some(named)) end
    return values[1] == "any" and ("call with a %s"):format(fact) or ("call as another %s"):format(fact)
  end
  return ("with %s %s"):format(fact, some(values))
end
