-- Where keys are evicted or deleted, a period may go alone, and what other ledgers told of it with it. R knows which
-- periods were told; a memory that has lost one is a lost memory, and all tell their sums to the next.
local function each_period(text)
  return (text or ""):gmatch("(%d+):(%d+) ")
end

local function lose()
  call("HDEL", KEYS[1], "_i", "_e")
end

-- What all have taken is forgotten, and told anew.
local function lose_all()
  local here = KEYS[1]:sub(1, -2)
  local known = call("HMGET", KEYS[1], "_p", "_b")
  for start in each_period("0:0 " .. (known[1] or "") .. (known[2] or "")) do call("UNLINK", here .. "B:" .. start) end
  for _, other in ipairs(call("ZRANGE", KEYS[3], 0, -1)) do call("UNLINK", here .. "H:" .. other) end
  call("UNLINK", KEYS[1], KEYS[3])
end

-- A session that was lost alone leaves behind what it had taken, in sums and among what runs, and nobody knows how much
-- that was. S names it until its holds have gone back.
local function lose_session(session)
  if call("ZSCORE", KEYS[3], session) then lose_all() end
end
