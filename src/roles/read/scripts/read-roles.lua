-- Reads the stored roles.
-- Version 1
-- KEYS[1] the stored roles: a hash, see change-role.lua
-- KEYS[2] the fence, a key that is only written
-- Returns the fields of the hash and their values; an empty list when no role was ever stored.
-- Writes the fence: the WAIT that follows proves that this master was not replaced. Idempotent: it writes nothing else.
--- @include "fence"

write_fence(KEYS[2])
return redis.call('HGETALL', KEYS[1])
