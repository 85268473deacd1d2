-- What a request may cost, in nano-dollars: estimated tokens at the price of the dearest target that may answer it. The
-- arithmetic is C's (core/exchange/price.c): exact, and rounded up once.
--
--   local nano, unpriced, is_any = prices.estimate(f, slice)
--     -- unpriced: a target that may answer and has no price; is_any: whether any target is left to answer;
--     -- slice: of the output no more than so many tokens
--   prices.held(f, slice)                          -- the same, as budgets hold it: some servers read 0 as no bound
--   prices.output_tokens(f)                        -- of all answers together, at most, likewise
--   prices.tokens(f)                               -- that limits count: read, and written at most
--   prices.nano("gpt-4o", f)                       -- of one model or target; nil without a price
--
-- The output counts at the dearer of the rates for text and for reasoning, at the tier of service that the target is
-- asked for (none where the request is translated), and at the long-context rates when its input is as long.
local core, use = ...
local catalogue = use "catalogue"
local targets = use "targets"

-- Tokens that an answer is taken to have when the request sets no max_tokens; budget.lua may say otherwise. Under a
-- budget that blocks this is written into the request, so it must not cut what people ask for: few answers are longer
-- than 4096 tokens, and a smaller number is not the most of any chat model in the catalogue. With more, fewer requests
-- at once would hold all of a budget.
local prices = { assumed_output_tokens = 4096 }

-- Pictures and sound are paid for by what they come to in tokens, where not by the piece.
local without_output = { embeddings = true, moderations = true, rerank = true, files = true, batches = true,
  conversations = true }

local function tokens_of_each(f)
  if without_output[f.api] then return 0 end
  return f.max_tokens or f.output_tokens > 0 and f.output_tokens or prices.assumed_output_tokens
end

local function output_tokens(f) return tokens_of_each(f) * core.answers() end

function prices.output_tokens(f)
  if f.max_tokens ~= 0 or without_output[f.api] then return output_tokens(f) end
  return prices.assumed_output_tokens * core.answers()
end

function prices.tokens(f) return f.context_tokens + f.output_tokens * (core.answers() - 1) end

-- nil: it has no price, or none yet.
local function cost(target, input, output)
  return core.cost_at_most(target.terms, input, output)
end

-- Has it a price at this time, for what is asked? Else what a price of it would have to name, where it has one.
function prices.has(target)
  local nano, lacks = core.cost_at_most(target.terms, 0, 0)
  return nano ~= nil, lacks
end

-- As that target counts them; a request is counted in one vocabulary until somebody asks for another.
local function input_tokens(name)
  local tokens, _, is_bound = core.input_tokens(name)
  if not is_bound then return tokens end
  core.count_input(name)
  return (core.input_tokens(name))
end

-- Of those that nobody has counted for: only one that may turn out the dearest is worth counting.
local function dearest_uncounted(list, most, output)
  for _, target in ipairs(list) do
    local at_most = cost(target, core.input_tokens(target.name), output)
    if at_most and at_most > most then most = math.max(most, cost(target, input_tokens(target.name), output)) end
  end
  return most
end

-- The dearest of a list, of those that may be used; one without a price; whether there is any at all.
local function dearest(f, list, output)
  local most, unpriced, is_any, uncounted = 0, nil, false, nil
  for i = 1, #list do
    local target = list[i]
    if not targets.rejection(f, target) then
      local tokens, _, is_bound = core.input_tokens(target.name)
      local nano = cost(target, tokens, output)
      is_any = true
      if not nano then unpriced = target
      elseif not is_bound then most = math.max(most, nano)
      else
        uncounted = uncounted or {}
        uncounted[#uncounted + 1] = target
      end
    end
  end
  if uncounted then most = dearest_uncounted(uncounted, most, output) end
  return most, unpriced, is_any
end

-- Those that may come to answer: of a named model its own; of a virtual one what routing may choose.
local function candidates(f)
  if core.phase() == "attempt" then return { catalogue.targets[f.route_target] } end
  if f._chosen then return f._chosen end
  local entry = f._entry
  if not entry then return {} end
  if not entry.model.virtual then return entry.targets end
  return catalogue.routable()
end

local function estimate(f, output, slice)
  local most, unpriced, is_any = dearest(f, candidates(f), slice and math.min(slice, output) or output)
  return f.known_cost_nano or most, unpriced, is_any
end

function prices.estimate(f, slice) return estimate(f, output_tokens(f), slice) end
function prices.held(f, slice) return estimate(f, prices.output_tokens(f), slice) end

-- The most output tokens of each answer for which the request stays within so much money; nil when not even its input
-- does.
function prices.affordable(f, nano)
  local most = math.huge
  for _, target in ipairs(candidates(f)) do
    local may = not targets.rejection(f, target) and catalogue.price_of(target)
    local count = may and core.affordable_output(target.terms, input_tokens(target.name), nano)
    if count then most = math.min(most, count) end
  end
  most = math.floor(most / core.answers())
  return most >= 1 and most < math.huge and most or nil
end

-- Has the target room for so long an answer beside the input? Else how much it has; nil without any.
local function room_of(target, output)
  local context = target.context
  if not context or context - (core.input_tokens(target.name)) >= output then return output end
  local room = context - input_tokens(target.name)
  return room >= 1 and math.min(room, output) or nil
end

-- How long an answer may be at most, each of several, so that it costs no more than was reckoned; where the request
-- does not say, no longer than the widest of its targets has room for, so that none refuses it for what was added.
function prices.output_bound(f)
  local output, widest = tokens_of_each(f), nil
  if f.max_tokens then return output end
  for _, target in ipairs(candidates(f)) do
    local room = not targets.rejection(f, target) and room_of(target, output)
    if room == output then return output end
    widest = room and math.max(room, widest or 0) or widest
  end
  return widest or output
end

function prices.nano(name, f)
  local entry, target = catalogue.names[name], catalogue.targets[name]
  local list = entry and entry.targets or target and { target }
  if not list then
    return nil, ("no model or target '%s' in policies/models.lua%s"):format(tostring(name), catalogue.near_target(name))
  end
  local output, most = output_tokens(f), nil
  for _, one in ipairs(list) do
    local nano = cost(one, input_tokens(one.name), output)
    if nano then most = math.max(most or 0, nano) end
  end
  return most
end

return prices
