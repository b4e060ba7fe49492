-- Checks whether a session goes on. Notes no use of it.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] idle life of the session, in milliseconds
-- Returns {'ended'} when the session or its user is no more; {'live', milliseconds until the session ends if it is not
-- used, its revoked tokens as a JSON object} else.
-- Atomic, because the user and the session are read at the same time. Idempotent: it writes only the fence, so that a WAIT
-- behind it proves that this master was not replaced.
local session = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]) or '{"endedAt":0}')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idle = tonumber(ARGV[2])
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'disabled', 'sessionEpoch')
local is_user = user[1] and user[2] ~= '1' and user[3] ~= '1'
redis.call('SET', KEYS[3], '', 'PX', 1000)
if not is_user or session.endedAt or session.epoch < tonumber(user[4] or 0)
  or now >= session.endsAt or now >= session.lastUsedAt + idle then
  return { 'ended' }
end
return {
  'live',
  math.min(session.endsAt, session.lastUsedAt + idle) - now,
  cjson.encode(session.revoked or {}),
}
