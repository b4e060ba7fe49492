-- Exchanges a refresh token for its successor, or replays the answer of an exchange that was made a moment ago.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the answer of the session's last exchange, encrypted
-- KEYS[4] the fence, a key that is only written
-- ARGV[1] session id
-- ARGV[2] digest of the token that was presented; the caller has checked that we issued it
-- ARGV[3] digest of the successor
-- ARGV[4] the answer, encrypted under a key that only the presented token yields
-- ARGV[5] how long the answer may be replayed, in milliseconds; 0 for never
-- ARGV[6] idle life of the session, in milliseconds
-- ARGV[7] digest of the new access token, which the caller has signed
-- ARGV[8] how many verified tokens of a session are remembered at the most
-- ARGV[9] how many exchanges a session may make at once; 0 for any number
-- ARGV[10] how long it takes until one more may be made, in milliseconds
-- Returns {'rotated'}; {'replayed', answer}; {'reused'} when the token was spent longer ago, or its successor was used
-- already; {'ended'} when the session or its user is no more; {'limited', milliseconds to wait} when the session has made
-- too many exchanges: the token can still be used.
-- Atomic, because of any number of callers with the same token exactly one may have the successor made. A second run of
-- the same call finds its own successor and replays its own answer. The longest life of the session stays as it is.
-- Every outcome writes, so that a WAIT behind it proves that this master was not replaced: one that was knows the newest
-- token for no token of its own, and would have its session ended.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'disabled', 'sessionEpoch')
local session = cjson.decode(redis.call('HGET', KEYS[2], ARGV[1]) or '{"endedAt":0}')
local is_user = user[1] and user[2] ~= '1' and user[3] ~= '1'
if not is_user or session.endedAt or session.epoch < tonumber(user[4] or 0)
  or now >= session.endsAt or now >= session.lastUsedAt + ARGV[6] then
  redis.call('SET', KEYS[4], '', 'PX', 1000)
  return { 'ended' }
end
if session.previousHash == ARGV[2] then
  redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
  if session.refreshHash == ARGV[3] then
    return { 'rotated' }
  end
  local answer = redis.call('GET', KEYS[3])
  return answer and { 'replayed', answer } or { 'reused' }
end
if session.refreshHash ~= ARGV[2] then
  redis.call('SET', KEYS[4], '', 'PX', 1000)
  return { 'reused' }
end
local burst, interval = tonumber(ARGV[9]), tonumber(ARGV[10])
if burst > 0 then
  -- GCRA: one number tells when all that was made has been earned again.
  local earned_at = math.max(session.refreshesEarnedAt or 0, now)
  local wait = earned_at + interval - now - burst * interval
  if wait > 0 then
    redis.call('SET', KEYS[4], '', 'PX', 1000)
    return { 'limited', wait }
  end
  session.refreshesEarnedAt = earned_at + interval
end
local verified = session.verified or {}
table.insert(verified, ARGV[7])
while #verified > tonumber(ARGV[8]) do
  table.remove(verified, 1)
end
session.verified = verified
session.previousHash = ARGV[2]
session.refreshHash = ARGV[3]
session.lastUsedAt = now
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode(session))
if tonumber(ARGV[5]) > 0 then
  redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
else
  redis.call('DEL', KEYS[3])
end
return { 'rotated' }
