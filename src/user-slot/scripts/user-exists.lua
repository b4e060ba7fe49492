-- Checks whether a user exists. It writes, so that the WAIT that follows proves that this master was not replaced.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the fence, a key that is only written
-- Returns 1 or 0.
--- @include "fence"
--- @include "user"
write_fence(KEYS[2])
return user_exists(KEYS[1]) and 1 or 0
