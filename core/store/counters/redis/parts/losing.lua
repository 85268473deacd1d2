-- Where keys are evicted or deleted, a period may go alone, and what other ledgers told of it with it. R knows which
-- periods were told; a memory that has lost one is a lost memory, and all tell their sums to the next.
local function each_period(text)
  return (text or ""):gmatch("(%d+):(%d+) ")
end

local function lose()
  call("HDEL", KEYS[1], "_i", "_e")
end
