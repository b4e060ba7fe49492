-- Tells for certain whether a user exists: run with a WAIT behind it, its write proves that this master was not replaced.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the fence, a key that is only written
-- Returns 1 or 0.
--- @include "fence"
--- @include "user"
write_fence(KEYS[2])
return user_exists(KEYS[1]) and 1 or 0
