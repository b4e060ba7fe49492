-- Writes the copy of a user who is kept in another store, by which the user's sessions are decided.
-- Version 1
-- KEYS[1] the copy
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- ARGV[1] version of the copy that was found before the store was asked, 0 for none
-- ARGV[2] 1 to end all sessions, else 0; a new password and the disabled state end them anyway
-- ARGV[3] id of a session that does not end with the others, or ''
-- ARGV[4] life of the mark of a deleted user, in milliseconds
-- ARGV[5], ARGV[6], ... all fields and values of the user; none when the store has no such user
-- Returns 1; 0 when the copy was written since, and so may know more of the store than this call.
-- Atomic, because what the store said before a change must not overwrite what it said after it. A second run of one call
-- finds that it was written. After the end of the mark a write that is as late as that could bring a user back.
local copy = redis.call('HMGET', KEYS[1], 'version', 'passwordVersion', 'sessionEpoch')
if (copy[1] or '0') ~= ARGV[1] then
  return 0
end
local version = tonumber(ARGV[1]) + 1
if #ARGV == 4 then
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'deleted', 1, 'version', version)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return 1
end
redis.call('HSET', KEYS[1], 'deleted', 0, 'version', version, unpack(ARGV, 5))
redis.call('PERSIST', KEYS[1])
local now = redis.call('HMGET', KEYS[1], 'passwordVersion', 'disabled')
if ARGV[2] == '1' or now[2] == '1' or (copy[2] and copy[2] ~= now[1]) then
  local time = redis.call('TIME')
  local epoch = tonumber(copy[3] or 0) + 1
  redis.call('HSET', KEYS[1], 'sessionEpoch', epoch, 'sessionEpochAt', time[1] * 1000 + math.floor(time[2] / 1000))
  local kept = redis.call('HGET', KEYS[2], ARGV[3])
  local session = kept and cjson.decode(kept)
  if session and not session.endedAt and session.epoch == epoch - 1 and now[2] ~= '1' then
    session.epoch = epoch
    redis.call('HSET', KEYS[2], ARGV[3], cjson.encode(session))
  end
end
return 1
