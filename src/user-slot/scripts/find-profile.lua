-- Reads a user without the password hash. The result may be out of date.
-- Version 1
-- KEYS[1] the user
-- Returns the user as fields and values; an empty list for an unknown user.
--- @include "profile"
return profile_of(KEYS[1])
