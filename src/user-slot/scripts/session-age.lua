-- Returns the age of a session.
-- Version 1
-- KEYS[1] the user's sessions: a hash of session id to JSON
-- ARGV[1] session id
-- Returns milliseconds since the login, which a refresh does not change; '' when there is no such session.
--- @include "now"
--- @include "live"
local session = read_session(KEYS[1], ARGV[1])
if not session or not session.createdAt then
  return ''
end
return now_ms() - session.createdAt
