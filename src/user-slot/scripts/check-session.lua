-- Checks whether a session is live, without recording a use of it.
-- Version 2
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- KEYS[4] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- ARGV[1] session id
-- ARGV[2] idle lifetime of the session, in milliseconds
-- Returns {'ended'} when the session is not live; else {'live', milliseconds until the session expires if it is not used, its
-- revoked tokens as a JSON object}.
-- Atomic: the user and the session are read at the same time. Idempotent: it writes only the fence. The WAIT that follows
-- proves that this master was not replaced.
--- @include "now"
--- @include "fence"
--- @include "live"
local session = read_used_session(KEYS[2], KEYS[4], ARGV[1])
local left = life_left(session, session_user(KEYS[1]), ARGV[2], now_ms())
write_fence(KEYS[3])
if left <= 0 then
  return { 'ended' }
end
return { 'live', left, cjson.encode(session.revoked or {}) }
