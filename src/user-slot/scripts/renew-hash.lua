-- Replaces the hash of an unchanged password with a hash that has the current parameters.
-- Version 1
-- KEYS[1] the user
-- ARGV[1] the verified hash
-- ARGV[2] the new hash of the same password
-- Returns 1, or 0 when the password has changed in the meantime.
-- Atomic: a hash of the old password must not overwrite a new password.
if redis.call('HGET', KEYS[1], 'passwordHash') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'passwordHash', ARGV[2])
return 1
