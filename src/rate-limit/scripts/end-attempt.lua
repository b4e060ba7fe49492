-- Settles an attempt that was reserved.
-- Version 2
-- KEYS[1] failed attempts of the narrowest scope: a sorted set, id by time
-- KEYS[2] attempts under way in that scope: a sorted set, id by time
-- KEYS[3], KEYS[4], ... the same of each wider scope
-- ARGV[1] id of the attempt
-- ARGV[2] 'failed' counts it; 'void' forgets it
-- ARGV[3] the window, in milliseconds
-- Returns 1.
-- Atomic, because the attempt must never be missing from both sets. Running it twice changes nothing.
local now
if ARGV[2] == 'failed' then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
for index = 1, #KEYS, 2 do
  if now then
    redis.call('ZADD', KEYS[index], 'NX', now, ARGV[1])
    redis.call('PEXPIRE', KEYS[index], ARGV[3])
  end
  redis.call('ZREM', KEYS[index + 1], ARGV[1])
end
return 1
