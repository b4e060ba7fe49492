-- Reads a user. What it finds is a hint: whoever acts on it checks again in the script that writes.
-- Version 2
-- KEYS[1] the user
-- ARGV[1] 1 to answer for a user who is not there with a stand-in of the same form, whose id is empty; else 0
-- Returns the user as fields and values; when there is none, the stand-in or an empty list.
-- The commands and the form of the stand-in are those of a user, so that a login takes as long for a name that nobody has.
local isDeleted = redis.call('HGET', KEYS[1], 'deleted') == '1'
local user = redis.call('HGETALL', KEYS[1])
if #user > 0 and not isDeleted then
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
