-- Stores when retired keys are removed.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] time of the instance, in milliseconds since the epoch
-- ARGV[2] how long a key verifies after the last instance has signed with it, in milliseconds
-- ARGV[3], ARGV[4], ... ids of the keys. No instance signs with them: the caller has settled the changes that retired them
-- Returns 1. Idempotent: a stored time does not change. The WAIT that follows the fence proves that this master was not
-- replaced.
--- @include "fence"
--- @include "key-set"
write_fence(KEYS[2])
local now = later_time(ARGV[1])
for index = 3, #ARGV do
  local text = redis.call('HGET', KEYS[1], 'retired:' .. ARGV[index])
  local key = text and cjson.decode(text)
  if key and not key.removeAt then
    key.removeAt = now + ARGV[2]
    redis.call('HSET', KEYS[1], 'retired:' .. ARGV[index], cjson.encode(key))
  end
end
return 1
