-- Tells whether a session is live, for a caller who would end it.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] idle life of a session, in milliseconds
-- Returns 1 when the session is live, else 0.
-- Atomic, because user and session must be read at the same time. Running it twice changes nothing. It writes, so that a
-- WAIT behind it proves that this master was not replaced.
redis.call('SET', KEYS[3], '', 'PX', 1000)
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'sessionEpoch')
local session = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]) or '{"endedAt":0}')
if not user[1] or user[2] == '1' or session.endedAt or session.epoch < tonumber(user[3] or 0) then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return now < session.endsAt and now < session.lastUsedAt + ARGV[2] and 1 or 0
