-- Writes a new user.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- ARGV[1] the password hash
-- ARGV[2], ARGV[3], ... fields and values
-- Returns the user as fields and values, see password-hash.lua, also when an earlier run of the same call wrote the user. Returns
-- an empty list when the user was deleted since, or when prevent-user.lua has run.
-- Atomic: a late second run must not bring a deleted user back. Every run writes, so that the WAIT that follows proves that
-- this master was not replaced.
--- @include "now"
--- @include "password-hash"
if redis.call('EXISTS', KEYS[1]) == 1 then
  local deleted = redis.call('HGET', KEYS[1], 'deleted') or '0'
  redis.call('HSET', KEYS[1], 'deleted', deleted)
  return deleted == '0' and user_with_hash(KEYS[1], KEYS[2]) or {}
end
local now = now_ms()
redis.call('HSET', KEYS[1], 'createdAt', now, 'updatedAt', now, 'provisional', 0, unpack(ARGV, 2))
redis.call('SET', KEYS[2], ARGV[1])
return user_with_hash(KEYS[1], KEYS[2])
