-- Starts a session for a user. The caller has just verified the password, or a passkey.
-- Version 5
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the uses of the sessions that services have noted: a hash of session id to milliseconds since the epoch
-- KEYS[4] the user's factors: a hash of factor id to JSON
-- ARGV[1] session id
-- ARGV[2] version of the verified password
-- ARGV[3] idle lifetime, in milliseconds
-- ARGV[4] maximum age, in milliseconds
-- ARGV[5] digest of the access token, which the caller has signed
-- ARGV[6] maximum number of sessions of a user
-- ARGV[7] 1 to evict the least recently used sessions when the user has too many, else 0
-- ARGV[8] lifetime of the mark of an ended session, in milliseconds
-- ARGV[9] maximum number of marks of a user
-- ARGV[10] address of the client
-- ARGV[11] user agent of the client
-- ARGV[12] digest of the refresh token
-- ARGV[13] when the user authenticated, in seconds since the epoch
-- ARGV[14] how the user authenticated, as a JSON list; '' for a password alone
-- ARGV[15] version of the factors for which a proof was checked; '' when none was checked
-- Returns {'started'}, also when an earlier run of the same call started the session; {'full'} when the user has the maximum
-- number of sessions: nothing was written; {'second-factor', types} when the user has second factors, and none was checked;
-- {'refused'} when the user is deleted, disabled or has another password or other factors, or when an earlier run started the
-- session and it has ended since.
-- Atomic: a concurrent password change or deletion must not miss this session, and concurrent logins must not exceed the
-- maximum number of sessions.
--- @include "now"
--- @include "live"
--- @include "end-sessions"
--- @include "factors"
local user = session_user(KEYS[1])
if not user or user.password_version ~= ARGV[2] then
  return { 'refused' }
end
local now = now_ms()

local known = redis.call('HGET', KEYS[2], ARGV[1])
if known then
  redis.call('HSET', KEYS[2], ARGV[1], known)
  return { life_left(cjson.decode(known), user, ARGV[3], now) > 0 and 'started' or 'refused' }
end

local types, version = confirmed_types(KEYS[4])
if ARGV[15] == '' and types ~= '[]' then
  return { 'second-factor', types }
end
if ARGV[15] ~= '' and ARGV[15] ~= version then
  return { 'refused' }
end

local uses = read_uses(KEYS[3])
local live, not_live = {}, {}
local all = redis.call('HGETALL', KEYS[2])
for index = 1, #all, 2 do
  local session = add_use(cjson.decode(all[index + 1]), uses[all[index]])
  if life_left(session, user, ARGV[3], now) > 0 then
    table.insert(live, { id = all[index], session = session })
  else
    table.insert(not_live, { id = all[index], at = not_live_since(session, user, ARGV[3]) })
  end
end
local max_sessions = tonumber(ARGV[6])
if #live >= max_sessions and ARGV[7] ~= '1' then
  return { 'full' }
end
table.sort(not_live, function(one, other) return one.at > other.at end)
for index, ended in ipairs(not_live) do
  if index > tonumber(ARGV[9]) or ended.at + ARGV[8] < now then
    redis.call('HDEL', KEYS[2], ended.id)
    redis.call('HDEL', KEYS[3], ended.id)
  end
end
table.sort(live, function(one, other) return one.session.lastUsedAt < other.session.lastUsedAt end)
for index = 1, #live - max_sessions + 1 do
  end_session(KEYS[2], live[index].id, live[index].session, nil, now)
end
redis.call('HSET', KEYS[2], ARGV[1], cjson.encode({
  createdAt = now,
  authTime = tonumber(ARGV[13]),
  amr = ARGV[14] ~= '' and cjson.decode(ARGV[14]) or nil,
  lastUsedAt = now,
  endsAt = now + ARGV[4],
  epoch = user.epoch,
  ip = ARGV[10],
  userAgent = ARGV[11],
  refreshHash = ARGV[12],
  verified = { ARGV[5] },
}))
redis.call('PEXPIRE', KEYS[2], math.max(redis.call('PTTL', KEYS[2]), ARGV[4] + ARGV[8]))
return { 'started' }
