-- Completes a registration: the user no longer expires, and the skeletons of the name are claimed.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- Returns the user as fields and values, or an empty list when there is none.
-- Atomic: a user who has expired or was deleted must not come back. Running it twice changes nothing.
--- @include "user"
--- @include "password-hash"
if not user_exists(KEYS[1]) then
  return {}
end
redis.call('HSET', KEYS[1], 'provisional', 0, 'skeletons', 1)
redis.call('PERSIST', KEYS[1])
redis.call('PERSIST', KEYS[2])
return user_with_hash(KEYS[1], KEYS[2])
