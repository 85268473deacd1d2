#!lua
-- What a hold has becomes these totals: of money within its limits, tokens may go into debt. Less changes nothing.
-- KEYS: R, H of the session. Those of budgets stand in the hold: they have the same hash tag.
-- ARGV: hold, tokens, nano-dollars, numbers (a double an item: its part for so many tokens), then each item's limit
--   ("-1": nothing stands in its way)
-- Reply: {1}; {0, number of the item that refuses}; {-4}: nothing is held by that id
local id, tokens, nano, parts = ARGV[1], ARGV[2], ARGV[3], doubles(ARGV[4])
local session = call("HMGET", KEYS[2], id, "_dead")
local hold = session[1] and not session[2] and cmsgpack.unpack(session[1])
if not hold or hold[1] ~= OPEN then return { NOT_HELD } end

local refused
each_taken(hold, function(at, unit, field, key, amount)
  local limit = ARGV[5 + hold[at + 1]]
  if refused or unit ~= MONEY or limit == "-1" or not is_more(nano, amount) then return end
  local sums = call("HMGET", key, "s" .. field, "h" .. field)
  local total = plus(plus(sums[1] or "0", sums[2] or "0"), minus(nano, amount))
  if is_more(total, limit) then refused = hold[at + 1] end
end)
if refused then return { REFUSED, refused } end

each_taken(hold, function(at, unit, field, key, amount, part)
  if unit == MONEY and is_more(nano, amount) then
    local others = minus(call("HGET", key, "h" .. field) or "0", amount)
    local held = plus(others, nano)
    call("HSET", key, "h" .. field, held)
    hold[at + 4] = minus(held, others)
  elseif unit == TOKENS and tokens + 0 > amount then
    local change = new_change()
    change.shift[field] = parts[hold[at + 1] + 1] - part
    change_rates(change)
    hold[at + 4], hold[at + 5] = tokens + 0, parts[hold[at + 1] + 1]
  end
end)
call("HSET", KEYS[2], id, cmsgpack.pack(hold))
return { OK }
