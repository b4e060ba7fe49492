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
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "verified-tokens"
local session = read_session(KEYS[2], ARGV[1])
local is_remembered = session and is_verified(session, ARGV[3])
if ARGV[2] ~= '1' and not is_remembered then
  return { 'unverified' }
end
local now = now_ms()
local user = session_user(KEYS[1])
if life_left(session, user, ARGV[5], now) <= 0 then
  write_fence(KEYS[3])
  return { 'ended' }
end
session.lastUsedAt = now
if not is_remembered then
  remember_verified(session, ARGV[3], ARGV[4])
end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
local fields = redis.call('HMGET', KEYS[1], unpack(ARGV, 6))
for index, value in ipairs(fields) do
  fields[index] = value or ''
end
return { 'live', life_left(session, user, ARGV[5], now), cjson.encode(session.revoked or {}), unpack(fields) }
