-- Prevents that a registration still creates a user, unless the user exists.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] lifetime of the mark, in milliseconds
-- Returns 1 when the user does not exist: the mark of a deleted user now refuses a late write. Returns 0 when the user exists.
-- Atomic: the user must not be created between look and mark. Every run writes, so that the WAIT that follows proves that this
-- master was not replaced. Running it twice changes nothing but the lifetime of the mark.
--- @include "fence"
--- @include "user"
if user_exists(KEYS[1]) then
  write_fence(KEYS[2])
  return 0
end
redis.call('HSET', KEYS[1], 'deleted', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
