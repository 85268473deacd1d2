#!lua flags=allow-oom
-- A session whose lease is over takes nothing any more, even when it wakes up: its holds may be returned (return.lua).
-- KEYS: R, H of the session, S
-- ARGV: session, "force" (its own gateway knows that it is dead) or ""
-- Reply: {1}; {0}: nothing is known of it; {-3}: it lives
--with redis clock losing
local now_ms = now_s * 1000 + floor(now_ns / 1000000)
local lease = call("HGET", KEYS[2], "\0lease")
if not lease then
  lose_session(ARGV[1])
  return { 0 }
end
if lease + 0 > now_ms and ARGV[2] ~= "force" then return { -3 } end
call("HSET", KEYS[2], "\0dead", "1")
return { 1 }
