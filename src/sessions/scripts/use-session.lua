-- Decides about a request: is its access token verified, does its session live, and who is the user?
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] 1 when the caller has verified the token's signature itself, else 0
-- ARGV[3] digest of the token
-- ARGV[4] how many verified tokens of a session are remembered at the most
-- ARGV[5] idle life of the session, in milliseconds
-- ARGV[6], ARGV[7], ... the user's fields to return
-- Returns {'unverified'} when neither the session nor the caller vouches for the token: nothing was written;
-- {'ended'} when the session or its user is no more; {'live', milliseconds until the session ends if it is not used,
-- its revoked tokens as a JSON object, value, value, ...} with the user's fields else.
-- Atomic, because all three must be true at the same time. Every decision writes, so that a WAIT behind it proves that
-- this master was not replaced: the session's last use, or the fence.
local session = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]) or '{"endedAt":0}')
local verified, is_remembered = session.verified or {}, false
for _, digest in ipairs(verified) do
  is_remembered = is_remembered or digest == ARGV[3]
end
if ARGV[2] ~= '1' and not is_remembered then
  return { 'unverified' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idle = tonumber(ARGV[5])
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'disabled', 'sessionEpoch')
local is_user = user[1] and user[2] ~= '1' and user[3] ~= '1'
if not is_user or session.endedAt or session.epoch < tonumber(user[4] or 0)
  or now >= session.endsAt or now >= session.lastUsedAt + idle then
  redis.call('SET', KEYS[3], '', 'PX', 1000)
  return { 'ended' }
end
session.lastUsedAt = now
if not is_remembered then
  table.insert(verified, ARGV[3])
  while #verified > tonumber(ARGV[4]) do
    table.remove(verified, 1)
  end
  session.verified = verified
end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
local fields = redis.call('HMGET', KEYS[1], unpack(ARGV, 6))
for index, value in ipairs(fields) do
  fields[index] = value or ''
end
return { 'live', math.min(session.endsAt - now, idle), cjson.encode(session.revoked or {}), unpack(fields) }
