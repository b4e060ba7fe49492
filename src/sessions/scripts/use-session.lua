-- Decides about a request: is its access token verified, does its session live, and who is the user?
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the session
-- KEYS[3] the mark of the verified access token
-- KEYS[4] the fence, a key that is only written
-- ARGV[1] 1 when the caller has verified the token's signature itself, else 0
-- ARGV[2] life of the mark, in milliseconds
-- ARGV[3] idle life of the session, in milliseconds
-- ARGV[4], ARGV[5], ... the user's fields to return
-- Returns {'unverified'} when neither a mark nor the caller vouches for the token: nothing was looked at or written;
-- {'ended'} when the session or its user is no more; {'live', value, value, ...} with the user's fields else.
-- Atomic, because all three must be true at the same time. Every decision writes, so that a WAIT behind it proves that
-- this master was not replaced: the session's last use, or the fence.
local is_verified = ARGV[1] == '1'
if not is_verified and redis.call('EXISTS', KEYS[3]) == 0 then
  return { 'unverified' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'disabled')
local session = redis.call('HMGET', KEYS[2], 'endsAt', 'ended')
local left = (tonumber(session[1]) or 0) - now
if not user[1] or user[2] == '1' or user[3] == '1' or session[2] == '1' or left <= 0 then
  redis.call('SET', KEYS[4], '', 'PX', 1000)
  return { 'ended' }
end
redis.call('HSET', KEYS[2], 'lastUsedAt', now)
redis.call('PEXPIRE', KEYS[2], math.min(left, ARGV[3]))
if is_verified then
  redis.call('SET', KEYS[3], '', 'PX', ARGV[2])
end
local fields = redis.call('HMGET', KEYS[1], unpack(ARGV, 4))
for index, value in ipairs(fields) do
  fields[index] = value or ''
end
table.insert(fields, 1, 'live')
return fields
