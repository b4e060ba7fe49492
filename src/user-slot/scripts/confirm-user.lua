-- Completes a registration: the user no longer expires, and the skeletons of the name are claimed.
-- Version 2
-- KEYS[1] the user
-- Returns the user as fields and values, or an empty list when there is none.
-- Atomic: a user who has expired or was deleted must not come back. Running it twice changes nothing.
--- @include "user"
if not user_exists(KEYS[1]) then
  return {}
end
redis.call('HSET', KEYS[1], 'provisional', 0, 'skeletons', 1)
redis.call('PERSIST', KEYS[1])
return redis.call('HGETALL', KEYS[1])
