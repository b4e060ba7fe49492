-- Changes fields of a user.
-- Version 1
-- KEYS[1] the user
-- ARGV[1], ARGV[2], ... fields and their new values; '' clears
-- Returns the changed user as fields and values, or an empty list when there is none.
-- Atomic, because a deleted user must not come back. Values are absolute: running it twice changes nothing but the time.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[1], 'deleted') == '1' then
  return {}
end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'updatedAt', time[1] * 1000 + math.floor(time[2] / 1000), unpack(ARGV))
return redis.call('HGETALL', KEYS[1])
