-- Settles an attempt that was reserved.
-- Version 1
-- KEYS[1] failed attempts: a sorted set, id by time
-- KEYS[2] attempts under way: a sorted set, id by time
-- ARGV[1] id of the attempt
-- ARGV[2] 'failed' counts it; 'void' forgets it; 'reset' forgets it and every failure
-- ARGV[3] the window, in milliseconds
-- Returns 1.
-- Atomic, because the attempt must never be missing from both sets. Running it twice changes nothing.
if ARGV[2] == 'failed' then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[1], 'NX', time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
elseif ARGV[2] == 'reset' then
  redis.call('DEL', KEYS[1])
end
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
