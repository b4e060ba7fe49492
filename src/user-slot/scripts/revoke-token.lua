-- Revokes one access token of a session that stays live.
-- Version 2
-- KEYS[1] the user's sessions: a hash of session id to JSON
-- KEYS[2] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] id of the token (jti)
-- ARGV[3] when the token expires, in milliseconds since the epoch
-- Returns 1, or 0 when the session has ended or does not exist. A session with too many revoked tokens ends instead.
-- Atomic: concurrent revocations must both take effect. Running it twice changes nothing.
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "end-sessions"
local MAX_REVOKED = 100
write_fence(KEYS[2])
local session = read_session(KEYS[1], ARGV[1])
if not session or session.endedAt then
  return 0
end
local now = now_ms()
local revoked = { [ARGV[2]] = tonumber(ARGV[3]) }
local count = 1
for id, expiry in pairs(session.revoked or {}) do
  if expiry > now and id ~= ARGV[2] then
    revoked[id] = expiry
    count = count + 1
  end
end
if count > MAX_REVOKED then
  end_session(KEYS[1], ARGV[1], session, nil, now)
  return 1
end
session.revoked = revoked
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(session))
return 1
