-- The moment of this call, by the clock of Redis.
local time = call("TIME")
local now_s, now_ns = time[1] + 0, time[2] * 1000
