-- Replaces the hash of an unchanged password with a hash that has the current parameters.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- ARGV[1] the verified hash
-- ARGV[2] the new hash of the same password
-- Returns 1, or 0 when the password has changed in the meantime.
-- Atomic: a hash of the old password must not overwrite a new password.
--- @include "password-hash"
if password_hash(KEYS[1], KEYS[2]) ~= ARGV[1] then
  return 0
end
store_password_hash(KEYS[1], KEYS[2], ARGV[2])
return 1
