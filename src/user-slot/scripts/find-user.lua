-- Reads a user. The result may be out of date: a script that writes checks it again.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the password hash of the user
-- ARGV[1] 1 to return a stand-in of the same form, with an empty id, for an unknown user; else 0
-- Returns the user as fields and values, see password-hash.lua. For an unknown user it returns the stand-in or an empty list.
-- The stand-in takes the same commands as a user, so that a login with an unknown name takes as long as with a known name.
--- @include "password-hash"
local is_deleted = redis.call('HGET', KEYS[1], 'deleted') == '1'
local user = user_with_hash(KEYS[1], KEYS[2])
if #user > 2 and not is_deleted then
  return user
end
if ARGV[1] ~= '1' then
  return {}
end
return {
  'createdAt', '1700000000000', 'updatedAt', '1700000000000', 'provisional', '0',
  'id', '', 'username', string.rep('-', 12), 'email', '', 'displayName', '', 'roles', '[]',
  'passwordHash', string.rep('-', 97), 'passwordVersion', '1',
}
