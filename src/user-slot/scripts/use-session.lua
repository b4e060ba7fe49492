-- Decides about a request: is its access token verified, is its session live, and who is the user? Records the use.
-- Version 5
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- KEYS[4] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- ARGV[1] session id
-- ARGV[2] 1 when the caller has verified the signature of the token, else 0
-- ARGV[3] digest of the token
-- ARGV[4] maximum number of verified tokens that a session remembers
-- ARGV[5] idle lifetime of the session, in milliseconds
-- ARGV[6] 1 when the caller may write sessions. 0 for a service: it notes the use in KEYS[4], and no token is remembered
-- ARGV[7], ARGV[8], ... the fields of the user to return
-- Returns {'unverified'} when neither the session nor the caller has verified the token. It then writes nothing, and returns
-- false as a second value: the reply must not be held. Returns {'ended'} when the session is not live. Else returns {'live',
-- milliseconds until the session expires if it is not used, its revoked tokens as a JSON object, value, value, ...} with the
-- fields of the user.
-- Atomic: the three answers must be true at the same time. Every other decision writes the last use of the session or the
-- fence, so that the WAIT that follows proves that this master was not replaced.
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "verified-tokens"
local session = read_used_session(KEYS[2], KEYS[4], ARGV[1])
local is_remembered = session and is_verified(session, ARGV[3])
if ARGV[2] ~= '1' and not is_remembered then
  return { 'unverified' }, false
end
local now = now_ms()
local user = session_user(KEYS[1])
if life_left(session, user, ARGV[5], now) <= 0 then
  write_fence(KEYS[3])
  return { 'ended' }
end
session.lastUsedAt = now
if ARGV[6] == '1' then
  if not is_remembered then
    remember_verified(session, ARGV[3], ARGV[4])
  end
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
else
  redis.call('HSET', KEYS[4], ARGV[1], now)
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
end
local fields = redis.call('HMGET', KEYS[1], unpack(ARGV, 7))
for index, value in ipairs(fields) do
  fields[index] = value or ''
end
return { 'live', life_left(session, user, ARGV[5], now), cjson.encode(session.revoked or {}), unpack(fields) }
