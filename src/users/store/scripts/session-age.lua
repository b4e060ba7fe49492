-- Tells how long ago a session began.
-- Version 1
-- KEYS[1] the user's sessions: a hash of session id to JSON
-- ARGV[1] session id
-- Returns milliseconds since the login; a refresh does not change it. '' when there is no such session.
local text = redis.call('HGET', KEYS[1], ARGV[1])
local session = text and cjson.decode(text)
if not session or not session.createdAt then
  return ''
end
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000) - session.createdAt
