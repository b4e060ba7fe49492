-- Deletes a user and the user's sessions. A mark stays for a while, so that no late write brings the user or a session
-- back.
-- Version 4
-- KEYS[1] the user
-- KEYS[2] the user's sessions
-- ARGV[1] version of the password that was verified for it, or '' when none was needed
-- ARGV[2] number of the user's last change, or '' when it may be any
-- ARGV[3] life of the mark, in milliseconds
-- ARGV[4] roles that the user must not have, as a JSON list
-- Returns {'removed', username} when the user is deleted, {'removed', ''} when an earlier run has done so; {'outdated'} when
-- the password was changed meanwhile, or with ARGV[2] anything; {'protected', role} when the user has a role of ARGV[4];
-- {'unknown'} when there is no such user.
-- Atomic, because neither the password nor the roles must change between look and deletion.
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
delete_user(KEYS[1], KEYS[2], ARGV[3])
return { 'removed', user[4] or '' }
