-- Ends a session. A mark remains for a while, so that a late write cannot bring it back.
-- Version 5. includes/end-sessions.lua lists all ways in which sessions end.
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- KEYS[4] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- ARGV[1] session id
-- ARGV[2] id of this request, the same in each run
-- ARGV[3] idle lifetime of a session, in milliseconds
-- Returns 1 when this request has ended a live session, now or in an earlier run; else 0.
-- Atomic: a late write must find either the session or its mark. Running it twice changes nothing.
--- @include "now"
--- @include "fence"
--- @include "live"
--- @include "end-sessions"
local session = read_used_session(KEYS[2], KEYS[4], ARGV[1])
if not session or (session.endedAt and session.endedBy ~= ARGV[2]) then
  write_fence(KEYS[3])
  return 0
end
local now = now_ms()
local was_live = session.endedBy or life_left(session, session_user(KEYS[1]), ARGV[3], now) > 0
-- An expired session gets a mark without a request id, so that a second run returns 0 like the first.
end_session(KEYS[2], ARGV[1], session, was_live and ARGV[2] or nil, now)
return was_live and 1 or 0
