#!lua
-- What a hold has becomes these totals: of money within its limits, tokens may go into debt. Less changes nothing.
-- KEYS: R, H of the session. Those of budgets stand in the hold: they have the same hash tag.
-- ARGV: hold, tokens, nano-dollars, numbers (two doubles an item: its part for so many tokens, how far ahead its key
--   may be used up), then each item's limit ("-1": nothing stands in its way)
-- Reply: {1}; {0, number of the item that refuses}; {-4}: nothing is held by that id
local id, tokens, nano, parts = ARGV[1], ARGV[2], ARGV[3], doubles(ARGV[4])
local session = call("HMGET", KEYS[2], id, DEAD)
local hold = session[1] and not session[2] and cmsgpack.unpack(session[1])
if not hold or hold[1] ~= OPEN then return { NOT_HELD } end

local refused
each_taken(hold, function(at, unit, field, key, amount)
  local limit = ARGV[5 + hold[at + 1]]
  if refused or unit ~= MONEY or limit == "-1" or not is_more(nano, amount) then return end
  local sums = call("HMGET", key, "s" .. field, "h" .. field)
  local sum = total(total(sums[1] or "0", sums[2] or "0"), minus(nano, amount))
  if is_more(sum, limit) then refused = hold[at + 1] end
end)
if refused then return { REFUSED, refused } end

set_tokens(hold, parts, function(amount) return tokens + 0 > amount end)
each_taken(hold, function(at, unit, field, key, amount)
  if unit == MONEY and is_more(nano, amount) then
    local others = minus(call("HGET", key, "h" .. field) or "0", amount)
    local held = plus(others, nano)
    call("HSET", key, "h" .. field, held)
    hold[at + 4] = minus(held, others)
  elseif unit == TOKENS then
    hold[at + 4] = math.max(amount, tokens + 0)
  end
end)
call("HSET", KEYS[2], id, cmsgpack.pack(hold))
return { OK }
