-- Removes one second factor of a user, or all of them. The other sessions of the user end, unless the one was not confirmed.
-- Version 1
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the user's factors: a hash of factor id to JSON
-- ARGV[1] id of the factor, or '' for all
-- ARGV[2] id of this removal, the same in each run
-- ARGV[3] id of the session that asks, or '' when its user removes no own factor. It stays live
-- ARGV[4] type of factors that do not count alone: they are removed with the last other factor
-- ARGV[5] roles that the user must not have, as a JSON list
-- Returns {'changed'}, also for a second run of the same call; {'protected', role} when the user has a role of ARGV[5]; {'unknown'}
-- when there is no such factor, or no such user; {'ended'} when the session is not live. Only the last removal is remembered: if another
-- one has come between two runs of the same call, the second run returns {'unknown'} for a factor that the first has removed.
-- Atomic: an ended session must not remove a factor. When this script has run, no login counts a proof of the factor, not even one that
-- was checked before.
--- @include "now"
--- @include "live"
--- @include "end-sessions"
--- @include "factors"
--- @include "user"
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'sessionEpoch', 'roles')
if not user[1] or user[2] == '1' then
  return { 'unknown' }
end
if redis.call('HGET', KEYS[3], '.removal') == ARGV[2] then
  redis.call('HSET', KEYS[3], '.removal', ARGV[2])
  return { 'changed' }
end
local now = now_ms()
if ARGV[3] ~= '' and not may_write(KEYS[2], ARGV[3], session_user(KEYS[1]), now) then
  return { 'ended' }
end
local role = protected_role(user[4], ARGV[5])
if role then
  return { 'protected', role }
end
local removed, others = 0, 0
local has_counted = ARGV[1] == ''
for _, one in ipairs(all_factors(KEYS[3])) do
  if ARGV[1] == '' or one.id == ARGV[1] then
    redis.call('HDEL', KEYS[3], one.id)
    removed = removed + 1
    has_counted = has_counted or one.factor.isConfirmed
  elseif one.factor.isConfirmed and one.factor.type ~= ARGV[4] then
    others = others + 1
  end
end
if removed == 0 then
  return { 'unknown' }
end
redis.call('HSET', KEYS[3], '.removal', ARGV[2])
if not has_counted then
  return { 'changed' }
end
if others == 0 then
  for _, one in ipairs(all_factors(KEYS[3])) do
    if one.factor.type == ARGV[4] then
      redis.call('HDEL', KEYS[3], one.id)
    end
  end
end
note_types(KEYS[1], KEYS[3])
end_all_sessions(KEYS[1], KEYS[2], ARGV[3], user[3], now)
forget_factors(KEYS[2], ARGV[3])
return { 'changed' }
