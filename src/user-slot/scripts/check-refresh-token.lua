-- Checks whether a refresh token of a live session may be exchanged. It does not spend the token, and records no use.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- KEYS[4] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- ARGV[1] session id
-- ARGV[2] idle lifetime of the session, in milliseconds
-- ARGV[3] digest of the token
-- Returns milliseconds until the token expires if the session is not used; 0 when the token is spent or the session is not live.
-- Atomic: the user and the session are read at the same time. Idempotent: it writes only the fence. The WAIT that follows
-- proves that this master was not replaced.
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "refresh-tokens"
write_fence(KEYS[3])
local session = read_used_session(KEYS[2], KEYS[4], ARGV[1])
local now = now_ms()
local left = life_left(session, session_user(KEYS[1]), ARGV[2], now)
return left > 0 and math.max(math.min(left, token_life(session, ARGV[3], now)), 0) or 0
