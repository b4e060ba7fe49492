-- Replaces the hash of an unchanged password by one with today's parameters.
-- Version 1
-- KEYS[1] the user
-- ARGV[1] the hash that was verified
-- ARGV[2] the new hash of the same password
-- Returns 1, or 0 when the password was changed meanwhile.
-- Atomic, because a new password must not be overwritten by the old one.
if redis.call('HGET', KEYS[1], 'passwordHash') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'passwordHash', ARGV[2])
return 1
