-- Changes fields of a user, ends the user's sessions, or both.
-- Version 6
-- New roles end no session: tokens stay valid, and guard/current-roles.guard.ts uses the current roles for each request.
-- KEYS[1] the user
-- KEYS[2] the user's sessions: a hash of session id to JSON
-- KEYS[3] the password hash of the user
-- ARGV[1] sequence number of this change; the numbers of one user only increase
-- ARGV[2] version of the verified password, or '' for any
-- ARGV[3] number of the last change before this one, or '' for any
-- ARGV[4] 1 to end all sessions, else 0
-- ARGV[5] id of a session that stays live when the others end, or ''
-- ARGV[6] roles that the user must not have, as a JSON list
-- ARGV[7] hash of a new password, or ''
-- ARGV[8], ARGV[9], ... fields and their new values; '' clears
-- Returns {'changed', field, value, ...} with the changed user, also for an earlier run of the same change;
-- {'overtaken'} when a change with a higher number was written first; {'outdated'} when ARGV[2] or ARGV[3] does not match;
-- {'protected', role} when the user has a role of ARGV[6]; {'unknown'} when there is no such user.
-- Atomic: a late write must not bring a deleted user back. No session may start after the new password is written and before
-- the other sessions end. Idempotent by the number of the change: a late run changes nothing.
--- @include "now"
--- @include "end-sessions"
--- @include "user"
--- @include "password-hash"
local user = redis.call('HMGET', KEYS[1], 'id', 'deleted', 'passwordVersion', 'sessionEpoch', 'lastChange', 'roles')
if not user[1] or user[2] == '1' then
  return { 'unknown' }
end
local last = tonumber(user[5] or 0)
local this = tonumber(ARGV[1])
if this < last then
  return { 'overtaken' }
end
if this > last then
  if (ARGV[2] ~= '' and ARGV[2] ~= user[3]) or (ARGV[3] ~= '' and ARGV[3] ~= (user[5] or '0')) then
    return { 'outdated' }
  end
  local role = protected_role(user[6], ARGV[6])
  if role then
    return { 'protected', role }
  end
  local now = now_ms()
  if #ARGV > 7 then
    local time_of_password = ARGV[7] ~= '' and 'passwordChangedAt' or 'updatedAt'
    redis.call('HSET', KEYS[1], 'updatedAt', now, time_of_password, now, unpack(ARGV, 8))
  end
  if ARGV[7] ~= '' then
    store_password_hash(KEYS[1], KEYS[3], ARGV[7])
  end
  if ARGV[4] == '1' then
    end_all_sessions(KEYS[1], KEYS[2], ARGV[5], user[4], now)
  end
end
redis.call('HSET', KEYS[1], 'lastChange', ARGV[1])
return { 'changed', unpack(user_with_hash(KEYS[1], KEYS[3])) }
