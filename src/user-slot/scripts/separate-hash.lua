-- Moves the password hash of a user of an earlier version out of the user, to a key of its own.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- Returns 1 when the hash was moved, else 0.
-- Atomic: a password that is changed at the same time must not be lost. Running it twice changes nothing.
--- @include "password-hash"
local hash = redis.call('HGET', KEYS[1], 'passwordHash')
if not hash then
  return 0
end
store_password_hash(KEYS[1], KEYS[2], hash)
return 1
