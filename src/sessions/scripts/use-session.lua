-- Decides about a request: is its access token verified, does its session live, and who is the user?
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the mark of the verified access token
-- KEYS[4] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] 1 when the caller has verified the token's signature itself, else 0
-- ARGV[3] life of the mark, in milliseconds
-- ARGV[4] idle life of the session, in milliseconds
-- ARGV[5], ARGV[6], ... the user's fields to return
-- Returns {'unverified'} when neither a mark nor the caller vouches for the token: nothing was looked at or written;
-- {'ended'} when the session or its user is no more; {'live', milliseconds until the session ends if it is not used,
-- its revoked tokens as a JSON object, value, value, ...} with the user's fields else.
-- Atomic, because all three must be true at the same time. Every decision writes, so that a WAIT behind it proves that
-- this master was not replaced: the session's last use, or the fence.
local is_verified = ARGV[2] == '1'
if not is_verified and redis.call('EXISTS', KEYS[3]) == 0 then
  return { 'unverified' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idle = tonumber(ARGV[4])
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'disabled', 'sessionEpoch')
local session = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]) or '{"endedAt":0}')
local is_user = user[1] and user[2] ~= '1' and user[3] ~= '1'
if not is_user or session.endedAt or session.epoch < tonumber(user[4] or 0)
  or now >= session.endsAt or now >= session.lastUsedAt + idle then
  redis.call('SET', KEYS[4], '', 'PX', 1000)
  return { 'ended' }
end
session.lastUsedAt = now
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
if is_verified then
  redis.call('SET', KEYS[3], '', 'PX', ARGV[3])
end
local fields = redis.call('HMGET', KEYS[1], unpack(ARGV, 5))
for index, value in ipairs(fields) do
  fields[index] = value or ''
end
return { 'live', math.min(session.endsAt - now, idle), cjson.encode(session.revoked or {}), unpack(fields) }
