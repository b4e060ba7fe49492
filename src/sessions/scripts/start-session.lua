-- Starts a session for a user whose password was verified a moment ago.
-- Version 3
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- ARGV[1] session id
-- ARGV[2] version of the password that was verified
-- ARGV[3] idle life, in milliseconds
-- ARGV[4] longest life, in milliseconds
-- ARGV[5] digest of the access token, which the caller has signed
-- ARGV[6] most sessions of a user
-- ARGV[7] 1 to make room by ending those that were not used for longest, else 0
-- ARGV[8] how long an ended session is remembered, in milliseconds
-- ARGV[9] how many ended sessions are remembered at the most
-- ARGV[10] address of the client
-- ARGV[11] user agent of the client
-- ARGV[12] digest of the refresh token
-- Returns 'started', also for an earlier run of the same call; 'full' when the user has as many sessions as may be, and
-- nothing was written; 'refused' when the user is gone, is disabled or has another password, or when the session has
-- ended since.
-- Atomic, because a password change or deletion must not leave a session that began beside it, and because of any number
-- of logins at once only so many may succeed without ending others.
local user = redis.call('HMGET', KEYS[1], 'passwordVersion', 'deleted', 'disabled', 'sessionEpoch', 'sessionEpochAt')
if user[1] ~= ARGV[2] or user[2] == '1' or user[3] == '1' then
  return 'refused'
end
local epoch = tonumber(user[4] or 0)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idle = tonumber(ARGV[3])

local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then
  redis.call('HSET', KEYS[2], ARGV[1], known)
  local session = cjson.decode(known)
  return not session.endedAt and session.epoch >= epoch and 'started' or 'refused'
end

local live, over = {}, {}
local all = redis.call('HGETALL', KEYS[2])
for index = 1, #all, 2 do
  local session = cjson.decode(all[index + 1])
  local over_at = session.endedAt or math.min(session.endsAt, session.lastUsedAt + idle)
  if not session.endedAt and session.epoch < epoch then
    over_at = math.min(over_at, tonumber(user[5]))
  end
  if over_at > now then
    table.insert(live, { id = all[index], used = session.lastUsedAt, verified = session.verified })
  else
    table.insert(over, { id = all[index], at = over_at })
  end
end
local most = tonumber(ARGV[6])
if #live >= most and ARGV[7] ~= '1' then
  return 'full'
end
table.sort(over, function(one, other) return one.at > other.at end)
for index, session in ipairs(over) do
  if index > tonumber(ARGV[9]) or session.at + ARGV[8] < now then
    redis.call('HDEL', KEYS[2], session.id)
  end
end
table.sort(live, function(one, other) return one.used < other.used end)
for index = 1, #live - most + 1 do
  redis.call('HSET', KEYS[2], live[index].id, cjson.encode({ endedAt = now, verified = live[index].verified }))
end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode({
  createdAt = now,
  lastUsedAt = now,
  endsAt = now + ARGV[4],
  epoch = epoch,
  ip = ARGV[10],
  userAgent = ARGV[11],
  refreshHash = ARGV[12],
  verified = { ARGV[5] },
}))
redis.call('PEXPIRE', KEYS[2], math.max(redis.call('PTTL', KEYS[2]), ARGV[4] + ARGV[8]))
return 'started'
