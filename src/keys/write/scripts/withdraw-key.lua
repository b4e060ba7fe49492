-- Removes a key of any state at once. If it signs, the published key replaces it in the same step.
-- Version 1
-- KEYS[1] the key set: see includes/key-set.lua
-- ARGV[1] id of the key
-- ARGV[2] id of the published key that replaces it; '' if the key does not sign. Each instance must know it already:
--   `KeyRotation` has settled the change that published it
-- ARGV[3] time of the instance, in milliseconds since the epoch
-- ARGV[4] how long the withdrawal is remembered, in milliseconds
-- Returns 1 when this run has removed the key, else 0.
-- Atomic: there is no moment at which the key verifies and another one signs, or at which no key signs. Idempotent: a removed
-- key never returns.
--- @include "key-set"
local kid = ARGV[1]
local now = later_time(ARGV[3])
local published = published_key_of(KEYS[1])
if published and published.kid == kid then
  redis.call('HDEL', KEYS[1], 'next')
elseif redis.call('HGET', KEYS[1], 'current') == kid then
  if not published or published.kid ~= ARGV[2] then
    return 0
  end
  sign_with(KEYS[1], published, now)
elseif redis.call('HDEL', KEYS[1], 'retired:' .. kid) == 0 then
  return 0
end
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  if string.match(all[index], '^withdrawn:') and tonumber(all[index + 1]) + ARGV[4] < now then
    redis.call('HDEL', KEYS[1], all[index])
  end
end
redis.call('HSET', KEYS[1], 'withdrawn:' .. kid, string.format('%.0f', now))
return 1
