#!lua flags=allow-oom
-- What a ledger has committed: holds that are over, and what its budgets come to. A ledger gives sums of its own
-- entries, absolute and only growing; what it told last is kept beside the sum of all, so that any of it may be said
-- again, late or in another order, and a Redis that lost some or all is right again when each ledger has told its sums.
-- KEYS: R, H of the session, then B of each period that the sums name
-- ARGV: source (a ledger's name without blanks; a ledger that begins anew is another), "more" or "exact" (after a
--   repair: a sum that is less than what was told counts, too), how many holds, their ids, then of each sum: number of
--   its B in KEYS, key, nano-dollars, the period's end, and of a session (0) when it was charged last, how long it
--   stands without, and when the ledger's sum began
-- Reply: {1, how many of the holds were known}
--with redis clock exact wide keeping losing holds giving

local source, is_exact, count = ARGV[1], ARGV[2] == "exact", ARGV[3] + 0

local e = exact()

-- Sums of one period: one read, one write. at: where each begins in ARGV.
local function tell_period(key, list)
  local fields, put, places, is_new = {}, {}, {}, false
  for i, at in ipairs(list) do
    local name = ARGV[at + 1]
    fields[2 * i - 1], fields[2 * i] = "s" .. name, "g" .. source .. " " .. name
  end
  local seen = call("HMGET", key, unpack(fields))
  for i, at in ipairs(list) do
    local place, nano, sum = places[ARGV[at + 1]] or 2 * i, ARGV[at + 2], false -- of one that is named twice, the first
    local spent, before = seen[place - 1], seen[place] or "0"
    places[ARGV[at + 1]], is_new = place, is_new or not spent
    local new, told, known = nano + 0, before + 0, (spent or 0) + 0
    if new > told and known + new < EXACT then
      sum = ("%d"):format(known + (new - told))
    elseif not seen[place] or e.is_more(nano, before) then
      sum = e.plus(spent or "0", e.minus(nano, before))
    elseif is_exact and nano ~= before then
      sum = e.minus(spent or "0", e.minus(before, nano))
    end
    if sum then
      local n = #put
      seen[place - 1], seen[place] = sum, nano
      put[n + 1], put[n + 2], put[n + 3], put[n + 4] = fields[2 * i - 1], sum, fields[2 * i], nano
    end
  end
  if #put > 0 then call("HSET", key, unpack(put)) end
  return is_new
end

-- A ledger's sum of a session begins anew when it charged nothing for so long, the session when no ledger did: what was
-- told of another sum, or of another session, is nothing that this one contains. The last second in which it goes on is
-- that in which its silence is as long as it may be: so the charge that came last says when it is over. That moment;
-- nil: it is over already.
local function tell_session(key, name, nano, last, idle, begun)
  local sum, told, turns = "s" .. name, "g" .. source .. " " .. name, "n" .. name
  local seen = call("HMGET", key, sum, told, "u" .. name, "h" .. name, turns, "l" .. name)
  local before, before_last, before_begun, before_turn = (seen[2] or ""):match("^(%d+) (%d+) (%d+) (%d+)$")
  local spent, over, turn, latest = seen[1] or "0", (seen[3] or 0) + 0, (seen[5] or 0) + 0, (seen[6] or 0) + 0
  if last < (before_last or 0) + 0 or (not seen[2] and last + idle + 1 <= now_s) then return end
  if over > 0 and over <= begun and (seen[4] or "0") == "0" then spent, turn = "0", turn + 1 end
  if before_begun ~= ("%.0f"):format(begun) or before_turn + 0 ~= turn then before = "0" end
  if is_exact or e.is_more(nano, before) then
    spent = e.plus(e.minus(spent, before), nano)
  else
    nano = before
  end
  if last >= latest then over, latest = last + idle + 1, last end
  call("HSET", key, sum, spent, told, ("%s %.0f %.0f %.0f"):format(nano, last, begun, turn),
    "u" .. name, ("%.0f"):format(over), turns, ("%.0f"):format(turn), "l" .. name, ("%.0f"):format(latest))
  return over
end

local function note_period(key, stop)
  local start, list, is_told, before = key:match("%d+$"), {}, false, call("HGET", KEYS[1], "_p")
  for known, its_stop in each_period(before) do
    if known == start then is_told, stop = true, math.max(stop, its_stop + 0)
    elseif its_stop + 0 > now_s then list[#list + 1] = known .. ":" .. its_stop .. " " end
  end
  widen(key)
  if call("HSETNX", key, "m", "") == 1 and is_told and stop > now_s then lose() end
  local after = ("%s%s:%.0f "):format(table.concat(list), start, stop)
  if after ~= before then call("HSET", KEYS[1], "_p", after) end
end

local periods, stops, sessions, sessions_stop = {}, {}, false, 0
for at = 4 + count, #ARGV, 7 do
  local number, stop = ARGV[at] + 0, ARGV[at + 3] + 0
  if stop == 0 then
    local over = tell_session(KEYS[number], ARGV[at + 1], ARGV[at + 2], ARGV[at + 4] + 0, ARGV[at + 5] + 0,
      ARGV[at + 6] + 0)
    if over then sessions, sessions_stop = KEYS[number], math.max(sessions_stop, over) end
  else
    local list = periods[number] or {}
    periods[number], stops[number] = list, math.max(stop, stops[number] or 0)
    list[#list + 1] = at
  end
end
for number = 3, #KEYS do
  local list = periods[number]
  if list then
    local is_new = tell_period(KEYS[number], list)
    local is_longer = call("EXPIREAT", KEYS[number], stops[number] + KEPT_S, "GT") == 1 -- a year beside its first month
    if is_new then keep_until(KEYS[number], stops[number]) end
    if is_new or is_longer then note_period(KEYS[number], stops[number]) end
  end
end

-- All sessions are one period, over when the last of them is: rounded up, it is written anew once a minute.
if sessions then note_period(sessions, floor(sessions_stop / 60 + 1) * 60) end

local records = count > 0 and call("HMGET", KEYS[2], unpack(ARGV, 4, 3 + count)) or {}
local known, holds, seen = {}, {}, {}
for i = 1, count do
  local record, id = records[i], ARGV[3 + i]
  if record and not seen[id] then
    seen[id] = true
    known[#known + 1] = id
    holds[#known] = { hold_of(record) }
    meet(unpack(holds[#known]))
  end
end
read_met()
for _, hold in ipairs(holds) do give_back(hold[1], hold[2], hold[3], true) end
write_met()
if #known > 0 then call("HDEL", KEYS[2], unpack(known)) end
return { 1, #known }
