-- Writes the copy of a user who is kept in another store, by which the user's sessions are decided.
-- Version 2
-- KEYS[1] the copy
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- ARGV[1] version of the copy that was found before the store was asked, or '' for none
-- ARGV[2] version that this write gives it, which nobody else has
-- ARGV[3] 1 to end all sessions, else 0
-- ARGV[4] id of a session that does not end with the others, or ''
-- ARGV[5] life of the mark of a deleted user, in milliseconds
-- ARGV[6], ARGV[7], ... all fields and values of the user; none when the store has no such user
-- Returns 1, also when an earlier run of the same call has written it; 0 when the copy was written since, and so may know
-- more of the store than this call.
-- Atomic, because what the store said before a change must not overwrite what it said after it. Versions are not counted:
-- a master that was replaced, and the one that replaced it, could come to the same number. A write that is later than the
-- life of a mark could bring a deleted user back.
--- @include "now"
--- @include "end-sessions"
--- @include "user"
local copy = redis.call('HMGET', KEYS[1], 'version', 'sessionEpoch')
if copy[1] == ARGV[2] then
  redis.call('HSET', KEYS[1], 'version', ARGV[2])
  return 1
end
if (copy[1] or '') ~= ARGV[1] then
  return 0
end
if #ARGV == 5 then
  delete_user(KEYS[1], KEYS[2], ARGV[5], 'version', ARGV[2])
  return 1
end
-- Of a user who was kept here before.
redis.call('HDEL', KEYS[1], 'passwordHash', 'provisional')
redis.call('HSET', KEYS[1], 'deleted', 0, 'version', ARGV[2], unpack(ARGV, 6))
redis.call('PERSIST', KEYS[1])
if ARGV[3] == '1' then
  end_all_sessions(KEYS[1], KEYS[2], ARGV[4], copy[2], now_ms())
end
return 1
