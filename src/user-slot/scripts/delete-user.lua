-- Deletes a user and the user's sessions. A mark remains for a while, so that a late write cannot bring them back.
-- Version 7
-- KEYS[1] the user
-- KEYS[2] the user's sessions
-- KEYS[3] the password hash of the user
-- KEYS[4] the uses of the sessions that services have noted
-- KEYS[5] the user's factors
-- KEYS[6] the one-time tokens of the user
-- ARGV[1] version of the verified password, or '' for any
-- ARGV[2] number of the last change of the user, or '' for any
-- ARGV[3] lifetime of the mark, in milliseconds
-- ARGV[4] roles that the user must not have, as a JSON list
-- Returns {'removed', username} when the user is deleted, {'removed', ''} when an earlier run has deleted the user;
-- {'outdated'} when ARGV[1] or ARGV[2] does not match; {'protected', role} when the user has a role of ARGV[4]; {'unknown'}
-- when there is no such user.
-- Atomic: the password and the roles must not change between the check and the deletion.
--- @include "user"
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'passwordVersion', 'username', 'lastChange', 'roles')
local is_outdated = (ARGV[1] ~= '' and user[3] ~= ARGV[1]) or (ARGV[2] ~= '' and (user[5] or '0') ~= ARGV[2])
if user[2] ~= '1' then
  if not user[1] or is_outdated then
    return { user[1] and 'outdated' or 'unknown' }
  end
  local role = protected_role(user[6], ARGV[4])
  if role then
    return { 'protected', role }
  end
end
delete_user(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], ARGV[3], 0)
return { 'removed', user[4] or '' }
