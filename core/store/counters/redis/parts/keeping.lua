local KEPT_S = 40 * 86400 -- a period's sums outlive it so long

local function keep_until(key, stop_s)
  if call("EXPIREAT", key, stop_s + KEPT_S, "NX") == 0 then call("EXPIREAT", key, stop_s + KEPT_S, "GT") end
end
