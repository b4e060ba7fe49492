-- Ends a session. A mark stays for a while, so that no late write brings it back.
-- Version 4
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] id of this request
-- ARGV[3] idle life of a session, in milliseconds
-- Returns 1 when the session was live, also before an earlier run of the same request; 0 when there was none.
-- Atomic, because a late write must find either the session or its mark. Running it twice changes nothing.
local text = redis.call('HGET', KEYS[2], ARGV[1])
local session = text and cjson.decode(text)
if not session or (session.endedAt and session.endedBy ~= ARGV[2]) then
  redis.call('SET', KEYS[3], '', 'PX', 1000)
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local epoch = tonumber(redis.call('HGET', KEYS[1], 'sessionEpoch') or 0)
local was_live = session.endedBy or (session.epoch >= epoch and now < session.endsAt
  and now < session.lastUsedAt + ARGV[3])
-- One that was over already is marked too, but for no request: a second run says the same as the first. The verified
-- tokens stay, so that to refuse one of them takes no second look.
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode({
  endedAt = now,
  endedBy = was_live and ARGV[2] or nil,
  verified = session.verified,
}))
return was_live and 1 or 0
