-- Deletes a user and the user's sessions. A mark stays for a while, so that no late write brings the user or a session
-- back.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the user's sessions
-- ARGV[1] version of the password that was verified for it, or '' when none was needed
-- ARGV[2] number of the user's last change, or '' when it may be any
-- ARGV[3] life of the mark, in milliseconds
-- Returns {username} when the user is deleted, {''} when an earlier run has done so; an empty list when the password was
-- changed meanwhile, or with ARGV[2] anything, or there is none.
-- Atomic, because the password must not change between look and deletion.
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'passwordVersion', 'username', 'lastChange')
local is_outdated = (ARGV[1] ~= '' and user[3] ~= ARGV[1]) or (ARGV[2] ~= '' and (user[5] or '0') ~= ARGV[2])
if user[2] ~= '1' and (not user[1] or is_outdated) then
  return {}
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'deleted', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { user[4] or '' }
