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
local copy = redis.call('HMGET', KEYS[1], 'version', 'sessionEpoch')
if copy[1] == ARGV[2] then
  redis.call('HSET', KEYS[1], 'version', ARGV[2])
  return 1
end
if (copy[1] or '') ~= ARGV[1] then
  return 0
end
if #ARGV == 5 then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'deleted', 1, 'version', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  return 1
end
-- Of a user who was kept here before.
redis.call('HDEL', KEYS[1], 'passwordHash', 'provisional')
redis.call('HSET', KEYS[1], 'deleted', 0, 'version', ARGV[2], unpack(ARGV, 6))
redis.call('PERSIST', KEYS[1])
if ARGV[3] == '1' then
  local time = redis.call('TIME')
  local epoch = tonumber(copy[2] or 0) + 1
  redis.call('HSET', KEYS[1], 'sessionEpoch', epoch, 'sessionEpochAt', time[1] * 1000 + math.floor(time[2] / 1000))
  local kept = redis.call('HGET', KEYS[2], ARGV[4])
  local session = kept and cjson.decode(kept)
  if session and not session.endedAt and session.epoch == epoch - 1 then
    session.epoch = epoch
    redis.call('HSET', KEYS[2], ARGV[4], cjson.encode(session))
  end
end
return 1
