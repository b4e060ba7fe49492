-- Writes a new user, who is provisional and expires unless the name is confirmed.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- ARGV[1] lifetime of a provisional user, in milliseconds
-- ARGV[2] the password hash
-- ARGV[3], ARGV[4], ... fields and values
-- Returns 1, also when an earlier run of the same call wrote the user; 0 when the user was deleted since.
-- Atomic: a late second run must not bring a deleted user back. Every run writes, so that the WAIT that follows proves that
-- this master was not replaced.
--- @include "now"
if redis.call('EXISTS', KEYS[1]) == 1 then
  local deleted = redis.call('HGET', KEYS[1], 'deleted') or '0'
  redis.call('HSET', KEYS[1], 'deleted', deleted)
  return deleted == '0' and 1 or 0
end
local now = now_ms()
redis.call('HSET', KEYS[1], 'createdAt', now, 'updatedAt', now, 'provisional', 1, unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[1])
return 1
