-- Reads a user for a caller who needs the current state.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- KEYS[3] the fence, a key that is only written
-- Returns the user as fields and values, see password-hash.lua. For an unknown user it returns an empty list.
-- Idempotent: it writes only the fence. The WAIT that follows proves that this master was not replaced.
--- @include "fence"
--- @include "password-hash"
write_fence(KEYS[3])
if redis.call('HGET', KEYS[1], 'deleted') == '1' then
  return {}
end
local user = user_with_hash(KEYS[1], KEYS[2])
return #user > 2 and user or {}
