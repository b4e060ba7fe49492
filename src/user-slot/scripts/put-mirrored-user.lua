-- Writes the copy of a user of another store. The copy decides about the user's sessions.
-- Version 5
-- KEYS[1] the copy
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the password hash of the user, if the user was stored in Redis before
-- KEYS[4] the uses of the sessions that services have noted
-- KEYS[5] the user's factors
-- KEYS[6] the one-time tokens of the user
-- ARGV[1] version of the copy that was read before the store was read, or '' for none
-- ARGV[2] new version of the copy, unique to this call
-- ARGV[3] 1 to end all sessions, else 0
-- ARGV[4] id of a session that stays live when the others end, or ''
-- ARGV[5] lifetime of the mark of a deleted user, in milliseconds
-- ARGV[6] how long the factors of a user who is not in the store remain, in milliseconds. 0 when Keyslot has deleted the user. A store
--   that has lost the user may get it back, and the password alone must not be enough then
-- ARGV[7], ARGV[8], ... all fields and values of the user; none when the store has no such user
-- Returns 1 when the copy has the new version, also when an earlier run of the same call wrote it. Returns 0 when another
-- call has written the copy since it was read: that call may have read a newer state of the store.
-- Atomic: an older state of the store must not overwrite a newer one. Versions are unique ids and not numbers, because a
-- replaced master and its successor can count to the same number. A write that arrives after the mark has expired could
-- bring a deleted user back.
--- @include "now"
--- @include "end-sessions"
--- @include "factors"
--- @include "user"
local copy = redis.call('HMGET', KEYS[1], 'version', 'sessionEpoch')
if copy[1] == ARGV[2] then
  redis.call('HSET', KEYS[1], 'version', ARGV[2])
  return 1
end
if (copy[1] or '') ~= ARGV[1] then
  return 0
end
if #ARGV == 6 then
  delete_user(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], ARGV[5], ARGV[6], 'version', ARGV[2])
  return 1
end
-- The user may have been stored in Redis before.
redis.call('HDEL', KEYS[1], 'passwordHash', 'provisional')
redis.call('DEL', KEYS[3])
redis.call('HSET', KEYS[1], 'deleted', 0, 'version', ARGV[2], unpack(ARGV, 7))
redis.call('PERSIST', KEYS[1])
redis.call('PERSIST', KEYS[5])
note_second_factor(KEYS[1], confirmed_types(KEYS[5]))
if ARGV[3] == '1' then
  end_all_sessions(KEYS[1], KEYS[2], ARGV[4], copy[2], now_ms())
end
return 1
