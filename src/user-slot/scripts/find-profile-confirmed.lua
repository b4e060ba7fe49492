-- Reads a user without the password hash, for a caller who needs the current state.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the fence, a key that is only written
-- Returns the user as fields and values; an empty list for an unknown user.
-- Idempotent: it writes only the fence. The WAIT that follows proves that this master was not replaced.
--- @include "fence"
--- @include "profile"
write_fence(KEYS[2])
return profile_of(KEYS[1])
