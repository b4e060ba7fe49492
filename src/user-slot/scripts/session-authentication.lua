-- Returns when and how the user of a session authenticated.
-- Version 1
-- KEYS[1] the user's sessions: a hash of session id to JSON
-- ARGV[1] session id
-- Returns {seconds since the epoch, methods as a JSON list}; an empty list when there is no such session.
--- @include "live"
local session = read_session(KEYS[1], ARGV[1])
if not session or not session.createdAt then
  return {}
end
return { session.authTime or math.floor(session.createdAt / 1000), cjson.encode(session.amr or { 'pwd' }) }
