-- Stores a time of creation for a key that an earlier version has created: now, because the real time is unknown.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] id of the key that signs
-- ARGV[2] time of the instance, in milliseconds since the epoch
-- Returns 1. Idempotent: a stored time does not change. The WAIT that follows the fence proves that this master was not
-- replaced.
--- @include "fence"
--- @include "key-set"
write_fence(KEYS[2])
local key = redis.call('HMGET', KEYS[1], 'current', 'createdAt')
if key[1] == ARGV[1] and not key[2] then
  redis.call('HSET', KEYS[1], 'createdAt', string.format('%.0f', later_time(ARGV[2])), 'isAdopted', 1)
end
return 1
