-- Deletes a user. A mark stays for a while, so that no late write brings the user or a session back.
-- Version 1
-- KEYS[1] the user
-- ARGV[1] version of the password that was verified
-- ARGV[2] life of the mark, in milliseconds
-- Returns 1 when the user is deleted, also by an earlier run; 0 when the password was changed meanwhile or there is none.
-- Atomic, because the password must not change between look and deletion.
if redis.call('HGET', KEYS[1], 'deleted') ~= '1' and redis.call('HGET', KEYS[1], 'passwordVersion') ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'deleted', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
