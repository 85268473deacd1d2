#!lua flags=allow-oom
-- What the dead hold goes back, a piece at a time: of one process of a session, or of a session that is fenced.
-- KEYS: R, H of the session, S
-- ARGV: session, owner or "" (the whole session: it must be fenced), "all" or "open" (what is settled stays held until
--   its own ledger has told its sums: it was spent, and nobody else knows of it), cursor, how many to look at
-- Reply: {1, cursor ("0": those were all), how many were returned}; {-3}: it lives
local owner, is_all = ARGV[2], ARGV[3] == "all"
if owner == "" and not call("HGET", KEYS[2], DEAD) then
  if call("EXISTS", KEYS[2]) == 1 then return { FENCED } end
  call("ZREM", KEYS[3], ARGV[1])
  return { OK, "0", 0 }
end
local found = call("HSCAN", KEYS[2], ARGV[4], "COUNT", ARGV[5])
local change, gone, seen = new_change(), {}, {}
for i = 1, #found[2], 2 do
  local id = found[2][i]
  if id:byte() ~= 0 and not seen[id] then
    local hold = cmsgpack.unpack(found[2][i + 1])
    seen[id] = true
    if (owner == "" or hold[2] == owner) and (is_all or hold[1] == OPEN) then
      give_back(hold, change)
      gone[#gone + 1] = id
    end
  end
end
apply(change)
in_pieces(gone, function(...) call("HDEL", KEYS[2], ...) end)
if owner == "" and found[1] == "0" then
  call("ZREM", KEYS[3], ARGV[1])
  if call("HLEN", KEYS[2]) == 2 then call("EXPIRE", KEYS[2], 86400) end -- LEASE and DEAD: who wakes up is still told
end
return { OK, found[1], #gone }
