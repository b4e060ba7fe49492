-- Moves the password hash of a user of an earlier version out of the user, to a key of its own. Deletes the hash of a user who does
-- not exist: an instance of an earlier version deletes a user, and does not know that key.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- Returns 'moved', 'deleted' or 'unchanged'.
-- Atomic: a password that is changed at the same time must not be lost, nor the hash of a user who is registered at the same time.
-- Running it twice changes nothing.
--- @include "user"
--- @include "password-hash"
local hash = redis.call('HGET', KEYS[1], 'passwordHash')
if hash then
  store_password_hash(KEYS[1], KEYS[2], hash)
  return 'moved'
end
return not user_exists(KEYS[1]) and redis.call('DEL', KEYS[2]) == 1 and 'deleted' or 'unchanged'
