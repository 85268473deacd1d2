#!lua flags=allow-oom
-- What the dead hold goes back, a piece at a time: of one process of a session, or of a session that is fenced.
-- KEYS: R, H of the session, S
-- ARGV: session, owner or "" (the whole session: it must be fenced), "all" or "open" (what is settled stays held until
--   its own ledger has told its sums: it was spent, and nobody else knows of it), cursor, how many to look at
-- Reply: {1, cursor ("0": those were all), how many were returned}; {-3}: it lives
--with redis clock exact losing holds giving

local owner, is_all = ARGV[2], ARGV[3] == "all"
if owner == "" and not call("HGET", KEYS[2], "\0dead") then
  if call("EXISTS", KEYS[2]) == 1 then return { -3 } end
  lose_session(ARGV[1])
  return { 1, "0", 0 }
end
local found = call("HSCAN", KEYS[2], ARGV[4], "COUNT", ARGV[5])
local gone, seen, holds = {}, {}, {}
for i = 1, #found[2], 2 do
  local id, record = found[2][i], found[2][i + 1]
  if id:byte() ~= 0 and not seen[id] then
    seen[id] = true
    if (owner == "" or record:sub(1, 16) == owner) and (is_all or record:byte(17) == OPEN) then
      gone[#gone + 1] = id
      holds[#gone] = { hold_of(record) }
      meet(unpack(holds[#gone]))
    end
  end
end
read_met()
for _, hold in ipairs(holds) do give_back(unpack(hold)) end
write_met()
each_piece(gone, function(from, to) call("HDEL", KEYS[2], unpack(gone, from, to)) end)
if owner == "" and found[1] == "0" then
  call("ZREM", KEYS[3], ARGV[1])
  if call("ZCARD", KEYS[3]) == 0 then call("DEL", KEYS[1]:sub(1, -2) .. "Z") end
  if call("HLEN", KEYS[2]) == 2 then call("EXPIRE", KEYS[2], 86400) end -- LEASE and DEAD: who wakes up is still told
end
return { 1, found[1], #gone }
