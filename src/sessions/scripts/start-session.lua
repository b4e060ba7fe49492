-- Starts a session for a user whose password was verified a moment ago.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the session
-- KEYS[3] the mark of the verified access token
-- ARGV[1] version of the password that was verified
-- ARGV[2] idle life, in milliseconds
-- ARGV[3] longest life, in milliseconds
-- ARGV[4] life of the mark, in milliseconds
-- ARGV[5], ARGV[6], ... fields and values of the session
-- Returns 1 when the session is live, also from an earlier run of the same call; 0 when the user is gone, is disabled
-- or has another password, or when the session has ended since.
-- Atomic, because a password change or deletion must not leave a session that began beside it.
local user = redis.call('HMGET', KEYS[1], 'passwordVersion', 'deleted', 'disabled')
if user[1] ~= ARGV[1] or user[2] == '1' or user[3] == '1' or redis.call('HGET', KEYS[2], 'ended') == '1' then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], 'createdAt', now, 'lastUsedAt', now, 'endsAt', now + ARGV[3], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[2], math.min(ARGV[2], ARGV[3]))
redis.call('SET', KEYS[3], '', 'PX', ARGV[4])
return 1
